"""Being alone with a house: nobody serves it, nobody keeps its logs, nobody has its stores open."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import monotonic_s
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.opening import connect
from holdfast.kit.db.sqlite import fold
from holdfast.kit.errors import Conflict
from holdfast.kit.process import LockFile
from holdfast.spine.ledger.keys import FOLDER as SIGNING
from holdfast.spine.ledger.post import LOCK as REGISTRAR_LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.kit.db.address import StoreAddress

SERVE_LOCK: Final = "serve.lock"
_LEAVING_S: Final = 3.0  # a server forgets a session some milliseconds after its client has gone


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the locks of the server and of the keeper of the logs; :class:`Conflict` when somebody has one.

    A store that another process still has open, such as a command under way, is refused, too.
    """
    with ExitStack() as held:
        for path in (settings.home / SERVE_LOCK, settings.home / SIGNING / REGISTRAR_LOCK):
            lock = LockFile(path)
            lock.acquire()
            held.callback(lock.release)
        for store in (settings.data, settings.keys):
            refuse_opened(store)
        yield


def refuse_opened(store: StoreAddress) -> None:
    """Raise :class:`Conflict` when somebody else, be it on another machine, has the store open."""
    opened = _is_opened(store.path) if isinstance(store, SqliteFile) else _is_connected(store)
    if opened:
        name = store.path.name if isinstance(store, SqliteFile) else str(store)
        raise Conflict(
            f"another process has {name} open",
            remedy="Wait for the commands under way, or end them; then try again.",
            code="store_open",
        )


def _is_opened(path: Path) -> bool:
    """The last connection that closes removes the write-ahead log: one that stays belongs to somebody else."""
    if not path.exists():
        return False
    fold(path)
    return path.with_name(f"{path.name}-wal").exists()


def _is_connected(store: StoreAddress) -> bool:
    """Somebody is connected, and stays."""
    deadline = monotonic_s() + _LEAVING_S
    with closing(connect(store)) as connection:
        while connection.others():
            if monotonic_s() > deadline:
                return True
            time.sleep(0.02)
    return False
