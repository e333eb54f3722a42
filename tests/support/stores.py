"""The two stores, migrated once per run and copied for each test, with the smallest shell that runs Works on them."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.kit.clock import Uptime
from holdfast.kit.config import load_settings
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.opening import connect
from holdfast.kit.db.shell import drive, in_transaction
from holdfast.kit.db.sqlite import SqliteConnection, fold
from holdfast.kit.disk import Free
from support.cluster import cluster
from support.server import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.kit.db.address import StoreAddress
    from holdfast.kit.db.ports import Connection
    from holdfast.spine.identity.presented import Caller

T = TypeVar("T")
NOON_US = 1_795_435_200_000_000  # 2026-11-23T12:00:00Z


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now_us: int = NOON_US) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def floor(self, at_us: int) -> None:
        self._now_us = max(self._now_us, at_us)

    def advance(self, by_us: int) -> None:
        self._now_us += by_us

    def step_us(self) -> int:
        return 0

    def take_step(self) -> int:
        return 0

    def uptime(self) -> Uptime:
        return Uptime()


class FakeDisk:
    """A disk that has as much room as a test says."""

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def free(self) -> Free:
        return Free(int(self.share * 100_000_000_000), self.share)


MIGRATE = """
from holdfast.edges.cli.django import set_up
set_up()
from django.core.management import call_command
for alias in ("default", "keys"):
    call_command("migrate", database=alias, verbosity=0, interactive=False)
"""


ON_POSTGRES = os.environ.get("_HOLDFAST_STORAGE") == "postgresql"
_ADDRESSES = ("database_url", "keys_url")
_numbers = itertools.count(1)


@lru_cache(maxsize=1)
def template() -> Path:
    """A folder with both stores, migrated; made once per process, by one that may use Django's own connections."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if ON_POSTGRES:
        _address(folder, [cluster().make(_name()) for _ in _ADDRESSES])
    subprocess.run([sys.executable, "-c", MIGRATE], env=environment(folder), check=True)
    return folder


def copy_house(source: Path, home: Path) -> None:
    """Copy a house that nobody has open, with its databases."""
    own = home / "holdfast.toml"
    settings_of_home = own.read_text() if own.exists() else None
    shutil.copytree(source, home, dirs_exist_ok=True)
    if settings_of_home is not None:
        own.write_text(settings_of_home)
    if not ON_POSTGRES:
        return
    settings = load_settings(source, {})
    names = [name_of(store) for store in (settings.data, settings.keys)]
    made = [_name() for _ in names]
    _address(home, [cluster().make(new, old) for new, old in zip(made, names, strict=True)])
    if not home.name.startswith("holdfast-"):  # templates stay until the run ends
        _MADE.extend(made)


def addresses_of(home: Path) -> dict[str, str]:
    """Where the stores of a house stand whose own settings do not say so: on PostgreSQL, in databases made for it."""
    file = home / "holdfast.toml"
    if not ON_POSTGRES or (file.exists() and _ADDRESSES[0] in file.read_text()):
        return {}
    if home not in _FOUND:
        names = [_name() for _ in _ADDRESSES]
        _FOUND[home] = [cluster().make(name) for name in names]
        _MADE.extend(names)
    data, keys = _FOUND[home]
    return {"HOLDFAST_DATABASE_URL": data, "HOLDFAST_KEYS_URL": keys}


_FOUND: dict[Path, list[str]] = {}
_MADE: list[str] = []


@contextmanager
def dropping() -> Iterator[None]:
    """Drop the databases that were made meanwhile: a run makes thousands."""
    before = len(_MADE)
    yield
    if _MADE[before:]:
        cluster().drop(_MADE[before:])
        del _MADE[before:]


def _name() -> str:
    return f"h{os.getpid()}_{next(_numbers)}"


def _address(home: Path, addresses: list[str]) -> None:
    file = home / "holdfast.toml"
    kept = file.read_text().splitlines() if file.exists() else []
    rest = [line for line in kept if not line.startswith(_ADDRESSES)]
    ours = [f'{key} = "{url}"' for key, url in zip(_ADDRESSES, addresses, strict=True)]
    file.write_text("\n".join([*ours, *rest]) + "\n")


def raw(connection: Connection, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run SQL, with ``?`` for each parameter, as somebody does who has the stores; return its rows."""
    if isinstance(connection, SqliteConnection):
        return list(connection.raw.execute(text, params).fetchall())
    marked = text.replace("%", "%%").replace("?", "%s") if params else text
    cursor = connection.raw.execute(marked, params or None)
    return cursor.fetchall() if cursor.description else []


@contextmanager
def full(connection: Connection, table: str) -> Iterator[None]:
    """Let every row that is to be added to ``table`` fail, with the word *full*, while the block runs."""
    if isinstance(connection, SqliteConnection):
        text = (
            f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        undo = "DROP TRIGGER full"
    else:
        text = f'ALTER TABLE {table} ADD CONSTRAINT "full" CHECK (false) NOT VALID'
        undo = f'ALTER TABLE {table} DROP CONSTRAINT "full"'
    raw(connection, text)
    yield
    raw(connection, undo)


def keys_of(connection: Connection, table: str) -> set[tuple[Any, ...]]:
    """The primary keys of all rows of a table."""
    if isinstance(connection, SqliteConnection):
        found = raw(connection, f"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0")
    else:
        found = raw(
            connection,
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
            f" WHERE i.indisprimary AND i.indrelid = '{table}'::regclass",
        )
    columns = ", ".join(name for (name,) in found)
    return set(raw(connection, f"SELECT {columns} FROM {table}"))


def bytes_of(connection: Connection, *, log: bool = True) -> bytes:
    """All bytes that the database keeps of a store: its file, or files, and the write-ahead log.

    A server's log is that of all its databases; without ``log`` it is left out.
    """
    if isinstance(connection, SqliteConnection):
        name = connection.raw.execute("PRAGMA database_list").fetchone()[2]
        files = [Path(f"{name}{end}") for end in ("", "-wal", "-journal")]
    else:
        raw(connection, "CHECKPOINT")  # what stands in the server's memory is in its files then
        number = raw(connection, "SELECT oid FROM pg_database WHERE datname = current_database()")
        folder = Path(cluster().data)
        parts = (folder / "base" / str(number[0][0]), *([folder / "pg_wal"] if log else []))
        files = [path for part in parts for path in sorted(part.iterdir())]
    return b"".join(path.read_bytes() for path in files if path.is_file())


def writes_of(connection: Connection) -> int:
    """How many rows were written so far."""
    if isinstance(connection, SqliteConnection):
        return int(connection.raw.total_changes)
    raw(connection, "SELECT pg_stat_force_next_flush()")
    ((count,),) = raw(
        connection, "SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
    )
    return int(count)


def keep(store: StoreAddress, place: Path) -> None:
    """Take a cold copy of a store, as an administrator does; ``place`` is the copy, or says where it stands."""
    if isinstance(store, SqliteFile):
        fold(store.path)
        shutil.copy(store.path, place)
        return
    name = _name()
    with cluster().connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name_of(store)],
        )
    cluster().make(name, name_of(store))
    _MADE.append(name)
    place.write_text(name)


def put_back(store: StoreAddress, place: Path) -> None:
    """Put such a copy in the place of a store that nobody has open."""
    if isinstance(store, SqliteFile):
        for path in store.path.parent.glob(f"{store.path.name}*"):
            path.unlink()
        shutil.copy(place, store.path)
        return
    cluster().drop([name_of(store)])
    cluster().make(name_of(store), place.read_text())


def name_of(store: StoreAddress) -> str:
    """The name of a database."""
    return str(store).rsplit("/", 1)[1]


class SmallHouse:
    """Two stores and a clock: what a Work needs, without keys, policies or processes."""

    session: bytes | None = None
    directory: Caller | None = None

    def __init__(self, home: Path, clock: FakeClock | None = None, *, fresh: bool = True) -> None:
        if fresh:
            copy_house(template(), home)
        self.settings: Settings = load_settings(home, {})
        self.clock = clock or FakeClock()
        self.data = connect(self.settings.data)
        self.keys = connect(self.settings.keys)

    @property
    def embedded(self) -> bool:
        return self.settings.embedded

    def transact(self, work: Work[T]) -> T:
        return in_transaction(work, self.data, self.keys)

    def read(self, work: Work[T]) -> T:
        return drive(work, self.data, self.keys)

    def close(self) -> None:
        self.data.close()
        self.keys.close()
