"""Break-glass (SPINE 15): in an emergency a grant stands in for the contact, and for nothing else.

It is opened by a second person's approval, for one person, one client and the field set of one call reason, for half
an hour and five customers at most. Customers are found by exact search; budgets, restrictions, masks, step-ups and
class limits hold as ever. It ends by its time: nothing has to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.kit.ids import new_id
from holdfast.spine.approvals import store
from holdfast.spine.approvals.requests import take
from holdfast.spine.identity.references import reference_of
from holdfast.spine.ledger.recorder import append
from holdfast.spine.purpose.contact import Basis, BoundHow, Channel, Contact
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import ContactState
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.approvals.requests import Request

MOST_CUSTOMERS: Final = 5
MOST_MINUTES: Final = 30
#: What a request's subject says, by names that no field can have.
REASON, CUSTOMERS, MINUTES, QUEUE = ":reason", ":customers", ":minutes", ":queue"


class Glass(NamedTuple):
    """An open break-glass before one look. ``found`` says whether its searches found the customer asked for."""

    id: str
    programme: str
    queue: str
    reason: str
    opened_us: int
    until_us: int
    most: int
    used: int
    seen: bool
    found: bool

    @property
    def room(self) -> bool:
        """Whether the customer asked for is one of those looked at, or may become one."""
        return self.seen or self.used < self.most


def glass_of(rows: Rows) -> Glass | None:
    """Read the answer of :data:`store.GLASS`."""
    if not rows:
        return None
    given = Glass(*rows[0])
    return given._replace(seen=bool(given.seen), found=bool(given.found))


def contact_of_glass(glass: Glass, *, client: str, person: str, customer: str) -> Contact:
    """The contact that it stands in for: bound to a customer whom its searches found, while there is room."""
    bound = customer if glass.found and glass.room else ""
    return Contact(
        client=client,
        ref=glass.id,
        state=ContactState.CONNECTED,
        channel=Channel.CASE,
        programme=glass.programme,
        queue=glass.queue,
        person=person,
        holder_us=glass.opened_us,
        feed_reason=glass.reason,
        customer=bound,
        bound_how=BoundHow.VERIFIED if bound else BoundHow.NOT,
        first_event_us=glass.opened_us,
        last_event_us=glass.opened_us,
        basis=Basis.GLASS,
        until_us=glass.until_us,
    )


def take_glass(glass: Glass, *, client: str, customer: str, now_us: int) -> Query:
    """Count a customer; answers a row if there was room."""
    return store.TAKE_GLASS(
        client=client, id=glass.id, customer=customer, now_us=now_us, most=glass.most
    )


def open_glass(request: Request, now_us: int) -> Work[str]:
    """Open what was just approved: the approval is used up by it. The client is told at once, by leaf and signal."""
    ident, subject = new_id(ids.GLASS, now_us), request.subject
    until_us = now_us + int(subject[MINUTES]) * MINUTE_US
    taken, opened = yield Round(
        data=(
            take(request, now_us=now_us),
            store.OPEN_GLASS(
                client=request.client,
                id=ident,
                approval=request.id,
                person=request.requester.person,
                programme=request.programme,
                queue=subject[QUEUE],
                reason=request.reason,
                opened_us=now_us,
                until_us=until_us,
                most=int(subject[CUSTOMERS]),
            ),
        )
    )
    if not taken or not opened:
        raise Conflict(
            "this break-glass was opened before, or another of the same person is open",
            remedy="They end the other one first.",
            code="approval_closed",
        )
    log = ids.client_log(request.client)
    person = yield from reference_of(request.requester.person, log)
    body = {
        "glass": ident,
        "approval": request.id,
        "person": person,
        "second": (yield from reference_of(request.decided_by, log)),
        "reason": subject[REASON],
        "call": request.reason,
        "customers": int(subject[CUSTOMERS]),
        "until": rfc3339(until_us),
    }
    odd = {"signal": Signal.GLASS_OPENED.value, "subject": person, "count": 1}
    yield Round(
        data=(
            append(log, Leaf(LeafType.GLASS_OPENED, new_id(ids.LEAF, now_us), now_us, body)),
            append(log, Leaf(LeafType.SIGNAL_RAISED, new_id(ids.LEAF, now_us), now_us, odd)),
        )
    )
    return ident


def close_glass(client: str, ident: str, person: str, *, now_us: int) -> Work[bool]:
    """End a break-glass before its time; tell whether it was open and the person's."""
    closed, looked = yield Round(
        data=(
            store.CLOSE_GLASS(client=client, id=ident, person=person, now_us=now_us),
            store.GLASS_CUSTOMERS(client=client, id=ident),
        )
    )
    if not closed:
        return False
    log = ids.client_log(client)
    body = {
        "glass": ident,
        "person": (yield from reference_of(person, log)),
        "customers": looked[0][0],
    }
    leaf = Leaf(LeafType.GLASS_CLOSED, new_id(ids.LEAF, now_us), now_us, body)
    yield Round(data=(append(log, leaf),))
    return True
