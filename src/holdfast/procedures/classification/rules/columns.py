"""What one column holds, judged from its header and sampled values, with the reason and how sure we are.

Header and values are witnesses. When both agree we are sure; when they contradict each other the form of the values
counts, if it is one that nothing else has (check digits, an address); else the column is kept behind a mask until a
person decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules import values as forms
from holdfast.procedures.classification.rules.dates import date_form
from holdfast.procedures.classification.rules.findings import count_findings
from holdfast.procedures.classification.rules.kinds import KINDS, Kind
from holdfast.procedures.classification.rules.names import NameGuess, guess_by_header
from holdfast.spine.vault.normalise import normalise
from holdfast.spine.vault.schema_rules import forbidden
from holdfast.vocabulary.levels import DataClass
from holdfast.vocabulary.schema import FieldSpec, FieldType, Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.procedures.classification.rules.values import Recogniser

_CLEARLY: Final = 0.8  # the part of the values that a recogniser must know
_MOST_REJECTED: Final = 0.2  # above it, the type does not fit the column
_TEXTS: Final = frozenset(
    {"text", "notes", "status", "address", "name", "relative", "security_answer", "demographic"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as sampled. ``values`` are the non-blank ones, trimmed; they are never shown."""

    position: int  # from 1
    header: str
    values: tuple[str, ...] = field(repr=False)
    rows: int  # rows sampled, blank cells included
    repeated: int  # how many of the rows compared share their value with an earlier one
    compared: int  # rows compared; blank cells are not

    @property
    def unique(self) -> bool:
        """Whether each row that has a value has one of its own."""
        return bool(self.values) and not self.repeated

    @property
    def nearly_unique(self) -> bool:
        """Whether so few rows share a value that they are rather mistakes."""
        return bool(self.values) and self.repeated <= self.compared // 200


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """What we propose for a column. ``dropped`` says why it is left out; ``name`` is set by the proposal."""

    column: Column
    kind: Kind
    confidence: float
    reason: str
    type: FieldType
    mask: Mask
    name: str = ""
    region: str = ""
    date_format: str = ""
    rejected: int = 0  # sampled values that an import would refuse
    warnings: tuple[str, ...] = ()
    dropped: str = ""

    @property
    def filled(self) -> float:
        """Which part of the rows has a value."""
        return len(self.column.values) / self.column.rows if self.column.rows else 0.0


def judge(column: Column, regions: Sequence[str] = ()) -> ColumnGuess:
    """Return what the column holds; ``regions`` are countries that other columns point to, likeliest first."""
    said = guess_by_header(column.header)
    if never_kept := _never_kept(column, said):
        return never_kept
    if not column.values:
        return _empty(column, said)
    known = _recognised(column.values)
    if said is not None:
        by_header = _by_header(column, said, known, regions)
        if by_header is not None:
            return _checked(by_header)
    return _checked(_by_values(column, said, known, regions))


def countries(column: Column) -> list[str]:
    """Return the countries that the form of the values points to."""
    known = _recognised(column.values)
    return [known[0].region] if known and known[0].region else []


# ── what may not be kept ────────────────────────────────────────────────────────────────────────────────────────
def _never_kept(column: Column, said: NameGuess | None) -> ColumnGuess | None:
    kind = said.kind if said else ""
    what = forbidden(" ".join(re.findall(r"\w+", column.header)))
    if kind not in {"security_code", "pin", "password"}:
        if not what or (kind and not _short(column)):
            return None  # "PIN Code" with postal codes in it, "CID" with customer numbers
        kind = "pin" if what == "PIN" else "security_code"
    known = _recognised(column.values)
    if known and known[0].telling >= 0.9 and known[1] >= _CLEARLY and kind != "password":
        return None  # the header says PIN, but these are tax numbers
    chosen = KINDS[kind]
    return ColumnGuess(
        column, chosen, 0.95 if said and said.whole else 0.8, f"the header says {chosen.says}",
        chosen.type, chosen.mask,
        warnings=(f"looks like {chosen.says}: left out, {chosen.dropped}",),
        dropped=f"{chosen.says}: {chosen.dropped}",
    )  # fmt: skip


def _short(column: Column) -> bool:
    """Tell whether the values could be security codes or PINs; a column without values could."""
    if forms.share(column.values, forms.indian_postal_code) >= 0.9:
        return False
    return (
        not column.values
        or forms.share(column.values, forms.pin_code) >= 0.9
        or _three_or_four(column)
    )


def _three_or_four(column: Column) -> bool:
    return forms.share(column.values, forms.short_code) >= 0.9


def beside_cards(guess: ColumnGuess) -> ColumnGuess:
    """Leave out three or four digits that stand in a file with card numbers under a header that says nothing."""
    unsure = guess.kind.id in {"number", "text", "record_id"} and guess.confidence < 0.6
    several = len(set(guess.column.values)) > min(20, len(guess.column.values) // 4)
    if not (unsure and several and _three_or_four(guess.column)):
        return guess
    kind = KINDS["security_code"]
    return replace(
        guess,
        kind=kind,
        confidence=0.6,
        reason="three or four digits in a file with card numbers",
        warnings=(f"looks like {kind.says}: left out, {kind.dropped}",),
        dropped=f"{kind.says}: {kind.dropped}",
    )


# ── header and values together ──────────────────────────────────────────────────────────────────────────────────
def _empty(column: Column, said: NameGuess | None) -> ColumnGuess:
    if said is None:
        kind = KINDS["text"]
        return ColumnGuess(
            column,
            kind,
            0.9,
            "no value in the sample",
            kind.type,
            kind.mask,
            dropped="empty in every sampled row",
        )
    kind = KINDS[said.kind]
    type_ = FieldType.TEXT if kind.type in _NEEDS_FORM else kind.type
    mask = kind.mask if type_ is kind.type else Mask.FULL
    reason = f"the header says {kind.says}; no value in the sample"
    return ColumnGuess(column, kind, 0.4, reason, type_, mask)


_NEEDS_FORM: Final = frozenset(
    {FieldType.DATE, FieldType.DATE_OF_BIRTH, FieldType.DECIMAL, FieldType.PHONE}
)


def _recognised(values: Sequence[str]) -> tuple[Recogniser, float] | None:
    """Return the most telling recogniser that knows most of the values, and which part it knows."""
    best: tuple[Recogniser, float] | None = None
    sample = values[:200]
    for recogniser in forms.RECOGNISERS:
        part = forms.share(sample[:20], recogniser.test)
        if part >= _CLEARLY / 2:
            part = forms.share(sample, recogniser.test)
        if part >= _CLEARLY and (
            best is None or recogniser.telling * part > best[0].telling * best[1]
        ):
            best = (recogniser, part)
    return best


def _by_header(  # noqa: PLR0911  a list of cases, each with its answer
    column: Column, said: NameGuess, known: tuple[Recogniser, float] | None, regions: Sequence[str]
) -> ColumnGuess | None:
    """Follow the header where the values bear it out; ``None`` when they say something else."""
    kind = KINDS[said.kind]
    head = (
        f"the header says {kind.says}" if said.whole else f"a part of the header says {kind.says}"
    )
    if known and known[0].kind == kind.id:
        sure = 0.98 if said.whole else 0.95
        return _guess(column, kind, sure, f"{head}; {_part(known[1])} are {known[0].says}")
    if known and known[0].telling >= 0.9 and known[0].kind not in _ALIKE.get(kind.id, ()):
        return None
    if kind.id == "phone":
        return _phones(column, regions, head=head)
    if kind.type in {FieldType.DATE, FieldType.DATE_OF_BIRTH}:
        return _dates(column, kind, regions, head=head)
    if kind.id == "card":
        return _masked_cards(column, head)
    fits = _FITS.get(kind.id)
    if fits is None:
        return _guess(column, kind, 0.8 if said.whole else 0.6, head)
    part = forms.share(column.values, fits)
    if part < 0.5:
        return None
    sure = (0.7 if said.whole else 0.55) + 0.2 * part
    return _guess(column, kind, sure, f"{head}; {_part(part)} have its form")


# Kinds whose values may also pass as another's: what a header says of them is believed.
_ALIKE: Final[dict[str, tuple[str, ...]]] = {
    "customer_ref": ("national_id", "record_id", "device", "email", "account"),
    "record_id": ("national_id", "device", "account"),
    "username": ("email", "national_id"),
    "payment_address": ("email",),
    "account": ("national_id", "card", "device"),
    "device": ("card", "national_id"),
    "passport": ("national_id",),
    "licence": ("national_id",),
    "notes": ("email",),
    "phone": ("national_id",),
    "postal_code": ("national_id",),
    "balance": ("national_id",),
}
_LETTERS: Final = re.compile(r"[^\W\d_]")
_FITS: Final[dict[str, Callable[[str], bool]]] = {
    "customer_ref": lambda v: len(v) <= 64,
    "record_id": lambda v: len(v) <= 64,
    "name": lambda v: bool(_LETTERS.search(v)) and len(v) <= 120,
    "relative": lambda v: bool(_LETTERS.search(v)) and len(v) <= 120,
    "maiden_name": lambda v: bool(_LETTERS.search(v)) and len(v) <= 120,
    "email": lambda v: "@" in v,
    "national_id": lambda v: (
        4 <= sum(1 for c in v if c.isalnum()) <= 24 and any(c.isdigit() for c in v)
    ),
    "passport": lambda v: (
        6 <= sum(1 for c in v if c.isalnum()) <= 12 and any(c.isdigit() for c in v)
    ),
    "licence": lambda v: (
        5 <= sum(1 for c in v if c.isalnum()) <= 20 and any(c.isdigit() for c in v)
    ),
    "id_last4": forms.last_four,
    "card_last4": forms.last_four,
    "card_expiry": lambda v: any(c.isdigit() for c in v) and len(v) <= 12,
    "account": lambda v: (
        4 <= sum(1 for c in v if c.isalnum()) <= 36 and any(c.isdigit() for c in v)
    ),
    "device": lambda v: 4 <= sum(1 for c in v if c.isalnum()) <= 36 and any(c.isdigit() for c in v),
    "balance": forms.grouped_number,
    "income": forms.grouped_number,
    "postal_code": lambda v: len(v) <= 12 and any(c.isalnum() for c in v),
    "status": lambda v: len(v) <= 60,
}
_ALREADY_MASKED: Final = re.compile(r"[\d -]{0,10}[Xx*•#. -]{2,}[\d -]{2,10}")


def _masked_cards(column: Column, head: str) -> ColumnGuess | None:
    """A column that says "card" and holds no whole card numbers: often they came truncated already."""
    part = forms.share(
        column.values, lambda v: _ALREADY_MASKED.fullmatch(v) is not None or forms.last_four(v)
    )
    if part < 0.5:
        return None
    return _guess(
        column,
        KINDS["card_last4"],
        0.6 + 0.3 * part,
        f"{head}; {_part(part)} are truncated already",
    )


def _phones(column: Column, regions: Sequence[str], *, head: str = "") -> ColumnGuess | None:
    form = forms.phone_form(column.values, regions)
    if form.share < (0.5 if head else _CLEARLY):
        return None
    where = f" of {form.region}" if form.region else ""
    says = f"{_part(form.share)} are valid phone numbers{where}"
    sure = 0.65 + 0.32 * form.share if head else (0.9 if form.international > 0.5 else 0.55)
    guess = _guess(column, KINDS["phone"], sure, f"{head}; {says}" if head else says)
    if not form.tied:
        return replace(guess, region=form.region)
    doubt = f"the numbers would be valid in {', '.join(form.tied)} too: confirm the region {form.region}"
    return replace(guess, region=form.region, confidence=0.5, warnings=(doubt,))


def _dates(
    column: Column, kind: Kind, regions: Sequence[str], *, head: str = ""
) -> ColumnGuess | None:
    form = date_form(column.values, regions[0] if regions else "")
    if form is None:
        if not head:
            return None
        guess = _guess(
            column,
            kind,
            0.4,
            f"{head}, but most values are no dates that can be read without guessing",
        )
        return replace(guess, type=FieldType.TEXT, mask=Mask.FULL)
    written = "ISO 8601" if not form.format else form.format
    says = f"{_part(form.share)} are dates ({written})" if form.readable else "the values are dates"
    sure = 0.6 + 0.38 * form.share if head else 0.75
    guess = _guess(
        column, kind, sure if not form.doubt else 0.5, f"{head}; {says}" if head else says
    )
    if not form.readable:
        reason = f"{guess.reason}, kept as text: {form.doubt}"
        return replace(
            guess, reason=reason, type=FieldType.TEXT, mask=Mask.FULL, warnings=(form.doubt,)
        )
    return replace(guess, date_format=form.format, warnings=(form.doubt,) if form.doubt else ())


# ── values alone ────────────────────────────────────────────────────────────────────────────────────────────────
def _by_values(
    column: Column,
    said: NameGuess | None,
    known: tuple[Recogniser, float] | None,
    regions: Sequence[str],
) -> ColumnGuess:
    against = f"the header says {KINDS[said.kind].says}, but " if said else ""
    if known and (known[0].telling >= 0.7 or not said):
        kind = KINDS[known[0].kind]
        sure = known[0].telling * known[1] * (0.85 if said else 0.95)
        return _guess(column, kind, sure, f"{against}{_part(known[1])} are {known[0].says}")
    if not said:
        dates = _dates(column, KINDS["date"], regions)
        phones = None if dates else _phones(column, regions)
        if found := dates or phones:
            return found
    return _plain(column, against)


def _plain(column: Column, against: str) -> ColumnGuess:
    values = column.values
    lowered = {value.lower() for value in values}
    if lowered <= forms.yes_or_no and len(lowered) == 2:
        return _guess(column, KINDS["flag"], 0.6, f"{against}two values that mean yes and no")
    if forms.share(values, forms.whole_number) == 1.0 and not any(_leading_zero(v) for v in values):
        return _guess(
            column, KINDS["number"], 0.4, f"{against}whole numbers; nothing says what they count"
        )
    if forms.share(values, forms.decimal_number) == 1.0 and not any(
        _leading_zero(v) for v in values
    ):
        return _guess(
            column,
            KINDS["decimal"],
            0.4,
            f"{against}decimal numbers; nothing says what they measure",
        )
    if sum(map(len, values)) / len(values) > 60 or max(value.count(" ") for value in values) > 12:
        return _guess(column, KINDS["notes"], 0.6, f"{against}long texts")
    return _guess(column, KINDS["text"], 0.3, f"{against}nothing known was recognised")


def _leading_zero(value: str) -> bool:
    return value[0] == "0" and value[1:2].isdigit()


def _guess(column: Column, kind: Kind, confidence: float, reason: str) -> ColumnGuess:
    return ColumnGuess(column, kind, round(min(confidence, 0.99), 2), reason, kind.type, kind.mask)


def _part(part: float) -> str:
    if part >= 0.9995:
        return "all sampled values"
    return f"{min(99.9, part * 100):.3g} % of the sampled values"


# ── last checks ─────────────────────────────────────────────────────────────────────────────────────────────────
def _checked(guess: ColumnGuess) -> ColumnGuess:
    """Try the type on the sample with the function that the import uses; look into free text."""
    rejected = _rejected(guess)
    if rejected and rejected > len(guess.column.values) * _MOST_REJECTED:
        part = _part(rejected / len(guess.column.values))
        why = f"kept as text, because {part} are not written as type {guess.type.value} wants"
        reason = f"{guess.reason}; {why}"
        guess = replace(
            guess, type=FieldType.TEXT, mask=Mask.FULL, region="", date_format="", reason=reason
        )
        guess = replace(guess, confidence=min(guess.confidence, 0.7))
        rejected = _rejected(guess)
    warnings = list(guess.warnings)
    if rejected:
        warnings.append(
            f"{rejected} of {len(guess.column.values)} sampled values would be rejected"
        )
    guess = replace(guess, rejected=rejected, warnings=tuple(warnings))
    return _searched(guess) if guess.kind.id in _TEXTS or guess.type is FieldType.TEXT else guess


def _rejected(guess: ColumnGuess) -> int:
    spec = FieldSpec(
        name="sampled",
        number=1,
        type=guess.type,
        data_class=guess.kind.data_class,
        handling=guess.kind.handling,
        region=guess.region,
        date_format=guess.date_format,
    )
    count = 0
    for value in guess.column.values:
        try:
            normalise(spec, value)
        except InvalidInput:
            count += 1
    return count


def _searched(guess: ColumnGuess) -> ColumnGuess:
    found = count_findings(guess.column.values)
    if not found:
        return guess
    told = ", ".join(f"{what} in {count}" for what, count in found.items())
    warning = f"free text that holds what should not stand there: {told} of {len(guess.column.values)} sampled values"
    kind = replace(
        guess.kind,
        data_class=DataClass.C4,
        handling=KINDS["notes"].handling,
        index=KINDS["notes"].index,
    )
    return replace(
        guess, kind=kind, type=FieldType.TEXT, mask=Mask.FULL, warnings=(*guess.warnings, warning),
        reason=f"{guess.reason}; C4 for what was found in it",
    )  # fmt: skip
