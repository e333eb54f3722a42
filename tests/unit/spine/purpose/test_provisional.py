"""The pure rules of contacts on a person's word."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import HOUR_US, MINUTE_US, SECOND_US
from holdfast.spine.purpose.contact import Basis, BoundHow, Contact, Standing, closes_us, standing
from holdfast.spine.purpose.merge import ContactEvent, EventType
from holdfast.spine.purpose.provisional import (
    Presence,
    Provisional,
    State,
    contact_on_word,
    deadline_us,
    is_free,
    is_offered,
    is_overdue,
    is_unreconciled,
    may_find,
    reconciles,
    record_of,
)
from holdfast.vocabulary.contract import Queue

T0 = 1_790_000_000 * SECOND_US
QUEUE = Queue(id="billing", programme="care", reasons=("bill", "plan"))
GIVEN = Provisional(
    id="prv_1",
    client="tel-01",
    contact="ct_1",
    person="per_a",
    basis=Basis.PROVISIONAL,
    programme="care",
    queue="billing",
    reason="plan",
    opened_us=T0,
    until_us=T0 + 15 * MINUTE_US,
)
LOOKED = GIVEN._replace(customer="cus_1", customer_at_us=T0 + 5 * SECOND_US)
IN_OUTAGE = LOOKED._replace(basis=Basis.OUTAGE, outage="out_1")


def event(**changes):
    told = {"contact": "ct_1", "person": "per_a", "customer": "cus_1", "occurred_us": T0}
    return ContactEvent(id="e", type=EventType.CONNECTED, **{**told, **changes})


def told(**changes):
    return Contact("tel-01", "ct_1", version=1, queue="billing", last_event_us=T0, **changes)


class TestReconciling:
    def test_the_same_contact_person_and_customer_at_that_time(self):
        assert reconciles(LOOKED, event(), T0 + MINUTE_US)

    @pytest.mark.parametrize(
        "changes",
        [
            {"contact": "ct_2"},
            {"person": "per_b"},
            {"person": ""},
            {"customer": "cus_2"},
            {"customer": ""},
            {"occurred_us": T0 + 66 * SECOND_US},
            {"occurred_us": T0 - 56 * SECOND_US},
        ],
    )
    def test_anything_else_does_not(self, changes):
        assert not reconciles(LOOKED, event(**changes), T0 + 2 * MINUTE_US)

    def test_a_minute_around_the_look_is_near(self):
        for off_s in (-55, 65):
            assert reconciles(LOOKED, event(occurred_us=T0 + off_s * SECOND_US), T0 + 2 * MINUTE_US)

    def test_it_must_arrive_within_a_quarter_of_an_hour_of_the_look(self):
        last = T0 + 5 * SECOND_US + 15 * MINUTE_US
        assert deadline_us(LOOKED) == last
        assert reconciles(LOOKED, event(), last)
        assert not reconciles(LOOKED, event(), last + 1)
        assert reconciles(IN_OUTAGE, event(), last + 3 * HOUR_US)

    def test_without_a_look_the_opening_counts_and_there_is_no_customer_to_compare(self):
        assert reconciles(GIVEN, event(customer=""), T0 + MINUTE_US)
        assert not reconciles(GIVEN, event(occurred_us=T0 - 61 * SECOND_US), T0 + MINUTE_US)

    @pytest.mark.parametrize("state", [State.RECONCILED, State.UNRECONCILED, State.CLEARED])
    def test_what_is_settled_stays_so(self, state):
        assert not reconciles(LOOKED._replace(state=state), event(), T0 + MINUTE_US)


class TestTime:
    def test_what_is_overdue_counts_at_once(self):
        last = deadline_us(LOOKED)
        assert not is_overdue(LOOKED, last)
        assert is_overdue(LOOKED, last + 1)
        assert is_unreconciled(LOOKED, last + 1)

    def test_one_of_an_outage_has_no_deadline(self):
        assert not is_overdue(IN_OUTAGE, T0 + 24 * HOUR_US)

    def test_what_was_cleared_does_not_count(self):
        assert not is_unreconciled(LOOKED._replace(state=State.CLEARED), T0 + HOUR_US)

    def test_a_record_sums_up_one_shift_at_all_clients(self):
        done = LOOKED._replace(state=State.RECONCILED)
        old = done._replace(opened_us=T0 - 12 * HOUR_US)
        elsewhere = done._replace(client="tel-02")
        record = record_of([done, old, elsewhere, IN_OUTAGE], now_us=T0 + 1)
        assert record == (False, 2, False)

    def test_what_waits_or_failed_elsewhere_counts_here(self):
        elsewhere = LOOKED._replace(client="tel-02")
        soon, late = T0 + MINUTE_US, T0 + HOUR_US
        assert record_of([elsewhere], now_us=soon) == (True, 1, False)
        assert record_of([elsewhere], now_us=late) == (False, 1, True)


class TestContact:
    def test_it_stands_for_a_live_contact_that_is_bound_once_verified(self):
        contact = contact_on_word(LOOKED, None)
        assert (contact.person, contact.queue, contact.feed_reason) == ("per_a", "billing", "plan")
        assert (contact.customer, contact.bound_how) == ("", BoundHow.NOT)
        assert contact.basis == Basis.PROVISIONAL
        assert standing(contact, QUEUE, T0 + MINUTE_US) is Standing.LIVE
        bound = contact_on_word(LOOKED._replace(verified_us=T0 + 9), None)
        assert (bound.customer, bound.bound_how) == ("cus_1", BoundHow.VERIFIED)

    def test_it_lapses(self):
        contact = contact_on_word(LOOKED, None)
        assert closes_us(contact, QUEUE) == GIVEN.until_us
        assert standing(contact, QUEUE, GIVEN.until_us - 1) is Standing.LIVE
        assert standing(contact, QUEUE, GIVEN.until_us) is Standing.LAPSED

    def test_it_closes_at_the_next_call_and_at_logout(self):
        call = {"voice_client": "tel-01", "voice_contact": "ct_2"}
        later = GIVEN._replace(voice_key=f"{T0 + 1:020d}.2.x", **call)
        assert standing(contact_on_word(later, None), QUEUE, T0 + 2) is Standing.NEXT_CALL
        before = GIVEN._replace(voice_key=f"{T0 - 1:020d}.2.x", **call)
        assert standing(contact_on_word(before, None), QUEUE, T0 + 2) is Standing.LIVE
        out = GIVEN._replace(logout_us=T0 + 1)
        assert standing(contact_on_word(out, None), QUEUE, T0 + 2) is Standing.LOGGED_OUT

    def test_a_waiting_contact_contradicts_nothing(self):
        contact = contact_on_word(LOOKED, told(feed_customer="cus_1"))
        assert contact is not None
        assert may_find(contact, "cus_1")
        assert not may_find(contact, "cus_2")

    @pytest.mark.parametrize(
        "changes", [{"person": "per_b"}, {"ended_us": T0 + 1}, {"feed_customer": "cus_2"}]
    )
    def test_a_feed_that_says_otherwise_closes_it(self, changes):
        assert contact_on_word(LOOKED, told(**changes)) is None


class TestOffer:
    IN = Presence(login_us=T0 - HOUR_US)

    def test_a_contact_that_no_feed_knows_is_free_but_not_offered(self):
        assert is_free(None, QUEUE)
        assert not is_offered(None, QUEUE, self.IN, T0)

    def test_a_queued_contact_is_offered_to_who_is_logged_in(self):
        assert is_offered(told(), QUEUE, self.IN, T0 + MINUTE_US)

    @pytest.mark.parametrize(
        "presence",
        [
            Presence(),
            Presence(login_us=T0 - HOUR_US, logout_us=T0 - HOUR_US),
            Presence(login_us=T0 - 16 * HOUR_US),
        ],
    )
    def test_not_to_who_is_not(self, presence):
        assert not is_offered(told(), QUEUE, presence, T0)

    @pytest.mark.parametrize("changes", [{"person": "per_b"}, {"ended_us": T0}])
    def test_a_contact_with_somebody_or_over_is_neither(self, changes):
        assert not is_free(told(**changes), QUEUE)
        assert not is_offered(told(**changes), QUEUE, self.IN, T0)

    def test_nor_one_of_another_queue_or_long_ago(self):
        other = Queue(id="lines", programme="care", reasons=("plan",))
        assert not is_free(told(), other)
        assert not is_offered(told(), QUEUE, self.IN, T0 + HOUR_US)
