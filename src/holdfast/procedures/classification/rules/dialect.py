"""How a file is laid out: which character parts its columns, how quotes are written, or whether it is NDJSON."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

CSV: Final = "csv"
NDJSON: Final = "ndjson"
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
MOST_FIELD_CHARACTERS: Final = 1024 * 1024
SAMPLE_LINES: Final = 500
_MOST_TITLES: Final = 20

_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A layout. ``skip`` lines stand before the header (Excel's ``sep=;``, a title)."""

    kind: str
    delimiter: str = ","
    backslash: bool = False  # a quote inside quotes is written \" instead of ""
    skip: int = 0

    @property
    def name(self) -> str:
        """How a person calls it."""
        return "NDJSON" if self.kind == NDJSON else f"{DELIMITERS[self.delimiter]}-separated"

    def ends_within_quotes(self, lines: Sequence[str]) -> bool:
        """Tell whether a quote is still open where ``lines`` end."""
        try:
            for _ in csv.reader(lines, strict=True, **self.options()):
                pass
        except csv.Error as error:
            return "unexpected end" in str(error)  # there is no other sign of it
        return False

    def options(self) -> dict[str, Any]:
        """Options for :func:`csv.reader`."""
        return {
            "delimiter": self.delimiter,
            "quotechar": '"',
            "doublequote": not self.backslash,
            "escapechar": "\\" if self.backslash else None,
        }


def detect(lines: Sequence[str], *, complete: bool) -> Dialect:
    """Return the layout of a file that begins with ``lines`` (line ends kept; ``complete``: there are no more).

    Raises :class:`InvalidInput` for what is no table: an empty file, one JSON document, a web page.
    """
    first = next((line.strip() for line in lines if line.strip(" \t\r\n,;|")), "")
    if not first:
        raise InvalidInput("the file is empty", code="empty")
    if first[0] == "{":
        return Dialect(NDJSON) if _is_object(first) else _pretty(first)
    if first[0] == "[" and (
        first == "[" or _is_json(first) or first[1:].lstrip()[:1] in {"{", "["}
    ):
        raise InvalidInput(
            "the file is one JSON list",
            remedy="Write one JSON object a line (NDJSON).",
            code="not_a_table",
        )
    if re.match(r"<(\?xml|!doctype|html)", first, re.IGNORECASE):
        raise InvalidInput("the file is XML or HTML, not a table of text", code="not_a_table")
    told = _SEPARATOR_LINE.fullmatch(lines[0].rstrip("\r\n"))
    if told and told[1] in DELIMITERS:
        rest = _usable(lines[1:], complete=complete)
        return Dialect(CSV, told[1], _backslash(rest, told[1]), skip=1)
    dialect = _most_even(_usable(lines, complete=complete))
    return dialect if dialect is _ONE_COLUMN else replace(dialect, skip=_titles(lines, dialect))


def _usable(lines: Sequence[str], *, complete: bool) -> list[str]:
    kept = lines if complete or len(lines) < 2 else lines[:-1]  # the last may be cut
    return [line for line in kept[:SAMPLE_LINES] if line.strip()]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_object(line: str) -> bool:
    return line[-1] == "}" and _is_json(line)


def _pretty(first: str) -> Dialect:
    if first == "{" or re.match(r'\{\s*"', first):
        raise InvalidInput(
            "the file is JSON, but its first line is not a whole object",
            remedy="Write one JSON object a line (NDJSON).",
            code="not_a_table",
        )
    return Dialect(CSV)


_ONE_COLUMN: Final = Dialect(CSV)


def _titles(lines: Sequence[str], dialect: Dialect) -> int:
    """Return how many lines of titles stand before the header: lines that fill their first cell alone."""
    reader = csv.reader(lines[:_MOST_TITLES], **dialect.options())
    before = 0
    try:
        for row in reader:
            filled = sum(1 for cell in row if cell.strip())
            if filled > 1 or (
                filled == 1 and len(row) > 1 and (not row[0].strip() or len(row) < 3)
            ):
                return before
            before = reader.line_num
    except csv.Error:
        pass
    return 0


def _most_even(lines: Sequence[str]) -> Dialect:
    """Choose what gives most rows of the header's width; among equals the wider, then the order of DELIMITERS."""
    best, best_score = _ONE_COLUMN, (0.0, 0)
    for delimiter in DELIMITERS:
        if not any(delimiter in line for line in lines[:_MOST_TITLES]):
            continue
        backslash = _backslash(lines, delimiter)
        score = _evenness(lines, delimiter, backslash=backslash)
        if score > best_score:
            best, best_score = Dialect(CSV, delimiter, backslash), score
    return best


def _backslash(lines: Sequence[str], delimiter: str) -> bool:
    if not any('\\"' in line for line in lines):
        return False
    return _evenness(lines, delimiter, backslash=True) > _evenness(
        lines, delimiter, backslash=False
    )


def _evenness(lines: Sequence[str], delimiter: str, *, backslash: bool) -> tuple[float, int]:
    csv.field_size_limit(MOST_FIELD_CHARACTERS)
    options = Dialect(CSV, delimiter, backslash).options()
    try:
        rows = list(csv.reader(lines, strict=True, **options))
        whole = len(rows)
    except csv.Error:
        # Stray quotes: a row that one has swallowed lines into counts against the layout.
        try:
            rows = list(csv.reader(lines, **options))
        except csv.Error:
            return (0.0, 0)
        whole = len(lines)
    widths = Counter(len(row) for row in rows if row)
    width, count = widths.most_common(1)[0]
    if width < 2:
        return (0.0, 0)
    return (round(count / max(1, whole), 2), width)
