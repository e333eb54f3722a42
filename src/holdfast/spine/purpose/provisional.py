"""A contact on a person's word: provisional while the feed is late, or in a declared outage (SPINE 3, 10). Pure.

A feed that is late must not stop a person who has the customer on the line, nor be a way round the feed. So a person
may open a contact that no feed has told, for which little is shown, for one customer, and the feed has the last word.
It *reconciles* when an event of the same contact, person and customer arrives within 15 minutes of the look and
happened within 60 seconds of it. All else leaves it *unreconciled*, and its person opens no other until a lead of
another line has looked at it. Nothing has to run for that: what is overdue counts as unreconciled at once.

A contact opened in a declared outage shows less still, does not reconcile by a deadline, and is only counted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import HOUR_US, MINUTE_US, SECOND_US
from holdfast.spine.purpose.contact import Basis, BoundHow, Channel, Contact
from holdfast.vocabulary.levels import ContactState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Rows
    from holdfast.spine.purpose.merge import ContactEvent
    from holdfast.vocabulary.contract import Queue

LASTS_US: Final = 15 * MINUTE_US
ARRIVES_US: Final = 15 * MINUTE_US
NEAR_US: Final = 60 * SECOND_US
SHIFT_US: Final = 12 * HOUR_US
MOST_PER_SHIFT: Final = 2
MOST_VALUES: Final = 1  # searched under it: the one customer is found by the first
LOGIN_COUNTS_US: Final = 16 * HOUR_US
_AFTER_EVENTS: Final = "9"  # sorts after every rank of an event of the same moment


class State(StrEnum):
    """What became of it."""

    OPEN = "open"
    RECONCILED = "reconciled"
    UNRECONCILED = "unreconciled"
    CLEARED = "cleared"


class Provisional(NamedTuple):
    """One as the store holds it; the order of the fields is the order of the columns.

    ``customer`` is the one found under it, ``""`` before; 0 microseconds means *never*. The last four fields are what
    feeds said of its person, joined when it is loaded for a look.
    """

    id: str
    client: str
    contact: str  # our reference
    person: str
    basis: str
    programme: str
    queue: str
    reason: str
    opened_us: int
    until_us: int
    customer: str = ""
    customer_at_us: int = 0
    verified_us: int = 0
    state: str = State.OPEN
    settled_us: int = 0
    outage: str = ""
    person_ref: str = ""  # what the client's log calls the person
    voice_key: str = ""
    voice_client: str = ""
    voice_contact: str = ""
    logout_us: int = 0


def provisional_of(rows: Rows) -> Provisional | None:
    """Read the answer of :data:`holdfast.spine.purpose.store.PROVISIONAL`."""
    return Provisional(*rows[0]) if rows else None


def look_us(given: Provisional) -> int:
    """Return the moment of the first look under it; of its opening if there was none."""
    return given.customer_at_us or given.opened_us


def deadline_us(given: Provisional) -> int:
    """Return until when the confirming event must arrive."""
    return look_us(given) + ARRIVES_US


def is_overdue(given: Provisional, now_us: int) -> bool:
    """Tell whether its event did not arrive in time, though nothing has written that down yet."""
    waits = given.state == State.OPEN and given.basis == Basis.PROVISIONAL
    return waits and now_us > deadline_us(given)


def is_unreconciled(given: Provisional, now_us: int) -> bool:
    """Tell whether it suspends its person's privilege now."""
    return given.state == State.UNRECONCILED or is_overdue(given, now_us)


def waits(given: Provisional, now_us: int) -> bool:
    """Tell whether it still waits for its event, so that its person opens no other."""
    provisional = given.basis == Basis.PROVISIONAL and given.state == State.OPEN
    return provisional and not is_overdue(given, now_us)


def reconciles(given: Provisional, event: ContactEvent, received_us: int) -> bool:
    """Tell whether ``event``, arriving now, confirms it.

    The event names the same contact and person, and the customer who was looked at; one under which nobody was looked
    at has no customer to compare. In an outage events come when they can.
    """
    same = (event.contact, event.person) == (given.contact, given.person)
    customer = not given.customer or event.customer == given.customer
    near = abs(event.occurred_us - look_us(given)) <= NEAR_US
    in_time = given.basis == Basis.OUTAGE or received_us <= deadline_us(given)
    return given.state == State.OPEN and same and customer and near and in_time


def contact_on_word(given: Provisional, told: Contact | None) -> Contact | None:
    """Return the contact that it stands for; None where a feed has said otherwise.

    ``told`` is what feeds said of the contact, if anything: that it waits, say. One that is with somebody else, or
    over, or of another customer than the one found, is closed at once.
    """
    if told is not None and _contradicts(told, given):
        return None
    return Contact(
        client=given.client,
        ref=given.contact,
        state=ContactState.CONNECTED,
        channel=Channel.VOICE,
        programme=given.programme,
        queue=given.queue,
        person=given.person,
        holder_us=given.opened_us,
        holder_key=f"{given.opened_us:020d}.{_AFTER_EVENTS}",
        feed_reason=given.reason,
        feed_customer=told.feed_customer if told else "",
        customer=given.customer if given.verified_us else "",
        bound_how=BoundHow.VERIFIED if given.verified_us else BoundHow.NOT,
        bound_us=given.verified_us,
        first_event_us=given.opened_us,
        last_event_us=given.opened_us,
        voice_key=given.voice_key,
        voice_client=given.voice_client,
        voice_contact=given.voice_contact,
        logout_us=given.logout_us,
        basis=given.basis,
        until_us=given.until_us,
    )


def _contradicts(told: Contact, given: Provisional) -> bool:
    other_customer = given.customer and told.feed_customer not in {"", given.customer}
    return bool(told.person or told.ended_us or other_customer)


def may_find(contact: Contact, customer: str) -> bool:
    """Tell whether a search may find this customer: where feeds named the caller, nobody else is theirs to find."""
    return contact.basis == Basis.FEED or contact.feed_customer in {"", customer}


def is_free(told: Contact | None, queue: Queue | None) -> bool:
    """Tell whether a person may say that the contact is with them: no feed says that it is with anybody, or over."""
    if told is None:
        return True
    elsewhere = queue is None or told.queue not in {"", queue.id}
    return not (told.person or told.ended_us or elsewhere)


class Presence(NamedTuple):
    """What feeds said of a person's login."""

    login_us: int = 0
    logout_us: int = 0
    site: str = ""


def is_offered(told: Contact | None, queue: Queue | None, presence: Presence, now_us: int) -> bool:
    """Tell whether this very contact waits on the queue while the person's telephony login is live."""
    logged_in = presence.login_us > max(presence.logout_us, now_us - LOGIN_COUNTS_US)
    if told is None or queue is None or not logged_in:
        return False
    fresh = now_us < told.last_event_us + queue.longest_s * SECOND_US
    return fresh and told.queue == queue.id and is_free(told, queue)


class Record(NamedTuple):
    """A person's earlier ones, as far as they bear on the next."""

    waiting: bool  # one waits for its event
    in_shift: int  # opened within a shift
    unreconciled: bool  # one was not confirmed, and not cleared


def record_of(given: Iterable[Provisional], *, now_us: int, sure_us: int | None = None) -> Record:
    """Sum up a person's provisional contacts, of whichever client; those of outages do not count.

    ``sure_us`` is the time by which a shift may have passed: now, unless the clock is in doubt.
    """
    since_us = (now_us if sure_us is None else sure_us) - SHIFT_US
    own = [one for one in given if one.basis == Basis.PROVISIONAL]
    recent = [one for one in own if one.opened_us > since_us]
    return Record(
        waiting=any(waits(one, now_us) for one in own),
        in_shift=len(recent),
        unreconciled=any(is_unreconciled(one, now_us) for one in own),
    )
