"""SQL written once, with ``:name`` parameters, and the rounds in which it is run.

Logic that needs the database is written as a generator (a :data:`Work`) that *yields* what it wants to ask and is
*sent* the rows: it does no I/O itself, so the same code runs under the synchronous shell on SQLite and under an
asynchronous one that pipelines a round to PostgreSQL::

    FIND = statement("find", "SELECT state FROM purpose_contact WHERE client = :client AND ref = :ref")

    def is_live(client: str, ref: str) -> Work[bool]:
        (rows,) = yield Round(data=(FIND(client=client, ref=ref),))
        return bool(rows) and rows[0][0] == "connected"

A parameter written ``(:names*)`` takes a list and expands to as many placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

Row = tuple[Any, ...]
Rows = list[Row]
T = TypeVar("T")

_FEW: Final = 16
_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)(\*?)")


class Statement(NamedTuple):
    """One named SQL statement in the portable subset.

    ``lock`` is how the rows that it reads are held until the transaction ends, where writers run at once (PostgreSQL):
    ``FOR SHARE``, ``FOR NO KEY UPDATE OF c``. On SQLite the one writer holds everything.

    ``counted`` is how it is written down, where writers run at once, how many such rows a ``lane`` has written; a lane
    is nearly a connection, and the statement's own ``:lane`` is set to it then.

    ``free`` is one that may be run at any time: it only reads, or what it writes may stay when its operation fails.
    """

    name: str
    text: str
    lock: str = ""
    counted: Statement | None = None
    free: bool = False

    def __call__(self, **params: Any) -> Query:
        """Bind parameters."""
        return Query(self, params)

    def locking(self, lock: str) -> Statement:
        """Return the same statement for those who go on to write by what they read."""
        return Statement(f"{self.name}.locking", self.text, lock, free=self.free)


class Query(msgspec.Struct, frozen=True):
    """A statement with its parameters."""

    statement: Statement
    params: dict[str, Any]


class Round(msgspec.Struct, frozen=True):
    """What one database round trip asks: queries to the ``data`` store, then queries to the ``keys`` store.

    The shell sends back one list of rows per query, ``data`` first, then ``keys`` (empty for a statement that
    returns nothing). ``keys_writes`` run before them in one transaction of the ``keys`` store and answer nothing:
    keys are written first, additively, and only count once ``data`` commits (SPINE 18).

    ``last`` promises that nothing is asked after it: the operation ends by the answers, or fails by them.
    """

    data: tuple[Query, ...] = ()
    keys: tuple[Query, ...] = ()
    keys_writes: tuple[Query, ...] = ()
    last: bool = False


#: Asks nothing. Operations that are run together wait here for each other, so that what follows is run for one after
#: the other while its code is in the processor's caches.
PAUSE = Round()
Work = Generator[Round, list[Rows], T]


def statement(
    name: str,
    text: str,
    *,
    lock: str = "",
    counted: Statement | None = None,
    stays: bool = False,
) -> Statement:
    """Declare a named statement; white space is folded. ``stays``: what it writes may, when its operation fails."""
    folded = " ".join(text.split())
    return Statement(name, folded, lock, counted, stays or folded.startswith("SELECT"))


def for_sqlite(query: Query) -> tuple[str, Sequence[Any] | dict[str, Any]]:
    """Return SQL and parameters in SQLite's dialect; numbered, which binds faster than names, unless one is a list."""
    text, values_of = _numbered(query.statement.text)
    if values_of is None:
        return _expand(query, _lists(text), ":{}")
    return text, values_of(query.params)


def for_postgres(query: Query) -> tuple[str, Sequence[Any], bool]:
    """Return SQL in PostgreSQL's dialect, its values, and whether it is worth to be prepared.

    A text with a long list is another one each time.
    """
    _, text, lock, _, _ = query.statement
    lists, params = _lists(text), query.params
    if lists:
        text, params = _expand(query, lists, ":{}")
    sent, values_of = in_order(text, lock)
    return sent, values_of(params), not lists or len(params) <= _FEW


@lru_cache(maxsize=4096)
def in_order(text: str, lock: str = "") -> tuple[str, Callable[[dict[str, Any]], Sequence[Any]]]:
    """Return SQL in PostgreSQL's dialect, and what takes the values out of a mapping in its order."""
    numbered, values_of = _marked(text, "$")
    return f"{numbered} {lock}".rstrip(), values_of


@lru_cache(maxsize=4096)
def _lists(text: str) -> tuple[str, ...]:
    return tuple(name for name, star in _NAME.findall(text) if star)


@lru_cache(maxsize=4096)
def _numbered(text: str) -> tuple[str, Callable[[dict[str, Any]], Sequence[Any]] | None]:
    """Return the text in SQLite's dialect, and what takes the values out of a mapping in its order.

    A text with a list is returned as it is, with None: it is expanded anew each time.
    """
    return (text, None) if _lists(text) else _marked(text, "?")


def _marked(text: str, mark: str) -> tuple[str, Callable[[dict[str, Any]], Sequence[Any]]]:
    """Number the parameters, ``?1`` or ``$1`` for the first; one that comes again has its number again."""
    numbers: dict[str, int] = {}
    marked = _NAME.sub(
        lambda named: f"{mark}{numbers.setdefault(named[1], len(numbers) + 1)}", text
    )
    names = tuple(numbers)
    if len(names) > 1:
        return marked, itemgetter(*names)
    return marked, lambda params: [params[name] for name in names]


def _expand(query: Query, lists: tuple[str, ...], mark: str) -> tuple[str, dict[str, Any]]:
    text, params = query.statement.text, dict(query.params)
    for name in lists:
        values = list(params.pop(name))
        names = [f"{name}_{position}" for position in range(len(values))]
        params.update(zip(names, values, strict=True))
        placeholders = ", ".join(mark.format(n) for n in names) or "NULL"
        text = text.replace(f":{name}*", placeholders)
    return text, params
