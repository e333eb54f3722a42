"""PostgreSQL 15 or newer: the second storage, for many processes on one house.

``psycopg`` speaks to it. Integers go out as ``bigint`` and sums come back as integers, so that a statement is prepared
once and answers the same as on SQLite.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from holdfast.kit.db.statements import for_postgres, in_order
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from psycopg.abc import Buffer

    from holdfast.kit.db.ports import Ask, Traces
    from holdfast.kit.db.statements import Query, Round, Rows, Statement, T, Work

Error: Final[type[Exception]] = psycopg.Error
OLDEST: Final = 150_000
_PREPARED: Final = 1024  # there are some four hundred statements
_AGAIN: Final = frozenset({"40001", "40P01", "55P03"})
CHUNK_BYTES: Final = 4 * 1024 * 1024
_IDLE: Final = TransactionStatus.IDLE


# Setting of the server, values that break a promise, and which.
_PERILS: Final = (
    ("synchronous_commit", {"off", "local"}, "an answered request may be lost"),
    ("fsync", {"off"}, "a power cut destroys the store"),
    ("full_page_writes", {"off"}, "a power cut tears pages"),
    ("wal_recycle", {"on"}, "segments of the log keep the bytes of what was erased"),
)
_CHECKPOINTS: Final = 2  # a table's old files go with the checkpoint after the one that follows
_SEGMENT_BYTES: Final = 1 << 30
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
_FILES: Final = """
    SELECT pg_relation_filepath(oid), pg_relation_size(oid) FROM pg_class
    WHERE relkind IN ('r', 'i', 't', 'm', 'S') AND pg_relation_filepath(oid) IS NOT NULL
"""
_LOG: Final = "SELECT name FROM pg_ls_waldir()"
_READ: Final = "SELECT pg_read_binary_file(%s, %s, %s, true)"


class _WholeNumber(Loader):
    """Sums of ``bigint`` are ``numeric``; there is no fraction in the house."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


def is_busy(error: BaseException) -> bool:
    """Tell by its code, never by its text, whether the same transaction may go through when it is tried again."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _AGAIN


class PostgresConnection:
    """One connection; see :class:`holdfast.kit.db.ports.Connection`."""

    __slots__ = ("raw",)

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, be it a failed one."""
        return self.raw.info.transaction_status is not _IDLE

    def execute(self, query: Query) -> Rows:
        """Run one query and return all its rows."""
        text, params = for_postgres(query)
        return _rows(self.raw.execute(text, params))

    def execute_all(self, queries: Sequence[Query]) -> list[Rows]:
        """Run queries in one round trip."""
        if len(queries) < 2:
            return [self.execute(query) for query in queries]
        with self.raw.pipeline():
            cursors = [self.raw.execute(*for_postgres(query)) for query in queries]
        return [_rows(cursor) for cursor in cursors]

    def asking(self) -> Ask:
        """Return :meth:`execute_all`."""
        return self.execute_all

    def execute_many(self, statement: Statement, parameters: Sequence[Any]) -> int:
        """Run a statement for each of ``parameters``; return how many rows were written."""
        if not parameters:
            return 0
        text, names = in_order(statement)
        cursor = self.raw.cursor()
        cursor.executemany(text, [_named(names, one) for one in parameters])
        return max(cursor.rowcount, 0)

    def begin(self) -> None:
        """Begin a transaction that writes."""
        self.raw.execute("BEGIN")

    def begin_reading(self) -> None:
        """Begin a transaction that reads as of one moment."""
        self.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Make it durable. :class:`Unavailable` when a statement had failed: the server then undoes instead."""
        failed = self.raw.info.transaction_status is TransactionStatus.INERROR
        self.raw.execute("COMMIT")
        if failed:
            raise Unavailable("the transaction had failed; nothing was written")

    def rollback(self) -> None:
        """Undo what was written."""
        if self.raw.closed or not self.in_transaction:
            return
        self.raw.execute("ROLLBACK")

    def save(self) -> None:
        """Set the one savepoint."""
        self.raw.execute("SAVEPOINT op")

    def undo(self) -> None:
        """Undo what was written since the savepoint."""
        self.raw.execute("ROLLBACK TO op")

    def release(self) -> None:
        """Forget the savepoint."""
        self.raw.execute("RELEASE op")

    def wipe(self, *, anew: bool = False) -> None:
        """Write all tables anew, and let go of the write-ahead log that the old ones stand in.

        A row that is deleted stays in its page, and pages that are given back stay in the log until its segments are
        removed (``wal_recycle = off``: a recycled one keeps its bytes). ``anew`` also rewrites what the planner noted
        of columns.
        """
        try:
            self.raw.execute("SET lock_timeout = '5s'")
            for (table,) in self.raw.execute(_TABLES).fetchall():
                self.raw.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(sql.Identifier(table)))
            if anew:
                self.raw.execute("VACUUM (FULL) pg_catalog.pg_statistic")
            self.raw.execute("SELECT pg_switch_wal()")
            for _ in range(_CHECKPOINTS):
                self.raw.execute("CHECKPOINT")
        except psycopg.errors.LockNotAvailable as error:
            raise Unavailable("the store is busy", remedy="Try again.", retry_after_s=5) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise _no_right() from error
        finally:
            self.raw.execute("RESET lock_timeout")

    def holds(self, traces: Traces) -> bool:
        """Search the files of this database's tables and indexes, and the write-ahead log."""
        try:
            files = self.raw.execute(_FILES).fetchall()
            segments = [f"pg_wal/{name}" for (name,) in self.raw.execute(_LOG).fetchall()]
            return any(self._found(traces, path) for path in (*_parts(files), *segments))
        except psycopg.errors.InsufficientPrivilege as error:
            raise _no_right() from error

    def _found(self, traces: Traces, path: str) -> bool:
        at, tail = 0, b""
        while True:
            cursor = self.raw.execute(_READ, (path, at, CHUNK_BYTES), binary=True)
            chunk = cursor.fetchone()
            if chunk is None or not chunk[0]:
                return False
            window = tail + bytes(chunk[0])
            if traces.stand_in(window):
                return True
            at += len(chunk[0])
            tail = window[1 - traces.longest :] if traces.longest > 1 else b""

    def tables(self) -> frozenset[str]:
        """Return the names of the tables."""
        return frozenset(name for (name,) in self.raw.execute(_TABLES).fetchall())

    def size_bytes(self) -> int:
        """Return the size of the database."""
        row = self.raw.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def perils(self) -> list[str]:
        """Ask the server for what its operator may have turned off."""
        return [
            f"{name} is {have or 'empty'} ({why})"
            for name, wrong, why in _PERILS
            if (have := self._setting(name)) in wrong
        ]

    def _setting(self, name: str) -> str:
        row = self.raw.execute("SELECT current_setting(%s)", (name,)).fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        """End the connection."""
        self.raw.close()


def connect(conninfo: str) -> PostgresConnection:
    """Open a connection. :class:`Unavailable` when the server does not answer or is older than 15."""
    try:
        raw = psycopg.connect(conninfo, autocommit=True, prepare_threshold=2)
    except psycopg.OperationalError as error:
        raise Unavailable(
            "PostgreSQL does not answer",
            remedy="See that it runs and that database_url and keys_url are right.",
        ) from error
    if raw.info.server_version < OLDEST:
        raw.close()
        raise Unavailable("PostgreSQL is older than 15", remedy="Use 15 or newer.")
    adapt(raw)
    return PostgresConnection(raw)


def adapt(raw: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Let values go in and out as on SQLite."""
    raw.prepared_max = _PREPARED
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.adapters.register_loader("numeric", _WholeNumber)


def _no_right() -> Unavailable:
    return Unavailable(
        "the database role may not search the server's files, so an erasure cannot be completed",
        remedy="Grant it pg_read_server_files, pg_checkpoint and EXECUTE on pg_switch_wal, pg_ls_waldir and"
        " pg_read_binary_file; `holdfast doctor` lists what is missing.",
        code="erasure_incomplete",
    )


def _parts(files: Sequence[tuple[str, int]]) -> Iterator[str]:
    """A table of more than a gibibyte stands in several files."""
    for path, size in files:
        yield path
        for number in range(1, -(-size // _SEGMENT_BYTES)):
            yield f"{path}.{number}"


def _rows(cursor: psycopg.Cursor[Any]) -> Rows:
    return cursor.fetchall() if cursor.description is not None else []


def _named(names: Sequence[str], one: Any) -> Mapping[str, Any]:
    return one if isinstance(one, dict) else dict(zip(names, one, strict=True))


async def drive_async(
    work: Work[T], data: psycopg.AsyncConnection[Any], keys: psycopg.AsyncConnection[Any]
) -> T:
    """Run ``work`` to its end; the asynchronous shell beside :func:`holdfast.kit.db.shell.drive`."""
    send = work.send
    try:
        asked: Round = next(work)
        while True:
            if asked.keys_writes:
                async with writing_async(keys):
                    await _ask(keys, asked.keys_writes)
            answer = await _ask(data, asked.data) if asked.data else []
            if asked.keys:
                answer += await _ask(keys, asked.keys)
            asked = send(answer)
    except StopIteration as done:
        result: T = done.value
        return result


@asynccontextmanager
async def writing_async(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    """Write in one transaction; all or nothing."""
    await connection.execute("BEGIN")
    try:
        yield
        await connection.execute("COMMIT")
    except BaseException:
        if not connection.closed and connection.info.transaction_status is not _IDLE:
            await connection.execute("ROLLBACK")
        raise


async def _ask(connection: psycopg.AsyncConnection[Any], queries: Sequence[Query]) -> list[Rows]:
    if len(queries) == 1:
        return [await _fetch(await connection.execute(*for_postgres(queries[0])))]
    async with connection.pipeline():
        cursors = [await connection.execute(*for_postgres(query)) for query in queries]
    return [await _fetch(cursor) for cursor in cursors]


async def _fetch(cursor: psycopg.AsyncCursor[Any]) -> Rows:
    return await cursor.fetchall() if cursor.description is not None else []
