"""A store's tables as a whole: every row read, or every row written, whichever database the store stands in.

What is not a row of the house is left out: which migrations have run is asked apart (:meth:`Tables.migrations`), for it
must be the same on both sides and is written by whoever makes the tables.

::

    source, target = tables_of(here), tables_of(there)
    for table in source.names():
        target.add(table, source.rows(table))
    target.renumber(source.numbers())
    assert all(digest(source, table) == digest(target, table) for table in source.names())
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from holdfast.kit.db import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from holdfast.kit.db.sqlite import SqliteConnection
    from holdfast.kit.db.statements import Rows

MIGRATIONS: Final = "django_migrations"
AT_ONCE: Final = 250  # a row of the log's bundles can be a hundred kilobytes
_encode = msgspec.msgpack.Encoder().encode


class Columns(NamedTuple):
    """The columns of a table in the order of their names, and those of its primary key in the key's order."""

    all: tuple[str, ...]
    key: tuple[str, ...]


class TableDigest(NamedTuple):
    """How many rows a table has, and SHA-256 over all of them in the order of their keys."""

    rows: int
    sha256: str


class Tables(Protocol):
    """All tables of one store. The caller owns the transaction."""

    def names(self) -> tuple[str, ...]:
        """Return the tables, each after those that it refers to."""
        ...

    def columns(self, table: str) -> Columns:
        """Return the columns of one."""
        ...

    def rows(self, table: str) -> Iterator[Rows]:
        """Read all rows, some at a time, in the order of the key: values as in :meth:`columns`. In a transaction."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows it has."""
        ...

    def stay(self) -> None:
        """Keep the transaction however long the caller does something else meanwhile."""
        ...

    def hold(self) -> None:
        """Keep every table from being written anew until the transaction ends, which sees them as of now."""
        ...

    def add(self, table: str, batches: Iterable[Rows]) -> int:
        """Write rows as :meth:`rows` gives them; return how many.

        :class:`InvalidInput` when the database cannot hold a value.
        """
        ...

    def empty(self) -> None:
        """Remove every row of every table."""
        ...

    def numbers(self) -> dict[str, int]:
        """Return the last number that was given out, for each table that numbers its rows."""
        ...

    def renumber(self, numbers: Mapping[str, int]) -> None:
        """Go on numbering after these."""
        ...

    def migrations(self) -> frozenset[tuple[str, str]]:
        """Return app and name of each migration that has run; none where there are no tables."""
        ...


def digest(
    tables: Tables, table: str, advance: Callable[[int], None] = lambda _count: None
) -> TableDigest:
    """Digest a table; equal on two databases if and only if they hold equal rows. ``advance`` hears of each batch."""
    found, count = sha256(), 0
    for batch in tables.rows(table):
        found.update(b"".join(map(_encode, batch)))
        count += len(batch)
        advance(len(batch))
    return TableDigest(count, found.hexdigest())


class SqliteTables:
    """See :class:`Tables`."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._raw = connection.raw
        self._known: dict[str, Columns] = {}

    def names(self) -> tuple[str, ...]:
        """Return the tables, parents first."""
        rows = self._raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            " AND name NOT IN (?, ?) ORDER BY name",
            (MIGRATIONS, moved.TABLE),
        ).fetchall()
        parents = {
            name: {row[2] for row in self._raw.execute(f"PRAGMA foreign_key_list({_quoted(name)})")}
            for (name,) in rows
        }
        return parents_first(parents)

    def columns(self, table: str) -> Columns:
        """Return the columns of one."""
        if table not in self._known:
            rows = self._raw.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
            key = sorted((place, name) for _, name, _, _, _, place in rows if place)
            names = tuple(sorted(row[1] for row in rows))
            self._known[table] = Columns(names, tuple(name for _, name in key))
        return self._known[table]

    def rows(self, table: str) -> Iterator[Rows]:
        """Read all rows."""
        names, key = self.columns(table)
        text = f"SELECT {_list(names)} FROM {_quoted(table)} ORDER BY {_list(key)}"
        cursor = self._raw.execute(text)
        while batch := cursor.fetchmany(AT_ONCE):
            yield batch

    def count(self, table: str) -> int:
        """Return how many rows it has."""
        # sql: names of the store's own tables, quoted
        found: int = self._raw.execute(f"SELECT COUNT(*) FROM {_quoted(table)}").fetchone()[0]
        return found

    def stay(self) -> None:
        """A file's transactions stay."""

    def hold(self) -> None:
        """Read something."""
        self._raw.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()

    def add(self, table: str, batches: Iterable[Rows]) -> int:
        """Write rows."""
        names, count = self.columns(table).all, 0
        marks = ", ".join("?" * len(names))
        # sql: names of the store's own tables, quoted
        text = f"INSERT INTO {_quoted(table)} ({_list(names)}) VALUES ({marks})"
        for batch in batches:
            self._raw.executemany(text, batch)
            count += len(batch)
        return count

    def empty(self) -> None:
        """Remove every row, children first."""
        for table in reversed(self.names()):
            # sql: names of the store's own tables, quoted
            self._raw.execute(f"DELETE FROM {_quoted(table)}")

    def numbers(self) -> dict[str, int]:
        """Return the last numbers given out."""
        rows = self._raw.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
        return {name: seq for name, seq in rows if seq and name != MIGRATIONS}

    def renumber(self, numbers: Mapping[str, int]) -> None:
        """Go on numbering after these."""
        for table, number in numbers.items():
            self._raw.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self._raw.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number)
            )

    def migrations(self) -> frozenset[tuple[str, str]]:
        """Return the migrations that have run."""
        there = self._raw.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (MIGRATIONS,))
        if there.fetchone() is None:
            return frozenset()
        # sql: a constant's name
        return frozenset(self._raw.execute(f"SELECT app, name FROM {MIGRATIONS}").fetchall())


def parents_first(parents: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Order tables so that each comes after those that it refers to."""
    ordered: list[str] = []
    waiting = {name: above - {name} for name, above in parents.items()}
    while waiting:
        ready = sorted(name for name, above in waiting.items() if above.isdisjoint(waiting))
        assert ready, "tables refer to each other in a circle"
        ordered += ready
        for name in ready:
            del waiting[name]
    return tuple(ordered)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))
