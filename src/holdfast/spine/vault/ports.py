"""What the vault asks of an opened house (:class:`holdfast.spine.house.House` is one)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.kit.db.ports import Connection
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.spine.vault.hierarchy import Keks
    from holdfast.spine.vault.roots import Root

T = TypeVar("T")


class Stores(Protocol):
    """A connection to each store."""

    @property
    def data(self) -> Connection:
        """Sealed records, ledger, decisions."""
        ...

    @property
    def keys(self) -> Connection:
        """Wrapped keys and blind indexes."""
        ...


class VaultHouse(Protocol):
    """An opened house, as far as the vault needs it."""

    @property
    def settings(self) -> Settings:
        """Its settings: where the two stores are."""
        ...

    @property
    def clock(self) -> Clock:
        """Its clock."""
        ...

    def sure_us(self) -> int:
        """Return the time by which a restriction may end, or something be destroyed."""
        ...

    @property
    def root(self) -> Root:
        """The root of its keys."""
        ...

    @property
    def keks(self) -> Keks:
        """Its cache of clients' keys."""
        ...

    @property
    def signing_keys(self) -> SigningKeys:
        """The keys that sign its logs, and statements about them."""
        ...

    @property
    def home(self) -> Path:
        """Its folder."""
        ...

    def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one write transaction of ``data``."""
        ...

    def read(self, work: Work[T]) -> T:
        """Run ``work`` outside a write transaction."""
        ...

    def stores(self) -> AbstractContextManager[Stores]:
        """Open a fresh connection to each store for a while."""
        ...
