"""Counts slide by the minute, customers are counted once a day, and nobody can read off who they were."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.spine.decision import store
from holdfast.spine.decision.attempts import (
    attempt_facts,
    attempts_of,
    attempts_query,
    take_attempts,
)
from holdfast.spine.decision.budgets import (
    charges_for_customer,
    charges_for_search,
    customer_mac,
    is_charged,
    loads,
    look_facts,
    read,
    refused_by_budget,
    search_facts,
)
from holdfast.vocabulary.contract import Budgets, Verification
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import Operation, Presentation
from support.judging import facts, group, judged, policies
from support.stores import NOON_US, SmallHouse, raw

LIMITS = Budgets(customers_hour=3, customers_day=5, sensitive_fields_day=4, searches_day=6)


@dataclass
class Keys:
    client: str = "bank-01"
    secret: bytes = b"k" * 32

    def index_key(self, collection, purpose):
        return self.secret + purpose.encode()


KEYS = Keys()


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    yield house
    house.close()


def run(house, *queries):
    def work():
        return (yield Round(data=queries))

    return house.transact(work())


def look(house, customer, at=NOON_US, *, sensitive=0, person="per_1", limits=LIMITS):
    """Look once: what is left, then the charge."""
    mac = customer_mac(KEYS, customer, at)
    spent = read(run(house, *loads("bank-01", person, at, mac=mac)))
    found = {
        **look_facts(limits, spent, sensitive=sensitive),
        **search_facts(limits, spent),
    }
    charged = charges_for_customer(
        KEYS, person, customer, sensitive=sensitive, now_us=at, budgets=limits
    )
    run(house, *charged)
    return {fact for fact, value in found.items() if not value.met}, found


def test_distinct_customers_of_an_hour(house):
    for number in range(3):
        assert look(house, f"cus_{number}", NOON_US + number * MINUTE_US)[0] == set()
    unmet, found = look(house, "cus_9", NOON_US + 3 * MINUTE_US)
    assert unmet == {FactId.CUSTOMERS_HOUR}
    assert found[FactId.CUSTOMERS_HOUR].value == "used up until 13:00 UTC"


def test_a_customer_looked_at_again_costs_nothing_more(house):
    for _ in range(9):
        assert look(house, "cus_1")[0] == set()
    for number in (2, 3):
        look(house, f"cus_{number}")
    assert look(house, "cus_1")[0] == set()
    assert look(house, "cus_4")[0] == {FactId.CUSTOMERS_HOUR}


def test_the_window_slides_by_the_minute(house):
    for number in range(3):
        look(house, f"cus_{number}", NOON_US + number * MINUTE_US)
    assert look(house, "cus_3", NOON_US + HOUR_US - MINUTE_US)[0] == {FactId.CUSTOMERS_HOUR}
    assert look(house, "cus_3", NOON_US + HOUR_US)[0] == set()


def test_customers_of_a_day(house):
    for number in range(5):
        look(house, f"cus_{number}", NOON_US + number * HOUR_US)
    unmet, found = look(house, "cus_9", NOON_US + 6 * HOUR_US)
    assert unmet == {FactId.CUSTOMERS_DAY}
    assert found[FactId.CUSTOMERS_DAY].value == "used up until 12:00 UTC"
    assert look(house, "cus_9", NOON_US + DAY_US)[0] == set()


def test_a_charge_beyond_the_limit_is_not_taken(house):
    taken = [
        bool(
            run(
                house, *charges_for_customer(KEYS, "per_1", f"c{n}", now_us=NOON_US, budgets=LIMITS)
            )[0]
        )
        for n in range(6)
    ]
    assert taken == [True, True, True, False, False, False]


def test_each_person_and_client_has_its_own(house):
    for number in range(3):
        look(house, f"cus_{number}")
    assert look(house, "cus_9", person="per_2")[0] == set()


def test_sensitive_fields_of_a_day(house):
    assert look(house, "cus_1", sensitive=3)[0] == set()
    assert look(house, "cus_1", sensitive=2)[0] == {FactId.SENSITIVE_FIELDS_DAY}
    assert look(house, "cus_1", sensitive=1, at=NOON_US + DAY_US)[0] == set()


def test_searches_of_a_day_and_a_miss_costs_more(house):
    def left(at=NOON_US):
        return search_facts(LIMITS, read(run(house, *loads("bank-01", "per_1", at))))

    run(house, *charges_for_search("bank-01", "per_1", units=3, now_us=NOON_US))
    run(house, *charges_for_search("bank-01", "per_1", units=2, now_us=NOON_US))
    assert left()[FactId.SEARCHES_DAY].met
    run(house, *charges_for_search("bank-01", "per_1", units=1, now_us=NOON_US))
    assert not left()[FactId.SEARCHES_DAY].met
    assert left(NOON_US + DAY_US)[FactId.SEARCHES_DAY].met


def test_the_table_does_not_say_who_nor_whether_it_was_the_same_as_yesterday(house):
    look(house, "cus_1")
    look(house, "cus_1", NOON_US + DAY_US)
    rows = raw(house.data, "SELECT day, customer_mac FROM decision_budget_customer")
    assert len(rows) == 2
    assert rows[0][1] != rows[1][1]
    assert b"cus_1" not in b"".join(bytes(row[1]) for row in rows)
    assert customer_mac(Keys(secret=b"o" * 32), "cus_1", NOON_US) != rows[0][1]
    assert customer_mac(KEYS, "", NOON_US) == b""


class TestCharged:
    def test_a_permitted_look_is(self):
        assert is_charged(judged())
        assert is_charged(judged(group("name"), group("x", in_field_set=False)))

    def test_a_refused_one_is_too(self):
        assert is_charged(judged(group("x", in_field_set=False)))
        assert is_charged(judged(facts=facts(unmet=(FactId.CONTACT_YOURS,))))
        assert is_charged(judged(programmes=frozenset()))

    def test_but_not_one_that_only_the_budget_refused(self):
        assert not is_charged(judged(facts=facts(unmet=(FactId.CUSTOMERS_HOUR,))))
        both = facts(unmet=(FactId.CUSTOMERS_HOUR, FactId.CUSTOMERS_DAY))
        assert not is_charged(judged(facts=both))

    @pytest.mark.parametrize("fact", [FactId.VERIFY_CONTACT, FactId.VERIFY_DAY])
    def test_the_end_of_a_customers_attempts_is_no_budget_of_ones_own(self, fact):
        asked = group("dob", presentation=Presentation.WITHHELD)
        assert is_charged(judged(asked, operation=Operation.VERIFY, facts=facts(unmet=(fact,))))

    def test_every_budget_of_ones_own_is_told_by_its_name(self):
        named = {rule for rule in policies().by_id if rule.startswith("budget.")}
        own = {rule for rule in named if refused_by_budget([rule])}
        assert named - own == {"budget.verify_contact", "budget.verify_day"}


class TestAttempts:
    LIMITS = Verification(attempts_per_contact=3, attempts_per_day=5)

    def take(self, house, *fields, contact="ct_1", at=NOON_US, customer="cus_1"):
        queries = take_attempts(
            "bank-01",
            customer,
            fields,
            contact=contact,
            limits=self.LIMITS,
            now_us=at,
            sure_us=at,
        )
        return [bool(rows) for rows in run(house, *queries)]

    def left(self, house, *fields, contact="ct_1", at=NOON_US, customer="cus_1"):
        query = attempts_query("bank-01", customer, fields, contact=contact, sure_us=at)
        return attempts_of(run(house, query)[0], self.LIMITS)

    def test_three_in_a_contact(self, house):
        assert [self.take(house, "dob") for _ in range(4)] == [[True], [True], [True], [False]]
        left = self.left(house, "dob")
        assert left.left == 0
        unmet = {fact for fact, value in attempt_facts(left).items() if not value.met}
        assert unmet == {FactId.VERIFY_CONTACT}

    def test_five_a_day_over_all_persons_and_contacts(self, house):
        for number in range(5):
            assert self.take(house, "dob", contact=f"ct_{number}") == [True]
        assert self.take(house, "dob", contact="ct_9") == [False]
        assert self.left(house, "dob", contact="ct_9").left_day == 0
        assert self.take(house, "dob", contact="ct_9", at=NOON_US + DAY_US) == [True]

    def test_a_contact_that_lasts_for_days_stays_used_up(self, house):
        for _ in range(3):
            self.take(house, "dob")
        assert self.take(house, "dob", at=NOON_US + 2 * DAY_US) == [False]
        assert self.left(house, "dob", at=NOON_US + 2 * DAY_US).left == 0

    def test_each_field_and_customer_is_counted_apart_and_the_fewest_count(self, house):
        for _ in range(2):
            self.take(house, "dob")
        assert self.left(house, "dob", "maiden").left == 1
        assert self.left(house, "maiden").left == 3
        assert self.left(house, "dob", customer="cus_2").left == 3


def test_what_no_window_reaches_is_cleared(house):
    look(house, "cus_1", sensitive=1)
    run(
        house,
        *take_attempts(
            "bank-01",
            "cus_1",
            ["dob"],
            contact="ct_1",
            limits=Verification(),
            now_us=NOON_US,
            sure_us=NOON_US,
        ),
    )
    later = NOON_US + 31 * DAY_US
    look(house, "cus_2", later, sensitive=1)
    before = (later - 2 * DAY_US) // MINUTE_US
    run(
        house,
        store.CLEAR_BUDGETS(before=before, most=9),
        store.CLEAR_CUSTOMERS(before=before, most=9),
        store.CLEAR_ATTEMPTS(before=later - 30 * DAY_US, most=9),
    )
    left = {
        table: raw(house.data, f"SELECT COUNT(*) FROM decision_{table}")[0][0]
        for table in ("budget", "budget_customer", "verify_attempt")
    }
    assert left == {"budget": 1, "budget_customer": 1, "verify_attempt": 0}
