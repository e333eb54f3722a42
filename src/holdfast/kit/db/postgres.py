"""PostgreSQL 15 or newer: the second storage, for many processes on one house.

``psycopg`` speaks to it. Integers go out as ``bigint`` and sums come back as integers, so that a statement is prepared
once and answers the same as on SQLite.

A connection that broke is opened anew by the next transaction. Two things are tried again on the new one: ``BEGIN``,
and a ``SELECT`` outside a transaction. Nothing else is: what a transaction had done is undone with it and
:class:`Unavailable` is raised, and so it is for a commit that was not answered, of which nobody knows whether it came
about.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from holdfast.kit.db.address import with_ours
from holdfast.kit.db.exchange import Session, dumped
from holdfast.kit.db.searching import CHUNK_BYTES, found_in
from holdfast.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from psycopg.abc import Buffer

    from holdfast.kit.db.exchange import Sent
    from holdfast.kit.db.ports import Ask, Traces
    from holdfast.kit.db.statements import Query, Rows, Statement

Error: Final[type[Exception]] = psycopg.Error
OLDEST: Final = 150_000
_PREPARED: Final = 1024  # there are some four hundred statements
_AGAIN: Final = frozenset({"40001", "40P01", "55P03"})
BEGIN: Final = dumped("BEGIN", ())
BEGIN_READING: Final = dumped("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
COMMIT: Final = dumped("COMMIT", ())
ROLLBACK: Final = dumped("ROLLBACK", ())
_SAVE: Final = dumped("SAVEPOINT op", ())
_UNDO: Final = dumped("ROLLBACK TO op", ())
_RELEASE: Final = dumped("RELEASE op", ())

# Setting of the server, values that break a promise, and which.
_PERILS: Final = (
    ("synchronous_commit", {"off", "local"}, "an answered request may be lost"),
    ("fsync", {"off"}, "a power cut destroys the store"),
    ("full_page_writes", {"off"}, "a power cut tears pages"),
    ("wal_recycle", {"on"}, "segments of the log keep the bytes of what was erased"),
)
_CHECKPOINTS: Final = 2  # a table's old files go with the checkpoint after the one that follows
_SEGMENT_BYTES: Final = 1 << 30
_OTHERS: Final = """
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
"""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
_FILES: Final = """
    SELECT pg_relation_filepath(oid), pg_relation_size(oid) FROM pg_class
    WHERE relkind IN ('r', 'i', 't', 'm', 'S') AND pg_relation_filepath(oid) IS NOT NULL
"""
# What was noted of a column goes when its type is set anew, were it to the same.
_OLD_NOTES: Final = """
    SELECT s.tablename, s.attname, format_type(a.atttypid, a.atttypmod) FROM pg_stats s
    JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = current_schema()::regnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
    WHERE s.schemaname = current_schema() AND c.reltuples = 0
"""
_LOG: Final = "SELECT name FROM pg_ls_waldir()"
_SEGMENT: Final = "SELECT pg_walfile_name(pg_current_wal_insert_lsn() + 1)"
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

    __slots__ = ("_address", "_begun", "_clean_from", "_patience_ms", "_session", "raw")

    def __init__(self, raw: psycopg.Connection[Any], address: str, patience_ms: int) -> None:
        self.raw = raw
        self._session = _session(raw)
        self._address = address
        self._patience_ms = patience_ms
        self._begun = False
        self._clean_from = ""  # the segment of the log that the last wipe began

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, be it a failed one or one whose connection broke."""
        return self._begun

    def execute(self, query: Query) -> Rows:
        """Run one query and return all its rows."""
        return self.execute_all((query,))[0]

    def execute_all(self, queries: Sequence[Query]) -> list[Rows]:
        """Run queries in one round trip."""
        reads = not self._begun and all(
            query.statement.text.startswith("SELECT") for query in queries
        )
        try:
            return self._ask(queries)
        except psycopg.Error as error:
            if not (reads and self.raw.closed):
                raise self._told(error) from error
        try:
            return self._ask(queries)
        except psycopg.Error as error:
            raise self._told(error) from error

    def _ask(self, queries: Sequence[Query]) -> list[Rows]:
        return self._opened().wait(self._session.ask(queries))

    def _opened(self) -> psycopg.Connection[Any]:
        """Return the connection, anew where it broke; in a transaction, which broke with it, :class:`Unavailable`."""
        if self.raw.closed:
            if self._begun:
                raise _silent()
            self.raw = _open(self._address)
            self._session = _session(self.raw)
        return self.raw

    def _told(self, error: psycopg.Error) -> Exception:
        """Say in the house's words what may go through another time, and leave the rest as it is."""
        if is_busy(error):
            return Unavailable("the store is busy", remedy="Try again.")
        if self.raw.closed or isinstance(error, psycopg.OperationalError):
            return _silent()
        return error

    def asking(self) -> Ask:
        """Return :meth:`execute_all`."""
        return self.execute_all

    def execute_many(self, statement: Statement, parameters: Sequence[Any]) -> int:
        """Run a statement for each of ``parameters``; return how many rows were written."""
        if not parameters:
            return 0
        try:
            return self._opened().wait(self._session.run_many(statement, parameters))
        except psycopg.Error as error:
            raise self._told(error) from error

    def begin(self) -> None:
        """Begin a transaction that writes."""
        self._begin(BEGIN)

    def begin_reading(self) -> None:
        """Begin a transaction that reads as of one moment."""
        self._begin(BEGIN_READING)

    def _begin(self, how: Sent) -> None:
        try:
            try:
                self._run(how)
            except psycopg.Error:
                if not self.raw.closed:
                    raise
                self._run(how)
        except psycopg.Error as error:
            raise self._told(error) from error
        self._begun = True

    def commit(self) -> None:
        """Make it durable. :class:`Unavailable` when a statement had failed: the server then undoes instead.

        :class:`Unavailable` also when the server does not answer: then nobody knows whether it is durable.
        """
        failed = self.raw.info.transaction_status is TransactionStatus.INERROR
        self._session.warned = False
        self._mark(COMMIT)
        self._begun = False
        must_be_on_every_server(self._session)
        if failed:
            raise Unavailable("the transaction had failed; nothing was written")

    def rollback(self) -> None:
        """Undo what was written; where the connection broke, the server has."""
        if not self._begun:
            return
        self._begun = False
        if not self.raw.closed:
            with suppress(psycopg.OperationalError):
                self._run(ROLLBACK)

    def save(self) -> None:
        """Set the one savepoint."""
        self._mark(_SAVE)

    def undo(self) -> None:
        """Undo what was written since the savepoint."""
        self._mark(_UNDO)

    def release(self) -> None:
        """Forget the savepoint."""
        self._mark(_RELEASE)

    def _mark(self, what: Sent) -> None:
        try:
            self._run(what)
        except psycopg.Error as error:
            raise self._told(error) from error

    def _run(self, what: Sent) -> None:
        self._opened().wait(self._session.exchange((what,)))

    def wipe(self, *, anew: bool = False, tables: Collection[str] = ()) -> None:
        """Write tables anew, and let go of the write-ahead log that the old ones stand in.

        All of them, unless it is known from which ``tables`` was deleted: each costs new files and a wait for the disk.

        A row that is deleted stays in its page, and pages that are given back stay in the log until its segments are
        removed (``wal_recycle = off``: a recycled one keeps its bytes). The planner notes values of columns, and keeps
        its notes of a table that is empty now.
        """
        try:
            patience = str(max(self._patience_ms, 1))  # 0 would be for ever
            self._opened().execute("SELECT set_config('lock_timeout', %s, false)", (patience,))
            written = {table for (table,) in self.raw.execute(_TABLES).fetchall()}
            for table in sorted(written.intersection(tables) if tables and not anew else written):
                self.raw.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(sql.Identifier(table)))
            for table, column, kind in self.raw.execute(_OLD_NOTES).fetchall():
                self.raw.execute(
                    sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {}").format(
                        sql.Identifier(table), sql.Identifier(column), sql.SQL(kind)
                    )
                )
            self.raw.execute("VACUUM (FULL) pg_catalog.pg_statistic")
            self.raw.execute("SELECT pg_switch_wal()")
            self._clean_from = self._asked_for(_SEGMENT)
            for _ in range(_CHECKPOINTS):
                self.raw.execute("CHECKPOINT")
        except psycopg.errors.LockNotAvailable as error:
            raise Unavailable("the store is busy", remedy="Try again.", retry_after_s=5) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise _no_right() from error
        finally:
            self.raw.execute("RESET lock_timeout")

    def holds(self, traces: Traces) -> bool:
        """Search the files of this database's tables and indexes, and the write-ahead log up to the last :meth:`wipe`.

        Later it tells of tables that were written anew, or of another store of the server, which names whom it likes.
        Where segments are used again, all are searched.
        """
        try:
            files = self._opened().execute(_FILES).fetchall()
            segments = [f"pg_wal/{name}" for name in self._segments()]
            return any(found_in(self._chunks(path), traces) for path in (*_parts(files), *segments))
        except psycopg.errors.InsufficientPrivilege as error:
            raise _no_right() from error

    def _segments(self) -> list[str]:
        before = self._clean_from if self._setting("wal_recycle") == "off" else ""
        names = [name for (name,) in self.raw.execute(_LOG).fetchall()]
        return [name for name in names if not before or name < before]

    def _chunks(self, path: str) -> Iterator[bytes]:
        at = 0
        while (
            row := self.raw.execute(_READ, (path, at, CHUNK_BYTES), binary=True).fetchone()
        ) and row[0]:
            yield bytes(row[0])
            at += len(row[0])

    def tables(self) -> frozenset[str]:
        """Return the names of the tables."""
        return frozenset(name for (name,) in self._opened().execute(_TABLES).fetchall())

    def others(self) -> int:
        """Count the sessions of roles; the server's own helpers belong to none."""
        row = self.raw.execute(_OTHERS).fetchone()
        return int(row[0]) if row else 0

    def size_bytes(self) -> int:
        """Return the size of the database."""
        row = self._opened().execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def is_read_only(self) -> bool:
        """Tell whether the server is a standby, or the database was set to take no writes."""
        return self._setting("transaction_read_only") == "on"

    def perils(self) -> list[str]:
        """Ask the server for what its operator may have turned off."""
        return [
            f"{name} is {have or 'empty'} ({why})"
            for name, wrong, why in _PERILS
            if (have := self._setting(name)) in wrong
        ]

    def waits_for_standby(self) -> bool:
        """Whether a commit is answered only when a standby has it."""
        return bool(self._setting("synchronous_standby_names"))

    def _setting(self, name: str) -> str:
        return self._asked_for("SELECT current_setting(%s)", name)

    def _asked_for(self, what: LiteralString, *params: str) -> str:
        row = self._opened().execute(what, params).fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        """End the connection."""
        self.raw.close()


def connect(address: str, *, patience_ms: int = 5000) -> PostgresConnection:
    """Open a connection. :class:`Unavailable` when the server does not answer or is older than 15.

    ``patience_ms`` is how long :meth:`PostgresConnection.wipe` waits for who reads or writes a table.
    """
    return PostgresConnection(_open(address), address, patience_ms)


def _session(raw: psycopg.Connection[Any]) -> Session:
    session = Session(raw.pgconn)
    raw.add_notice_handler(session.hear)
    return session


def parameters(address: str) -> dict[str, Any]:
    """Return an address as the driver's parameters, with ours."""
    return with_ours(conninfo_to_dict(address))


def _open(address: str) -> psycopg.Connection[Any]:
    try:
        raw = psycopg.connect(autocommit=True, prepare_threshold=2, **parameters(address))
    except psycopg.OperationalError as error:
        raise (_refused() if error.pgconn and error.pgconn.used_password else _silent()) from error
    if raw.info.server_version < OLDEST:
        raw.close()
        raise Unavailable("PostgreSQL is older than 15", remedy="Use 15 or newer.")
    adapt(raw)
    return raw


def _silent() -> Unavailable:
    return Unavailable(
        "PostgreSQL does not answer",
        remedy="See that it runs and that database_url and keys_url are right.",
    )


def _refused() -> Unavailable:
    return Unavailable(
        "PostgreSQL answers and lets nobody in",
        remedy="See that role, password and database in database_url and keys_url are right.",
    )


def adapt(raw: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Let values go in and out as on SQLite."""
    raw.prepared_max = _PREPARED
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.adapters.register_loader("numeric", _WholeNumber)


def _no_right() -> Unavailable:
    return Unavailable(
        "the database role may not search the server's files, so an erasure cannot be completed",
        remedy="Let a superuser run what `holdfast roles --print` shows; `holdfast doctor` lists what is missing.",
        code="erasure_incomplete",
    )


def _parts(files: Sequence[tuple[str, int]]) -> Iterator[str]:
    """A table of more than a gibibyte stands in several files."""
    for path, size in files:
        yield path
        for number in range(1, -(-size // _SEGMENT_BYTES)):
            yield f"{path}.{number}"


def must_be_on_every_server(session: Session) -> None:
    """Raise :class:`Unavailable` when a commit was warned of: then it is durable on one server alone.

    Somebody ended its wait for the standby (``pg_cancel_backend`` does); the server then warns, and says that it went
    well.
    """
    if session.warned:
        raise Unavailable("the standby has not confirmed what was written", remedy="Try again.")
