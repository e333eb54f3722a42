"""Folds a feed's events into a contact, so that the order in which they come does not matter (SPINE 7, 9, 13).

Feeds deliver at least once, late and out of order. So a contact is kept as registers, each of which takes the greatest
of what it is given: the latest holder, the latest place, the latest reason, the earliest end, the best identifier. The
greatest of a set does not depend on order or repetition; a lost event only ever leaves less access than was due.

What an event may do depends on its age at arrival. One that is :attr:`Timing.IN_TIME` writes all it says. One that is
late opens nothing, but closes what it closes: an end ends, and a contact that went to somebody else is no longer with
the person it was with. One from the future does not even that, except that an end ends.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

from holdfast.kit.clock import SECOND_US
from holdfast.spine.purpose.contact import BoundHow, Channel, Contact
from holdfast.vocabulary.levels import ContactState

OPENS_FOR_US: Final = 120 * SECOND_US
AHEAD_US: Final = 5 * SECOND_US


class EventType(StrEnum):
    """What a feed may tell; the grammar is ``<noun>.<past participle>``."""

    QUEUED = "contact.queued"  # waits for a person
    CONNECTED = "contact.connected"  # is with ``person``
    HELD = "contact.held"  # the customer waits on hold; still with the same person
    TRANSFERRED = "contact.transferred"  # to ``person``, or back to a queue
    VERIFIED = "contact.verified"  # IVR or CRM made sure who the customer is
    ENDED = "contact.ended"
    LOGGED_IN = "person.logged_in"  # ``person`` takes contacts now
    LOGGED_OUT = "person.logged_out"  # closes all contacts of ``person``


#: What is told of a person, not of a contact.
OF_PERSON: Final = frozenset({EventType.LOGGED_IN, EventType.LOGGED_OUT})


class Timing(StrEnum):
    """How an event's time relates to its arrival."""

    IN_TIME = "in_time"
    LATE = "too_late"
    AHEAD = "too_early"


# Order of events of one contact with the same time: feeds often count whole seconds.
_RANK: Final = {
    EventType.QUEUED: "0",
    EventType.VERIFIED: "1",
    EventType.CONNECTED: "2",
    EventType.HELD: "3",
    EventType.TRANSFERRED: "4",
    EventType.ENDED: "5",
    EventType.LOGGED_IN: "6",
    EventType.LOGGED_OUT: "7",
}
_STATES: Final = {
    "0": ContactState.QUEUED,
    "2": ContactState.CONNECTED,
    "4": ContactState.TRANSFERRED,
}


class ContactEvent(NamedTuple):
    """One event, resolved: ``person`` and ``customer`` are our ids (empty: none given, or not known)."""

    id: str
    type: EventType
    occurred_us: int
    contact: str = ""  # our reference
    programme: str = ""
    queue: str = ""
    reason: str = ""
    person: str = ""
    customer: str = ""
    channel: str = Channel.VOICE


def timing(occurred_us: int, received_us: int) -> Timing:
    """Tell whether an event that comes now may open a right: at most 120 s old, at most 5 s ahead."""
    if occurred_us < received_us - OPENS_FOR_US:
        return Timing.LATE
    return Timing.AHEAD if occurred_us > received_us + AHEAD_US else Timing.IN_TIME


def event_key(event: ContactEvent) -> str:
    """Return a text by which events sort: time, then natural order of types, then id."""
    return f"{event.occurred_us:020d}.{_RANK[event.type]}.{event.id}"


def apply_event(contact: Contact, event: ContactEvent, when: Timing, received_us: int) -> Contact:
    """Return ``contact`` after ``event``, the same object if nothing changes. Start from ``Contact(client, ref)``.

    For events that are all in time the result is the same in any order and with any of them repeated.
    """
    if event.type is EventType.ENDED:
        return _bounded(_ended(contact, event, when, received_us), event, when)
    if when is Timing.IN_TIME:
        return _bounded(_opened(contact, event), event, when)
    return _moved_away(contact, event) if when is Timing.LATE else contact


def closes_others(event: ContactEvent) -> bool:
    """Tell whether the event is a voice contact that its person took: their earlier voice contacts close."""
    voice = event.type is EventType.CONNECTED and event.channel == Channel.VOICE
    return voice and bool(event.person)


def _ended(contact: Contact, event: ContactEvent, when: Timing, received_us: int) -> Contact:
    ended_us = received_us if when is Timing.AHEAD else event.occurred_us
    if contact.ended_us and contact.ended_us <= ended_us:
        return contact
    return contact._replace(ended_us=ended_us, state=ContactState.ENDED)


def _opened(contact: Contact, event: ContactEvent) -> Contact:
    key = event_key(event)
    new: dict[str, Any] = {}
    if event.type in _HOLDS and key > contact.holder_key:
        new |= {
            "person": _holder(event),
            "holder_us": event.occurred_us,
            "holder_key": key,
            "channel": event.channel,
        }
    if event.type is EventType.HELD and key > contact.held_key:
        new["held_key"] = key
    if event.queue and key > contact.place_key:
        new |= {"programme": event.programme, "queue": event.queue, "place_key": key}
    if event.reason and key > contact.reason_key:
        new |= {"feed_reason": event.reason, "reason_key": key}
    if event.customer:
        new |= _identified(contact, event)
    return _labelled(contact._replace(**new)) if new else contact


_HOLDS: Final = frozenset({EventType.QUEUED, EventType.CONNECTED, EventType.TRANSFERRED})


def _holder(event: ContactEvent) -> str:
    return "" if event.type is EventType.QUEUED else event.person


def _identified(contact: Contact, event: ContactEvent) -> dict[str, Any]:
    """Take the feed's identifier: a verified one beats a plain one; two different equals bind to nobody."""
    rank = 2 if event.type is EventType.VERIFIED else 1
    if rank < contact.feed_rank:
        return {}
    clash = rank == contact.feed_rank and event.customer != contact.feed_customer
    customer = "" if clash else event.customer
    new: dict[str, Any] = {"feed_rank": rank, "feed_customer": customer}
    if contact.bound_how in {BoundHow.NOT, BoundHow.FEED} and customer != contact.customer:
        how = BoundHow.FEED if customer else BoundHow.NOT
        new |= {"customer": customer, "bound_how": how}
    return new


def _moved_away(contact: Contact, event: ContactEvent) -> Contact:
    """A late event opens nothing, but the contact is not with its present holder if it went elsewhere since."""
    key = event_key(event)
    if event.type not in _HOLDS or key <= contact.holder_key or _holder(event) == contact.person:
        return contact
    gone = contact._replace(person="", holder_us=event.occurred_us, holder_key=key)
    return _labelled(gone)


def _labelled(contact: Contact) -> Contact:
    if contact.ended_us:
        state = ContactState.ENDED
    elif contact.person and contact.held_key > contact.holder_key:
        state = ContactState.HELD
    else:
        state = _STATES.get(contact.holder_key[21:22], ContactState.QUEUED)
    return contact if state == contact.state else contact._replace(state=state)


def _bounded(contact: Contact, event: ContactEvent, when: Timing) -> Contact:
    """Keep the first and last moment of which a feed spoke; only an event in time counts as a sign of life."""
    if when is not Timing.IN_TIME:
        return contact
    at_us = event.occurred_us
    first = min(at_us, contact.first_event_us or at_us)
    last = max(at_us, contact.last_event_us)
    if first == contact.first_event_us and last == contact.last_event_us:
        return contact
    return contact._replace(first_event_us=first, last_event_us=last)
