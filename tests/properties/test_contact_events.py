"""A feed may deliver late, twice, or in another order: what a contact allows in the end is the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.kit.clock import SECOND_US
from holdfast.spine.purpose.contact import OPEN, Channel, Contact, standing
from holdfast.spine.purpose.merge import (
    OF_PERSON,
    ContactEvent,
    EventType,
    Timing,
    apply_event,
    timing,
)
from holdfast.vocabulary.contract import Queue

T0 = 1_790_000_000 * SECOND_US
QUEUE = Queue(id="billing", programme="care", reasons=("bill", "plan"))
CONTACT_TYPES = [kind for kind in EventType if kind not in OF_PERSON]


def events(ids: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[ContactEvent]:
    """Events of one contact that all lie within the window in which they may open."""
    return st.builds(
        ContactEvent,
        id=ids or st.uuids().map(str),
        type=st.sampled_from(CONTACT_TYPES),
        # few distinct times, so that equal ones are common, as in feeds that count whole seconds
        occurred_us=st.integers(0, 20).map(lambda s: T0 + 3 * s * SECOND_US),
        contact=st.just("ct_x"),
        programme=st.just("care"),
        queue=st.sampled_from(["", "billing", "sales"]),
        reason=st.sampled_from(["", "bill", "plan"]),
        person=st.sampled_from(["", "per_a", "per_b"]),
        customer=st.sampled_from(["", "cus_1", "cus_2"]),
        channel=st.sampled_from(list(Channel)),
    )


def fold(given_events, received_us=T0 + 60 * SECOND_US) -> Contact:
    contact = Contact("bank-01", "ct_x")
    for event in given_events:
        contact = apply_event(contact, event, timing(event.occurred_us, received_us), received_us)
    return contact


def unique(given_events):
    return list({event.id: event for event in given_events}.values())


@given(st.lists(events(), max_size=8).map(unique), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_contact(sent, random):
    shuffled = sent[:]
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(sent)


@given(st.lists(events(), max_size=6).map(unique), st.randoms(use_true_random=False))
def test_repeating_events_changes_nothing(sent, random):
    again = sent + random.choices(sent, k=len(sent)) if sent else sent
    random.shuffle(again)
    assert fold(again) == fold(sent)


@given(st.lists(events(), max_size=6).map(unique), st.integers(0, 20))
def test_an_end_is_an_end_whatever_comes_before_or_after(sent, at):
    end = ContactEvent("end", EventType.ENDED, T0 + 3 * at * SECOND_US)
    for contact in (fold([end, *sent]), fold([*sent, end])):
        assert contact.state == "ended"
        later = contact.ended_us + (QUEUE.wrap_up_s + 1) * SECOND_US
        assert standing(contact, QUEUE, later) not in OPEN


@given(st.lists(events(), min_size=1, max_size=8).map(unique), st.data())
def test_a_lost_event_never_gives_a_person_a_contact_that_no_event_gave_them(sent, data):
    kept = data.draw(st.lists(st.sampled_from(sent), unique=True))
    contact = fold(kept)
    given_to = {e.person for e in kept if e.type in {EventType.CONNECTED, EventType.TRANSFERRED}}
    assert contact.person in given_to | {""}
    assert contact.customer in {e.customer for e in kept} | {""}


@given(st.lists(events(), max_size=8).map(unique), events())
def test_a_late_event_opens_nothing(sent, late):
    before = fold(sent)
    after = apply_event(before, late, Timing.LATE, T0 + 60 * SECOND_US)
    assert after.person in {before.person, ""}
    assert after.customer == before.customer
    assert (after.queue, after.feed_reason) == (before.queue, before.feed_reason)
    assert after.last_event_us == before.last_event_us


@given(st.lists(events(), max_size=8).map(unique), events())
def test_an_event_from_the_future_can_only_end(sent, early):
    before = fold(sent)
    after = apply_event(before, early, Timing.AHEAD, T0 + 60 * SECOND_US)
    if early.type is EventType.ENDED:
        assert after == before._replace(ended_us=after.ended_us, state="ended")
        assert after.ended_us <= T0 + 60 * SECOND_US
    else:
        assert after == before


class Feed(RuleBasedStateMachine):
    """A telephone system whose network reorders, repeats, delays and loses, beside one whose network is perfect."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = T0
        self.contact = Contact("bank-01", "ct_x")
        self.in_flight: list[ContactEvent] = []
        self.delivered: dict[str, ContactEvent] = {}
        self.delayed = False
        self.count = 0

    def send(self, kind: EventType, **more: str) -> None:
        self.count += 1
        event = ContactEvent(f"e{self.count}", kind, self.now_us, "ct_x", **more)
        self.in_flight.append(event)

    @initialize()
    def arrives(self) -> None:
        self.send(EventType.QUEUED, programme="care", queue="billing")

    @rule(person=st.sampled_from(["per_a", "per_b"]), customer=st.sampled_from(["", "cus_1"]))
    def connects(self, person: str, customer: str) -> None:
        self.send(EventType.CONNECTED, person=person, customer=customer)

    @rule()
    def holds(self) -> None:
        self.send(EventType.HELD)

    @rule(person=st.sampled_from(["", "per_b"]))
    def transfers(self, person: str) -> None:
        self.send(EventType.TRANSFERRED, person=person, queue="sales", programme="care")

    @rule()
    def ends(self) -> None:
        self.send(EventType.ENDED)

    @rule(seconds=st.integers(1, 200))
    def time_passes(self, seconds: int) -> None:
        self.now_us += seconds * SECOND_US

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), copies=st.integers(0, 1))
    def one_is_delivered(self, data: st.DataObject, copies: int) -> None:
        """Any of those in flight, not only the first; it may stay in flight and come again."""
        position = data.draw(st.integers(0, len(self.in_flight) - 1))
        event = self.in_flight[position] if copies else self.in_flight.pop(position)
        if event.id in self.delivered:
            return  # known by its id: intake stops here
        when = timing(event.occurred_us, self.now_us)
        self.delayed |= when is Timing.LATE
        self.delivered[event.id] = event
        self.contact = apply_event(self.contact, event, when, self.now_us)

    @precondition(lambda self: self.in_flight)
    @rule()
    def one_is_lost(self) -> None:
        self.in_flight.pop()

    @invariant()
    def it_is_as_if_they_had_come_in_order_unless_one_was_late(self) -> None:
        contact = Contact("bank-01", "ct_x")
        for event in sorted(self.delivered.values(), key=lambda e: e.id):
            contact = apply_event(contact, event, Timing.IN_TIME, self.now_us)
        if not self.delayed:
            assert self.contact == contact

    @invariant()
    def nobody_holds_it_who_holds_it_in_no_event(self) -> None:
        held_by = {e.person for e in self.delivered.values() if e.type in _GIVES}
        assert self.contact.person in held_by | {""}

    @invariant()
    def an_end_that_came_keeps_it_closed(self) -> None:
        ends = [e.occurred_us for e in self.delivered.values() if e.type is EventType.ENDED]
        if ends:
            assert self.contact.ended_us == min(ends)
            over_us = min(ends) + QUEUE.wrap_up_s * SECOND_US
            assert standing(self.contact, QUEUE, over_us) not in OPEN

    @invariant()
    def delay_only_takes_away(self) -> None:
        """With late events the contact is open for a person only if it would be so with a perfect network."""
        perfect = Contact("bank-01", "ct_x")
        for event in self.delivered.values():
            perfect = apply_event(perfect, event, Timing.IN_TIME, self.now_us)
        if self.contact.person and standing(self.contact, QUEUE, self.now_us) in OPEN:
            assert perfect.person == self.contact.person


_GIVES = {EventType.CONNECTED, EventType.TRANSFERRED}
TestFeed = Feed.TestCase
