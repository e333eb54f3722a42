"""Which column of a file is which field of a schema."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

MOST_COLUMNS: Final = 500
_POSITION: Final = re.compile(r"#([1-9][0-9]{0,3})")
_SHOWN: Final = 60
_VALUE: Final = re.compile(
    r"@\w+\.\w|(?:\d[ ./-]?){5}"
)  # an address, or five digits: no column is called so


def fold_header(header: str) -> str:
    """Fold a header so that spelling does not matter.

    Accents, case, width, punctuation and white space are folded away: ``PhoneNumber``, ``phone no.`` and
    ``phone_no`` keep letters and digits only.
    """
    return "".join(header_words(header))


def header_words(header: str) -> list[str]:
    """Return the words of a header, folded: ``N.º de Teléfono-Móvil`` → n, o, de, telefono, movil."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", header.replace("\ufeff", ""))
    plain = unicodedata.normalize("NFKD", parted)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return re.findall(r"[^\W_]+", plain)


def looks_like_data(header: Sequence[str]) -> bool:
    """Tell whether the first line is a record rather than a header: then none of its cells may be shown."""
    return any(_VALUE.search(cell) for cell in header)


def shown(header: str) -> str:
    """Return a header fit for a terminal, a log line or a comment: printable, one line, bounded."""
    text = "".join(c if c.isprintable() else " " for c in header)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


@dataclass(frozen=True, slots=True)
class Columns:
    """The plan by which rows are read.

    ``positions[i]`` is the column of ``names[i]``; ``left_out`` are headers that no field claims and the schema
    does not ignore.
    """

    width: int
    names: tuple[str, ...]
    positions: tuple[int, ...]
    left_out: tuple[str, ...]


def match_header(header: Sequence[str], schema: CollectionSchema) -> Columns:
    """Find each field's column in the header of a CSV file.

    A field is found under its name or one of its ``columns``. Raises :class:`InvalidInput` when a field has no
    column, two columns, or shares its column.
    """
    if len(header) > MOST_COLUMNS:
        raise InvalidInput(
            f"the header has {len(header)} columns; at most {MOST_COLUMNS} are read", code="header"
        )
    if any("\0" in cell for cell in header):
        raise InvalidInput("the header holds a NUL character", code="header")
    folded = [fold_header(cell) for cell in header]
    found = {spec.name: _columns_of(spec, folded) for spec in schema.fields}
    _refuse_missing([spec.name for spec in schema.fields if not found[spec.name]], header)
    _refuse_doubled(found)
    positions = {name: at[0] for name, at in found.items()}
    taken = set(positions.values())
    ignored = {fold_header(name) for name in schema.ignore} - {""}
    data = looks_like_data(header)
    left_out = tuple(
        f"#{number + 1}" if data else shown(cell) or f"#{number + 1}"
        for number, cell in enumerate(header)
        if number not in taken
        and folded[number] not in ignored
        and f"#{number + 1}" not in schema.ignore
    )
    return Columns(len(header), tuple(positions), tuple(positions.values()), left_out)


def match_keys(keys: Sequence[str], schema: CollectionSchema) -> dict[str, str]:
    """Return for each key of NDJSON objects the field that it carries; keys of no field are not in the answer.

    Raises :class:`InvalidInput` when two keys carry the same field.
    """
    by_folded: dict[str, str] = {}
    for spec in schema.fields:
        for name in (spec.name, *spec.columns):
            by_folded.setdefault(fold_header(name), spec.name)
    found: dict[str, str] = {}
    claimed: dict[str, str] = {}
    for key in keys:
        field = by_folded.get(fold_header(key))
        if field is None:
            continue
        if claimed.setdefault(field, key) != key:
            raise InvalidInput(
                f"the keys {shown(claimed[field])!r} and {shown(key)!r} both carry this field",
                field=field,
                code="header",
            )
        found[key] = field
    return found


def _columns_of(spec: FieldSpec, folded: Sequence[str]) -> list[int]:
    """Columns under the field's first name that occurs; positions such as ``#3`` come last."""
    for name in (spec.name, *spec.columns):
        if position := _POSITION.fullmatch(name):
            if int(position[1]) <= len(folded):
                return [int(position[1]) - 1]
            continue
        wanted = fold_header(name) or None
        at = [number for number, cell in enumerate(folded) if cell == wanted]
        if at:
            return at
    return []


def _refuse_missing(missing: Sequence[str], header: Sequence[str]) -> None:
    if not missing:
        return
    if looks_like_data(header):
        remedy = "The first line looks like a record. Use --no-header, with the places of columns in `columns`."
    else:
        names = ", ".join(shown(cell) or "(blank)" for cell in header)
        remedy = f"Its columns are: {names}. Name the right one in the field's `columns`."
    raise InvalidInput(
        f"the file has no column for: {', '.join(missing)}",
        field=missing[0],
        remedy=remedy,
        code="column_missing",
    )


def _refuse_doubled(found: dict[str, list[int]]) -> None:
    for name, at in found.items():
        if len(at) > 1:
            places = ", ".join(f"#{number + 1}" for number in at)
            raise InvalidInput(
                f"the columns {places} have the same header",
                field=name,
                remedy="Say which one by its position in the field's `columns`, and rename the field.",
                code="column_doubled",
            )
    uses = Counter(at[0] for at in found.values())
    for position, count in uses.items():
        if count > 1:
            names = [name for name, at in found.items() if at[0] == position]
            raise InvalidInput(
                f"column #{position + 1} is claimed by {' and '.join(names)}",
                field=names[0],
                code="column_doubled",
            )
