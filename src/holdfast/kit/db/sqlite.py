"""SQLite ≥ 3.51.3 for the whole process, Django's connections included.

Older versions carry a bug that can corrupt a WAL database with two writers (fixed in 3.51.3). ``pysqlite3`` bundles
a newer one; importing this module swaps it in for ``sqlite3``, so both processes import it first.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pysqlite3
import pysqlite3.dbapi2

from holdfast.kit.db.moved import refuse_moved
from holdfast.kit.db.searching import CHUNK_BYTES, found_in
from holdfast.kit.db.statements import for_sqlite
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from holdfast.kit.db.ports import Ask, Traces
    from holdfast.kit.db.statements import Query, Rows, Statement

sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

# Values that are no text, integer or float are put through adaptors. One that is found at once costs half of none.
pysqlite3.register_adapter(bytes, bytes)

Raw = Any  # pysqlite3 has no type information; it is the DB-API connection of sqlite3
VERSION: tuple[int, ...] = pysqlite3.sqlite_version_info
Error: type[Exception] = pysqlite3.Error
OLDEST_SAFE = (3, 51, 3)
_TRIES = 3
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


class SqliteConnection:
    """One connection; see :class:`holdfast.kit.db.ports.Connection`."""

    __slots__ = ("_mark", "_run", "raw")

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._run = raw.execute
        self._mark = raw.cursor().execute

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        answer: bool = self.raw.in_transaction
        return answer

    def execute(self, query: Query) -> Rows:
        """Run one query and return all its rows."""
        rows: Rows = self._run(*for_sqlite(query)).fetchall()
        return rows

    def execute_all(self, queries: Sequence[Query]) -> list[Rows]:
        """Run queries one after the other."""
        return self.asking()(queries)

    def asking(self) -> Ask:
        """Return :meth:`execute_all` on one cursor: making one costs as much as many a statement."""
        run = self.raw.cursor().execute

        def ask(queries: Sequence[Query]) -> list[Rows]:
            return [run(*for_sqlite(query)).fetchall() for query in queries]

        return ask

    def execute_many(self, statement: Statement, parameters: Sequence[Any]) -> int:
        """Run a statement for each of ``parameters``; return how many rows were written."""
        before: int = self.raw.total_changes
        self.raw.executemany(statement.text, parameters)
        changes: int = self.raw.total_changes - before
        return changes

    def begin(self) -> None:
        """Take the writer's lock; :class:`Unavailable` when another holds it beyond the busy timeout."""
        try:
            self._run("BEGIN IMMEDIATE")
        except pysqlite3.OperationalError as error:
            if is_busy(error):
                raise Unavailable("the store is busy", remedy="Try again.") from error
            raise

    def begin_reading(self) -> None:
        """Begin a transaction that reads as of one moment."""
        self._run("BEGIN")

    def commit(self) -> None:
        """Make it durable."""
        self._run("COMMIT")

    def rollback(self) -> None:
        """Undo what was written."""
        if self.raw.in_transaction:
            self._run("ROLLBACK")

    def save(self) -> None:
        """Set the one savepoint."""
        self._mark("SAVEPOINT op")

    def undo(self) -> None:
        """Undo what was written since the savepoint."""
        self._mark("ROLLBACK TO op")

    def release(self) -> None:
        """Forget the savepoint."""
        self._mark("RELEASE op")

    def wipe(self, *, anew: bool = False, tables: Collection[str] = ()) -> None:  # noqa: ARG002  they share the log
        """Cut the log to nothing; deleted content is overwritten already (``secure_delete``).

        SQLite moves rows between pages and leaves copies in the unused part of the old ones. ``anew`` writes the store
        again, page by page, without them.
        """
        if anew:
            self._write_anew()
        for _ in range(_TRIES):  # each waits for the busy timeout
            busy, _, _ = self._run("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return
        raise Unavailable(
            "a reader keeps the log of the store open, so what was deleted cannot be overwritten yet",
            remedy="It goes on by itself; nothing can be read meanwhile.",
            retry_after_s=5,
        )

    def _write_anew(self) -> None:
        self._run("PRAGMA temp_store = FILE")  # the new pages need not fit into memory
        try:
            self._run("VACUUM")
        except pysqlite3.OperationalError as error:
            if is_busy(error):
                raise Unavailable("the store is busy", remedy="Try again.") from error
            raise
        finally:
            self._run("PRAGMA temp_store = MEMORY")

    def holds(self, traces: Traces) -> bool:
        """Search the store's file, its log and its journal."""
        name = self._run("PRAGMA database_list").fetchone()[2]
        files = (Path(name), Path(f"{name}-wal"), Path(f"{name}-journal"))
        return any(path.exists() and found_in(_chunks(path), traces) for path in files)

    def tables(self) -> frozenset[str]:
        """Return the names of the tables."""
        rows = self._run("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return frozenset(name for (name,) in rows)

    def others(self) -> int:
        """A file does not tell."""
        return 0

    def size_bytes(self) -> int:
        """Return the size of the file."""
        pages, size = self._run("SELECT * FROM pragma_page_count(), pragma_page_size()").fetchone()
        total: int = pages * size
        return total

    def is_read_only(self) -> bool:
        """Tell whether the connection was told to write nothing; a file that takes no writes fails when it is begun."""
        return bool(self._run("PRAGMA query_only").fetchone()[0])

    def perils(self) -> list[str]:
        """Read back what :func:`connect` has set: the file system may refuse WAL."""
        return [
            f"{pragma} is {have}, not {expected} ({why})"
            for pragma, expected, why in _DURABLE
            if (have := self._run(f"PRAGMA {pragma}").fetchone()[0]) != expected
        ]

    def close(self) -> None:
        """End the connection."""
        self.raw.close()


# Pragma, what our connections must read from it, and why.
_DURABLE = (
    ("journal_mode", "wal", "two processes read and write at once"),
    ("synchronous", 2, "FULL: an answered request survives a power cut"),
    ("secure_delete", 1, "an erased key is overwritten"),
    ("foreign_keys", 1, "references are checked"),
)


def connect(
    path: Path, *, busy_timeout_ms: int = 5000, despite_move: bool = False
) -> SqliteConnection:
    """Open ``path`` with WAL and ``synchronous=FULL``.

    :class:`Conflict` when the store has moved elsewhere, unless ``despite_move``.
    """
    raw = pysqlite3.connect(
        str(path), isolation_level=None, check_same_thread=False, cached_statements=512
    )
    raw.execute(f"PRAGMA busy_timeout = {int(busy_timeout_ms)}")
    for pragma in PRAGMAS:
        raw.execute(pragma)
    if not despite_move:
        try:
            refuse_moved(raw)
        except BaseException:
            raw.close()
            raise
    return SqliteConnection(raw)


def fold(path: Path) -> None:
    """Bring what stands in the write-ahead log into the store's file; does nothing if a reader is in the way."""
    try:
        connection = connect(path, busy_timeout_ms=1000, despite_move=True)
        try:
            connection.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    except pysqlite3.OperationalError as error:
        if not is_busy(error):
            raise


@contextmanager
def one_moment(*paths: Path) -> Iterator[list[SqliteConnection]]:
    """Open stores for reading as they are at one moment, while others go on writing.

    The writers' locks of all of them are held just while the snapshots are taken, in the order of ``paths``, which is
    the order in which every writer takes them. :class:`Unavailable` when one is held for ten seconds.
    """
    lockers = [connect(path, busy_timeout_ms=10_000) for path in paths]
    readers = [connect(path) for path in paths]
    try:
        for locker in lockers:
            locker.begin()
        for reader in readers:
            reader.begin_reading()
            reader.raw.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        for locker in lockers:
            locker.rollback()
        yield readers
    finally:
        for connection in (*lockers, *readers):
            connection.close()


def copy_store(snapshot: SqliteConnection, path: Path) -> None:
    """Write what ``snapshot`` sees to a new file that only its owner reads; it is durable on return."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        copy = pysqlite3.connect(str(path), isolation_level=None)
        try:
            snapshot.raw.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        finally:
            copy.close()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_copy(path: Path) -> SqliteConnection:
    """Open a copy's file to fill it: one file without a log beside it, whose rows may come in any order."""
    return SqliteConnection(pysqlite3.connect(str(path), isolation_level=None))


def settle_copy(copy: SqliteConnection, path: Path) -> None:
    """Close a copy that was filled; it is durable on return."""
    copy.raw.execute("PRAGMA journal_mode = DELETE")
    copy.close()
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_only(path: Path) -> SqliteConnection:
    """Open a store's file that nobody writes, and leave it as it is to the last byte."""
    where = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    return SqliteConnection(pysqlite3.connect(where, uri=True, isolation_level=None))


def check_store(path: Path) -> str:
    """Return what is wrong with a store's file, or nothing: SQLite's own quick check."""
    connection = read_only(path)
    try:
        found: str = connection.raw.execute("PRAGMA quick_check(1)").fetchone()[0]
    except pysqlite3.DatabaseError as error:
        found = type(error).__name__
    finally:
        connection.close()
    return "" if found == "ok" else found


def is_busy(error: BaseException) -> bool:
    """Tell by its code, never by its text, whether ``error`` means that another writer holds the lock."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and (code & 0xFF) in _BUSY_CODES


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
