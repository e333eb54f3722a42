"""Opening the stores for a check; a check is skipped where they are not there, or have no tables yet."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from holdfast.edges.checks.findings import Skipped
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.opening import connect, is_there

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.kit.db.ports import Connection


def require_stores(settings: Settings) -> None:
    """Raise :class:`Skipped` unless both stores are there."""
    if not is_there(settings.data) or not is_there(settings.keys):
        raise Skipped


def opened_data(settings: Settings, table: str) -> closing[Connection]:
    """Open the data store; :class:`Skipped` where it is not there or lacks ``table`` (stores.E003 says so)."""
    if not is_there(settings.data):
        raise Skipped
    connection = connect(settings.data)
    if table not in connection.tables():
        connection.close()
        raise Skipped
    return closing(connection)


def files(settings: Settings) -> tuple[Path, ...]:
    """The files of the stores; none where a server keeps them."""
    stores = (settings.data, settings.keys)
    return tuple(store.path for store in stores if isinstance(store, SqliteFile))


def name_of(settings: Settings, *, keys: bool = False) -> str:
    """What a person calls a store."""
    store = settings.keys if keys else settings.data
    return store.path.name if isinstance(store, SqliteFile) else str(store)
