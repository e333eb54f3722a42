"""A policy set narrowed to one operation gives the answers of the whole set, to the last fired rule."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.spine.decision.engine import Engine, Slice, parsed
from holdfast.spine.decision.narrow import narrow
from holdfast.spine.decision.policies import ALL_WORK, OPERATIONS, group_of, schema_text
from holdfast.spine.decision.question import Look
from holdfast.vocabulary.facts import FactId
from support.judging import policies

NAMES = [fact.value for fact in FactId] + ["rule:papers-by-leads", "nonsense"]
names = st.lists(st.sampled_from(NAMES), unique=True).map(lambda found: tuple(sorted(found)))
nearly_all = st.lists(st.sampled_from(NAMES), max_size=3).map(
    lambda missing: tuple(sorted(set(NAMES) - set(missing)))
)
looks = st.builds(
    Look,
    met=st.one_of(nearly_all, names),
    unknown=st.one_of(st.just(()), names),
    level=st.integers(0, 3),
    approved=st.booleans(),
    data_class=st.integers(0, 4),
    clear=st.booleans(),
    verify_only=st.booleans(),
    masked_only=st.booleans(),
    reference=st.booleans(),
    mask_by_reason=st.booleans(),
    approval_by_reason=st.booleans(),
    by_action=st.booleans(),
    collection=st.sampled_from(["accounts", "papers"]),
    reason=st.sampled_from(["balance", "kyc"]),
)
slices = st.builds(
    Slice,
    st.just("bank-01"),
    st.sampled_from(["retail", "fraud", ""]),
    st.lists(st.sampled_from(["agent", "lead"]), unique=True).map(tuple),
    st.lists(st.sampled_from(["retail", "fraud"]), unique=True).map(tuple),
)


@lru_cache(maxsize=1)
def whole() -> Engine:
    return Engine(policies().whole.text, schema_text())


@given(st.sampled_from(OPERATIONS), slices, looks)
def test_the_answer_is_the_same(operation, held, look):
    assert policies().whole.ask(operation, held, look) == whole().ask(operation, held, look)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_is_narrower(operation):
    narrowed = narrow(policies().whole.policies, operation, group=group_of(operation))
    assert len(narrowed.policies["staticPolicies"]) < len(policies())
    assert narrowed.facts is not None
    assert "employed" in narrowed.facts
    assert ("searches_day" in narrowed.facts) is (operation == "search")


def test_an_operation_that_is_not_known_is_asked_of_all_policies_and_refused():
    look = {"met": []}
    answer = policies().whole.ask("export", Slice("bank-01", "", (), ()), look)
    assert not answer.allowed
    assert answer.errors


@pytest.mark.parametrize(
    "condition",
    [
        "context.met == context.unknown",
        'context.met.containsAny(["a", "b"])',
        "context.met.isEmpty()",
        "context.met.contains(context.reason)",
        'context has "met"',
        'context["met"].contains("a") || context.unknown == []',
    ],
)
def test_facts_stay_where_a_policy_asks_for_them_in_another_way(condition):
    text = f"forbid (principal, action, resource) when {{ {condition} }};"
    assert narrow(parsed(text), "reveal", group=ALL_WORK).facts is None


@pytest.mark.parametrize(
    ("scope", "kept", "plain"),
    [
        ("action", True, True),
        ('action == Action::"reveal"', True, True),
        ('action == Action::"search"', False, None),
        ('action in [Action::"reveal", Action::"search"]', True, True),
        ('action in [Action::"search"]', False, None),
        ('action in Action::"work"', True, True),
        ('action in [Action::"work"]', True, True),
        ('action in Action::"search"', False, None),
        ('action == Other::Action::"search"', True, False),
    ],
)
def test_scopes(scope, kept, plain):
    narrowed = narrow(
        parsed(f"forbid (principal, {scope}, resource);"), "reveal", group=ALL_WORK
    ).policies["staticPolicies"]
    assert bool(narrowed) is kept
    if kept:
        assert (narrowed["policy0"]["action"] == {"op": "All"}) is plain


def test_a_policy_that_raises_an_error_is_kept_though_it_asks_for_nothing():
    text = "forbid (principal, action, resource) when { context.level + 9223372036854775807 > 0 };"
    assert narrow(parsed(text), "reveal", group=ALL_WORK).policies["staticPolicies"]
