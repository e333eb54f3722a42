"""What a refused administrative act leaves behind (SPINE 12, 23).

Its own transaction is rolled back, so the error carries the work of a second one: a leaf in the house's log and in
that of each client concerned. Equal refusals of one hour are told at the first, second, fourth, eighth … time, with how
many there were so far: nobody fills a log by trying, and nobody tries without a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kit.clock import HOUR_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.kit.ids import new_id
from holdfast.spine.administration.store import COUNT_REFUSAL
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.ledger.recorder import append
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from holdfast.kit.clock import Clock
    from holdfast.kit.db import Work
    from holdfast.spine.decision.verdict import RuleReason
    from holdfast.spine.identity.acting import Acting
    from holdfast.vocabulary.acts import Act


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tried what, and which clients it would have concerned."""

    act: Act
    acting: Acting
    clients: tuple[str, ...] = ()


class Refused(Denied):
    """An administrative act was refused. ``reasons`` are those that the acting person may know."""

    code = "act_refused"

    def __init__(self, attempt: Attempt, reasons: tuple[RuleReason, ...], clock: Clock) -> None:
        self.attempt = attempt
        self.rules = tuple(sorted(reason.rule for reason in reasons))
        super().__init__(
            f"{attempt.act.value} is refused by {', '.join(self.rules)}",
            remedy=reasons[0].remedy_text,
            reasons=reasons,
        )
        self.aftermath = lambda: _leave(attempt, self.rules, clock)


def _leave(attempt: Attempt, rules: tuple[str, ...], clock: Clock) -> Work[None]:
    now_us = clock.now_us()
    hour = now_us // HOUR_US
    counted = COUNT_REFUSAL(
        person=attempt.acting.person or attempt.acting.credential,
        act=attempt.act.value,
        rules=" ".join(rules),
        hour=hour,
    )
    (rows,) = yield Round(data=(counted,))
    count = rows[0][0]
    if count & (count - 1):
        return
    leaves = []
    for log in (yield from _logs(attempt.clients)):
        by = yield from attempt.acting.reference(log)
        body = {"by": by, "act": attempt.act.value, "rules": list(rules), "count": count}
        leaf = Leaf(LeafType.ADMINISTRATION_REFUSED, new_id(LEAF, now_us), now_us, body)
        leaves.append(append(log, leaf))
    yield Round(data=tuple(leaves))


def _logs(clients: tuple[str, ...]) -> Work[list[str]]:
    """The house's log, and those of the clients that exist."""
    found = yield Round(data=tuple(CLIENT(client=client) for client in clients))
    known = [client for client, rows in zip(clients, found, strict=True) if rows]
    return [HOUSE_LOG, *map(client_log, known)]
