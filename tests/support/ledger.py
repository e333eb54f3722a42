"""A house with logs: real stores, real keys, real files; leaves as the product writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.ledger import sequencer
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.keys import SigningKeys
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.vocabulary.ids import LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType
from support.stores import FakeClock, SmallHouse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.spine.ledger.publish import Disk

BANK = "client-bank-01"
SHOP = "client-shop-02"
HOST = "house.example"
TICK_US = 250_000


def unsealed(raw: bytes) -> bytes:
    """A seal that is none: these tests are about what is signed, not about the root."""
    return raw


def a_leaf(at_us: int, number: int = 0, **changes: Any) -> Leaf:
    """A leaf of a plain kind; ``number`` makes it differ from its neighbours."""
    body = {"decision": f"dec_{number:026d}", "person": "p_qwerty", **changes}
    return Leaf(LeafType.DECISION_READ, new_id(LEAF, at_us), at_us, body)


class LedgerHouse(SmallHouse):
    """A small house with signing keys and, on demand, a registrar."""

    def __init__(self, home: Path, clock: FakeClock | None = None, *, fresh: bool = True) -> None:
        super().__init__(home, clock, fresh=fresh)
        self.home = home
        self.signing = SigningKeys.load_or_create(
            home / "signing", host=HOST, seal=unsealed, unseal=unsealed
        )
        self._registrar: Registrar | None = None
        self.count = 0

    @property
    def registrar(self) -> Registrar:
        if self._registrar is None:
            self._registrar = Registrar(self, self.signing)
        return self._registrar

    def registrar_on(self, disk: Disk) -> Registrar:
        """A registrar that writes to ``disk``."""
        self.stop()
        self._registrar = Registrar(self, self.signing, disk)
        return self._registrar

    def stop(self) -> None:
        """Forget the registrar as ``kill -9`` does: only the kernel gives its lock back."""
        if self._registrar is not None:
            self._registrar.close()
            self._registrar = None

    def append(self, log: str, count: int = 1, *, step_us: int = 1_000) -> list[Leaf]:
        """Commit ``count`` leaves in one transaction."""
        leaves = []
        for _ in range(count):
            self.clock.advance(step_us)
            self.count += 1
            leaves.append(a_leaf(self.clock.now_us(), self.count))
        self.append_leaves(log, leaves)
        return leaves

    def append_leaves(self, log: str, leaves: Iterable[Leaf]) -> None:
        def work():
            yield Round(data=tuple(append(log, leaf) for leaf in leaves))

        self.transact(work())

    def tick(self):
        self.clock.advance(TICK_US)
        return self.registrar.tick()

    def grown(self, log: str, count: int) -> list[Leaf]:
        """Commit, sequence, sign and publish ``count`` leaves."""
        leaves = self.append(log, count)
        self.tick()
        return leaves

    def folder(self, log: str) -> Path:
        return log_folder(self.home, log)

    def size(self, log: str) -> int:
        return next((s.size for s in self.read(sequencer.heads()) if s.log == log), 0)

    def vkeys(self, log: str) -> list[str]:
        return list(self.signing.vkeys(log))

    def close(self) -> None:
        self.stop()
        super().close()
