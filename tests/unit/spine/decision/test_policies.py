"""Policies: compiled, validated, each rule with what is told about it; cached by the fence."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.engine import annotated, parsed
from holdfast.spine.decision.facts import DECLARATIONS
from holdfast.spine.decision.policies import (
    PolicyCache,
    compile_policies,
    guards_text,
    no_client,
    waiver,
)
from holdfast.spine.decision.rules import Effect, Stage, read_rules
from holdfast.vocabulary.facts import FactId
from support.judging import CONTRACT, policies

HOUSE = guards_text(Stage.VISIBILITY) + guards_text(Stage.PERMISSION)


def test_every_guard_explains_itself():
    for rule in policies().by_id.values():
        assert rule.label.endswith(".")
        assert rule.remedy.endswith(".")
        assert len(rule.remedy) < 160
        assert rule.tier if rule.stage is Stage.VISIBILITY else not rule.tier


def test_guards_ask_only_for_facts_that_exist():
    asked = set(re.findall(r'contains\("([a-z_]+)"\)', HOUSE))
    assert asked <= {fact.value for fact in FactId}
    declared = set(re.findall(r'@fact\("([a-z_]+)"\)', HOUSE))
    assert declared <= {fact.value for fact in FactId}


def test_every_fact_is_declared_once_and_has_a_label():
    assert set(DECLARATIONS) == set(FactId)
    assert all(declaration.label for declaration in DECLARATIONS.values())


def test_every_guard_that_asks_a_fact_says_which():
    for effect, notes in annotated(parsed(HOUSE)):
        assert effect == "forbid", "grants come from contracts only"
        assert notes["procedure"]


def test_visibility_rules_only_deny():
    assert {r.effect for r in policies().by_id.values() if r.stage is Stage.VISIBILITY} == {
        Effect.DENY
    }


def test_grants_are_two_policies_per_programme_to_work_it_and_to_approve():
    grants = [rule for rule in policies().whole.rules if rule is None]
    assert len(policies().contract.grants) == 2
    assert len(grants) == 4


def test_clauses_reach_the_rules():
    by_id = policies().by_id
    assert by_id["contact.live"].clause == "3.3"
    assert by_id["budget.customers_day"].clause == "9.1"
    assert by_id["contract.papers-by-leads"].clause == "5.2"
    assert by_id["contact.yours"].clause == ""


def test_a_rule_of_the_contract_can_be_supposed_away_but_by_no_fact():
    assert waiver("x") not in {fact.value for fact in FactId}


def policy(**notes):
    """A forbid with these annotations beside sound ones; None takes one away."""
    sound = {"id": "x", "procedure": "p", "effect": "deny", "stage": "permission", "fact": "queue"}
    given = {**sound, "label": "L.", "remedy": "R.", **notes}
    written = " ".join(f'@{name}("{value}")' for name, value in given.items() if value is not None)
    return f"{written} forbid (principal, action, resource);"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (policy(label=None, remedy=None), "lacks @label, lacks @remedy"),
        (policy(colour="red"), "has unknown @colour"),
        (policy(fact="nothing"), "nothing"),
        (policy(effect="allow"), "allow"),
        (policy(id="contact.live"), "two rules are called contact.live"),
        (policy(cover="y"), "covers y, which does not exist"),
        ("forbid (principal, action, resource) when { context.nothing };", "lacks @"),
        ("forbid (", "do not parse"),
    ],
)
def test_a_policy_that_is_not_explained_or_not_valid_is_refused(text, said):
    with pytest.raises(InvalidInput, match=re.escape(said)):
        compile_policies(compile_contract(CONTRACT), extra=text)


def test_a_policy_that_does_not_fit_the_schema_is_refused():
    extra = (
        '@id("x") @procedure("p") @effect("deny") @stage("permission") @fact("queue") @label("l") @remedy("r")'
        ' forbid (principal, action, resource) when { context.level == "2" };'
    )
    with pytest.raises(InvalidInput, match="not valid"):
        compile_policies(compile_contract(CONTRACT), extra=extra)


def test_an_unknown_client_has_guards_and_no_grant():
    assert all(rule is not None for rule in no_client().whole.rules)


def test_rules_are_read_in_the_order_of_the_text():
    positions = [rule.id for rule in read_rules(annotated(parsed(HOUSE))) if rule]
    assert positions == re.findall(r'@id\("([^"]+)"\)', HOUSE)


class TestCache:
    ROW = (CONTRACT, compile_contract(CONTRACT).digest, "", 7)

    def test_it_answers_under_the_same_fence_only(self):
        cache = PolicyCache()
        assert cache.get("bank-01", 1) is None
        compiled = cache.put("bank-01", 1, self.ROW)
        assert compiled.contract.version == 7
        assert cache.get("bank-01", 1) is compiled
        assert cache.get("bank-01", 2) is None
        assert cache.get("bank-02", 1) is None

    def test_a_risen_fence_with_the_same_contract_compiles_nothing(self):
        cache = PolicyCache()
        compiled = cache.put("bank-01", 1, self.ROW)
        assert cache.put("bank-01", 2, self.ROW) is compiled
        assert cache.get("bank-01", 1) is None

    def test_a_row_that_is_not_what_was_published_is_refused(self):
        edited = (CONTRACT.replace('"name", "phone"', '"name", "dob"'), *self.ROW[1:])
        with pytest.raises(IntegrityBroken):
            PolicyCache().put("bank-01", 1, edited)

    def test_a_row_of_another_client_is_refused(self):
        with pytest.raises(IntegrityBroken):
            PolicyCache().put("bank-02", 1, self.ROW)


def test_a_change_of_one_word_changes_the_digest():
    contract = compile_contract(CONTRACT)
    wider = replace(contract, grants=(replace(contract.grants[0], roles=("agent",)),))
    assert compile_policies(contract).digest != compile_policies(wider).digest
    assert compile_policies(contract).digest == policies().digest
