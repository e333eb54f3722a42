"""Opening a contact that no feed has told: provisionally while the feed is late, or in a declared outage (SPINE 3, 10).

The person says: this contact is with me, on this queue. Whether they may is judged like a look. What it then shows is
the business of the rules of the look itself; what becomes of it is decided by the feed's events, at intake.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, Unavailable
from holdfast.kit.ids import new_id, new_reference
from holdfast.spine.decision.judge import judge
from holdfast.spine.ledger.recorder import append
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import Basis
from holdfast.spine.purpose.provisional import (
    LASTS_US,
    MOST_PER_SHIFT,
    SHIFT_US,
    Presence,
    Provisional,
    Record,
    is_free,
    is_offered,
    record_of,
)
from holdfast.spine.signals.pace import Pace, behind, measured
from holdfast.spine.signals.store import PACES_OF_CLIENT
from holdfast.spine.turn.answers import ProvisionalOpened, Refused
from holdfast.spine.turn.arrival import Arrival, arrive, known
from holdfast.spine.turn.questions import (
    question_of,
)
from holdfast.spine.turn.steps import (
    Line,
    refuse,
    write_line,
)
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId, FactValue
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Operation

if TYPE_CHECKING:
    from holdfast.kit.db import Rows, Work
    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked
    from holdfast.vocabulary.contract import Queue

__all__ = ["open_contact"]

OFFERED = "offered"


class _Circumstances(NamedTuple):
    """What was found out beyond the arrival. ``cause`` is empty when the feed is on time."""

    queue: Queue | None
    cause: str
    record: Record
    outage: str  # id of the one that stands, or ""
    outage_until_us: int


def open_contact(
    house: House, asked: Asked, queue: str, reason: str = "", *, outage: bool = False
) -> Work[ProvisionalOpened | Refused]:
    """Open the contact ``asked.contact`` on ``queue`` on the person's word.

    Raises :class:`InvalidInput` for a reason that the queue does not have, told only to those who may know;
    :class:`Conflict` when a repeated request opened it already; and what :func:`arrive` raises.
    """
    arrival = yield from arrive(house, asked)
    found = yield from _circumstances(arrival, queue)
    operation = Operation.OUTAGE if outage else Operation.PROVISIONAL
    judgement = _judged(arrival, found, operation)
    line = Line(operation, judgement.outcome, judgement)
    if judgement.permit is None or found.queue is None:
        return (yield from refuse(arrival, line))
    if reason and reason not in found.queue.reasons:
        raise InvalidInput("the queue has no such reason", field="reason")
    if arrival.paid:
        raise Conflict(
            "this contact was opened already",
            remedy=f"It is decision {arrival.decision}.",
            code="repeated",
        )
    given = yield from _opened(arrival, found, reason, outage=outage)
    opened = arrival._replace(contact_ref=given.contact)
    leaf = _leaf(opened, given, found.cause)
    pointer = yield from write_line(opened, line._replace(writes=(append(arrival.log, leaf),)))
    return ProvisionalOpened(
        decision=arrival.decision,
        provisional=given.id,
        contact=asked.contact,
        basis=given.basis,
        until=rfc3339(given.until_us),
        leaf=pointer,
    )


def _circumstances(arrival: Arrival, queue: str) -> Work[_Circumstances]:
    """Ask how the feed is, what the person opened before, and whether an outage stands."""
    client, person, now_us = arrival.asked.client, arrival.requester.person, arrival.now_us
    paces, present, earlier, outages = yield Round(
        data=(
            PACES_OF_CLIENT(client=client),
            purpose.PRESENCE(person=person),
            purpose.PROVISIONALS_OF_PERSON(person=person, since_us=arrival.sure_us - SHIFT_US),
            purpose.OUTAGE(client=client, now_us=now_us),
        )
    )
    line = arrival.contract.queues.get(queue)
    presence = Presence(*present[0]) if present else Presence()
    return _Circumstances(
        queue=line,
        cause=_cause(arrival, line, presence, paces),
        record=record_of(
            (Provisional(*row) for row in earlier), now_us=now_us, sure_us=arrival.sure_us
        ),
        outage=outages[0][0] if outages else "",
        outage_until_us=outages[0][4] if outages else 0,
    )


def _cause(arrival: Arrival, queue: Queue | None, presence: Presence, paces: Rows) -> str:
    """Say why a provisional contact may be opened now: the feed is late or silent, or the contact is offered."""
    if queue is None:
        return ""
    rows = [Pace(*row) for programmes, *row in paces if _speaks_for(programmes, queue.programme)]
    paces_now = measured(rows, arrival.now_us, time_is_sure=arrival.house.time_is_sure)
    found = behind(paces_now, presence.site)
    if found is not None:
        return found.state.value
    told = None if arrival.provisional else arrival.contact
    return OFFERED if is_offered(told, queue, presence, arrival.now_us) else ""


def _speaks_for(programmes: str, programme: str) -> bool:
    return not programmes or programme in programmes.split(",")


def _judged(arrival: Arrival, found: _Circumstances, operation: Operation) -> Judgement:
    queue, record = found.queue, found.record
    works = queue is not None and arrival.assigned.covers(queue.programme, queue.id)
    free = not arrival.provisional and is_free(arrival.contact, queue)
    left = record.in_shift < MOST_PER_SHIFT
    facts: dict[FactId, FactValue] = {
        **arrival.facts,
        FactId.QUEUE: known(works, queue.id if works and queue else "not yours"),
        FactId.FEED_BEHIND: known(bool(found.cause), found.cause or "on time"),
        FactId.OUTAGE_DECLARED: known(bool(found.outage), "declared" if found.outage else "none"),
        FactId.CONTACT_FREE: known(free, "free" if free else "not free"),
        FactId.PROVISIONAL_ONE: known(not record.waiting, "waits" if record.waiting else "none"),
        FactId.PROVISIONAL_SHIFT: known(left, "some left" if left else "used up for this shift"),
        FactId.PROVISIONAL_TRUSTED: known(
            not record.unreconciled, "not confirmed" if record.unreconciled else "confirmed"
        ),
    }
    programme = queue.programme if queue is not None else ""
    roles = frozenset(role.value for role in arrival.assigned.roles_in(programme))
    question = question_of(arrival, operation, (), facts)
    return judge(arrival.policies, replace(question, programme=programme, roles=roles))


def _opened(
    arrival: Arrival, found: _Circumstances, reason: str, *, outage: bool
) -> Work[Provisional]:
    """Store it, by conditional insert: two at once are one."""
    ref = yield from _reference(arrival)
    assert found.queue is not None
    until_us = arrival.now_us + LASTS_US
    given = Provisional(
        id=new_id(ids.PROVISIONAL, arrival.now_us),
        client=arrival.asked.client,
        contact=ref,
        person=arrival.requester.person,
        basis=Basis.OUTAGE if outage else Basis.PROVISIONAL,
        programme=found.queue.programme,
        queue=found.queue.id,
        reason=reason,
        opened_us=arrival.now_us,
        until_us=min(until_us, found.outage_until_us) if outage else until_us,
        outage=found.outage if outage else "",
        person_ref=arrival.person_ref,
    )
    row = purpose.word_row(given)
    since_us = arrival.sure_us - SHIFT_US
    store = (
        purpose.OPEN_IN_OUTAGE(**row)
        if outage
        else purpose.OPEN_PROVISIONAL(**row, since_us=since_us, most=MOST_PER_SHIFT)
    )
    close = purpose.CLOSE_OTHERS(person=given.person, id=given.id, now_us=arrival.now_us)
    opened, _ = yield Round(data=(store, close))
    if not opened:
        raise Unavailable("another was opened at this very moment", remedy="Ask again.")
    return given


def _reference(arrival: Arrival) -> Work[str]:
    """Return our reference of the contact; one that no feed has named yet gets one, which the feed will find."""
    client, external = arrival.asked.client, arrival.asked.contact
    asked = purpose.CONTACT_REF(client=client, external=external)
    (rows,) = yield Round(keys=(asked,))
    if not rows:
        add = purpose.ADD_CONTACT_REF(
            client=client, external=external, ref=new_reference(ids.CONTACT_REF)
        )
        (rows,) = yield Round(keys_writes=(add,), keys=(asked,))
    ref: str = rows[0][0]
    return ref


def _leaf(arrival: Arrival, given: Provisional, cause: str) -> Leaf:
    body = {
        "provisional": given.id,
        "basis": given.basis,
        "decision": arrival.decision,
        "contact": given.contact,
        "person": given.person_ref,
        "queue": given.queue,
        "cause": given.outage or cause,
        "until": rfc3339(given.until_us),
    }
    return Leaf(LeafType.PROVISIONAL_OPENED, new_id(ids.LEAF, arrival.now_us), arrival.now_us, body)
