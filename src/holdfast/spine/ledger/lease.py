"""Who may sequence: a lease with a fence, in the database that is written.

A holder that was away too long finds its fence outdated at its next commit, and nothing of that commit is written. A
lease of the same *place* (:class:`holdfast.spine.ledger.post.Post`, which a file lock guards) is taken over at once, so
that a restart after ``kill -9`` does not wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.spine.ledger import store

if TYPE_CHECKING:
    from holdfast.kit.db import Statement, Work

SEQUENCER: Final = "sequencer"
COPY: Final = "copy"  # while it is held, nobody removes from ``keys`` what was superseded
TIME_TO_LIVE_US: Final = 20 * SECOND_US
LEASE_HELD: Final = "lease_held"


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was taken for ``life_us`` at a time."""

    name: str
    holder: str
    place: str
    fence: int
    until_us: int
    life_us: int = TIME_TO_LIVE_US

    def check(self) -> Work[int]:
        """Return the highest id claimed so far; run it inside the transaction that it guards.

        Nobody takes the lease over before that transaction ends. Raises :class:`Conflict` when somebody else has it.
        """
        return (yield from self._asked(store.KEEPS_LEASE))

    def stands(self) -> Work[None]:
        """Raise :class:`Conflict` when somebody else has taken the lease; it guards nothing that comes after."""
        yield from self._asked(store.HOLDS_LEASE)

    def _asked(self, how: Statement) -> Work[int]:
        asked = how(name=self.name, holder=self.holder, fence=self.fence)
        (rows,) = yield Round(data=(asked,))
        if not rows:
            raise _lost(self.name)
        return int(rows[0][0])

    def is_due(self, now_us: int) -> bool:
        """Whether more than half of it has passed."""
        return now_us > self.until_us - self.life_us // 2

    def renewed(self, now_us: int) -> Work[Lease]:
        """Prolong it, or raise :class:`Conflict` when it is lost."""
        until_us = now_us + self.life_us
        asked = store.RENEW_LEASE(
            name=self.name, holder=self.holder, fence=self.fence, until_us=until_us
        )
        (rows,) = yield Round(data=(asked,))
        if not rows:
            raise _lost(self.name)
        return replace(self, until_us=until_us)

    def released(self) -> Work[None]:
        """Let another take it at once; does nothing when it is lost."""
        asked = store.RELEASE_LEASE(name=self.name, holder=self.holder, fence=self.fence)
        yield Round(data=(asked,))


def require_free(name: str, place: str, *, now_us: int) -> Work[None]:
    """Raise :class:`Conflict` while another place holds the lease; locks nothing, so that waiting disturbs nobody."""
    (rows,) = yield Round(data=(store.LEASE(name=name),))
    if rows and rows[0][0] != place and rows[0][1] > now_us:
        raise _lost(name)


def take(
    name: str, holder: str, place: str, *, now_us: int, life_us: int = TIME_TO_LIVE_US
) -> Work[Lease]:
    """Take the lease when it has run out or was held at the same place, else :class:`Conflict`."""
    until_us = now_us + life_us
    asked = store.TAKE_LEASE(
        name=name, holder=holder, place=place, until_us=until_us, now_us=now_us
    )
    (rows,) = yield Round(data=(asked,))
    if not rows:
        raise _lost(name)
    return Lease(name, holder, place, rows[0][0], until_us, life_us)


def _lost(name: str) -> Conflict:
    return Conflict(f"another process holds the lease {name}", code=LEASE_HELD)
