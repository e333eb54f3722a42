"""Reading TOML strictly: what is not known is an error that names the key, its line and the nearest known key."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, NoReturn

from holdfast.kit.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST_BYTES: Final = 256 * 1024
_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART: Final = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DURATION: Final = re.compile(r"(\d{1,7})\s*(s|min|h|d)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class Document:
    """A parsed file that remembers where its keys stand."""

    def __init__(self, text: str, *, what: str) -> None:
        self.what = what
        self.asked: set[tuple[str, ...]] = set()  # every key that a reader knows
        if len(text.encode()) > MOST_BYTES:
            raise TooLarge(f"{what} is over {MOST_BYTES // 1024} KiB", field=what)
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(f"{what} is no TOML: {error}", field=what) from error
        except RecursionError:
            raise InvalidInput(f"{what} is nested too deep", field=what) from None
        self._lines = _lines(text)

    def root(self) -> Table:
        """The table that holds all others."""
        return Table(self, (), self.data)

    def fail(self, path: tuple[str, ...], problem: str, *, remedy: str = "") -> NoReturn:
        """Refuse the file, naming the key at ``path`` and its line."""
        line = next(
            (self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), 0
        )
        at = f" line {line}" if line else ""
        name = ".".join(path) or self.what
        raise InvalidInput(f"{self.what}{at}: {name}: {problem}", field=name, remedy=remedy)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` when a known name is near, else the list of known names when it is short."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 12 else ""


class Table:
    """One table of a document. Each reader names a key that is known; :meth:`done` refuses all others."""

    def __init__(self, document: Document, path: tuple[str, ...], data: dict[str, Any]) -> None:
        self._document = document
        self.path = path
        self._data = data
        self._known: set[str] = set()

    def fail(self, key: str, problem: str, *, remedy: str = "") -> NoReturn:
        """Refuse the file because of ``key`` of this table (empty: the table itself)."""
        self._document.fail((*self.path, key) if key else self.path, problem, remedy=remedy)

    def only(self, *names: str) -> None:
        """Refuse any other key at once, before what is missing is complained about."""
        for key in self._data:
            if key not in names:
                self.fail(key, f"unknown key{nearest(key, names)}")

    def done(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._data:
            if key not in self._known:
                self.fail(key, f"unknown key{nearest(key, self._known)}")

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def _take(self, key: str, kind: type, word: str) -> Any:
        self._known.add(key)
        self._document.asked.add((*self.path, key))
        value = self._data.get(key)
        if value is not None and (
            not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool)
        ):
            self.fail(key, f"must be {word}")
        return value

    def text(
        self,
        key: str,
        default: str | None = None,
        *,
        form: re.Pattern[str] | None = None,
        most: int = 500,
    ) -> str:
        """A line of text; required when there is no default."""
        value = self._take(key, str, "a text")
        if value is None:
            if default is None:
                self.fail("", f'needs the key "{key}"{self._misspelt(key)}')
            return default
        return self._checked(key, value, form=form, most=most)

    def _misspelt(self, key: str) -> str:
        near = difflib.get_close_matches(key, self._data.keys() - self._known, n=1, cutoff=0.6)
        return f'; is that what "{near[0]}" means?' if near else ""

    def _checked(
        self, key: str, value: str, *, form: re.Pattern[str] | None, most: int = 500
    ) -> str:
        if _CONTROL.search(value) or len(value) > most:
            self.fail(key, f"must be one line of at most {most} characters")
        if form is not None and not form.fullmatch(value):
            self.fail(key, f'"{value}" has not the form {form.pattern}')
        return value

    def choice(self, key: str, known: Collection[str], default: str | None = None) -> str:
        """One of the known words."""
        value = self.text(key, default)
        if value != default and value not in known:
            self.fail(key, f'"{value}" is not known{nearest(value, known)}')
        return value

    def number(self, key: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number in a range."""
        value = self._take(key, int, "a whole number")
        if value is None:
            return default
        if not least <= value <= most:
            self.fail(key, f"must be from {least} to {most}")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(key, bool, "true or false")
        return default if value is None else bool(value)

    def seconds(self, key: str, default: int, *, least: int = 0, most: int) -> int:
        """A duration such as ``"90 s"``, ``"5 min"``, ``"1 h"``, in seconds."""
        value = self._take(key, str, 'a duration such as "5 min"')
        if value is None:
            return default
        found = _DURATION.fullmatch(value)
        if not found:
            self.fail(key, f'"{value}" is no duration; write for example "90 s", "5 min" or "1 h"')
        seconds = int(found[1]) * _SECONDS[found[2]]
        if not least <= seconds <= most:
            self.fail(key, f"must be from {least} s to {most} s")
        return seconds

    def texts(
        self, key: str, default: tuple[str, ...] = (), *, form: re.Pattern[str] | None = None
    ) -> tuple[str, ...]:
        """A list of different texts."""
        value = self._take(key, list, "a list of texts")
        if value is None:
            return default
        if not all(isinstance(item, str) for item in value):
            self.fail(key, "must be a list of texts")
        if len(set(value)) != len(value):
            self.fail(key, "names something twice")
        return tuple(self._checked(key, item, form=form) for item in value)

    def choices(
        self, key: str, known: Collection[str], default: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """A list of known words."""
        found = self.texts(key, default)
        for item in found:
            if item not in known and item not in default:
                self.fail(key, f'"{item}" is not known{nearest(item, known)}')
        return found

    def lists(self, key: str, *, form: re.Pattern[str]) -> dict[str, tuple[str, ...]]:
        """A table whose every key has a list of texts."""
        inner = self.table(key)
        read = {name: inner.texts(name, form=form) for name in inner.names()}
        for name in read:
            inner._checked(name, name, form=form)  # noqa: SLF001  another table of the same class
        inner.done()
        return read

    def literals(
        self, key: str, *, form: re.Pattern[str]
    ) -> dict[str, tuple[str | int | bool, ...]]:
        """A table whose every key has a list of texts, of whole numbers, or of true and false."""
        inner = self.table(key)
        read = {name: inner._literal_list(name) for name in inner.names()}  # noqa: SLF001  another table of the same class
        for name in read:
            inner._checked(name, name, form=form)  # noqa: SLF001  see above
        inner.done()
        return read

    def _literal_list(self, key: str) -> tuple[str | int | bool, ...]:
        value = self._take(key, list, "a list of texts, whole numbers or booleans")
        kinds = {type(item) for item in value}
        if len(kinds) != 1 or not kinds <= {str, int, bool}:
            self.fail(key, "must be a list of texts, of whole numbers, or of booleans, all alike")
        for item in value:
            if isinstance(item, str):
                self._checked(key, item, form=None)
            elif abs(item) >= 2**63:
                self.fail(key, "a number has at most 63 bits")
        return tuple(value)

    def names(self) -> tuple[str, ...]:
        """The keys of this table."""
        return tuple(self._data)

    def table(self, key: str) -> Table:
        """A table within; empty when it is not there."""
        value = self._take(key, dict, f"a table: [{key}]")
        return Table(self._document, (*self.path, key), value or {})

    def tables(self, key: str) -> tuple[Table, ...]:
        """A list of tables: ``[[key]]``."""
        value = self._take(key, list, f"a list of tables: [[{key}]]")
        if value is not None and not all(isinstance(item, dict) for item in value):
            self.fail(key, f"must be a list of tables: [[{key}]]")
        return tuple(
            Table(self._document, (*self.path, f"{key}[{n}]"), item)
            for n, item in enumerate(value or (), 1)
        )


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Where each key stands. A reading aid only: what it does not find has no line in the message."""
    found: dict[tuple[str, ...], int] = {}
    counts: dict[tuple[str, ...], int] = {}
    prefix: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            path = _parts(header[2])
            prefix = tuple(_placed(path, counts, new=header[1] == "[["))
            found.setdefault(prefix, number)
            continue
        key = _KEY.match(line)
        if key:
            parts = _parts(key[1])
            for n in range(1, len(parts) + 1):
                found.setdefault((*prefix, *parts[:n]), number)
    return found


def _placed(path: tuple[str, ...], counts: dict[tuple[str, ...], int], *, new: bool) -> list[str]:
    placed: list[str] = []
    for n in range(1, len(path) + 1):
        here = path[:n]
        if new and n == len(path):
            counts[here] = counts.get(here, 0) + 1
        placed.append(f"{here[-1]}[{counts[here]}]" if here in counts else here[-1])
    return placed


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(key))
