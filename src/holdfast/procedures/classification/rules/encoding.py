"""What a file is written in: UTF-8 with or without a byte order mark, UTF-16, or Windows-1252.

The whole file is looked at before anything is taken from it (:class:`Scan`), because the first accented letter may
stand in the last row, and because half of a file read in one encoding and half in another gives names that are
wrong without looking wrong. A scan costs about a hundredth of an import and constant memory.
"""

from __future__ import annotations

import re
from codecs import (
    BOM_UTF8,
    BOM_UTF16_BE,
    BOM_UTF16_LE,
    BOM_UTF32_BE,
    BOM_UTF32_LE,
    getincrementaldecoder,
)
from dataclasses import dataclass
from typing import Final

from holdfast.kit.errors import InvalidInput, TooLarge

UTF_8: Final = "utf-8"
UTF_8_BOM: Final = "utf-8-sig"
UTF_16_LE: Final = "utf-16-le"
UTF_16_BE: Final = "utf-16-be"
WINDOWS_1252: Final = "cp1252"
ENCODINGS: Final = (UTF_8, UTF_16_LE, UTF_16_BE, WINDOWS_1252)

MOST_LINE_BYTES: Final = 8 * 1024 * 1024
HEAD_BYTES: Final = 64 * 1024

_BOMS: Final = ((BOM_UTF8, UTF_8_BOM), (BOM_UTF16_LE, UTF_16_LE), (BOM_UTF16_BE, UTF_16_BE))
_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook; save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "compressed with xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\x00", "a SQLite database; export the table as CSV"),
    (b"PAR1", "a Parquet file; export it as CSV"),
)
# What UTF-8 makes of Western letters and typographic marks. In Windows-1252 they read "Ã©", "Â°", "â€™": nobody
# writes that.
_WESTERN_UTF8: Final = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xe2[\x80\x82\x84][\x80-\xbf]")
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_NOT_IN_1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found. ``lines`` counts line ends; ``excel_text`` says that cells such as ``="0012"`` occur."""

    encoding: str
    bytes: int
    lines: int
    excel_text: bool


def encoding_of_head(head: bytes, told: str = "") -> str:
    """Return the encoding as far as the first bytes tell: ``""`` for UTF-8 or Windows-1252, which only the whole tells.

    ``told`` is what the user says; bytes that would be binary in another encoding are then no surprise.
    Raises :class:`InvalidInput` when the bytes are no text.
    """
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise InvalidInput(f"the file is {what}", code="not_a_table")
    if head.startswith((BOM_UTF32_BE, BOM_UTF32_LE)):
        raise InvalidInput("the file is written in UTF-32; save it as UTF-8", code="encoding")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    return "" if told in {UTF_16_LE, UTF_16_BE} else _without_bom(head[:HEAD_BYTES])


def _without_bom(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    # Western text in UTF-16 is letter, zero, letter, zero; text has no zeros at all in the other encodings.
    if odd > half * 0.4 and even < half * 0.1:
        return UTF_16_LE
    if even > half * 0.4 and odd < half * 0.1:
        return UTF_16_BE
    odd_bytes = sum(head.count(bytes((code,))) for code in (*range(9), *range(14, 27)))
    if odd_bytes > len(head) * 0.01 + 1:
        raise InvalidInput("the file holds binary data, not a table of text", code="not_a_table")
    return ""


class Scan:
    """Fed a file's bytes in order, tells its encoding at the end.

    >>> scan = Scan()
    >>> scan.feed("name;city;José;Ávila".encode("cp1252"))
    >>> scan.finish().encoding
    'cp1252'
    """

    def __init__(self, encoding: str = "") -> None:
        self._given = encoding  # what the user says, or what the byte order mark said
        self._started = False
        self._carry = b""
        self._bytes = 0
        self._lines = 0
        self._unbroken = 0
        self._excel = False
        self._first_invalid = 0  # line of the first byte that is not UTF-8
        self._first_western = 0  # line of the first letter that is certainly UTF-8
        self._outside_1252 = 0
        self._decoder = getincrementaldecoder("ascii")()

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes; :class:`InvalidInput` as soon as they cannot be text."""
        if not self._started and chunk:
            self._started = True
            self._begin(chunk)
        self._bytes += len(chunk)
        if self._given and self._given not in {UTF_8, UTF_8_BOM}:
            self._decode(chunk)
        else:
            self._weigh(chunk)
        self._count(chunk)

    def finish(self) -> Scanned:
        """Say what the file is written in; :class:`InvalidInput` when it is empty or changes on the way."""
        if self._given and self._given not in {UTF_8, UTF_8_BOM}:
            self._decode(b"", final=True)
            return self._found(self._given)
        if self._carry:
            self._first_invalid = self._first_invalid or self._lines + 1
            if _NOT_IN_1252.search(self._carry):
                self._outside_1252 = self._outside_1252 or self._lines + 1
        if not self._first_invalid:
            return self._found(self._given or UTF_8)
        if self._given:
            raise _not_written_in("UTF-8", self._first_invalid)
        if self._first_western:
            raise InvalidInput(
                f"the encoding changes: line {self._first_western} is UTF-8, line {self._first_invalid} is not",
                remedy="Export the file anew in one encoding, or name the right one with --encoding.",
                code="encoding",
            )
        if self._outside_1252:
            raise InvalidInput(
                f"line {self._outside_1252} is neither UTF-8 nor Windows-1252",
                remedy="Save the file as UTF-8.",
                code="encoding",
            )
        return self._found(WINDOWS_1252)

    def _found(self, encoding: str) -> Scanned:
        if not self._bytes:
            raise InvalidInput("the file is empty", code="empty")
        return Scanned(encoding, self._bytes, self._lines, self._excel)

    def _begin(self, chunk: bytes) -> None:
        seen = encoding_of_head(chunk, self._given)
        marked = any(chunk.startswith(bom) for bom, _ in _BOMS)
        if marked and self._given and self._given != seen.removesuffix("-sig"):
            raise InvalidInput(
                f"the file begins with the mark of {seen}", field="encoding", code="encoding"
            )
        self._given = seen if marked else self._given or seen
        if self._given and self._given not in {UTF_8, UTF_8_BOM}:
            self._decoder = getincrementaldecoder(self._given)()

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            seen = error.object[: error.start].count(_newline(self._given))
            raise _not_written_in(self._given, self._lines + seen + 1) from None

    def _weigh(self, chunk: bytes) -> None:
        if not self._carry and chunk.isascii():
            return
        whole = self._carry + chunk
        cut = len(whole) - _unfinished(whole)
        part, self._carry = whole[:cut], whole[cut:]
        if part.isascii():
            return
        western = None
        if not self._first_western and (b"\xc3" in part or b"\xc2" in part or b"\xe2" in part):
            western = _WESTERN_UTF8.search(part)
        try:
            part.decode()
        except UnicodeDecodeError as error:
            self._first_invalid = self._first_invalid or self._line(part, error.start)
            wrong = None if self._outside_1252 else _NOT_IN_1252.search(part)
            if wrong:
                self._outside_1252 = self._line(part, wrong.start())
        else:
            western = western or (None if self._first_western else _HIGH.search(part))
        if western:
            self._first_western = self._line(part, western.start())

    def _line(self, part: bytes, offset: int) -> int:
        return self._lines + part.count(b"\n", 0, offset) + 1

    def _count(self, chunk: bytes) -> None:
        newline = _newline(self._given)
        ends = chunk.count(newline) or chunk.count(b"\r")
        self._lines += ends
        self._unbroken = len(chunk) - chunk.rfind(b"\n") if ends else self._unbroken + len(chunk)
        if self._unbroken > MOST_LINE_BYTES:
            raise TooLarge(
                f"line {self._lines + 1} is longer than {MOST_LINE_BYTES // 2**20} MiB",
                remedy="Is this a table with one record a line?",
                code="row_too_long",
            )
        if not self._excel:
            self._excel = b'="' in chunk or b'=\x00"' in chunk


def _newline(encoding: str) -> bytes:
    return {UTF_16_LE: b"\n\x00", UTF_16_BE: b"\x00\n"}.get(encoding, b"\n")


def _unfinished(data: bytes) -> int:
    """Return how many bytes at the end begin a UTF-8 sequence without finishing it."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = (
            2
            if 0xC2 <= byte <= 0xDF
            else 3
            if 0xE0 <= byte <= 0xEF
            else 4
            if 0xF0 <= byte <= 0xF4
            else 0
        )
        return back if needed > back else 0
    return 0


def _not_written_in(encoding: str, line: int) -> InvalidInput:
    names = {UTF_16_LE: "UTF-16 LE", UTF_16_BE: "UTF-16 BE", WINDOWS_1252: "Windows-1252"}
    return InvalidInput(
        f"line {line} is not written in {names.get(encoding, encoding)} as the rest is",
        remedy="Export the file anew in one encoding, or name the right one with --encoding.",
        code="encoding",
    )
