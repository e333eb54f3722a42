"""Being alone with a house: nobody serves it, nobody keeps its logs, nobody has its stores open."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from holdfast.kit.db.sqlite import fold
from holdfast.kit.errors import Conflict
from holdfast.kit.process import LockFile
from holdfast.spine.ledger.keys import FOLDER as SIGNING
from holdfast.spine.ledger.post import LOCK as REGISTRAR_LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings

SERVE_LOCK: Final = "serve.lock"


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
        for store in (settings.data_path, settings.keys_path):
            _refuse_opened(store)
        yield


def _refuse_opened(store: Path) -> None:
    """The last connection that closes removes the write-ahead log: one that stays belongs to somebody else."""
    if not store.exists():
        return
    fold(store)
    if store.with_name(f"{store.name}-wal").exists():
        raise Conflict(
            f"another process has {store.name} open",
            remedy="Wait for the commands under way, or end them; then try again.",
            code="store_open",
        )
