"""Properties of the judgement that hold for every question (SPINE 1–4)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.spine.decision import records
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.explain import explain
from holdfast.spine.decision.facts import DECLARATIONS, OF_GROUPS
from holdfast.spine.decision.judge import judge
from holdfast.spine.decision.policies import MOST_POLICIES, compile_policies
from holdfast.spine.decision.policies import OPERATIONS as JUDGED
from holdfast.spine.decision.question import joined, look_of, sets_of
from holdfast.spine.decision.verdict import Denial, NeedsApproval, Permit, StepUp
from holdfast.vocabulary.facts import FactId, FactKind, FactState, FactValue
from holdfast.vocabulary.levels import (
    AuthLevel,
    DataClass,
    Handling,
    Operation,
    Outcome,
    Presentation,
)
from support.judging import ALL_MET, CONTRACT, HOLDS, facts, group, judged, policies, question

SOFT_RULES = """
[[rule]]
id = "mask-late"
says = "x"
remedy = "x"
effect = "mask"
classes_from = "C1"
[[rule]]
id = "approve-c2"
says = "x"
remedy = "x"
effect = "approve"
classes_from = "C2"
[[rule]]
id = "step-up-reveal"
says = "x"
remedy = "x"
effect = "step_up"
operations = ["reveal", "verify", "update"]
except_roles = ["lead"]
"""


@lru_cache(maxsize=1)
def soft_policies():
    """A contract whose rules are soft in every way."""
    return compile_policies(compile_contract(CONTRACT + SOFT_RULES))


ASKED_FACTS = [fact for fact in FactId if fact not in OF_GROUPS]
VALUES = [
    HOLDS,
    FactValue(FactState.KNOWN, met=False),
    FactValue(FactState.UNKNOWN, met=False),
    FactValue(FactState.UNKNOWN, met=True),
    FactValue(FactState.STALE, met=True),
    FactValue(FactState.STALE, met=False),
]
groups = st.builds(
    group,
    st.sampled_from(["name", "acct", "balance", "passport"]),
    data_class=st.sampled_from(DataClass),
    handling=st.sampled_from(Handling),
    presentation=st.sampled_from(Presentation),
    in_field_set=st.booleans(),
    mask_required=st.booleans(),
    approval_required=st.booleans(),
    by_action=st.sampled_from(["", "payout"]),
)
fact_sets = st.dictionaries(st.sampled_from(ASKED_FACTS), st.sampled_from(VALUES), max_size=6).map(
    lambda changed: {**ALL_MET, **changed}
)
questions = st.builds(
    question,
    operation=st.sampled_from([Operation(name) for name in JUDGED]),
    programme=st.sampled_from(["retail", "fraud", "other", ""]),
    programmes=st.sets(st.sampled_from(["retail", "fraud", "other"]), min_size=1).map(frozenset),
    roles=st.sets(st.sampled_from(["agent", "lead", "security"])).map(frozenset),
    level=st.sampled_from(AuthLevel),
    facts=fact_sets,
    groups=st.lists(groups, max_size=4).map(tuple),
    collection=st.sampled_from(["accounts", "papers"]),
    reason=st.sampled_from(["balance", "kyc", ""]),
    approved=st.booleans(),
)
both = st.sampled_from([policies, soft_policies])


def kinds(judgement):
    return [type(verdict) for verdict in judgement.verdicts]


# ── grants ──────────────────────────────────────────────────────────────────────────────────────────────────────
@given(questions, both)
def test_without_any_grant_every_answer_is_a_plain_denial(asked, compiled):
    for bare in (
        replace(asked, programmes=frozenset()),
        replace(asked, roles=frozenset()),
        replace(asked, programme=""),
    ):
        judgement = judge(compiled(), bare)
        assert set(kinds(judgement)) == {Denial}
        assert not judgement.visible
        assert not judgement.errors


@given(questions, both)
def test_a_permit_needs_a_grant_and_every_fact_of_the_first_stage(asked, compiled):
    judgement = judge(compiled(), asked)
    if judgement.permit is not None:
        assert asked.programme in asked.programmes
        assert asked.roles & {"agent", "lead"}
        for fact in (
            FactId.EMPLOYED,
            FactId.NOT_SUSPENDED,
            FactId.CONTACT_LIVE,
            FactId.CLIENT_OPEN,
        ):
            assert asked.facts[fact] == HOLDS


# ── failing closed ──────────────────────────────────────────────────────────────────────────────────────────────
BROKEN = [None, 1, -1, "1", "true", True, [], ["x"], {}, {"state": "met"}, 2**63, 1.5]


def same_type(right, value):
    if isinstance(right, list | tuple):  # a set of strings
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(right) is type(value)


def allowed_look(operation):
    """A context that is allowed, as plain data."""
    asked = question(operation=operation, roles=frozenset({"agent", "lead"}))
    look = look_of(asked, asked.groups[0], sets_of(asked.facts))
    if operation in {Operation.SEARCH, Operation.APPROVE}:
        look = msgspec.structs.replace(look, clear=False)
    return asked, msgspec.to_builtins(look)


OPERATIONS = [Operation(name) for name in JUDGED]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_dropping_any_attribute_of_the_context_is_an_error_and_no_permission(operation):
    asked, look = allowed_look(operation)
    whole = policies().whole
    assert whole.ask(operation.value, asked.held, look).allowed
    for name in look:
        broken = {key: value for key, value in look.items() if key != name}
        answer = whole.ask(operation.value, asked.held, broken)
        assert not answer.allowed, name
        assert answer.errors, name


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("value", BROKEN, ids=repr)
def test_mistyping_any_attribute_of_the_context_is_an_error_and_no_permission(operation, value):
    asked, look = allowed_look(operation)
    for name, right in look.items():
        if same_type(right, value):
            continue
        answer = policies().whole.ask(operation.value, asked.held, {**look, name: value})
        assert not answer.allowed, name
        assert answer.errors, name


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_attribute_that_the_schema_does_not_know_is_an_error(operation):
    asked, look = allowed_look(operation)
    answer = policies().whole.ask(operation.value, asked.held, {**look, "override": True})
    assert not answer.allowed
    assert answer.errors


@given(questions, st.sampled_from(ASKED_FACTS), both)
def test_a_fact_that_goes_missing_never_helps(asked, fact, compiled):
    missing = {name: value for name, value in asked.facts.items() if name is not fact}
    before, after = judge(compiled(), asked), judge(compiled(), replace(asked, facts=missing))
    permitted = [isinstance(verdict, Permit) for verdict in before.verdicts]
    for was, verdict in zip(permitted, after.verdicts, strict=True):
        assert was or not isinstance(verdict, Permit)


@given(questions, both)
def test_a_fact_may_not_be_claimed_for_a_group(asked, compiled):
    claimed = {**asked.facts, **dict.fromkeys(OF_GROUPS, HOLDS)}
    before, after = judge(compiled(), asked), judge(compiled(), replace(asked, facts=claimed))
    assert kinds(before) == kinds(after)


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────
def raised(draw, look):
    """A context that is at least as strict in every way."""
    worse = {
        "data_class": draw(st.integers(look.data_class, 4)),
        "level": draw(st.integers(0, look.level)),
    }
    for flag in ("clear", "verify_only", "masked_only", "reference", "mask_by_reason"):
        worse[flag] = getattr(look, flag) or draw(st.booleans())
    for flag in ("approval_by_reason", "by_action"):
        worse[flag] = getattr(look, flag) or draw(st.booleans())
    worse["met"] = tuple(name for name in look.met if draw(st.booleans()) or name != "field_set")
    worse["approved"] = look.approved and draw(st.booleans())
    return msgspec.structs.replace(look, **worse)


@given(st.data(), questions, groups, both)
def test_the_guards_grow_with_class_and_presentation(data, asked, one, compiled):
    look = look_of(asked, one, sets_of(asked.facts))
    strict = raised(data.draw, look)
    rules = compiled().whole
    if rules.ask(asked.operation.value, asked.held, strict).allowed:
        assert rules.ask(asked.operation.value, asked.held, look).allowed


@given(questions.filter(lambda asked: asked.groups), both)
def test_what_is_allowed_for_all_groups_together_is_allowed_for_each(asked, compiled):
    sets, rules = sets_of(asked.facts), compiled().whole
    whole = joined(asked, asked.groups, sets)
    if rules.ask(asked.operation.value, asked.held, whole).allowed:
        for one in asked.groups:
            look = look_of(asked, one, sets)
            assert rules.ask(asked.operation.value, asked.held, look).allowed


@given(questions.filter(lambda asked: len(asked.groups) > 1), both)
def test_groups_come_out_together_as_they_do_apart(asked, compiled):
    together = judge(compiled(), asked)
    for one, verdict in zip(asked.groups, together.verdicts, strict=True):
        apart = judge(compiled(), replace(asked, groups=(one,)))
        assert apart.verdicts[0] == verdict


# ── soft outcomes ───────────────────────────────────────────────────────────────────────────────────────────────
@given(questions, both)
def test_a_soft_outcome_keeps_its_promise(asked, compiled):
    judgement = judge(compiled(), asked)
    for one, verdict in zip(asked.groups, judgement.verdicts, strict=False):
        alone = replace(asked, groups=(one,))
        match verdict:
            case StepUp(level=level):
                helped = replace(alone, level=level)
            case NeedsApproval():
                helped = replace(alone, approved=True, level=max(asked.level, AuthLevel.STEP_UP))
            case Denial():
                helped = replace(alone, approved=True, level=max(asked.level, AuthLevel.STEP_UP))
                assert judge(compiled(), helped).permit is None
                continue
            case Permit():
                continue
        assert isinstance(judge(compiled(), helped).verdicts[0], Permit)


@given(questions, both)
def test_a_permit_never_shows_more_than_was_asked(asked, compiled):
    judgement = judge(compiled(), asked)
    order = [Presentation.WITHHELD, Presentation.MASKED, Presentation.CLEAR]
    for one, verdict in zip(asked.groups, judgement.verdicts, strict=False):
        if isinstance(verdict, Permit):
            assert set(verdict.fields) == set(one.fields)
            for how in verdict.fields.values():
                assert order.index(how) <= order.index(one.presentation)


# ── unknown, by kind ────────────────────────────────────────────────────────────────────────────────────────────
CLOSED = {FactKind.PURPOSE, FactKind.RESTRICTION}


@given(questions, st.sampled_from([f for f in ASKED_FACTS if DECLARATIONS[f].kind in CLOSED]))
def test_unknown_purpose_and_restriction_are_as_unmet(asked, fact):
    unknown = replace(asked, facts={**asked.facts, **facts_of(fact, FactState.UNKNOWN)})
    unmet = replace(asked, facts={**asked.facts, **facts_of(fact, FactState.KNOWN)})
    assert kinds(judge(policies(), unknown)) == kinds(judge(policies(), unmet))


def facts_of(fact, state):
    return {fact: FactValue(state, met=False)}


@pytest.mark.parametrize("fact", [FactId.NETWORK, FactId.DEVICE])
@given(one=groups)
def test_an_unknown_place_is_never_a_permit_to_a_bearer_and_never_at_c4(fact, one):
    unknown = facts(unknown=(fact,))
    assert judged(one, facts=unknown, level=AuthLevel.BEARER).permit is None
    critical = msgspec.structs.replace(one, data_class=DataClass.C4)
    assert judged(critical, facts=unknown, level=AuthLevel.POSSESSION).outcome is Outcome.DENY


# ── explanation ─────────────────────────────────────────────────────────────────────────────────────────────────
@given(questions, both)
def test_every_explanation_is_sufficient_and_necessary(asked, compiled):
    judgement = judge(compiled(), asked)
    for one in explain(judgement):
        if asked.programme not in {"retail", "fraud"}:
            continue  # no grant of the contract would ever match: there is nothing that could be otherwise
        assert one.parts
        assert one.sufficient
        assert one.necessary


# ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────
@given(questions, both)
def test_a_recorded_question_is_judged_the_same_again(asked, compiled):
    judgement = judge(compiled(), asked)
    content = records.content(
        judgement,
        decision="dec_1",
        at_us=1,
        person="p_1",
        contact="ct_1",
        customers=("c_1",),
        outcome=judgement.outcome,
        fields={},
    )
    again = judge(compiled(), records.question_of(records.decode(records.encode(content))))
    assert kinds(again) == kinds(judgement)
    assert again.rules == judgement.rules
    assert again.visible == judgement.visible


# ── size ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_rich_contract_stays_within_the_limit_of_policies():
    _, most = soft_policies().whole.most_for_one_operation()
    assert most <= MOST_POLICIES
