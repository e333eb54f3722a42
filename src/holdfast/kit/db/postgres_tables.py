"""The tables of a store in PostgreSQL; see :mod:`holdfast.kit.db.tables`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from psycopg import errors, sql

from holdfast.kit.db.tables import AT_ONCE, MIGRATIONS, Columns, parents_first
from holdfast.kit.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdfast.kit.db.postgres import PostgresConnection
    from holdfast.kit.db.statements import Rows

_ALL: Final = """
    SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> %s ORDER BY 1
"""
_PARENTS: Final = """
    SELECT child.relname, parent.relname FROM pg_constraint
    JOIN pg_class child ON child.oid = conrelid JOIN pg_class parent ON parent.oid = confrelid
    WHERE contype = 'f' AND child.relnamespace = current_schema()::regnamespace
"""
_COLUMNS: Final = """
    SELECT table_name, column_name, data_type IN ('text', 'character varying') FROM information_schema.columns
    WHERE table_schema = current_schema() ORDER BY column_name COLLATE "C"
"""
_KEYS: Final = """
    SELECT relname, attname FROM pg_index JOIN pg_class ON pg_class.oid = indrelid,
        unnest(indkey) WITH ORDINALITY AS part (number, place), pg_attribute
    WHERE indisprimary AND relnamespace = current_schema()::regnamespace
        AND attrelid = indrelid AND attnum = part.number ORDER BY part.place
"""
_NUMBERED: Final = """
    SELECT table_name, pg_get_serial_sequence(quote_ident(table_name), column_name)
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name <> %s ORDER BY 1
"""


class PostgresTables:
    """See :class:`Tables`."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._raw = connection.raw
        self._texts: set[tuple[str, str]] = set()

    def names(self) -> tuple[str, ...]:
        """Return the tables, parents first."""
        parents: dict[str, set[str]] = {
            name: set() for (name,) in self._raw.execute(_ALL, (MIGRATIONS,)).fetchall()
        }
        for child, parent in self._raw.execute(_PARENTS).fetchall():
            parents[child].add(parent)
        return parents_first(parents)

    def columns(self, table: str) -> Columns:
        """Return the columns of one."""
        return self._columns[table]

    @cached_property
    def _columns(self) -> dict[str, Columns]:
        names: dict[str, list[str]] = {}
        keys: dict[str, list[str]] = {}
        for table, column, is_text in self._raw.execute(_COLUMNS).fetchall():
            names.setdefault(table, []).append(column)
            if is_text:
                self._texts.add((table, column))
        for table, column in self._raw.execute(_KEYS).fetchall():
            keys.setdefault(table, []).append(column)
        return {
            table: Columns(tuple(found), tuple(keys.get(table, ())))
            for table, found in names.items()
        }

    def rows(self, table: str) -> Iterator[Rows]:
        """Read all rows; texts are ordered by their bytes, as SQLite does it."""
        names, key = self.columns(table)
        order = [
            sql.SQL('{} COLLATE "C"' if (table, name) in self._texts else "{}").format(
                sql.Identifier(name)
            )
            for name in key
        ]
        text = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            _identifiers(names), sql.Identifier(table), sql.SQL(", ").join(order)
        )
        with self._raw.cursor(name="every_row", binary=True) as cursor:
            cursor.execute(text)
            while batch := cursor.fetchmany(AT_ONCE):
                yield batch

    def count(self, table: str) -> int:
        """Return how many rows it has."""
        text = sql.SQL("SELECT COUNT(*) FROM {}").format(sql.Identifier(table))
        row = self._raw.execute(text).fetchone()
        assert row is not None
        return int(row[0])

    def stay(self) -> None:
        """The server ends no transaction that is idle, until this one ends."""
        self._raw.execute("SET LOCAL idle_in_transaction_session_timeout = 0")

    def hold(self) -> None:
        """Read a row of each."""
        names = self.names()
        self.stay()
        with self._raw.pipeline():
            for name in names:
                self._raw.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name)))

    def add(self, table: str, batches: Iterable[Rows]) -> int:
        """Write rows."""
        names, count = self.columns(table).all, 0
        text = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _identifiers(names))
        try:
            with self._raw.cursor() as cursor, cursor.copy(text) as copy:
                for batch in batches:
                    for row in batch:
                        copy.write_row(row)
                    count += len(batch)
        except (errors.DataError, ValueError) as error:
            raise InvalidInput(
                f"PostgreSQL cannot hold a value of the table {table} ({type(error).__name__})",
                code="value_not_portable",
            ) from None
        return count

    def empty(self) -> None:
        """Remove every row."""
        if names := self.names():
            self._raw.execute(sql.SQL("TRUNCATE {}").format(_identifiers(names)))

    def numbers(self) -> dict[str, int]:
        """Return the last numbers given out."""
        found: dict[str, int] = {}
        for table, sequence in self._raw.execute(_NUMBERED, (MIGRATIONS,)).fetchall():
            text = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.SQL(sequence))
            row = self._raw.execute(text).fetchone()
            if row is not None and row[1]:
                found[table] = int(row[0])
        return found

    def renumber(self, numbers: Mapping[str, int]) -> None:
        """Go on numbering after these."""
        for table, sequence in self._raw.execute(_NUMBERED, (MIGRATIONS,)).fetchall():
            last = numbers.get(table, 0)
            self._raw.execute(
                "SELECT setval(%s::regclass, %s, %s)", (sequence, max(last, 1), last > 0)
            )

    def migrations(self) -> frozenset[tuple[str, str]]:
        """Return the migrations that have run."""
        row = self._raw.execute("SELECT to_regclass(%s)::text", (MIGRATIONS,)).fetchone()
        if row is None or row[0] is None:
            return frozenset()
        text = sql.SQL("SELECT app, name FROM {}").format(sql.Identifier(MIGRATIONS))
        return frozenset((app, name) for app, name in self._raw.execute(text).fetchall())


def _identifiers(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
