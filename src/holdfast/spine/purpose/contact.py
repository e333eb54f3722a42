"""What a contact is, and what it allows at a moment (SPINE 7, 8, 9). Pure: no I/O, time is an argument.

A contact is stored as *registers* (see ``merge.py``) from which everything else is derived at the moment of the look,
so nothing has to run for a contact to close. It is open to one person, for one customer, while all of this holds:

* a feed said that the contact is with this person, and nobody said later that it is with somebody else;
* it has not ended, or ended less than the queue's wrap-up time ago (then: no new search, no new customer), and the
  person had it before it ended: who got it only then has nothing to wrap up;
* the feed said something about it within the queue's longest time;
* the person took no later voice contact (a voice contact closes at the next one), and did not log out since.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import SECOND_US
from holdfast.vocabulary.contract import SECONDS_LONGEST_CONTACT, SECONDS_WRAP_UP
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import ContactState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from holdfast.kit.db import Rows
    from holdfast.vocabulary.contract import Queue, Reason

OF_NO_CONTACT: Final = "of no contact"  # what is asked for without one, such as a break-glass
SOURCE: Final = "contact feed"
PERSON_SAYS: Final = "the person's word"
MOST_REBINDS: Final = 1
MOST_REASON_CHANGES: Final = 1


class Channel(StrEnum):
    """How the customer and the person talk. Only a voice contact closes at the person's next voice contact."""

    VOICE = "voice"
    CHAT = "chat"
    MAIL = "mail"
    CASE = "case"


class Basis(StrEnum):
    """Who says that the contact is with this person."""

    FEED = "feed"
    PROVISIONAL = "provisional"  # the person, while the feed is late
    OUTAGE = "outage"  # the person, while the feed is declared to be down
    GLASS = "glass"  # a break-glass stands in for a contact


class BoundHow(StrEnum):
    """By what a contact is bound to its customer."""

    NOT = ""
    FEED = "feed"  # the feed's identifier, through the blind index at intake
    VERIFIED = "verified"  # found by search in this contact, and enough answers matched
    REBOUND = "rebound"  # the one later change, by the same proof


class Contact(NamedTuple):
    """A contact as the store holds it; the order of the fields is the order of the columns.

    Empty text means *none*, 0 microseconds means *never*. A ``…_key`` orders the events that wrote a register
    (:func:`holdfast.spine.purpose.merge.event_key`). The last six fields are not the contact's own: four are what feeds
    said of its person, joined when the contact is loaded for a look; ``basis`` and ``until_us`` are set where the
    contact stands on a person's word until a feed tells it (see ``provisional.py``).
    """

    client: str
    ref: str
    version: int = 0  # 0: not stored yet
    state: str = (
        ContactState.QUEUED
    )  # as told by the feed; see standing() for the state at a moment
    channel: str = Channel.VOICE
    programme: str = ""
    queue: str = ""
    place_key: str = ""
    person: str = ""
    holder_us: int = 0
    holder_key: str = ""
    held_key: str = ""
    feed_reason: str = ""
    reason_key: str = ""
    chosen_reason: str = ""  # by the agent, over ``chosen_over`` while on ``chosen_queue``
    chosen_over: str = ""
    chosen_queue: str = ""
    reason_changes: int = 0
    feed_customer: str = ""
    feed_rank: int = 0
    customer: str = ""
    bound_how: str = BoundHow.NOT
    bound_us: int = 0  # when the person bound it; 0 if the feed did
    rebinds: int = 0
    first_event_us: int = 0
    last_event_us: int = 0
    ended_us: int = 0
    voice_key: str = ""
    voice_client: str = ""
    voice_contact: str = ""
    logout_us: int = 0
    basis: str = Basis.FEED
    until_us: int = 0  # closes then, whatever comes; 0: no such moment


def contact_of(rows: Rows) -> Contact | None:
    """Read the answer of :data:`holdfast.spine.purpose.store.CONTACT`."""
    return Contact(*rows[0]) if rows else None


class Standing(StrEnum):
    """Where a contact stands at a moment; the values are words for a denial."""

    LIVE = "live"
    WRAPPING = "wrapping up"
    WAITING = "not connected"
    ENDED = "ended"
    SILENT = "no event for too long"
    NEXT_CALL = "closed by the next call"
    LOGGED_OUT = "closed by logout"
    LAPSED = "not confirmed by the feed in time"


OPEN: Final = frozenset({Standing.LIVE, Standing.WRAPPING})


def standing(contact: Contact, queue: Queue | None, now_us: int) -> Standing:
    """Tell where ``contact`` stands at ``now_us``. ``queue`` is its queue in the contract, None if it is not there."""
    if not contact.person:
        return Standing.ENDED if contact.ended_us else Standing.WAITING
    closed = _closed(contact, now_us)
    if closed is not None:
        return closed
    if contact.ended_us:
        wrap_up_s = queue.wrap_up_s if queue else SECONDS_WRAP_UP
        over = now_us >= contact.ended_us + wrap_up_s * SECOND_US
        over |= contact.holder_us > contact.ended_us
        return Standing.ENDED if over else Standing.WRAPPING
    longest_s = queue.longest_s if queue else SECONDS_LONGEST_CONTACT
    if now_us >= contact.last_event_us + longest_s * SECOND_US:
        return Standing.SILENT
    return Standing.LIVE


def _closed(contact: Contact, now_us: int) -> Standing | None:
    """Say what closed it, other than its own end or silence."""
    if contact.logout_us >= contact.holder_us:
        return Standing.LOGGED_OUT
    if contact.until_us and now_us >= contact.until_us:
        return Standing.LAPSED
    return Standing.NEXT_CALL if _has_next_call(contact) else None


def _has_next_call(contact: Contact) -> bool:
    another = (contact.voice_client, contact.voice_contact) != (contact.client, contact.ref)
    return contact.channel == Channel.VOICE and another and contact.voice_key > contact.holder_key


def closes_us(contact: Contact, queue: Queue | None) -> int:
    """Return when an open contact closes by itself if no further event comes: the ``until`` of a shown value."""
    if contact.ended_us:
        return contact.ended_us + (queue.wrap_up_s if queue else SECONDS_WRAP_UP) * SECOND_US
    longest_s = queue.longest_s if queue else SECONDS_LONGEST_CONTACT
    closes = contact.last_event_us + longest_s * SECOND_US
    return min(closes, contact.until_us) if contact.until_us else closes


def may_search(contact: Contact, queue: Queue | None, now_us: int) -> bool:
    """Tell whether a new search may be made: not in wrap-up (SPINE 9)."""
    return standing(contact, queue, now_us) is Standing.LIVE


def contact_facts(
    contact: Contact | None,
    queue: Queue | None,
    *,
    person: str,
    customer: str,
    assigned: Mapping[str, frozenset[str]],
    now_us: int,
) -> dict[FactId, FactValue]:
    """Return the facts of purpose: of the contact, its queue, its customer, and on what it rests.

    ``assigned`` maps each programme of the person's assignments to its queues, an empty set meaning all of them.
    ``customer`` is the customer asked for; empty (a search) asks only whether the contact is bound at all. A contact
    of somebody else gives exactly the facts of one that does not exist.
    """
    if contact is None or not person or contact.person != person:
        unknown = FactValue(FactState.UNKNOWN, met=False, source=SOURCE)
        return {
            FactId.CONTACT_YOURS: unknown._replace(state=FactState.KNOWN, value="not with you"),
            FactId.CONTACT_LIVE: unknown,
            FactId.QUEUE: unknown,
            FactId.CUSTOMER_BOUND: unknown,
            FactId.CONTACT_CONFIRMED: unknown,
            FactId.NO_OUTAGE: unknown,
            FactId.CONTACT_ORDINARY: unknown,
        }
    return _facts_of_yours(
        _Yours(
            contact.basis,
            contact.last_event_us,
            standing(contact, queue, now_us),
            contact.queue,
            _works_queue(contact, queue, assigned),
            bool(contact.customer) and customer in {"", contact.customer},
            _bound_word(contact, customer),
        )
    ).copy()


class _Yours(NamedTuple):
    """All that the facts of a person's own contact follow from; it names neither contact nor customer."""

    basis: str
    last_event_us: int
    now: Standing
    queue: str
    works_queue: bool
    bound: bool
    bound_word: str


@lru_cache(maxsize=4096)
def _facts_of_yours(yours: _Yours) -> dict[FactId, FactValue]:
    basis, says = yours.basis, _BASIS_WORDS[yours.basis]
    source = SOURCE if basis == Basis.FEED else PERSON_SAYS

    def known(value: str, *, met: bool) -> FactValue:
        return FactValue(FactState.KNOWN, met, value, yours.last_event_us, source)

    return {
        FactId.CONTACT_YOURS: known("with you", met=True),
        FactId.CONTACT_LIVE: known(yours.now.value, met=yours.now in OPEN),
        FactId.QUEUE: known(yours.queue, met=yours.works_queue),
        FactId.CUSTOMER_BOUND: known(yours.bound_word, met=yours.bound),
        FactId.CONTACT_CONFIRMED: known(says, met=basis in {Basis.FEED, Basis.GLASS}),
        FactId.NO_OUTAGE: known(says, met=basis != Basis.OUTAGE),
        FactId.CONTACT_ORDINARY: known(says, met=basis != Basis.GLASS),
    }


_BASIS_WORDS: Final[Mapping[str, str]] = {
    Basis.FEED: "told by a feed",
    Basis.PROVISIONAL: "not told by a feed yet",
    Basis.OUTAGE: "opened in an outage",
    Basis.GLASS: "break-glass",
}


def _works_queue(
    contact: Contact, queue: Queue | None, assigned: Mapping[str, frozenset[str]]
) -> bool:
    if queue is None or queue.id != contact.queue or queue.programme != contact.programme:
        return False  # the contract does not know this line of work
    queues = assigned.get(contact.programme)
    return queues is not None and (not queues or contact.queue in queues)


def _bound_word(contact: Contact, customer: str) -> str:
    if not contact.customer:
        return "not bound yet"
    return "bound" if customer in {"", contact.customer} else "bound to another customer"


class Bind(StrEnum):
    """What to do after a caller's answers were compared."""

    ALREADY = "already"  # it is the bound customer
    BIND = "bind"
    REBIND = "rebind"  # costs budget and is a signal
    NOT_PROVEN = "not_proven"
    NOT_FOUND_HERE = "not_found_here"  # no search of this contact found this customer
    NO_MORE = "no_more"  # the one rebinding is used up
    CLOSED = "closed"  # wrap-up or later: no new customer


def decide_binding(
    contact: Contact,
    queue: Queue | None,
    *,
    customer: str,
    candidates: Collection[str],
    proven: bool,
    now_us: int,
) -> Bind:
    """Decide whether ``customer`` becomes the contact's customer (SPINE 7).

    ``candidates`` are the customers whom this contact's own searches found; ``proven`` says that all the answers that
    the contract asks for matched.
    """
    if contact.customer == customer:
        return Bind.ALREADY
    if standing(contact, queue, now_us) is not Standing.LIVE:
        return Bind.CLOSED
    if customer not in candidates:
        return Bind.NOT_FOUND_HERE
    if contact.customer and contact.rebinds >= MOST_REBINDS:
        return Bind.NO_MORE
    if not proven:
        return Bind.NOT_PROVEN
    return Bind.REBIND if contact.customer else Bind.BIND


def reason_of(contact: Contact, queue: Queue) -> str:
    """Return the reason that counts: the agent's while it stands, else the feed's, else the queue's first.

    The agent's choice stands while the feed still says what it said when it was made, on the same queue. A reason of
    another queue (the contact was transferred) does not count.
    """
    chosen = (
        contact.chosen_reason
        and contact.chosen_over == contact.feed_reason
        and contact.chosen_queue == contact.queue
    )
    reason = contact.chosen_reason if chosen else contact.feed_reason
    return reason if reason in queue.reasons else queue.reasons[0]


class ReasonChange(StrEnum):
    """What becomes of an agent's wish for another reason (SPINE 8)."""

    CHANGE = "change"
    CHANGE_WIDENS = "change_widens"  # only after a step-up, and counted
    SAME = "same"
    NOT_OF_QUEUE = "not_of_queue"
    NO_MORE = "no_more"
    CLOSED = "closed"


def decide_reason(
    contact: Contact, queue: Queue, reasons: Mapping[str, Reason], *, wanted: str, now_us: int
) -> ReasonChange:
    """Decide whether the agent may change the contact's reason to ``wanted``: once, to one of the same queue.

    In wrap-up only a change that shows no more than before goes through.
    """
    now = standing(contact, queue, now_us)
    if now not in OPEN:
        return ReasonChange.CLOSED
    present = reason_of(contact, queue)
    if wanted == present:
        return ReasonChange.SAME
    if wanted not in queue.reasons or wanted not in reasons:
        return ReasonChange.NOT_OF_QUEUE
    if contact.reason_changes >= MOST_REASON_CHANGES:
        return ReasonChange.NO_MORE
    if not widens(reasons.get(present), reasons[wanted]):
        return ReasonChange.CHANGE
    return ReasonChange.CHANGE_WIDENS if now is Standing.LIVE else ReasonChange.CLOSED


def widens(before: Reason | None, after: Reason) -> bool:
    """Tell whether ``after`` shows or changes anything that ``before`` did not, or shows it with less ado."""
    if before is None:
        return True
    return any(
        not _in(after.fields, name) <= _in(before.fields, name)
        or not _in(after.updates, name) <= _in(before.updates, name)
        or not _in(after.fields, name) - _in(after.masked, name)
        <= _in(before.fields, name) - _in(before.masked, name)
        or not _in(after.fields, name) - _in(after.approval, name)
        <= _in(before.fields, name) - _in(before.approval, name)
        for name in (*after.fields, *after.updates)
    )


def _in(fields: Mapping[str, frozenset[str]], collection: str) -> frozenset[str]:
    return fields.get(collection, frozenset())
