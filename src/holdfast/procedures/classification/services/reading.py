"""Reading a client's file row by row in constant memory, whatever its encoding and layout.

:func:`inspect` looks at the whole file once (encoding, size, digest) and at its beginning (layout, header); nothing
is taken from a file that cannot be read to its end. :class:`Rows` then gives batches of rows with their line
numbers. A row that cannot be read is given as a :class:`Unreadable` with the reason, never with its content.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from holdfast.kit.errors import Conflict, InvalidInput, NotFound, Unavailable
from holdfast.procedures.classification.rules import dialect as layouts
from holdfast.procedures.classification.rules.dialect import NDJSON, Dialect
from holdfast.procedures.classification.rules.encoding import (
    ENCODINGS,
    UTF_8,
    UTF_8_BOM,
    WINDOWS_1252,
    Scan,
)
from holdfast.procedures.classification.rules.headers import MOST_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from holdfast.procedures.classification.rules.encoding import Scanned

_CHUNK: Final = 1024 * 1024
_HEAD_LINES: Final = layouts.SAMPLE_LINES + 1
MOST_ROW_CHARACTERS: Final = layouts.MOST_FIELD_CHARACTERS
BATCH_ROWS: Final = 1000
_NAMES: Final = {
    UTF_8_BOM: "UTF-8 with byte order mark",
    UTF_8: "UTF-8",
    WINDOWS_1252: "Windows-1252",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read as a table."""

    path: Path
    scanned: Scanned
    dialect: Dialect
    header: tuple[str, ...]  # of a CSV file; empty for NDJSON; blank cells when the file has none
    headerless: bool
    digest: str  # SHA-256 of its bytes, hexadecimal
    changed_ns: int

    @property
    def encoding(self) -> str:
        """How a person calls the encoding."""
        return _NAMES.get(self.scanned.encoding, self.scanned.encoding.upper())

    @property
    def rows(self) -> int:
        """About how many rows it holds: the lines that end, less the header."""
        return max(1, self.scanned.lines - self.dialect.skip - (0 if self._without_header else 1))

    @property
    def _without_header(self) -> bool:
        return self.headerless or self.dialect.kind == NDJSON

    def refuse_changed(self) -> None:
        """Raise :class:`Conflict` if somebody has written to the file since it was inspected."""
        now = self.path.stat()
        if (now.st_size, now.st_mtime_ns) != (self.scanned.bytes, self.changed_ns):
            raise Conflict(
                "the file changed while it was being read",
                remedy="Run the command again when nobody writes to it; what is in stays as it is.",
                code="file_changed",
            )


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


def inspect(
    path: Path,
    *,
    encoding: str = "",
    headerless: bool = False,
    told: Callable[[int], None] = lambda _: None,
) -> Source:
    """Look at the whole file and say how it is to be read; ``told`` hears how many bytes were looked at.

    Raises :class:`NotFound`, :class:`Unavailable` (no permission) or :class:`InvalidInput` (directory, pipe, empty,
    binary, a JSON list, an encoding that changes, a line without end).
    """
    if encoding and encoding not in ENCODINGS:
        raise InvalidInput(
            f"unknown encoding {encoding}",
            field="encoding",
            remedy=f"One of: {', '.join(ENCODINGS)}.",
        )
    with _opened(path) as file:
        before = os.fstat(file.fileno())
        scan, digest = Scan(encoding), hashlib.sha256()
        while chunk := file.read(_CHUNK):
            scan.feed(chunk)
            digest.update(chunk)
            told(len(chunk))
        scanned = scan.finish()
        file.seek(0)
        head, complete = _head(file, scanned.encoding)
    dialect = layouts.detect(head, complete=complete)
    header = () if dialect.kind == NDJSON else _header(head, dialect, headerless=headerless)
    return Source(
        path, scanned, dialect, header, headerless, digest.hexdigest(), before.st_mtime_ns
    )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # Not to wait for a writer when it is a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", code="no_file") from None
    except PermissionError:
        raise InvalidInput(
            f"{path} may not be read by this user", field="file", code="unreadable"
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}", field="file", code="unreadable"
        ) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise InvalidInput(
                f"{path} is a folder", field="file", remedy="Name one file.", code="directory"
            )
        raise InvalidInput(
            f"{path} is no regular file",
            field="file",
            remedy="Save it first: a file is read twice.",
            code="no_file",
        )
    with os.fdopen(descriptor, "rb", buffering=_CHUNK) as file:
        try:
            yield file
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    text = io.TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    if encoding.startswith("utf-16"):
        mark = text.read(1)
        if mark != "\ufeff":
            text.seek(0)
    return text


def _head(file: BinaryIO, encoding: str) -> tuple[list[str], bool]:
    text = _text(file, encoding)
    lines: list[str] = []
    size = 0
    for line in text:
        lines.append(line)
        size += len(line)
        if len(lines) >= _HEAD_LINES or size > 4 * MOST_ROW_CHARACTERS:
            break
    else:
        return lines, True
    return lines, False


def _header(head: Sequence[str], dialect: Dialect, *, headerless: bool) -> tuple[str, ...]:
    reader = csv.reader(head[dialect.skip :], **dialect.options())  # type: ignore[arg-type]
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error:
        raise InvalidInput(
            "the header opens a quote and does not close it", code="header"
        ) from None
    if len(header) > MOST_COLUMNS:
        raise InvalidInput(
            f"the header has {len(header)} columns; at most {MOST_COLUMNS} are read", code="header"
        )
    return ("",) * len(header) if headerless else tuple(header)


class Rows:
    """The rows of a :class:`Source`, in batches.

    >>> with open_rows(source) as rows:                                             # doctest: +SKIP
    ...     for batch in rows:
    ...         ...
    """

    def __init__(self, text: io.TextIOWrapper, source: Source, size: int = BATCH_ROWS) -> None:
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
            yield self._batch(lines)

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
        rows = self._simply(lines)
        if rows is None:
            return self._carefully(lines)
        first = self._line + 1
        self._line += len(lines)
        numbers: Sequence[int] = range(first, first + len(rows))
        if self._unwrap:
            rows = [
                [_unwrapped(cell) for cell in row] if any('="' in cell for cell in row) else row
                for row in rows
            ]
        if set(map(len, rows)) == {self._width} and all(map(any, rows)):
            return Batch(rows, numbers, [], len(rows))
        return self._sorted(zip(rows, numbers, strict=True))

    def _simply(self, lines: list[str]) -> list[list[str]] | None:
        """Parse lines of which each is a row; ``None`` when a row spans several, or is too long."""
        if max(map(len, lines)) > MOST_ROW_CHARACTERS:
            return None
        try:
            rows = list(csv.reader(lines, **self._options))
            if len(rows) != len(lines):
                return None
            if '"' in lines[-1]:
                # The last line may open a quote that a later one closes: only strict reading tells.
                list(csv.reader(lines[-1:], strict=True, **self._options))
        except csv.Error:
            return None
        return rows

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
            if taken > 1 and (problem or len(row) != self._width):
                # A stray quote has swallowed the rows after it: only the first line is bad.
                row, taken, problem = [], 1, "a quote is opened and not closed in this row"
            self._line += taken
            at += taken
            found.append((problem or row, number))
        return self._sorted(found)

    def _record(self, lines: list[str]) -> tuple[list[str], int, str]:
        """Parse one record from the beginning of ``lines``; more lines are appended to it as needed.

        Returns the cells, how many lines it took, and what is wrong with it.
        """
        size = 0

        def feed() -> Iterator[str]:
            nonlocal size
            at = 0
            while True:
                if at == len(lines):
                    more = self._take(1)
                    if not more:
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
        return row, max(1, reader.line_num), ""

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
                    cells.append([_unwrapped(cell) for cell in row] if self._unwrap else row)
                    lines.append(line)
                else:
                    bad.append(
                        Unreadable(
                            line, f"has {len(row)} columns where the header has {self._width}"
                        )
                    )
        return Batch(cells, lines, bad, read)

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
            yield Batch(cells, numbers, bad, read)


class _TooLong(Exception):
    """A record goes on and on."""


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
    with _opened(source.path) as file:
        text = _text(file, source.scanned.encoding)
        try:
            yield Rows(text, source, size)
        except UnicodeDecodeError:
            source.refuse_changed()
            raise
        finally:
            text.detach()
