"""Folds one part of a batch into the contacts that it is about, in memory, and says what is to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.errors import Unavailable
from holdfast.kit.ids import new_id
from holdfast.spine.ledger.recorder import append
from holdfast.spine.purpose.contact import Basis, BoundHow, Contact
from holdfast.spine.purpose.merge import (
    OF_PERSON,
    EventType,
    Timing,
    apply_event,
    closes_others,
    event_key,
)
from holdfast.spine.purpose.provisional import Provisional, State, reconciles
from holdfast.spine.purpose.store import PUT_LOGIN, PUT_LOGOUT, PUT_VOICE, SETTLE, put_contact
from holdfast.spine.signals.events import Refusal, Rejected
from holdfast.spine.signals.pace import NO_SITE, Pace, hear
from holdfast.spine.signals.store import ADD_DEAD_LETTER, ADD_EVENT, ADD_TO_TALLY, PUT_PACE
from holdfast.vocabulary.ids import DEAD_LETTER, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Rows
    from holdfast.spine.purpose.merge import ContactEvent
    from holdfast.spine.signals.resolve import Prepared, Resolved

MOST_DEAD_LETTERS: Final = 50  # of one part; the tally counts all

_SIGNALS: Final = {
    Refusal.NOT_JSON: Signal.FEED_MALFORMED,
    Refusal.LINE_TOO_LARGE: Signal.FEED_MALFORMED,
    Refusal.MISSING_FIELD: Signal.FEED_MALFORMED,
    Refusal.UNKNOWN_FIELD: Signal.FEED_MALFORMED,
    Refusal.INVALID_VALUE: Signal.FEED_MALFORMED,
    Refusal.NO_OFFSET: Signal.FEED_MALFORMED,
    Refusal.OTHER_CLIENT: Signal.FEED_OUT_OF_SCOPE,
    Refusal.OTHER_TYPE: Signal.FEED_OUT_OF_SCOPE,
    Refusal.OTHER_PROGRAMME: Signal.FEED_OUT_OF_SCOPE,
    Refusal.OTHER_SITE: Signal.FEED_OUT_OF_SCOPE,
    Refusal.UNKNOWN_QUEUE: Signal.FEED_UNKNOWN_NAME,
    Refusal.UNKNOWN_REASON: Signal.FEED_UNKNOWN_NAME,
    Refusal.UNKNOWN_PERSON: Signal.FEED_UNKNOWN_NAME,
    Refusal.UNKNOWN_IDENTIFIER: Signal.FEED_UNKNOWN_NAME,
    Refusal.TOO_LATE: Signal.FEED_UNTIMELY,
    Refusal.TOO_EARLY: Signal.FEED_UNTIMELY,
    Refusal.ID_REUSED: Signal.FEED_ID_REUSED,
}
_UNTIMELY: Final = {Timing.LATE: Refusal.TOO_LATE, Timing.AHEAD: Refusal.TOO_EARLY}
_CLOSES: Final = frozenset({EventType.ENDED, EventType.LOGGED_OUT})


class Stored(NamedTuple):
    """What is stored of what a part is about. ``seen`` maps event ids taken in before to their digests."""

    seen: Mapping[str, bytes]
    contacts: Sequence[Contact]
    on_word: Sequence[Provisional]  # contacts on a person's word that wait for their event
    paces: Sequence[Pace]


class ContactMoved(Unavailable):
    """A contact was changed by another process since it was read; what was folded can be folded anew."""


class Fold:
    """The state of one part while it is folded."""

    def __init__(self, part: Prepared, stored: Stored) -> None:
        self.accepted = 0
        self.duplicate = 0
        self.rejected = list(part.rejected)
        self._part = part
        self._feed = part.batch.feed
        self._now_us = part.batch.received_us
        self._seen = dict(stored.seen)
        self._before = {contact.ref: contact for contact in stored.contacts}
        self._contacts = dict(self._before)
        self._events: list[Query] = []
        self._presence: list[Query] = []
        self._differing: dict[str, None] = {}  # contacts, in the order in which it was seen
        self._paces = stored.paces
        self._lags: dict[str, list[int]] = {}  # by site
        self._waiting = list(stored.on_word)
        self._confirmed: list[tuple[Provisional, ContactEvent]] = []
        for resolved in part.resolved:
            self._take(resolved)

    def _take(self, given: Resolved) -> None:
        event = given.event
        known = self._seen.get(event.id)
        if known == given.digest:
            self.duplicate += 1
            return
        if known is not None:
            self.rejected.append(Rejected(given.line, Refusal.ID_REUSED, "id"))
            return
        if self._is_of_other_programme(event.contact):
            self.rejected.append(Rejected(given.line, Refusal.OTHER_PROGRAMME, "contact"))
            return
        self._listen(given)
        confirmed = self._confirm(given)
        if confirmed:  # the person's own look at that moment corroborates it: it opens what it would have in time
            given = given._replace(when=Timing.IN_TIME)
        self._fold(given)
        if confirmed:
            self._carry_over(confirmed)
        if given.refusal is not None:
            self.rejected.append(given.refusal)
        elif given.when is not Timing.IN_TIME and event.type not in _CLOSES:
            self.rejected.append(Rejected(given.line, _UNTIMELY[given.when], "occurred_at"))
        else:
            self.accepted += 1
            self._seen[event.id] = given.digest
            self._events.append(
                ADD_EVENT(
                    feed=self._feed.name,
                    event_id=event.id,
                    digest=given.digest,
                    seen_us=self._now_us,
                )
            )

    def _is_of_other_programme(self, ref: str) -> bool:
        present = self._contacts.get(ref)
        programme = present.programme if present else ""
        return bool(self._feed.programmes and programme and programme not in self._feed.programmes)

    def _listen(self, given: Resolved) -> None:
        lag_us = self._now_us - given.event.occurred_us
        for site in {NO_SITE, given.site}:
            self._lags.setdefault(site, []).append(lag_us)

    def _confirm(self, given: Resolved) -> Provisional | None:
        """Settle what this event confirms; return the one that goes on as an ordinary contact, if there is one."""
        if given.refusal is not None or given.when is Timing.AHEAD:
            return None
        found = [one for one in self._waiting if reconciles(one, given.event, self._now_us)]
        for one in found:
            self._waiting.remove(one)
            self._confirmed.append((one, given.event))
        return next((one for one in found if one.basis == Basis.PROVISIONAL), None)

    def _carry_over(self, confirmed: Provisional) -> None:
        """Keep the customer whom the person verified where the feed's identifiers bind nobody."""
        contact = self._contacts[confirmed.contact]
        if confirmed.verified_us and contact.bound_how == BoundHow.NOT:
            self._contacts[contact.ref] = contact._replace(
                customer=confirmed.customer,
                bound_how=BoundHow.VERIFIED,
                bound_us=confirmed.verified_us,
            )

    def _fold(self, given: Resolved) -> None:
        event, when = given.event, given.when
        if given.refusal is not None and when is Timing.IN_TIME:
            when = Timing.LATE  # it opens nothing, and closes what it closes
        if event.type in OF_PERSON:
            self._attend(given)
            return
        before = self._contacts.get(event.contact) or Contact(self._feed.client, event.contact)
        after = apply_event(before, event, when, self._now_us)
        self._contacts[event.contact] = after
        if _identifiers_differ(before, after):
            self._differing[event.contact] = None
        if closes_others(event) and when is not Timing.AHEAD:
            self._presence.append(
                PUT_VOICE(
                    person=event.person,
                    voice_key=event_key(event),
                    voice_client=self._feed.client,
                    voice_contact=event.contact,
                )
            )

    def _attend(self, given: Resolved) -> None:
        """A login opens something, so only one in time counts; a logout closes at any age."""
        event = given.event
        at_us = min(event.occurred_us, self._now_us)
        if event.type is EventType.LOGGED_OUT:
            self._presence.append(PUT_LOGOUT(person=event.person, logout_us=at_us))
        elif given.when is Timing.IN_TIME:
            self._presence.append(PUT_LOGIN(person=event.person, login_us=at_us, site=given.site))

    def writes(self) -> tuple[Query, ...]:
        """Return all writes: contacts first, so that :meth:`check` finds their answers, tallies last."""
        self._changed = [
            contact
            for ref, contact in self._contacts.items()
            if contact is not self._before.get(ref) and contact != Contact(contact.client, ref)
        ]
        self._tallies = Counter(_SIGNALS[r.reason] for r in self.rejected)
        return (
            *(put_contact(contact) for contact in self._changed),
            *(self._settle(one) for one, _ in self._confirmed),
            *self._events,
            *self._heard(),
            *self._presence,
            *self._dead_letters(),
            *(
                ADD_TO_TALLY(
                    feed=self._feed.name,
                    signal=signal.value,
                    minute=self._now_us // MINUTE_US,
                    count=count,
                )
                for signal, count in self._tallies.items()
            ),
        )

    def _settle(self, given: Provisional) -> Query:
        return SETTLE(client=given.client, id=given.id, state=State.RECONCILED, now_us=self._now_us)

    def _heard(self) -> Iterable[Query]:
        for site, lags in self._lags.items():
            rows = [row for row in self._paces if row.site == site]
            pace = hear(rows, (self._feed.name, site), lags, self._now_us)
            yield PUT_PACE(**pace._asdict())

    def _dead_letters(self) -> Iterable[Query]:
        for refused in self.rejected[:MOST_DEAD_LETTERS]:
            yield ADD_DEAD_LETTER(
                id=new_id(DEAD_LETTER, self._now_us),
                feed=self._feed.name,
                client=self._feed.client,
                at_us=self._now_us,
                line=refused.line,
                reason=refused.reason.value,
                field=refused.field,
            )

    def check(self, answers: list[Rows]) -> None:
        """Raise :class:`ContactMoved` if somebody else changed a contact meanwhile: all of it is taken back."""
        if not all(answers[: len(self._changed)]):
            raise ContactMoved(
                "a contact was changed at the same time", remedy="Send the batch again."
            )

    def leaves(self, answers: list[Rows]) -> tuple[Query, ...]:
        """Return the leaves: contacts that were bound, and each kind of signal once a minute."""
        found: list[Query] = []
        for contact in self._changed:
            before = self._before.get(contact.ref)
            if contact.customer and contact.customer != (before.customer if before else ""):
                found.append(self._bound(contact))
        settled = answers[len(self._changed) : len(self._changed) + len(self._confirmed)]
        for (one, event), rows in zip(self._confirmed, settled, strict=True):
            if rows:
                found.append(self._reconciled(one, event))
        found.extend(
            self._signal(Signal.CONTACT_IDENTIFIERS_DIFFER, ref, 1) for ref in self._differing
        )
        for signal, count in self._tallies.items():
            # ADD_TO_TALLY answers the minute's total: more than we added means a leaf was written already
            position = len(answers) - len(self._tallies) + list(self._tallies).index(signal)
            if answers[position][0][1] == count:
                found.append(self._signal(signal, self._feed.name, count))
        return tuple(found)

    def _bound(self, contact: Contact) -> Query:
        body = {
            "contact": contact.ref,
            "customer": self._part.customer_refs[contact.customer],
            "how": BoundHow.FEED.value,
            "decision": "",
        }
        return self._leaf(LeafType.CONTACT_BOUND, body)

    def _reconciled(self, given: Provisional, event: ContactEvent) -> Query:
        body = {
            "provisional": given.id,
            "contact": given.contact,
            "person": given.person_ref,
            "event": rfc3339(event.occurred_us),
        }
        return self._leaf(LeafType.PROVISIONAL_RECONCILED, body)

    def _signal(self, signal: Signal, subject: str, count: int) -> Query:
        body = {"signal": signal.value, "subject": subject, "count": count}
        return self._leaf(LeafType.SIGNAL_RAISED, body)

    def _leaf(self, kind: LeafType, body: Mapping[str, object]) -> Query:
        leaf = Leaf(kind, new_id(LEAF, self._now_us), self._now_us, body)
        return append(client_log(self._feed.client), leaf)


def _identifiers_differ(before: Contact, after: Contact) -> bool:
    """Tell whether an event named another customer than an equal one did, or than the person has verified."""
    if after.feed_customer == before.feed_customer:
        return False
    clash = bool(before.feed_customer) and not after.feed_customer
    other = bool(after.customer) and after.feed_customer not in {"", after.customer}
    return clash or other
