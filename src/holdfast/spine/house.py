"""An opened house: its settings, clock, root of keys, caches, and connections to its two stores.

No Django here: the command line, the data plane and the worker open a house in milliseconds.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from holdfast.kit.clock import SystemClock
from holdfast.kit.db.sqlite import Connection, connect, drive, in_transaction
from holdfast.kit.errors import NotFound
from holdfast.spine.decision.policies import PolicyCache
from holdfast.spine.vault.hierarchy import Keks
from holdfast.spine.vault.roots import Root, open_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work

T = TypeVar("T")


class Stores(NamedTuple):
    """One connection to each store."""

    data: Connection
    keys: Connection

    def close(self) -> None:
        """Close both."""
        self.data.close()
        self.keys.close()


@dataclass
class House:
    """What every operation may use. Caches are keyed by a client's fence, which any restriction bumps (SPINE 5)."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)

    @property
    def home(self) -> Path:
        """Folder of the house."""
        return self.settings.home

    @cached_property
    def root(self) -> Root:
        """The root of the key hierarchy; opened on first use."""
        return open_root(self.home, self.settings.root_passphrase)

    @cached_property
    def keks(self) -> Keks:
        """Clients' key-encryption keys, unwrapped."""
        return Keks(self.root)

    @cached_property
    def policies(self) -> PolicyCache:
        """Clients' contracts and compiled policies."""
        return PolicyCache()

    def connect(self, *, busy_timeout_ms: int = 10_000) -> Stores:
        """Open a connection to each store; the caller closes them."""
        for path in (self.settings.data_path, self.settings.keys_path):
            if not path.exists():
                raise NotFound(
                    f"no house in {self.home}",
                    remedy="Create one with `holdfast init`, or set HOLDFAST_HOME.",
                    code="no_house",
                )
        return Stores(
            connect(self.settings.data_path, busy_timeout_ms=busy_timeout_ms),
            connect(self.settings.keys_path, busy_timeout_ms=busy_timeout_ms),
        )

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        """Open both stores for a while."""
        stores = self.connect()
        try:
            yield stores
        finally:
            stores.close()

    @cached_property
    def _own(self) -> Stores:
        return self.connect()

    def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one write transaction of ``data``; all of it or nothing is written."""
        return in_transaction(work, self._own.data, self._own.keys)

    def read(self, work: Work[T]) -> T:
        """Run ``work`` outside a write transaction."""
        return drive(work, self._own.data, self._own.keys)

    def close(self) -> None:
        """Close the house's own connections."""
        if "_own" in self.__dict__:
            self._own.close()
            del self.__dict__["_own"]


def open_house(settings: Settings, clock: Clock | None = None) -> House:
    """Return the house that ``settings`` describe; nothing is read yet."""
    return House(settings, clock or SystemClock())
