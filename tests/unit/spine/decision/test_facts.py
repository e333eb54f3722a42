"""How well a standing fact is known (SPINE 3)."""

from __future__ import annotations

import pytest

from holdfast.spine.decision.facts import assess, restriction_facts
from holdfast.vocabulary.facts import (
    FactDeclaration,
    FactId,
    FactKind,
    FactState,
    StandingFact,
)
from holdfast.vocabulary.levels import Audience, CustomerState

NOW = 1_000
OLDEST = 100


def declared(kind, *, grace=0, max_age=OLDEST):
    return FactDeclaration(
        FactId.EMPLOYER_APPROVED, kind, Audience.SELF, "x", max_age_us=max_age, grace_us=grace
    )


def standing(as_of, *, met=True, until=None):
    return StandingFact("per_1", FactId.EMPLOYER_APPROVED, met, "word", as_of, until, "register")


@pytest.mark.parametrize(
    ("kind", "state", "met"),
    [
        (FactKind.ENTITLEMENT, FactState.UNKNOWN, False),
        (FactKind.IDENTITY_PLACE, FactState.UNKNOWN, False),
        (FactKind.PURPOSE, FactState.UNKNOWN, False),
        (FactKind.RESTRICTION, FactState.KNOWN, True),
    ],
)
def test_absent_is_unknown_but_an_absent_restriction_is_none(kind, state, met):
    value = assess(declared(kind), None, NOW)
    assert (value.state, value.met) == (state, met)


def test_a_fresh_fact_is_known_with_its_value_and_source():
    value = assess(declared(FactKind.ENTITLEMENT), standing(NOW - 99), NOW)
    assert value == (FactState.KNOWN, True, "word", NOW - 99, "register")


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (99, FactState.KNOWN),
        (100, FactState.STALE),
        (149, FactState.STALE),
        (150, FactState.UNKNOWN),
    ],
)
def test_an_entitlement_keeps_its_last_value_for_its_grace(age, state):
    value = assess(declared(FactKind.ENTITLEMENT, grace=50), standing(NOW - age), NOW)
    assert value.state is state
    assert value.met is (state is not FactState.UNKNOWN)


@pytest.mark.parametrize("kind", [FactKind.IDENTITY_PLACE, FactKind.PURPOSE])
def test_a_stale_fact_of_another_kind_is_unknown_at_once(kind):
    assert assess(declared(kind, grace=50), standing(NOW - 100), NOW).state is FactState.UNKNOWN


def test_valid_until_ends_a_fact_before_its_age_does():
    value = assess(declared(FactKind.ENTITLEMENT), standing(NOW - 10, until=NOW), NOW)
    assert value.state is FactState.UNKNOWN


def test_a_restriction_does_not_wear_off():
    value = assess(declared(FactKind.RESTRICTION), standing(NOW - 10_000, met=False), NOW)
    assert (value.state, value.met) == (FactState.KNOWN, False)


def test_a_fact_from_the_future_is_unknown():
    assert assess(declared(FactKind.ENTITLEMENT, grace=50), standing(NOW + 1), NOW).state is (
        FactState.UNKNOWN
    )


def test_restrictions_are_read_from_our_own_tables():
    facts = restriction_facts(customer_state=CustomerState.LIVE)
    assert all(fact.met for fact in facts.values())
    assert FactId.CLIENT_OPEN not in facts  # one place derives it, and it is not this one
    for state in (CustomerState.SHREDDING, CustomerState.SHREDDED, "shredded", "anything else"):
        facts = restriction_facts(customer_state=state)
        assert not facts[FactId.CUSTOMER_OPEN].met
    assert restriction_facts(customer_state=None)[FactId.CUSTOMER_OPEN].met
