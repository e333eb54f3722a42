"""A client's file, looked at before anything is taken from it.

:func:`inspect` looks at the whole file once (encoding, size, digest) and at its beginning (layout, header): nothing is
taken from a file that cannot be read to its end. :func:`~holdfast.procedures.classification.services.rows.open_rows`
then gives its rows.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

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
    identity: tuple[int, int, int]  # inode, size and time of the last change

    @property
    def encoding(self) -> str:
        """How a person calls the encoding."""
        return _NAMES.get(self.scanned.encoding, self.scanned.encoding.upper())

    def rows_if(self, rows: int, lines: int) -> int:
        """Return about how many rows it holds, when so many stand in its first ``lines``: a row may take several."""
        share = rows / lines if rows and lines else 1.0
        return max(rows, round(self.scanned.lines * share))

    def refuse_changed(self) -> None:
        """Raise :class:`Conflict` if somebody has written to the file since it was inspected."""
        try:
            same = _identity(self.path.stat()) == self.identity
        except OSError:
            same = False
        if not same:
            raise Conflict(
                "the file changed while it was being read",
                remedy="Run the command again when nobody writes to it; what is in stays as it is.",
                code="file_changed",
            )


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
    with opened(path) as file:
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
    return Source(path, scanned, dialect, header, headerless, digest.hexdigest(), _identity(before))


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; :class:`InvalidInput` says why it is none, or may not be read."""
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


def as_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Decode an opened file, line ends as they are; a byte order mark is passed over."""
    text = io.TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    if encoding.startswith("utf-16"):
        mark = text.read(1)
        if mark != "\ufeff":
            text.seek(0)
    return text


def _head(file: BinaryIO, encoding: str) -> tuple[list[str], bool]:
    """Return the first lines, and whether they are all."""
    text = as_text(file, encoding)
    lines: list[str] = []
    size = 0
    try:
        for line in text:
            lines.append(line)
            size += len(line)
            if len(lines) >= _HEAD_LINES or size > 4 * layouts.MOST_FIELD_CHARACTERS:
                return lines, False
    finally:
        text.detach()
    return lines, True


def _header(head: Sequence[str], dialect: Dialect, *, headerless: bool) -> tuple[str, ...]:
    lines = head[dialect.skip :]
    reader = csv.reader(lines, **dialect.options())
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), None)
    except csv.Error:
        header = None
    if header is None or dialect.ends_within_quotes(lines[: reader.line_num]):
        raise InvalidInput("the header opens a quote and does not close it", code="header")
    if len(header) > MOST_COLUMNS:
        raise InvalidInput(
            f"the header has {len(header)} columns; at most {MOST_COLUMNS} are read", code="header"
        )
    return ("",) * len(header) if headerless else tuple(header)
