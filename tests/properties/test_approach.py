"""Whose rows are loaded by name is exactly who is visible: the two say the same for every set of facts (SPINE 2).

A customer who is approached and not visible would be loaded by name for nobody; one who is visible and not approached
would be answered as if they did not exist.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.spine.decision.facts import OF_GROUPS
from holdfast.spine.turn.target import approachable
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import Operation
from support.judging import ALL_MET, facts, judged

STATES = [FactValue(state, met=met) for state in FactState for met in (True, False)]
CHANGED = st.dictionaries(
    st.sampled_from([fact for fact in FactId if fact not in OF_GROUPS | {FactId.CUSTOMER_OPEN}]),
    st.sampled_from(STATES),
    max_size=8,
)
BY_CUSTOMER = [Operation.REVEAL, Operation.VERIFY, Operation.UPDATE, Operation.ACT]


@given(st.sampled_from(BY_CUSTOMER), CHANGED)
def test_who_is_approached_is_who_is_visible(operation, changed):
    found = {**ALL_MET, **changed}
    assert approachable(found) == judged(operation=operation, facts=found).visible


@pytest.mark.parametrize("operation", BY_CUSTOMER)
@pytest.mark.parametrize("fact", list(ALL_MET))
def test_each_fact_alone(operation, fact):
    for value in STATES:
        found = {**ALL_MET, FactId.CUSTOMER_FOUND: STATES[1], fact: value}
        if fact is FactId.CUSTOMER_OPEN:
            continue
        assert approachable(found) == judged(operation=operation, facts=found).visible, value


def test_an_erased_customer_is_approached_and_not_visible():
    """Their row is read: it says that they were erased, and there is nothing else of them."""
    erased = facts(unmet=(FactId.CUSTOMER_OPEN,))
    assert approachable(erased)
    assert not judged(facts=erased).visible
