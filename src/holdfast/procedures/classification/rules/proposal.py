"""A schema proposed for a whole file: names, keys, and what is left out. It compiles, or it is not proposed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules.columns import (
    ColumnGuess,
    beside_cards,
    countries,
    judge,
)
from holdfast.procedures.classification.rules.headers import (
    fold_header,
    header_words,
    looks_like_data,
)
from holdfast.spine.vault.schema_rules import forbidden
from holdfast.vocabulary.levels import Handling
from holdfast.vocabulary.schema import FieldType, Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.procedures.classification.rules.columns import Column

_LONGEST_NAME: Final = 48


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed. ``guesses`` are in the order of the file; dropped ones among them."""

    guesses: tuple[ColumnGuess, ...]
    customer_ref: str
    record_key: str
    warnings: tuple[str, ...]
    headers_shown: bool  # false when the first line looks like data

    @property
    def kept(self) -> tuple[ColumnGuess, ...]:
        """Columns that become fields."""
        return tuple(guess for guess in self.guesses if not guess.dropped)

    @property
    def left_out(self) -> tuple[ColumnGuess, ...]:
        """Columns that do not."""
        return tuple(guess for guess in self.guesses if guess.dropped)


def propose(columns: Sequence[Column]) -> Proposal:
    """Judge every column, name the fields and choose the two keys.

    Raises :class:`InvalidInput` when no column is left to tell customers apart.
    """
    guesses = _judged(columns)
    if any(guess.kind.id == "card" for guess in guesses):
        guesses = [beside_cards(guess) for guess in guesses]
    headers = [column.header for column in columns]
    shown = not looks_like_data(headers)
    guesses = _named(guesses, use_headers=shown)
    kept = [guess for guess in guesses if not guess.dropped]
    customer = _customer_ref(kept)
    record = _record_key(kept, customer)
    guesses = [
        _as_key(guess) if guess.name in {customer.name, record.name} else guess for guess in guesses
    ]
    warnings = [*_about_keys(customer, record), *_about_header(headers, shown=shown)]
    return Proposal(tuple(guesses), customer.name, record.name, tuple(warnings), shown)


def _judged(columns: Sequence[Column]) -> list[ColumnGuess]:
    """Judge twice where it helps: ids and phones of one column tell how the others write phones and dates."""
    votes = Counter(region for column in columns for region in countries(column))
    first = [judge(column, _ranked(votes)) for column in columns]
    votes.update(guess.region for guess in first if guess.region and guess.confidence > 0.5)
    for guess in first:
        if guess.kind.id == "phone" and not guess.region:
            votes.update(_calling(guess.column.values[:20]))
    if not votes:
        return first
    unsure = {FieldType.DATE, FieldType.DATE_OF_BIRTH, FieldType.PHONE}
    return [
        judge(guess.column, _ranked(votes)) if guess.type in unsure else guess for guess in first
    ]


def _calling(numbers: Iterable[str]) -> list[str]:
    codes = {
        "+63": "PH",
        "+91": "IN",
        "+44": "GB",
        "+34": "ES",
        "+52": "MX",
        "+57": "CO",
        "+55": "BR",
        "+1": "US",
    }
    return [
        region for code, region in codes.items() for number in numbers if number.startswith(code)
    ]


def _ranked(votes: Counter[str]) -> list[str]:
    return [region for region, _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))]


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _named(guesses: Sequence[ColumnGuess], *, use_headers: bool) -> list[ColumnGuess]:
    taken: set[str] = set()
    named = []
    for guess in guesses:
        if guess.dropped:
            named.append(guess)
            continue
        name = _free(_name(guess, use_header=use_headers), taken)
        taken.add(name)
        named.append(replace(guess, name=name))
    return named


def _name(guess: ColumnGuess, *, use_header: bool) -> str:
    words = header_words(guess.column.header) if use_header else []
    name = "_".join(words)[:_LONGEST_NAME].strip("_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        generic = guess.kind.id in {"text", "number", "decimal", "flag"}
        name = f"column_{guess.column.position}" if generic else guess.kind.id
    if forbidden(name):
        return (
            guess.kind.id
            if guess.kind.id not in {"pin", "security_code"}
            else f"column_{guess.column.position}"
        )
    return name


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def columns_key(guess: ColumnGuess, headers: Sequence[str], *, shown: bool) -> tuple[str, ...]:
    """Return what the field's ``columns`` must say so that the import finds the column: nothing where the name does."""
    header = guess.column.header
    folded = fold_header(header)
    place = f"#{guess.column.position}"
    if not shown:
        return (place,)
    alike = sum(1 for other in headers if fold_header(other) == folded)
    if folded == fold_header(guess.name) and alike == 1:
        return ()
    if (
        not folded
        or alike > 1
        or len(header) > 200
        or not header.isprintable()
        or forbidden(header)
    ):
        return (place,)
    return (header.strip(),)


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _customer_ref(kept: Sequence[ColumnGuess]) -> ColumnGuess:
    usable = [guess for guess in kept if _can_be_key(guess)]
    if not usable:
        raise InvalidInput(
            "no column could tell one customer from another",
            remedy="The file needs a column that is never blank, such as a customer number.",
            code="no_key",
        )
    return max(usable, key=_worth_as_customer)


def _can_be_key(guess: ColumnGuess) -> bool:
    return (
        guess.type in _KEY_TYPES
        and guess.filled > 0.5
        and guess.kind.id not in {"card", "notes", "special"}
    )


_KEY_TYPES: Final = frozenset(
    {
        FieldType.TEXT,
        FieldType.ACCOUNT,
        FieldType.INTEGER,
        FieldType.NATIONAL_ID,
        FieldType.EMAIL,
        FieldType.PHONE,
    }
)
_AS_CUSTOMER: Final = {
    "customer_ref": 9,
    "record_id": 6,
    "account": 5,
    "national_id": 4,
    "email": 3,
    "phone": 2,
}


def _worth_as_customer(guess: ColumnGuess) -> tuple[float, ...]:
    return (
        _AS_CUSTOMER.get(guess.kind.id, 0)
        if guess.kind.id == "customer_ref" or guess.column.nearly_unique
        else 0,
        guess.column.unique,
        guess.column.nearly_unique,
        guess.filled,
        guess.confidence,
        -guess.column.position,
    )


def _record_key(kept: Sequence[ColumnGuess], customer: ColumnGuess) -> ColumnGuess:
    if customer.column.nearly_unique:
        return customer
    unique = [guess for guess in kept if _can_be_key(guess) and guess.column.nearly_unique]
    worth = {"record_id": 3, "account": 2, "customer_ref": 2}
    return max(
        unique,
        key=lambda guess: (
            guess.column.unique,
            worth.get(guess.kind.id, 0),
            -guess.column.position,
        ),
        default=customer,
    )


def _as_key(guess: ColumnGuess) -> ColumnGuess:
    """A key is compared in clear by machines and found by search; it must not be an answer that proves identity."""
    kind = guess.kind
    if kind.id in {"number", "text"}:
        # Numbers that name something keep their leading zeros.
        kind = replace(kind, handling=Handling.CLEAR, index=Index.SEARCH, type=FieldType.ACCOUNT)
        return replace(guess, kind=kind, type=FieldType.ACCOUNT)
    if kind.id == "record_id":
        kind = replace(kind, index=Index.SEARCH)
    return replace(guess, kind=kind)


def _about_keys(customer: ColumnGuess, record: ColumnGuess) -> list[str]:
    warnings = []
    if customer.kind.id != "customer_ref":
        warnings.append(
            f"no header says that it is the customer number; {customer.name} is a guess: confirm customer_ref"
        )
    if not record.column.unique:
        warnings.append(
            f"no better record_key than {record.name} was found, and {record.column.repeated} of "
            f"{record.column.compared} rows share its value with an earlier row: those would be rejected"
        )
    return warnings


def _about_header(headers: Sequence[str], *, shown: bool) -> list[str]:
    warnings = []
    if not shown:
        warnings.append(
            "the first line looks like a record, not like a header: if so, use --no-header"
        )
    folded = Counter(fold_header(header) for header in headers)
    doubled = sum(1 for name, count in folded.items() if name and count > 1)
    if doubled:
        warnings.append(
            f"{doubled} header(s) stand above several columns: those columns are named by their place"
        )
    if folded[""] and folded[""] < len(headers):
        warnings.append(f"{folded['']} column(s) have no header: they are named by their place")
    return warnings
