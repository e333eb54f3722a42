"""A store with this version's tables and no rows, made by the migrations wherever it stands.

Only commands that make a store need Django; it is loaded here, when they do.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.kit.db.address import SqliteFile
from holdfast.kit.files import create_file

if TYPE_CHECKING:
    from holdfast.kit.db.address import StoreAddress

_ALIASES: Final = {"data": "default", "keys": "keys"}


def make_tables(store: StoreAddress, which: str) -> None:
    """Bring a store to this version's tables; ``which`` it is, ``data`` or ``keys``, says which tables."""
    _set_up()
    from django.core.management import call_command
    from django.db import connections
    from django.db.utils import ConnectionHandler

    from holdfast.settings import database

    alias, wanted = _ALIASES[which], database(store)
    wanted["OPTIONS"].pop(
        "pool", None
    )  # Django keeps one for each alias, whichever database it is of
    own = ConnectionHandler(dict.fromkeys(_ALIASES.values(), wanted))[alias]
    before = connections[alias]
    # Migrations ask for their database by its alias: for as long as they run, it is this one.
    connections[alias] = own
    try:
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    finally:
        own.close()
        connections[alias] = before
    if isinstance(store, SqliteFile):
        store.path.chmod(0o600)


def make_blank(path: Path, which: str) -> None:
    """Make the file of an SQLite store with tables and no rows; ``FileExistsError`` if it is there."""
    create_file(path, _blank(which))


@lru_cache(maxsize=2)
def _blank(which: str) -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
    try:
        path = folder / "blank.sqlite3"
        make_tables(SqliteFile(path), which)
        return path.read_bytes()
    finally:
        shutil.rmtree(folder)


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")
    django.setup()
