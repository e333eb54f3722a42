"""Opening a connection to a store, wherever it stands."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from holdfast.kit.db import sqlite
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.sqlite import SqliteConnection
from holdfast.kit.db.tables import SqliteTables

if TYPE_CHECKING:
    from holdfast.kit.db.address import StoreAddress
    from holdfast.kit.db.ports import Connection
    from holdfast.kit.db.tables import Tables


def is_there(store: StoreAddress) -> bool:
    """Tell whether the store has been made. :class:`Unavailable` when a server does not answer."""
    if isinstance(store, SqliteFile):
        return store.path.exists()
    with closing(connect(store)) as connection:
        return bool(connection.tables())


def errors_of(store: StoreAddress) -> type[Exception]:
    """Return what the driver of a store raises."""
    if isinstance(store, SqliteFile):
        return sqlite.Error
    from holdfast.kit.db import postgres  # noqa: PLC0415  as below

    return postgres.Error


def connect(store: StoreAddress, *, busy_timeout_ms: int = 5000) -> Connection:
    """Open a connection; the caller closes it. :class:`Unavailable` when a server does not answer.

    ``busy_timeout_ms`` is how long a writer waits for another on SQLite, and one who wipes for others on PostgreSQL.
    """
    if isinstance(store, SqliteFile):
        return sqlite.connect(store.path, busy_timeout_ms=busy_timeout_ms)
    from holdfast.kit.db import postgres  # noqa: PLC0415  a house in files starts without the driver

    return postgres.connect(store.url.reveal(), patience_ms=busy_timeout_ms)


def tables_of(connection: Connection) -> Tables:
    """Return the tables of the store behind ``connection``, as a whole."""
    if isinstance(connection, SqliteConnection):
        return SqliteTables(connection)
    from holdfast.kit.db import postgres, postgres_tables  # noqa: PLC0415  as above

    assert isinstance(connection, postgres.PostgresConnection)
    return postgres_tables.PostgresTables(connection)
