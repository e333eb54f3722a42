"""The rows of a client's file, in batches, with the lines where they begin.

A row that cannot be read is given as an :class:`Unreadable` with the reason, never with its content. Memory is bounded
by the longest row allowed, not by the file.
"""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, TextIO

from holdfast.procedures.classification.rules.dialect import MOST_FIELD_CHARACTERS, NDJSON
from holdfast.procedures.classification.services.reading import as_text, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.procedures.classification.services.reading import Source

MOST_ROW_CHARACTERS: Final = MOST_FIELD_CHARACTERS
BATCH_ROWS: Final = 1000


class Unreadable(NamedTuple):
    """A row that is no row of this table. ``line`` is where it begins."""

    line: int
    reason: str
    field: str = ""


class Batch(NamedTuple):
    """Rows in the order of the file. ``cells[i]`` began at line ``lines[i]``; ``read`` counts blank rows too."""

    cells: list[Any]  # lists of cells, or dicts for NDJSON
    lines: Sequence[int]
    bad: list[Unreadable]
    read: int
    end: int  # the last line that was taken


class Rows:
    """The rows of a :class:`Source`, in batches.

    >>> with open_rows(source) as rows:                                             # doctest: +SKIP
    ...     for batch in rows:
    ...         ...
    """

    def __init__(self, file: BinaryIO, text: TextIO, source: Source, size: int) -> None:
        self._file = file
        self._text = text
        self._source = source
        self._size = size
        self._line = 0  # lines taken so far
        self._width = len(source.header)
        self._options: dict[str, Any] = source.dialect.options()
        self._unwrap = source.scanned.excel_text

    def __iter__(self) -> Iterator[Batch]:
        if self._source.dialect.kind == NDJSON:
            yield from self._objects()
            return
        csv.field_size_limit(MOST_ROW_CHARACTERS)
        self._skip_header()
        while lines := self._take(self._size):
            batch = self._batch(lines)
            self._refuse_grown()
            yield batch

    def _refuse_grown(self) -> None:
        """Stop when the file goes on beyond where it ended: whoever appends to it might never stop."""
        if self._file.tell() > self._source.scanned.bytes:
            self._source.refuse_changed()

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────
    def _take(self, count: int) -> list[str]:
        return list(islice(self._text, count))

    def _skip_header(self) -> None:
        source = self._source
        for _ in range(source.dialect.skip):
            self._line += len(self._take(1))
        if source.headerless:
            return
        while lines := self._take(1):
            _, taken, _ = self._record(lines)
            self._line += taken
            if any(line.strip() for line in lines):
                return

    # ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _batch(self, lines: list[str]) -> Batch:
        parsed = self._quickly(lines)
        if parsed is None:
            return self._carefully(lines)
        rows, numbers = parsed
        self._line += len(lines)
        if self._unwrap:
            rows = [_unwrapped_row(row) if '="' in "\0".join(row) else row for row in rows]
        if all(map(any, rows)):
            return Batch(rows, numbers, [], len(rows), self._line)
        return self._sorted(zip(rows, numbers, strict=True))

    def _quickly(self, lines: list[str]) -> tuple[list[list[str]], list[int]] | None:
        """Parse whole rows of the right width and where they begin; ``None`` when one is not, or is too long.

        More lines are appended to ``lines`` when the last row goes on beyond them.
        """
        if max(map(len, lines)) > MOST_ROW_CHARACTERS:
            return None
        rows: list[list[str]] = []
        ends = [0]
        try:
            reader = csv.reader(lines, **self._options)
            for row in reader:
                rows.append(row)
                ends.append(reader.line_num)
        except csv.Error:
            return None
        last = lines[ends[-2] :] if rows else []
        if any('"' in line for line in last) and self._source.dialect.ends_within_quotes(last):
            row, taken, problem = self._record(rest := lines[ends[-2] :])
            lines[ends[-2] :] = rest
            if problem or taken != len(rest):
                return None
            rows[-1] = row
        blank_or_even = {self._width} if all(rows) else {self._width, 0}
        if not set(map(len, rows)) <= blank_or_even:
            return None
        return rows, [self._line + 1 + end for end in ends[:-1]]

    def _carefully(self, lines: list[str]) -> Batch:
        """Parse row by row, taking more lines where a quote is open."""
        found: list[tuple[list[str] | str, int]] = []
        at = 0
        while at < len(lines):
            rest = lines[at:]
            row, taken, problem = self._record(rest)
            if len(rest) > len(lines) - at:  # lines were taken beyond the batch
                lines = lines[:at] + rest
            number = self._line + 1
            uneven = bool(problem) or len(row) != self._width
            if uneven and any(self._is_row(line) for line in lines[at + 1 : at + taken]):
                # A stray quote has swallowed the rows after it: only the first line is bad.
                row, taken, problem = [], 1, _STRAY
            self._line += taken
            at += taken
            found.append((problem or row, number))
        return self._sorted(found)

    def _record(self, lines: list[str]) -> tuple[list[str], int, str]:
        """Parse one record from the beginning of ``lines``; more lines are appended to it as needed.

        Returns the cells, how many lines it took, and what is wrong with it.
        """
        size = 0
        ended = False

        def feed() -> Iterator[str]:
            nonlocal size, ended
            at = 0
            while True:
                if at == len(lines):
                    more = self._take(1)
                    if not more:
                        ended = True
                        return
                    lines.extend(more)
                size += len(lines[at])
                if size > MOST_ROW_CHARACTERS:
                    raise _TooLong
                yield lines[at]
                at += 1

        reader = csv.reader(feed(), strict=False, **self._options)
        try:
            row = next(reader, [])
        except _TooLong:
            taken = max(1, reader.line_num)
            return [], taken, f"longer than {MOST_ROW_CHARACTERS:,} characters"
        except csv.Error:
            return [], max(1, reader.line_num), "cannot be read as a row"
        taken = max(1, reader.line_num)
        if ended and self._source.dialect.ends_within_quotes(lines[:taken]):
            return [], taken, _STRAY
        return row, taken, ""

    def _is_row(self, line: str) -> bool:
        """Tell whether a line by itself is a row of the table."""
        try:
            row = next(csv.reader([line], strict=True, **self._options), [])
        except csv.Error:
            return False
        return len(row) == self._width

    def _sorted(self, found: Any) -> Batch:
        """Part rows of the right width from the others; blank rows are passed over."""
        cells, lines, bad, read = [], [], [], 0
        for row, line in found:
            read += 1
            if isinstance(row, str):
                bad.append(Unreadable(line, row))
            elif not any(row):
                continue
            else:
                if len(row) > self._width and not any(row[self._width :]):
                    row = row[: self._width]  # noqa: PLW2901  separators at the end of a line
                if len(row) == self._width:
                    cells.append(_unwrapped_row(row) if self._unwrap else row)
                    lines.append(line)
                else:
                    bad.append(
                        Unreadable(
                            line, f"has {len(row)} columns where the header has {self._width}"
                        )
                    )
        return Batch(cells, lines, bad, read, self._line)

    # ── NDJSON ──────────────────────────────────────────────────────────────────────────────────────────────
    def _objects(self) -> Iterator[Batch]:
        while lines := list(islice(self._text, self._size)):
            cells, numbers, bad, read = [], [], [], 0
            for number, line in enumerate(lines, self._line + 1):
                if not line.strip():
                    continue
                read += 1
                found = _object(line)
                if isinstance(found, dict):
                    cells.append(found)
                    numbers.append(number)
                else:
                    bad.append(Unreadable(number, found))
            self._line += len(lines)
            self._refuse_grown()
            yield Batch(cells, numbers, bad, read, self._line)


_STRAY: Final = "a quote is opened and not closed in this row"


class _TooLong(Exception):
    """A record goes on and on."""


def _unwrapped_row(row: list[str]) -> list[str]:
    return [_unwrapped(cell) for cell in row]


def _unwrapped(cell: str) -> str:
    """Undo Excel's way to keep a number as text: ``="0012"`` is 0012."""
    if cell.startswith('="') and cell.endswith('"') and len(cell) > 2:
        return cell[2:-1].replace('""', '"')
    return cell


def _object(line: str) -> dict[str, str] | str:
    """Read one JSON object of plain values, each as text; else return what is wrong."""
    if len(line) > MOST_ROW_CHARACTERS:
        return f"longer than {MOST_ROW_CHARACTERS:,} characters"
    try:
        pairs = _DECODE(line.strip())
    except (ValueError, RecursionError):
        return "is not valid JSON"
    if not isinstance(pairs, _Pairs):
        return "is not a JSON object"
    found: dict[str, str] = {}
    for key, value in pairs.items:
        if key in found:
            return "has the same key twice"
        if isinstance(value, str):
            found[key] = value
        elif value is None:
            found[key] = ""
        elif isinstance(value, bool):
            found[key] = "true" if value else "false"
        else:
            return "holds a list or an object where a plain value belongs"
    return found


class _Pairs:
    """An object's members as they stand, doubled ones included."""

    __slots__ = ("items",)

    def __init__(self, items: list[tuple[str, Any]]) -> None:
        self.items = items


def _no_constant(name: str) -> Any:
    raise ValueError(name)


# Numbers stay as they are written: 0.10 does not become 0.1, and a long account number stays whole.
_DECODE: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=_no_constant
).decode


@contextmanager
def open_rows(source: Source, *, size: int = BATCH_ROWS) -> Iterator[Rows]:
    """Open the file for reading its rows from the first."""
    with opened(source.path) as file:
        source.refuse_changed()
        text = as_text(file, source.scanned.encoding)
        try:
            yield Rows(file, text, source, size)
        except UnicodeDecodeError:
            source.refuse_changed()
            raise
        finally:
            text.detach()
