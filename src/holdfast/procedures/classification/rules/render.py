"""A proposal as ``schema.toml`` with comments, and as JSON. Headers are shown escaped; values never."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules.headers import fold_header, shown
from holdfast.procedures.classification.rules.proposal import columns_key
from holdfast.spine.vault.schema import compile_schema
from holdfast.vocabulary.levels import Handling
from holdfast.vocabulary.schema import FieldType, Index, Mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.procedures.classification.rules.columns import ColumnGuess
    from holdfast.procedures.classification.rules.proposal import Proposal

_OWNER: Final = "Data protection officer"
_UNSURE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the proposal rests on."""

    file: str
    encoding: str
    layout: str
    rows_read: int
    rows_sampled: int


class Choices:
    """The keys of each field as they will stand in the schema; what the compiler refuses is made stricter."""

    def __init__(self, proposal: Proposal) -> None:
        headers = [guess.column.header for guess in proposal.guesses]
        self._proposal = proposal
        self.fields = {
            guess.name: _keys(guess, columns_key(guess, headers, shown=proposal.headers_shown))
            for guess in proposal.kept
        }
        self.made_stricter: dict[str, list[str]] = {}

    def settle(self) -> str:
        """Return the schema as plain TOML, compiled without error."""
        for _ in range(4 * len(self.fields) + 4):
            text = self.toml()
            try:
                compile_schema(text, name="proposed")
            except InvalidInput as refused:
                self._make_stricter(refused)
            else:
                return text
        msg = "a proposal does not compile"
        raise AssertionError(msg)

    def _make_stricter(self, refused: InvalidInput) -> None:
        """Give way where a rule of the vault refuses: hide more, find less."""
        _, _, rest = refused.field.partition("fields.")
        name, _, key = rest.partition(".")
        field = self.fields.get(name)
        if field is None:
            raise refused
        stricter: dict[str, dict[str, Any]] = {
            "index": {"index": Index.NONE.value},
            "mask": {"mask": Mask.FULL.value},
            "handling": {"handling": Handling.VERIFY_ONLY.value, "index": Index.NONE.value},
        }
        change = stricter.get(key)
        if change is None or all(field.get(k) == v for k, v in change.items()):
            raise refused
        if key == "mask" and field["handling"] == Handling.REFERENCE.value:
            raise refused
        field.update(change)
        self.made_stricter.setdefault(name, []).append(f"{key}: {refused.message}")

    def toml(
        self, comments: Mapping[str, Sequence[str]] | None = None, head: Sequence[str] = ()
    ) -> str:
        """Write the schema, with comments where given."""
        proposal = self._proposal
        lines = [*head, f"owner = {_quoted(_OWNER)}"]
        if comments is not None:
            lines[-1] += "  # CONFIRM: who answers for these data"
        lines += [
            f"customer_ref = {_quoted(proposal.customer_ref)}",
            f"record_key = {_quoted(proposal.record_key)}",
        ]
        if ignored := self.ignored():
            lines.append(f"ignore = [{', '.join(map(_quoted, ignored))}]")
        for name, keys in self.fields.items():
            lines += ["", *(comments or {}).get(name, ()), f"[fields.{name}]"]
            lines += [f"{key} = {_value(value)}" for key, value in keys.items()]
        return "\n".join(lines) + "\n"

    def ignored(self) -> list[str]:
        """Headers, or places, of the columns that are left out."""
        folded = Counter(fold_header(guess.column.header) for guess in self._proposal.guesses)
        names = []
        for guess in self._proposal.left_out:
            header = guess.column.header.strip()
            plain = self._proposal.headers_shown and header.isprintable() and len(header) <= 200
            alone = fold_header(header) and folded[fold_header(header)] == 1
            names.append(header if plain and alone else f"#{guess.column.position}")
        return names


def _keys(guess: ColumnGuess, columns: Sequence[str]) -> dict[str, Any]:
    kind = guess.kind
    handling = kind.handling
    if handling is Handling.REFERENCE and guess.type is not FieldType.CARD:
        handling = Handling.VERIFY_ONLY
    keys: dict[str, Any] = {
        "type": guess.type.value,
        "class": kind.data_class.name,
        "handling": handling.value,
    }
    if kind.index is not Index.NONE:
        keys["index"] = kind.index.value
    if guess.mask is not Mask.FULL or guess.type not in {
        FieldType.TEXT,
        FieldType.DECIMAL,
        FieldType.INTEGER,
    }:
        keys["mask"] = guess.mask.value
    if guess.region:
        keys["region"] = guess.region
    if guess.date_format:
        keys["date_format"] = guess.date_format
    if columns:
        keys["columns"] = list(columns)
    return keys


def _quoted(text: str) -> str:
    # A JSON string without raw control characters is a TOML basic string.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_quoted(str(item)) for item in value)}]"
    return _quoted(str(value))


def as_toml(proposal: Proposal, sampled: Sampled) -> str:
    """Return the complete schema with a comment that gives reason and confidence for each column."""
    choices = Choices(proposal)
    choices.settle()
    head = [
        f"# Proposed by `holdfast collection propose` for {shown(sampled.file)}",
        f"# ({sampled.layout}, {sampled.encoding}; {sampled.rows_sampled:,} of {sampled.rows_read:,} rows sampled).",
        "# Read every line. A class says how much harm a value can do, from C0 (public) to C4 (critical); handling",
        "# says the most that may ever happen with it: clear, masked, verify_only (compared, never shown), reference.",
        "# All keys: docs/reference/schema.md.",
        *(f"# CONFIRM: {warning}" for warning in proposal.warnings),
    ]
    head += [
        f"# Left out: column {_place(guess, proposal)}: {guess.dropped}."
        for guess in proposal.left_out
    ]
    comments = {guess.name: _comments(guess, proposal, choices) for guess in proposal.kept}
    text = choices.toml(comments, [*head, ""])
    compile_schema(text, name="proposed")
    return text


def _place(guess: ColumnGuess, proposal: Proposal) -> str:
    header = shown(guess.column.header) if proposal.headers_shown else ""
    return (
        f"{guess.column.position} {json.dumps(header, ensure_ascii=False)}"
        if header
        else str(guess.column.position)
    )


def _comments(guess: ColumnGuess, proposal: Proposal, choices: Choices) -> list[str]:
    sure = f"{guess.confidence:.0%} sure"
    lines = [f"# Column {_place(guess, proposal)}: {guess.reason} ({sure})."]
    if guess.filled < 1:
        blank = 1 - guess.filled
        lines.append(
            f"# {f'{blank:.0%}' if blank >= 0.01 else 'Under 1%'} of the sampled rows leave it blank."
        )
    lines += [f"# Made stricter, {why}." for why in choices.made_stricter.get(guess.name, ())]
    lines += [f"# CONFIRM: {warning}." for warning in guess.warnings]
    if guess.confidence < _UNSURE and not guess.warnings:
        lines.append("# CONFIRM: this is a guess.")
    return lines


def as_data(proposal: Proposal, sampled: Sampled) -> dict[str, Any]:
    """Return the proposal as data for ``--json``; ``schema`` holds the TOML text."""
    choices = Choices(proposal)
    choices.settle()
    return {
        "file": sampled.file,
        "encoding": sampled.encoding,
        "layout": sampled.layout,
        "rows_read": sampled.rows_read,
        "rows_sampled": sampled.rows_sampled,
        "customer_ref": proposal.customer_ref,
        "record_key": proposal.record_key,
        "columns": [_column(guess, proposal, choices) for guess in proposal.guesses],
        "ignore": choices.ignored(),
        "warnings": list(proposal.warnings),
        "schema": as_toml(proposal, sampled),
    }


def _column(guess: ColumnGuess, proposal: Proposal, choices: Choices) -> dict[str, Any]:
    keys = choices.fields.get(guess.name, {})
    return {
        "position": guess.column.position,
        "column": shown(guess.column.header) if proposal.headers_shown else "",
        "field": guess.name or None,
        "kind": guess.kind.id,
        **{key: keys.get(key) for key in ("type", "class", "handling")},
        "index": keys.get("index", "none") if keys else None,
        "mask": keys.get("mask", "full") if keys else None,
        "region": keys.get("region"),
        "date_format": keys.get("date_format"),
        "confidence": guess.confidence,
        "reason": guess.reason,
        "filled": round(guess.filled, 4),
        "unique": guess.column.unique,
        "rejected": guess.rejected,
        "dropped": guess.dropped or None,
        "warnings": [*guess.warnings, *choices.made_stricter.get(guess.name, ())],
    }
