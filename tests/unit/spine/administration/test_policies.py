"""The policies of administration: each act has somebody, nobody has an act without a role, each guard is needed."""

from __future__ import annotations

import itertools
import re

import msgspec
import pytest

from holdfast.spine.administration.case import DIRECTORY
from holdfast.spine.administration.facts import actor_facts
from holdfast.spine.administration.judge import Context, entry, judge
from holdfast.spine.administration.policies import (
    Standing,
    policies,
    policies_text,
    schema_text,
)
from holdfast.spine.decision.engine import validate
from holdfast.spine.decision.rules import Effect
from holdfast.spine.identity.acting import Acting
from holdfast.vocabulary.acts import SECOND_PERSON, Act
from holdfast.vocabulary.levels import Role

RULES = [rule for rule in policies().rules if rule is not None]
FACTS = tuple(sorted({rule.fact.value for rule in RULES}))


def of(*roles: Role | str, client: str = "bank-01", works_there: bool = True) -> Standing:
    return Standing(tuple(str(role) for role in roles), client, works_there=works_there)


def context(act: Act, **more: object) -> Context:
    given = {"act": act.value, "met": FACTS, "level": 1, **more}
    return Context(**given)  # type: ignore[arg-type]


def without(fact: str) -> tuple[str, ...]:
    return tuple(one for one in FACTS if one != fact)


def test_the_policies_are_valid_under_the_strict_validator():
    assert validate(policies_text(), schema_text()) == ()


def test_the_policies_name_every_act_and_nothing_else():
    grants = policies_text().split("// ── guards")[0]
    named = set(
        re.findall(r'"([a-z_]+(?:\.[a-z_]+)?)"', re.sub(r'::"\w+"|@id\("[^"]*"\)', "", grants))
    )
    assert named == {act.value for act in Act}


@pytest.mark.parametrize("act", Act)
def test_every_act_can_be_done_by_somebody(act):
    able = [role for role in Role if judge(of(role), context(act, approved=True), {}).allowed]
    own = [role for role in Role if judge(of(role), context(act, oneself=True), {}).allowed]
    assert able or own


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("oneself", [False, True])
def test_no_act_is_done_without_a_role(act, oneself):
    said = judge(of(), context(act, oneself=oneself, approved=True), {})
    assert [reason.rule for reason in said.reasons] == ["admin.role"]
    assert not said.needs_second


def test_an_act_that_nobody_declared_is_nobodys():
    for role in Role:
        unknown = msgspec.structs.replace(context(Act.IMPORT), act="house.sell")
        assert not judge(of(role), unknown, {}).allowed


def situations():
    """All roles and acts, with one thing amiss, or none."""
    amiss: list[dict[str, object]] = [{"met": without(fact)} for fact in FACTS]
    amiss += [{"oneself": True}, {"second": True}, {"widens": True}, {}]
    for role, act, more in itertools.product((*Role, DIRECTORY), Act, amiss):
        yield of(role), context(act, **more)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_guard_refuses_something_that_no_other_does(rule):
    for standing, asked in situations():
        answer = policies().ask(standing, asked)
        alone = [fired.id for fired in policies().fired(answer)] == [rule.id]
        if alone and policies().granted(standing, asked):
            return
    pytest.fail(f"{rule.id} refuses nothing that another would not")


def test_a_second_person_is_asked_for_only_where_their_yes_would_be_enough():
    found = 0
    for standing, asked in situations():
        for second in (False, True):
            asked_so = msgspec.structs.replace(asked, second=second)
            said = judge(standing, asked_so, {})
            if said.needs_second:
                found += 1
                approved = msgspec.structs.replace(asked_so, approved=True)
                assert judge(standing, approved, {}).allowed
    assert found


def test_an_approval_opens_nothing_that_another_rule_refuses():
    refusals = {rule.id for rule in RULES if rule.effect is Effect.DENY}
    for standing, asked in situations():
        before = judge(standing, asked, {})
        if refusals & {reason.rule for reason in before.reasons}:
            approved = msgspec.structs.replace(asked, approved=True)
            assert not judge(standing, approved, {}).allowed
            assert not before.needs_second


@pytest.mark.parametrize("attribute", Context.__struct_fields__)
@pytest.mark.parametrize("spoilt", ["dropped", "mistyped"])
def test_a_context_that_lacks_a_part_or_has_another_type_is_refused(attribute, spoilt):
    asked = msgspec.structs.asdict(context(Act.EMPLOYER_ADD))
    assert policies().ask(of(Role.ADMIN), asked).allowed
    if spoilt == "dropped":
        del asked[attribute]
    else:
        asked[attribute] = {"odd": 1}
    answer = policies().ask(of(Role.ADMIN), asked)
    assert not answer.allowed
    assert answer.errors


def test_what_cannot_be_evaluated_is_refused_and_is_nobodys_fault():
    broken = msgspec.structs.replace(context(Act.EMPLOYER_ADD), level="strong")  # type: ignore[arg-type]
    for said in (judge(of(Role.ADMIN), broken, {}), entry(of(Role.ADMIN), broken, {})):
        assert [reason.rule for reason in said.reasons] == ["engine"]


def test_the_role_that_would_do_is_named():
    asked = context(Act.CUSTOMER_SHRED)
    (reason,) = judge(of(Role.AGENT), asked, {}).reasons
    assert reason.label == "You have one of the roles dpo, admin."
    assert reason.value == "the acting person has agent"


def test_a_lead_steps_up_for_clients_that_they_work_for():
    asked = context(Act.TOKEN_STEP_UP)
    assert judge(of(Role.LEAD), asked, {}).allowed
    assert not judge(of(Role.LEAD, works_there=False), asked, {}).allowed
    assert not judge(of(Role.LEAD, client="", works_there=False), asked, {}).allowed
    assert entry(Standing(("lead",)), asked, {}).allowed  # there may be such a client


def test_who_is_not_at_work_is_told_only_that():
    facts = actor_facts(Acting("per_1", frozenset({Role.AGENT})))
    asked = context(Act.PERSON_ASSIGN, met=(), oneself=True)
    for said in (judge(of(Role.AGENT), asked, facts), entry(of(Role.AGENT), asked, facts)):
        rules = {reason.rule for reason in said.reasons}
        assert rules == {"admin.employed", "admin.not_suspended", "admin.token", "admin.network"}


def test_every_kind_that_a_contract_may_name_is_an_act_that_somebody_can_do():
    for acts in SECOND_PERSON.values():
        for act in acts:
            allowed = judge(of(Role.ADMIN), context(act), {}).allowed
            needs = judge(of(Role.ADMIN), context(act, second=True), {})
            assert allowed
            assert needs.needs_second
