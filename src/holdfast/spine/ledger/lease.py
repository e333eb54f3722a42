"""Who may sequence: a lease with a fence, in the database that is written.

A holder that was away too long finds its fence outdated at its next commit, and nothing of that commit is written. A
lease of the same *place* (the folder of the signing keys, which a file lock guards) is taken over at once, so that a
restart after ``kill -9`` does not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.spine.ledger import store

if TYPE_CHECKING:
    from holdfast.kit.db import Work

SEQUENCER: Final = "sequencer"
TIME_TO_LIVE_US: Final = 20 * SECOND_US


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was taken."""

    name: str
    holder: str
    place: str
    fence: int
    until_us: int

    def check(self) -> Work[int]:
        """Return the highest id claimed so far; run it inside the transaction that it guards.

        Raises :class:`Conflict` when somebody else has taken the lease.
        """
        asked = store.HOLDS_LEASE(name=self.name, holder=self.holder, fence=self.fence)
        (rows,) = yield Round(data=(asked,))
        if not rows:
            raise _lost(self.name)
        return int(rows[0][0])

    def is_due(self, now_us: int) -> bool:
        """Whether more than half of it has passed."""
        return now_us > self.until_us - TIME_TO_LIVE_US // 2

    def renewed(self, now_us: int) -> Work[Lease]:
        """Prolong it, or raise :class:`Conflict` when it is lost."""
        until_us = now_us + TIME_TO_LIVE_US
        asked = store.RENEW_LEASE(
            name=self.name, holder=self.holder, fence=self.fence, until_us=until_us
        )
        (rows,) = yield Round(data=(asked,))
        if not rows:
            raise _lost(self.name)
        return Lease(self.name, self.holder, self.place, self.fence, until_us)


def take(name: str, holder: str, place: str, *, now_us: int) -> Work[Lease]:
    """Take the lease when it has run out or was held at the same place, else :class:`Conflict`."""
    until_us = now_us + TIME_TO_LIVE_US
    asked = store.TAKE_LEASE(
        name=name, holder=holder, place=place, until_us=until_us, now_us=now_us
    )
    (rows,) = yield Round(data=(asked,))
    if not rows:
        raise _lost(name)
    return Lease(name, holder, place, rows[0][0], until_us)


def _lost(name: str) -> Conflict:
    return Conflict(f"another process holds the lease {name}", code="lease_held")
