"""Asking to break a glass, and ending it (SPINE 15).

A second person opens it by approving: ``spine/operations/approve.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import Denied, InvalidInput, NotFound
from holdfast.spine.approvals import store
from holdfast.spine.approvals.glass import (
    CUSTOMERS,
    MINUTES,
    MOST_CUSTOMERS,
    MOST_MINUTES,
    QUEUE,
    REASON,
    close_glass,
)
from holdfast.spine.approvals.requests import Wanted, ask, load, subject_digest
from holdfast.spine.approvals.rules import on_call
from holdfast.spine.identity.requester import words
from holdfast.spine.operations.asking import once_more, party_of, shown
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.turn.answers import GlassEnded
from holdfast.spine.turn.arrival import Arrival, arrive
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import ApprovalKind

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import ApprovalShown, Asked
    from holdfast.vocabulary.contract import Queue
    from holdfast.vocabulary.levels import GlassReason

BREAK_GLASS: Final = "break_glass"
_GATES: Final = (
    FactId.EMPLOYED,
    FactId.NOT_SUSPENDED,
    FactId.NETWORK,
    FactId.DEVICE,
    FactId.EMPLOYER_APPROVED,
    FactId.CLIENT_OPEN,
)


class Emergency(NamedTuple):
    """What is asked for. ``call`` is the reason of the contract whose field set is needed."""

    client: str
    reason: GlassReason
    call: str
    customers: int
    minutes: int


def break_glass(house: House, asked: Asked, wanted: Emergency) -> Work[ApprovalShown]:
    """Ask for a break-glass; it opens when a second person approves.

    Raises :class:`NotFound` for a client that is none of the person's business, :class:`InvalidInput` for a call that
    the person does not work or for too much, and :class:`Denied` for whoever may not look anyway, or when nobody else
    could approve (``no_second_person``).
    """
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    again = once_more(asked, client=wanted.client, collection="", contact_ref="")
    arrival = yield from arrive(house, again)
    if not arrival.facts[FactId.ASSIGNED].met:
        raise NotFound("there is no such client", remedy="Name a client that you work for.")
    for gate in _GATES:
        if not arrival.facts[gate].met:
            raise Denied(
                f"a break-glass does not lift this: {gate.value}, {arrival.facts[gate].value}",
                remedy="Ask your lead.",
            )
    queue = _queue(arrival, wanted)
    yield from _check_second(arrival, queue.programme)
    ident = yield from ask(_wanted(arrival, wanted, queue), now_us=arrival.now_us)
    request = yield from load(ident)
    assert request is not None
    return shown(request, reader.person, now_us)


def _queue(arrival: Arrival, wanted: Emergency) -> Queue:
    if not 1 <= wanted.customers <= MOST_CUSTOMERS:
        raise InvalidInput(f"from 1 to {MOST_CUSTOMERS}", field="customers_at_most")
    if not 1 <= wanted.minutes <= MOST_MINUTES:
        raise InvalidInput(f"from 1 to {MOST_MINUTES}", field="minutes")
    for queue in arrival.contract.queues.values():
        if wanted.call in queue.reasons and arrival.assigned.covers(queue.programme, queue.id):
            return queue
    raise InvalidInput("you work no queue with such a reason", field="call")


def _check_second(arrival: Arrival, programme: str) -> Work[None]:
    """Refuse at once what nobody else could approve; whether somebody is at their desk is not known."""
    (rows,) = yield Round(
        data=(
            store.SECONDS(
                client=arrival.asked.client,
                programme=programme,
                person=arrival.requester.person,
                now_us=arrival.now_us,
            ),
        )
    )
    rule = arrival.contract.approval
    for staff_id, employer, text in rows:
        held = set(words(text))
        named = on_call(rule.on_call, staff_id=staff_id, employer=employer, roles=held)
        if named or held & set(rule.roles):
            return
    raise Denied(
        "nobody else could approve this",
        remedy="The contract's [approval] says who may: by role, or on call.",
        code="no_second_person",
    )


def _wanted(arrival: Arrival, wanted: Emergency, queue: Queue) -> Wanted:
    subject = {
        REASON: wanted.reason.value,
        CUSTOMERS: str(wanted.customers),
        MINUTES: str(wanted.minutes),
        QUEUE: queue.id,
    }
    made = Wanted(
        kind=ApprovalKind.GLASS,
        operation=BREAK_GLASS,
        requester=party_of(arrival.requester, arrival.asked),
        digest=b"",
        clients=(wanted.client,),
        programme=queue.programme,
        reason=wanted.call,
        subject=subject,
        policies=arrival.policies.bound,
        summary=subject,
    )
    return replace(made, digest=subject_digest(made))


def end_glass(house: House, asked: Asked, ident: str) -> Work[GlassEnded]:
    """End one's own break-glass before its time; :class:`NotFound` when it is not open, or another person's."""
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    (rows,) = yield Round(data=(store.GLASS_ANYWHERE(id=ident),))
    client = rows[0][0] if rows else ""
    if not client or not (yield from close_glass(client, ident, reader.person, now_us=now_us)):
        raise NotFound("you have no such break-glass open")
    return GlassEnded(ident)
