"""Reading an export of a personnel system: which column is what, and what each line says. Pure: bytes in, lines out.

Nothing is lost: every line of the file comes back, as one that says something or with what is wrong with it.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What a column can be.
FIELDS: Final = ("staff_id", "label", "lead", "kind", "exit")
MOST_LINES: Final = 50_000
_STAFF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_LONGEST_LABEL: Final = 100
_GUESSES: Final = {
    "staff_id": (
        "staff id",
        "staff_id",
        "employee id",
        "employee number",
        "personnel number",
        "id",
    ),
    "label": ("name", "display name", "label", "full name"),
    "lead": ("lead", "manager", "manager id", "supervisor", "reports to"),
    "kind": ("type", "employment type", "worker type", "kind", "contract type"),
    "exit": ("exit date", "end date", "termination date", "last day", "exit"),
}
_CONTRACTOR: Final = ("contract", "freelance", "agency", "temp", "external")


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says of one person. ``line`` is where it begins in the file; ``wrong`` what is wrong with it."""

    line: int
    staff_id: str = ""
    label: str = ""
    lead: str = ""
    contractor: bool = False
    exit: date | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was taken apart: how it was written, its columns, and its lines with their numbers."""

    encoding: str
    columns: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]


def take_apart(raw: bytes) -> Table:
    """Read CSV: UTF-8 with or without a mark, else Latin-1; comma, semicolon or tab, as its first line has them.

    Raises :class:`InvalidInput` for what is no such file.
    """
    if b"\0" in raw:
        raise InvalidInput("this is no text file", field="file", remedy="Export it as CSV.")
    try:
        text, encoding = raw.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "Latin-1"
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: tuple[str, ...] = ()
    lines: list[tuple[int, tuple[str, ...]]] = []
    begins = 1
    try:
        for cells in reader:
            at, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = tuple(cell.strip() for cell in cells)
                continue
            lines.append((at, tuple(cell.strip() for cell in cells)))
            if len(lines) > MOST_LINES:
                raise TooLarge(f"at most {MOST_LINES} lines", field="file")
    except csv.Error as error:
        raise InvalidInput(f"line {begins} is no CSV: {error}", field="file") from None
    if not columns or not lines:
        raise InvalidInput("there is no line below the one that names columns", field="file")
    return Table(encoding, columns, tuple(lines))


def mapped(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``Employee ID=staff_id`` pairs as field → column."""
    found: dict[str, str] = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or field not in FIELDS or field in found:
            raise InvalidInput(
                f"{pair!r} maps nothing, or what is mapped already",
                field="map",
                remedy=f'Write "Column=FIELD", each of {", ".join(FIELDS)} once at most.',
            )
        found[field] = column.strip()
    return found


def guessed(columns: Iterable[str]) -> dict[str, str]:
    """Guess from the columns' names which is what."""
    known = {column.casefold(): column for column in columns}
    return {
        field: known[name]
        for field, names in _GUESSES.items()
        for name in reversed(names)
        if name in known
    }


def read(table: Table, mapping: Mapping[str, str]) -> list[Said]:
    """Say what each line says. Raises :class:`InvalidInput` for a mapping of columns that are not there."""
    if "staff_id" not in mapping:
        raise InvalidInput("say which column is the staff id", field="map")
    places: dict[str, int] = {}
    for field, column in mapping.items():
        if table.columns.count(column) != 1:
            raise InvalidInput(
                f"there is no single column {column!r}",
                field="map",
                remedy=f"There are: {', '.join(table.columns)}",
            )
        places[field] = table.columns.index(column)
    found: list[Said] = []
    seen: dict[str, int] = {}
    for at, cells in table.lines:
        said = _said(at, cells, places, width=len(table.columns))
        if not said.wrong and said.staff_id in seen:
            said = Said(
                at, said.staff_id, wrong=f"the same staff id as in line {seen[said.staff_id]}"
            )
        seen.setdefault(said.staff_id, at)
        found.append(said)
    return found


def _said(at: int, cells: tuple[str, ...], places: Mapping[str, int], *, width: int) -> Said:
    if len(cells) != width:
        return Said(at, wrong=f"{len(cells)} cells where there are {width} columns")
    given = {field: cells[place] for field, place in places.items()}
    staff_id = given["staff_id"]
    if not _STAFF.fullmatch(staff_id) or staff_id.startswith("per_"):
        return Said(
            at,
            staff_id[:64],
            wrong="the staff id is empty, or is none: letters, digits and . _ @ -",
        )
    label = given.get("label", "")
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        return Said(at, staff_id, wrong=f"the name is not up to {_LONGEST_LABEL} printable letters")
    ends = given.get("exit", "")
    try:
        leaves = date.fromisoformat(ends) if ends else None
    except ValueError:
        return Said(at, staff_id, wrong="the exit date is not written as 2026-12-31")
    kind = given.get("kind", "").casefold()
    return Said(
        *(at, staff_id, label, given.get("lead", "")),
        contractor=any(word in kind for word in _CONTRACTOR),
        exit=leaves,
    )
