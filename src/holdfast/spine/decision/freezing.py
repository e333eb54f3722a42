"""Whether a client's data is open at a moment (SPINE 17). Pure, but for :func:`require_open`.

A freeze is a time on the client's row: while it lies ahead, every request of the client is refused. Nothing has to run
for it to end, and no process can have missed it, because the row is read in the transaction of each request.

What is held against it is the *sure* time: while the clock is in doubt, the last moment at which it was not. So no
freeze ends because somebody set a clock (SPINE 24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import HOUR_US, SECOND_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.spine.decision.store import (
    CLIENT,
    CLIENT_ERASED_STATES,
    CLIENT_IS_OPEN,
    CLIENT_IS_OUTDATED,
    CLIENT_STATE,
)
from holdfast.spine.ledger.sequencer import sure_us
from holdfast.vocabulary.facts import FactState, FactValue

if TYPE_CHECKING:
    from holdfast.kit.db import Row, Work

UNCONFIRMED_US: Final = 4 * HOUR_US
UNTIL_LIFTED_US: Final = 2**62  # confirmed: it does not end by itself
EXEMPT_RULE: Final = "client.frozen_exempt"
_EXEMPT: Final = "frozen; the call's reason is exempt"


class Standing(NamedTuple):
    """What the client's row says about being open; ``state`` is the house's own word, ``until_us`` a freeze's end."""

    state: str
    frozen_until_us: int

    def is_frozen(self, sure_us: int) -> bool:
        """Whether a freeze stands."""
        return sure_us < self.frozen_until_us

    def is_open(self, sure_us: int) -> bool:
        """Whether the client's data is open."""
        return self.state == CLIENT_IS_OPEN and not self.is_frozen(sure_us)

    def word(self, sure_us: int) -> str:
        """``open``, ``closed`` or ``frozen``: as lists show it."""
        return "frozen" if self.is_frozen(sure_us) else self.state


def standing_of(client_row: Row) -> Standing:
    """Read a ``CLIENT`` row."""
    return Standing(client_row[1], client_row[4])


NO_CLIENT: Final = Standing("closed", 0)


def client_fact(
    standing: Standing, sure_us: int, *, now_us: int = 0, exempt: bool = False
) -> FactValue:
    """Return the fact ``client_open``: the only place that derives it.

    ``now_us`` is what the clock says, be it in doubt: a freeze that would be over by it is told as one that waits for
    the clock. ``exempt`` says that the feed gave the contact a reason that the contract exempts from a freeze; it
    lifts nothing but a freeze.
    """
    if standing.is_open(sure_us):
        return FactValue(FactState.KNOWN, met=True, value="open")
    if standing.state != CLIENT_IS_OPEN:
        return FactValue(FactState.KNOWN, met=False, value="closed")
    if exempt:
        return FactValue(FactState.KNOWN, met=True, value=_EXEMPT)
    return FactValue(FactState.KNOWN, met=False, value=_frozen(standing, now_us))


def by_exemption(fact: FactValue) -> bool:
    """Whether the client is frozen and this request goes on all the same."""
    return fact.met and fact.value == _EXEMPT


def is_freeze(value: str) -> bool:
    """Whether the fact's value speaks of a freeze, whatever came of it."""
    return value.startswith("frozen")


def until(standing: Standing) -> str:
    """When the freeze ends: RFC 3339 to the second, or empty when it stands until somebody lifts it."""
    if standing.frozen_until_us >= UNTIL_LIFTED_US:
        return ""
    return rfc3339(standing.frozen_until_us // SECOND_US * SECOND_US).replace(".000000", "")


def _frozen(standing: Standing, now_us: int) -> str:
    ends = until(standing)
    if standing.frozen_until_us <= now_us:
        return "frozen until an administrator has confirmed the machine's clock"
    return f"frozen until {ends}" if ends else "frozen until the client lifts it"


def require_open(client: str, now_us: int) -> Work[None]:
    """Raise :class:`Denied` while the client's data is closed; for what is no look at one customer, such as an import.

    No reason exempts these. An unknown client passes: that it does not exist is for the caller to say.
    """
    rows, state = yield Round(data=(CLIENT(client=client), CLIENT_STATE(client=client)))
    if state and state[0][0] in CLIENT_ERASED_STATES:
        raise Denied(
            f"client {client} was erased, with all its keys",
            remedy="Its log stays. A new client needs another id.",
            code="client_erased",
        )
    standing = standing_of(rows[0]) if rows else None
    at_us = yield from sure_us(now_us)
    if standing is None or standing.is_open(at_us):
        return
    frozen = standing.is_frozen(at_us)
    if standing.state == CLIENT_IS_OUTDATED and not frozen:
        raise Denied(
            f"client {client} is closed: its contract was changed after the copy that was restored",
            remedy=f"Publish the contract that is in force: holdfast policy publish {client} --contract FILE",
            code="client_outdated",
        )
    raise Denied(
        f"client {client} is {_frozen(standing, now_us) if frozen else 'closed'}",
        remedy="Wait until it ends, or ask the client: a user of the client lifts it with `holdfast client unfreeze`.",
        code="client_frozen" if frozen else "client_closed",
    )
