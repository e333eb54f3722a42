"""SQLite ≥ 3.51.3 for the whole process, Django's connections included.

Older versions carry a bug that can corrupt a WAL database with two writers (fixed in 3.51.3). ``pysqlite3`` bundles
a newer one; importing this module swaps it in for ``sqlite3``, so both processes import it first.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pysqlite3
import pysqlite3.dbapi2

from holdfast.kit.db.statements import Query, Round, Rows, T, Work, for_sqlite
from holdfast.kit.errors import HoldfastError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

# Values that are no text, integer or float are put through adaptors. One that is found at once costs half of none.
pysqlite3.register_adapter(bytes, bytes)

Connection = Any  # pysqlite3 has no type information; it is the DB-API connection of sqlite3
VERSION: tuple[int, ...] = pysqlite3.sqlite_version_info
Error: type[Exception] = pysqlite3.Error
OLDEST_SAFE = (3, 51, 3)
_BUSY_CODES = frozenset(
    {5, 6}
)  # SQLITE_BUSY, SQLITE_LOCKED; extended codes keep them in the low byte

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
)


def connect(path: Path, *, busy_timeout_ms: int = 5000) -> Connection:
    """Open ``path`` in autocommit mode with WAL and ``synchronous=FULL``.

    The caller begins and ends transactions itself (``BEGIN IMMEDIATE`` … ``COMMIT``).
    """
    connection = pysqlite3.connect(
        str(path), isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


def fold(path: Path) -> None:
    """Bring what stands in the write-ahead log into the store's file; does nothing if a reader is in the way."""
    try:
        connection = connect(path, busy_timeout_ms=1000)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    except pysqlite3.OperationalError as error:
        if not is_busy(error):
            raise


@contextmanager
def one_moment(*paths: Path) -> Iterator[list[Connection]]:
    """Open stores for reading as they are at one moment, while others go on writing.

    The writers' locks of all of them are held just while the snapshots are taken, in the order of ``paths``, which is
    the order in which every writer takes them. :class:`Unavailable` when one is held for ten seconds.
    """
    lockers = [connect(path, busy_timeout_ms=10_000) for path in paths]
    readers = [connect(path) for path in paths]
    try:
        for locker in lockers:
            begin_immediate(locker)
        for reader in readers:
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        for locker in lockers:
            locker.execute("ROLLBACK")
        yield readers
    finally:
        for connection in (*lockers, *readers):
            connection.close()


def copy_store(snapshot: Connection, path: Path) -> None:
    """Write what ``snapshot`` sees to a new file that only its owner reads; it is durable on return."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        copy = pysqlite3.connect(str(path), isolation_level=None)
        try:
            snapshot.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        finally:
            copy.close()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_only(path: Path) -> Connection:
    """Open a store's file that nobody writes, and leave it as it is to the last byte."""
    where = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    return pysqlite3.connect(where, uri=True, isolation_level=None)


def check_store(path: Path) -> str:
    """Return what is wrong with a store's file, or nothing: SQLite's own quick check."""
    connection = read_only(path)
    try:
        found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except pysqlite3.DatabaseError as error:
        found = type(error).__name__
    finally:
        connection.close()
    return "" if found == "ok" else found


def write_anew(connection: Connection) -> None:
    """Write a store anew without anything that was deleted; :class:`Unavailable` when another writer is in the way."""
    connection.execute("PRAGMA temp_store = FILE")  # the new pages need not fit into memory
    try:
        connection.execute("VACUUM")
    except pysqlite3.OperationalError as error:
        if is_busy(error):
            raise Unavailable("the store is busy", remedy="Try again.") from error
        raise
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")


def is_busy(error: BaseException) -> bool:
    """Tell by its code, never by its text, whether ``error`` means that another writer holds the lock."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and (code & 0xFF) in _BUSY_CODES


def execute(connection: Connection, query: Query) -> Rows:
    """Run one query and return all its rows."""
    text, params = for_sqlite(query)
    rows: Rows = connection.execute(text, params).fetchall()
    return rows


def execute_many(connection: Connection, text: str, rows: Any) -> None:
    """Run one statement for many parameter sets."""
    connection.executemany(text, rows)


def drive(work: Work[T], data: Connection, keys: Connection) -> T:
    """Run ``work`` to its end on two open connections; the caller owns the transaction."""
    send = work.send
    # A cursor each for all of it: making one costs as much as many a statement.
    ask_data, ask_keys = data.cursor().execute, keys.cursor().execute
    try:
        asked: Round = next(work)
        while True:
            if asked.keys_writes:
                _write_keys(keys, asked.keys_writes)
            answer: list[Rows] = [ask_data(*for_sqlite(query)).fetchall() for query in asked.data]
            answer.extend([ask_keys(*for_sqlite(query)).fetchall() for query in asked.keys])
            asked = send(answer)
    except StopIteration as done:
        result: T = done.value
        return result


def _write_keys(keys: Connection, writes: tuple[Query, ...]) -> None:
    if keys.in_transaction:
        keys.execute("COMMIT")  # a read transaction of the shell; what follows reads anew
    begin_immediate(keys)
    try:
        for query in writes:
            execute(keys, query)
        keys.execute("COMMIT")
    except BaseException:
        if keys.in_transaction:
            keys.execute("ROLLBACK")
        raise


def begin_immediate(connection: Connection) -> None:
    """Take the writer's lock, or raise :class:`Unavailable` when another holds it beyond the busy timeout."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except pysqlite3.OperationalError as error:
        if is_busy(error):
            raise Unavailable("the store is busy", remedy="Try again.") from error
        raise


def in_transaction(work: Work[T], data: Connection, keys: Connection) -> T:
    """Run ``work`` in one write transaction of ``data`` (``BEGIN IMMEDIATE`` before the first load).

    Raises :class:`Unavailable` when another writer holds the lock beyond the connection's busy timeout; nothing
    was written then. An error with an ``aftermath`` has that written in a second transaction, and is then raised.
    """
    try:
        return _in_one(work, data, keys)
    except HoldfastError as error:
        settle(error, data, keys)
        raise


def settle(error: HoldfastError, data: Connection, keys: Connection) -> None:
    """Write what ``error`` leaves behind, in a transaction of its own; nothing for most errors."""
    if error.aftermath is not None:
        _in_one(error.aftermath(), data, keys)


def _in_one(work: Work[T], data: Connection, keys: Connection) -> T:
    begin_immediate(data)
    try:
        result = drive(work, data, keys)
        data.execute("COMMIT")
    except BaseException:
        if data.in_transaction:
            data.execute("ROLLBACK")
        raise
    return result
