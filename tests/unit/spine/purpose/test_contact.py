"""What a contact allows at a moment (SPINE 7, 8, 9)."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import MINUTE_US, SECOND_US
from holdfast.spine.purpose.contact import (
    Bind,
    Contact,
    ReasonChange,
    Standing,
    closes_us,
    contact_facts,
    decide_binding,
    decide_reason,
    may_search,
    reason_of,
    standing,
    widens,
)
from holdfast.spine.purpose.merge import ContactEvent, EventType, Timing, apply_event, timing
from holdfast.vocabulary.contract import Queue, Reason
from holdfast.vocabulary.facts import FactId, FactState

T0 = 1_790_000_000 * SECOND_US
QUEUE = Queue(id="billing", programme="care", reasons=("bill", "plan", "lost"))
REASONS = {
    "bill": Reason("bill", "Bill", {"subscribers": frozenset({"name", "bill"})}),
    "plan": Reason("plan", "Plan", {"subscribers": frozenset({"name"})}),
    "lost": Reason("lost", "Lost phone", {"subscribers": frozenset({"name", "imei"})}),
}


def told(*given: tuple[EventType, int, dict[str, str]], contact: Contact | None = None) -> Contact:
    """The contact after events at so many seconds after T0, each delivered at once."""
    contact = contact or Contact("bank-01", "ct_1")
    for number, (kind, second, more) in enumerate(given):
        at_us = T0 + second * SECOND_US
        event = ContactEvent(f"e{number}-{second}", kind, at_us, contact.ref, **more)
        contact = apply_event(contact, event, Timing.IN_TIME, at_us)
    return contact


def connected(at: int = 0, person: str = "per_a", **more: str) -> Contact:
    return told(
        (
            EventType.CONNECTED,
            at,
            {"person": person, "programme": "care", "queue": "billing", **more},
        )
    )


def facts(
    contact: Contact | None, *, customer: str = "cus_1", now: int = 10, person: str = "per_a"
):
    return contact_facts(
        contact,
        QUEUE,
        person=person,
        customer=customer,
        assigned={"care": frozenset({"billing"})},
        now_us=T0 + now * SECOND_US,
    )


def met(found) -> set[FactId]:
    return {fact for fact, value in found.items() if value.met}


ALL = {
    FactId.CONTACT_YOURS,
    FactId.CONTACT_LIVE,
    FactId.CONTACT_CONFIRMED,
    FactId.CONTACT_ORDINARY,
    FactId.NO_OUTAGE,
    FactId.QUEUE,
    FactId.CUSTOMER_BOUND,
}


class TestStanding:
    def test_a_contact_is_live_from_the_moment_it_is_connected(self):
        assert standing(connected(), QUEUE, T0) is Standing.LIVE

    def test_a_queued_contact_is_with_nobody(self):
        contact = told((EventType.QUEUED, 0, {"queue": "billing", "programme": "care"}))
        assert standing(contact, QUEUE, T0) is Standing.WAITING
        assert contact.person == ""

    def test_it_stays_with_its_person_while_on_hold(self):
        contact = told((EventType.HELD, 5, {}), contact=connected())
        assert contact.state == "held"
        assert standing(contact, QUEUE, T0 + 6 * SECOND_US) is Standing.LIVE

    def test_a_transfer_moves_it_to_the_next_person_at_once(self):
        contact = told((EventType.TRANSFERRED, 5, {"person": "per_b"}), contact=connected())
        assert contact.person == "per_b"
        assert standing(contact, QUEUE, T0 + 6 * SECOND_US) is Standing.LIVE

    def test_a_transfer_to_a_queue_leaves_it_with_nobody(self):
        contact = told((EventType.TRANSFERRED, 5, {}), contact=connected())
        assert standing(contact, QUEUE, T0 + 6 * SECOND_US) is Standing.WAITING

    @pytest.mark.parametrize(
        ("second", "expected"),
        [(60, Standing.WRAPPING), (60 + 119, Standing.WRAPPING), (60 + 120, Standing.ENDED)],
    )
    def test_after_the_end_there_is_wrap_up_and_then_nothing(self, second, expected):
        contact = told((EventType.ENDED, 60, {}), contact=connected())
        assert standing(contact, QUEUE, T0 + second * SECOND_US) is expected

    def test_no_search_in_wrap_up(self):
        contact = told((EventType.ENDED, 60, {}), contact=connected())
        assert may_search(connected(), QUEUE, T0)
        assert not may_search(contact, QUEUE, T0 + 61 * SECOND_US)

    def test_the_queue_says_how_long_wrap_up_is(self):
        short = Queue(id="billing", programme="care", reasons=("bill",), wrap_up_s=5)
        contact = told((EventType.ENDED, 60, {}), contact=connected())
        assert standing(contact, short, T0 + 65 * SECOND_US) is Standing.ENDED

    def test_it_closes_when_nothing_is_heard_for_the_longest_time(self):
        contact = connected()
        assert standing(contact, QUEUE, T0 + 60 * MINUTE_US - 1) is Standing.LIVE
        assert standing(contact, QUEUE, T0 + 60 * MINUTE_US) is Standing.SILENT

    def test_any_event_in_time_is_a_sign_of_life(self):
        contact = told((EventType.HELD, 3000, {}), contact=connected())
        assert standing(contact, QUEUE, T0 + 60 * MINUTE_US) is Standing.LIVE

    def test_it_closes_at_the_persons_next_call(self):
        contact = connected()._replace(
            voice_key=f"{T0 + 1:020d}.2.x", voice_client="bank-01", voice_contact="ct_2"
        )
        assert standing(contact, QUEUE, T0 + 2) is Standing.NEXT_CALL

    def test_a_call_of_another_client_is_a_next_call_too_even_under_the_same_reference(self):
        contact = connected()._replace(
            voice_key=f"{T0 + 1:020d}.2.x", voice_client="tel-01", voice_contact="ct_1"
        )
        assert standing(contact, QUEUE, T0 + 2) is Standing.NEXT_CALL

    def test_an_earlier_call_closes_nothing(self):
        contact = connected()._replace(
            voice_key=f"{T0 - 1:020d}.2.x", voice_client="bank-01", voice_contact="ct_2"
        )
        assert standing(contact, QUEUE, T0 + 2) is Standing.LIVE

    def test_a_call_does_not_close_a_chat(self):
        contact = connected(channel="chat")._replace(
            voice_key=f"{T0 + 1:020d}.2.x", voice_client="bank-01", voice_contact="ct_2"
        )
        assert standing(contact, QUEUE, T0 + 2) is Standing.LIVE

    def test_it_closes_at_logout(self):
        contact = connected()._replace(logout_us=T0)
        assert standing(contact, QUEUE, T0 + 1) is Standing.LOGGED_OUT

    def test_a_logout_before_it_was_connected_closes_nothing(self):
        assert standing(connected()._replace(logout_us=T0 - 1), QUEUE, T0) is Standing.LIVE

    def test_it_says_until_when_it_is_open(self):
        assert closes_us(connected(), QUEUE) == T0 + 60 * MINUTE_US
        ended = told((EventType.ENDED, 60, {}), contact=connected())
        assert closes_us(ended, QUEUE) == T0 + 180 * SECOND_US


class TestFacts:
    def test_a_bound_contact_of_ones_own_meets_all(self):
        assert met(facts(connected(customer="cus_1"))) == ALL

    def test_a_contact_of_somebody_else_looks_like_none_at_all(self):
        theirs = connected(person="per_b", customer="cus_1")
        assert facts(theirs) == facts(None)
        assert met(facts(None)) == set()
        assert facts(None)[FactId.CONTACT_LIVE].state is FactState.UNKNOWN

    def test_nobody_owns_a_contact_that_is_with_nobody(self):
        queued = told((EventType.QUEUED, 0, {"queue": "billing", "programme": "care"}))
        assert met(facts(queued, person="")) == set()

    def test_another_customer_is_not_bound(self):
        found = facts(connected(customer="cus_2"))
        assert met(found) == ALL - {FactId.CUSTOMER_BOUND}
        assert found[FactId.CUSTOMER_BOUND].value == "bound to another customer"

    def test_an_unbound_contact_says_so(self):
        found = facts(connected())
        assert found[FactId.CUSTOMER_BOUND].value == "not bound yet"

    def test_an_ended_contact_is_not_live(self):
        contact = told((EventType.ENDED, 1, {}), contact=connected(customer="cus_1"))
        assert FactId.CONTACT_LIVE in met(facts(contact, now=100))
        found = facts(contact, now=200)
        assert met(found) == ALL - {FactId.CONTACT_LIVE}
        assert found[FactId.CONTACT_LIVE].value == "ended"

    @pytest.mark.parametrize(
        "assigned",
        [{}, {"sales": frozenset()}, {"care": frozenset({"other"})}],
        ids=["none", "other programme", "other queue"],
    )
    def test_a_queue_one_is_not_assigned_to_is_not_met(self, assigned):
        found = contact_facts(
            connected(), QUEUE, person="per_a", customer="", assigned=assigned, now_us=T0
        )
        assert FactId.QUEUE not in met(found)

    def test_an_assignment_without_queues_is_for_all_of_the_programme(self):
        found = contact_facts(
            connected(),
            QUEUE,
            person="per_a",
            customer="",
            assigned={"care": frozenset()},
            now_us=T0,
        )
        assert FactId.QUEUE in met(found)

    def test_a_queue_that_the_contract_does_not_know_is_not_met(self):
        found = contact_facts(
            connected(),
            None,
            person="per_a",
            customer="",
            assigned={"care": frozenset()},
            now_us=T0,
        )
        assert FactId.QUEUE not in met(found)

    def test_a_queue_moved_to_another_programme_is_not_met(self):
        moved = Queue(id="billing", programme="sales", reasons=("bill",))
        found = contact_facts(
            connected(),
            moved,
            person="per_a",
            customer="",
            assigned={"care": frozenset(), "sales": frozenset()},
            now_us=T0,
        )
        assert FactId.QUEUE not in met(found)


class TestBinding:
    def decide(self, contact, **changes):
        given = {"customer": "cus_1", "candidates": {"cus_1"}, "proven": True, "now_us": T0 + 1}
        return decide_binding(contact, QUEUE, **{**given, **changes})

    def test_found_here_and_proven_binds(self):
        assert self.decide(connected()) is Bind.BIND

    def test_not_proven_does_not(self):
        assert self.decide(connected(), proven=False) is Bind.NOT_PROVEN

    def test_a_customer_that_no_search_of_this_contact_found_is_refused(self):
        assert self.decide(connected(), candidates={"cus_2"}) is Bind.NOT_FOUND_HERE

    def test_the_bound_customer_needs_no_binding(self):
        assert self.decide(connected(customer="cus_1"), proven=False) is Bind.ALREADY

    def test_one_rebinding_and_no_more(self):
        bound = connected(customer="cus_2")
        assert self.decide(bound) is Bind.REBIND
        assert self.decide(bound._replace(rebinds=1)) is Bind.NO_MORE

    def test_no_new_customer_in_wrap_up(self):
        ended = told((EventType.ENDED, 0, {}), contact=connected())
        assert self.decide(ended) is Bind.CLOSED


class TestIdentifiers:
    def identified(self, *given: tuple[EventType, str]) -> Contact:
        return told(
            *((kind, 1 + at, {"customer": customer}) for at, (kind, customer) in enumerate(given)),
            contact=connected(),
        )

    def test_the_feeds_identifier_binds(self):
        contact = self.identified((EventType.HELD, "cus_1"))
        assert (contact.customer, contact.bound_how) == ("cus_1", "feed")

    def test_a_verified_identifier_beats_the_number_that_called(self):
        contact = self.identified((EventType.VERIFIED, "cus_2"), (EventType.HELD, "cus_1"))
        assert contact.customer == "cus_2"

    def test_two_different_identifiers_of_the_same_strength_bind_nobody(self):
        contact = self.identified((EventType.HELD, "cus_1"), (EventType.HELD, "cus_2"))
        assert (contact.customer, contact.bound_how) == ("", "")

    def test_a_feed_does_not_undo_what_was_verified(self):
        bound = connected()._replace(customer="cus_1", bound_how="verified")
        contact = told((EventType.VERIFIED, 1, {"customer": "cus_2"}), contact=bound)
        assert (contact.customer, contact.feed_customer) == ("cus_1", "cus_2")


class TestReason:
    def test_without_one_the_queues_first_counts(self):
        assert reason_of(connected(), QUEUE) == "bill"

    def test_the_feeds_counts(self):
        assert reason_of(connected(reason="plan"), QUEUE) == "plan"

    def test_one_of_another_queue_does_not_count(self):
        assert reason_of(connected(reason="sim_swap"), QUEUE) == "bill"

    def test_the_agents_counts_while_the_feed_repeats_what_it_said(self):
        chosen = connected(reason="plan")._replace(
            chosen_reason="lost", chosen_over="plan", chosen_queue="billing", reason_changes=1
        )
        repeated = told((EventType.HELD, 5, {"reason": "plan"}), contact=chosen)
        assert reason_of(repeated, QUEUE) == "lost"

    def test_a_new_reason_of_the_feed_replaces_the_agents(self):
        chosen = connected(reason="plan")._replace(
            chosen_reason="lost", chosen_over="plan", chosen_queue="billing", reason_changes=1
        )
        changed = told((EventType.HELD, 5, {"reason": "bill"}), contact=chosen)
        assert reason_of(changed, QUEUE) == "bill"

    def test_the_agents_does_not_go_along_to_another_queue(self):
        chosen = connected()._replace(
            chosen_reason="lost", chosen_queue="billing", reason_changes=1
        )
        moved = told(
            (EventType.TRANSFERRED, 5, {"queue": "sales", "programme": "care"}), contact=chosen
        )
        sales = Queue(id="sales", programme="care", reasons=("plan", "lost"))
        assert reason_of(moved, sales) == "plan"

    @pytest.mark.parametrize(
        ("contact", "wanted", "expected"),
        [
            (connected(), "bill", ReasonChange.SAME),
            (connected(), "plan", ReasonChange.CHANGE),
            (connected(), "lost", ReasonChange.CHANGE_WIDENS),
            (connected(), "sim_swap", ReasonChange.NOT_OF_QUEUE),
            (connected()._replace(reason_changes=1), "plan", ReasonChange.NO_MORE),
            (told((EventType.ENDED, 0, {}), contact=connected()), "plan", ReasonChange.CHANGE),
            (told((EventType.ENDED, 0, {}), contact=connected()), "lost", ReasonChange.CLOSED),
            (told((EventType.ENDED, -200, {}), contact=connected()), "plan", ReasonChange.CLOSED),
        ],
    )
    def test_an_agent_may_change_it_once_within_the_queue(self, contact, wanted, expected):
        assert decide_reason(contact, QUEUE, REASONS, wanted=wanted, now_us=T0) is expected

    def test_less_masking_is_widening(self):
        fields = {"subscribers": frozenset({"name"})}
        masked = Reason("a", "A", fields, masked=fields)
        clear = Reason("b", "B", fields)
        assert widens(masked, clear)
        assert not widens(clear, masked)

    def test_a_field_that_no_longer_needs_approval_is_widening(self):
        fields = {"subscribers": frozenset({"name"})}
        assert widens(Reason("a", "A", fields, approval=fields), Reason("b", "B", fields))
        assert not widens(Reason("b", "B", fields), Reason("a", "A", fields, approval=fields))

    def test_a_field_that_may_be_changed_is_widening(self):
        fields = {"subscribers": frozenset({"name"})}
        assert widens(Reason("a", "A", fields), Reason("b", "B", fields, updates=fields))


class TestTiming:
    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (-121, Timing.LATE),
            (-120, Timing.IN_TIME),
            (0, Timing.IN_TIME),
            (5, Timing.IN_TIME),
            (6, Timing.AHEAD),
        ],
    )
    def test_an_event_opens_within_120_s_and_5_s_ahead(self, seconds, expected):
        assert timing(T0 + seconds * SECOND_US, T0) is expected

    def test_a_late_transfer_takes_the_contact_away_all_the_same(self):
        event = ContactEvent("late", EventType.TRANSFERRED, T0 + 1, "ct_1", person="per_b")
        after = apply_event(connected(), event, Timing.LATE, T0 + 300 * SECOND_US)
        assert after.person == ""

    def test_a_late_connected_of_the_same_person_takes_nothing_away(self):
        event = ContactEvent("late", EventType.CONNECTED, T0 + 1, "ct_1", person="per_a")
        assert apply_event(connected(), event, Timing.LATE, T0 + 300 * SECOND_US) == connected()
