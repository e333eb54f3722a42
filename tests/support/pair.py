"""Two servers that flush as a disk does: a primary and its streaming standby."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.cluster import Cluster
from support.served import place

if TYPE_CHECKING:
    from collections.abc import Callable

DURABLE = ("wal_recycle=off", "synchronous_commit=on", "checkpoint_timeout=30s")
LIMIT_S = 300


def until(what: Callable[[], Any], why: str) -> Any:
    """Wait for what comes by itself, with a generous limit."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.05)
    return found


class Pair:
    """A primary and a standby, as a house in production has them."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.primary = Cluster(self._folder(), *DURABLE, durable=True)
        self.primary.start()
        self.ports = [self.primary.port]
        self.standby = self.primary  # until there is one

    def _folder(self) -> Path:
        self.folders.append(Path(tempfile.mkdtemp(prefix="holdfast-pair-", dir=place())))
        return self.folders[-1]

    def follow(self, port: int = 0, *, confirms: bool) -> None:
        """Add a standby; one that ``confirms`` is waited for by every commit from now on."""
        made = Cluster(self._folder(), *DURABLE, durable=True, of=self.primary, port=port)
        made.start()
        self.standby = made
        if made.port not in self.ports:
            self.ports.append(made.port)
        with self.primary.connect() as connection:
            until(lambda: self._streams(connection), "the standby does not stream")
            if not confirms:
                return
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: self._streams(connection, "sync"), "the standby does not confirm")

    @staticmethod
    def _streams(connection: Any, how: str = "async") -> bool:
        asked = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
        return (how,) in connection.execute(asked).fetchall()

    def fail_over(self) -> int:
        """The standby takes over; the one that died is gone with its files."""
        self.standby.promote()
        died, self.primary = self.primary, self.standby
        shutil.rmtree(died.folder)
        return died.port

    def close(self) -> None:
        for folder in self.folders:
            number = folder / "data" / "postmaster.pid"
            if number.exists():
                for one in (self.primary, self.standby):
                    if one.folder == folder:
                        one.stop()
            shutil.rmtree(folder, ignore_errors=True)
