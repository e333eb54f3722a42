"""Requests that come again: the caller's own key for one, and refusals that equal one of the last minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.kit.canonical import canonical_json
from holdfast.kit.db import Round
from holdfast.spine.decision import store as decisions
from holdfast.spine.ledger import folding
from holdfast.spine.turn.arrival import body_mac

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Work
    from holdfast.spine.ledger.folding import First
    from holdfast.spine.turn.arrival import Arrival


def remember(arrival: Arrival, *, paid: bool) -> tuple[Query, ...]:
    """Return the write by which the caller's key leads to this decision again; nothing without a key."""
    asked = arrival.asked
    if asked.idempotency is None:
        return ()
    return (
        decisions.REMEMBER_KEY(
            client=asked.client,
            person=arrival.requester.person,
            key=asked.idempotency[0],
            body_mac=body_mac(arrival.keys, asked),
            decision=arrival.decision,
            paid=int(paid),
            at_us=arrival.now_us,
        ),
    )


def fold_key(arrival: Arrival, said: dict[str, Any]) -> bytes:
    """What makes a refusal equal to another: all that its leaf says, and the customer or value that was asked for.

    A repeat of a request that was answered before is equal only to its own repeats.
    """
    decision = arrival.decision if arrival.repeated else ""
    equal = {**said, "sought": arrival.sought, "decision": decision}
    return arrival.keys.mac("fold", canonical_json(equal))


def folded(arrival: Arrival, key: bytes, writes: tuple[Query, ...]) -> Work[First | None]:
    """Answer a refusal with an equal one of the last minute: counted, with its ``writes``, but without its own leaf."""
    first = yield from folding.join(arrival.log, key, arrival.now_us)
    if first is not None:
        known = arrival._replace(decision=first.decision)
        yield Round(data=(*writes, *(() if arrival.paid else remember(known, paid=False))))
    return first
