"""Attacks on the judgement itself. Each must end in a plain refusal, or change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.facts import OF_GROUPS
from holdfast.spine.decision.judge import judge
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.decision.reasons import NOT_EVALUATED
from holdfast.spine.decision.verdict import Denial, Permit
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import (
    AuthLevel,
    DataClass,
    Handling,
    Operation,
    Outcome,
    Presentation,
)
from support.judging import CONTRACT, HOLDS, facts, group, judged, policies, question

ERRS = (
    '@id("house.errs") @procedure("protocols") @effect("deny") @stage("permission") @fact("queue")'
    ' @label("L.") @remedy("R.")\n'
    "forbid (principal, action, resource) when { context.level + 9223372036854775807 > 0 };"
)
STRONGEST = {"level": AuthLevel.POSSESSION, "approved": True}


def test_a_forbid_that_raises_an_error_does_not_fail_open():
    compiled = compile_policies(compile_contract(CONTRACT), extra=ERRS)  # strict validation passes
    judgement = judge(compiled, question())
    assert judgement.outcome is Outcome.DENY
    assert judgement.errors
    assert judgement.reasons() == (NOT_EVALUATED,)


def test_an_erring_rule_refuses_also_what_other_groups_would_get():
    compiled = compile_policies(compile_contract(CONTRACT), extra=ERRS)
    judgement = judge(compiled, question(group("name"), group("x", in_field_set=False)))
    assert judgement.permit is None
    assert judgement.errors


def test_a_soft_rule_does_not_tell_whether_one_has_a_grant():
    # Cedar fires the same forbid for somebody with a grant and somebody without; only a second evaluation may help.
    asked = group("x", data_class=DataClass.C3, mask_required=True, approval_required=True)
    stranger = judged(asked, programmes=frozenset(), roles=frozenset({"agent"}))
    assert {type(verdict) for verdict in stranger.verdicts} == {Denial}
    assert not {"field.mask", "field.approval", "level.sensitive"} & set(stranger.rules)


def test_an_approval_or_a_key_does_not_replace_an_assignment():
    assert judged(programmes=frozenset(), **STRONGEST).outcome is Outcome.DENY


@pytest.mark.parametrize(
    "fact",
    [
        FactId.NOT_SUSPENDED,
        FactId.EMPLOYED,
        FactId.CLIENT_OPEN,
        FactId.CUSTOMER_OPEN,
        FactId.CONTACT_YOURS,
        FactId.CONTACT_LIVE,
    ],
)
def test_an_approval_or_a_key_does_not_lift_a_restriction_or_make_a_purpose(fact):
    assert judged(facts=facts(unmet=(fact,)), **STRONGEST).outcome is Outcome.DENY


def test_the_strictest_group_hidden_among_harmless_ones_is_not_waved_through():
    harmless = [group(f"f{n}") for n in range(20)]
    secret = group("maiden", handling=Handling.VERIFY_ONLY)
    judgement = judged(*harmless[:10], secret, *harmless[10:], **STRONGEST)
    assert "maiden" not in judgement.permit.fields
    assert len(judgement.permit.fields) == 20


def test_two_groups_do_not_lend_each_other_what_they_lack():
    # One is in the field set but critical, the other is basic but outside: neither is shown for the other's sake.
    critical = group("passport", data_class=DataClass.C4)
    outside = group("email", in_field_set=False)
    assert judged(critical, outside).permit is None


def test_a_fact_of_the_fields_can_not_be_smuggled_in_with_the_persons_facts():
    claimed = {**facts(), **dict.fromkeys(OF_GROUPS, HOLDS)}
    assert judged(group("email", in_field_set=False), facts=claimed).permit is None


def test_a_fact_that_the_path_forgot_is_not_taken_for_granted():
    for forgotten in (FactId.EMPLOYED, FactId.CONTACT_LIVE, FactId.CUSTOMERS_DAY, FactId.NETWORK):
        left = {fact: value for fact, value in facts().items() if fact is not forgotten}
        assert judged(facts=left, **STRONGEST).permit is None


def test_a_truthy_word_is_not_met():
    for word in ("no", 1, "true", object()):
        assert (
            judged(facts={**facts(), FactId.CONTACT_LIVE: HOLDS._replace(met=word)}).permit is None
        )


@pytest.mark.parametrize("operation", [Operation.READ_DECISION])
def test_an_operation_without_a_policy_is_refused(operation):
    judgement = judged(operation=operation, **STRONGEST)
    assert judgement.permit is None
    assert judgement.errors


@pytest.mark.parametrize(
    "programme",
    ["", "*", "other", 'retail" || true', "retail/../fraud", "bank-01/retail", "RETAIL"],
)
def test_a_programme_that_is_not_the_contacts_grants_nothing(programme):
    held = frozenset({programme})
    assert (
        judged(programme=programme, programmes=held, roles=frozenset({"agent", "lead"})).permit
        is None
    )


@pytest.mark.parametrize(
    "role", ["admin", "security", "auditor", "dpo", "client_user", "Agent", ""]
)
def test_a_role_that_does_not_work_calls_sees_no_customer(role):
    assert judged(roles=frozenset({role})).permit is None


def test_another_clients_policies_are_not_used():
    other = compile_policies(compile_contract(CONTRACT.replace("bank-01", "bank-02")))
    judgement = judge(other, question())
    assert judgement.permit is None
    assert judgement.errors


def test_an_assignment_of_another_client_is_no_assignment_here():
    other = compile_policies(compile_contract(CONTRACT.replace("bank-01", "bank-02")))
    answer = other.whole.ask(
        "reveal", question().held, {"met": []}
    )  # the same programme's name, the other client's
    assert not answer.allowed
    held = question().held
    assert held.client == "bank-01"
    assert "bank-02/retail" in other.text
    assert "bank-01/retail" not in other.text


def test_a_remembered_permission_is_not_used_for_another_question():
    # The engine remembers answers by what was asked, to the byte.
    assert judged().permit is not None
    for change in (
        {"roles": frozenset({"auditor"})},
        {"programmes": frozenset({"fraud"})},
        {"facts": facts(unmet=(FactId.CONTACT_LIVE,))},
        {"operation": Operation.SEARCH},
        {"collection": "papers"},
    ):
        assert judged(**change).permit is None
    assert judged().permit is not None


def test_a_permit_for_one_customer_opens_no_other():
    first, second = judged(customer="cus_1").permit, judged(customer="cus_2").permit
    assert isinstance(first, Permit)
    assert isinstance(second, Permit)
    assert first != second
    with pytest.raises(ValueError, match="permit of a search"):
        first.for_customer("cus_2")


# ── the contract as a way in ────────────────────────────────────────────────────────────────────────────────────
INJECTIONS = [
    '"); permit (principal, action, resource); @id("x',
    '\\"); permit (principal, action, resource); //',
    "*/ permit (principal, action, resource); /*",
    "\\u{22}); permit(principal,action,resource);",
    "${principal}",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_policy_text_in_a_contract_is_only_text(text):
    added = f"""
[[rule]]
id = "late"
says = '{text}'
remedy = '{text}'
clause = '{text}'
operations = ["reveal"]
reasons = ["kyc"]
"""
    compiled = compile_policies(compile_contract(CONTRACT + added))
    assert len(compiled) == len(policies()) + 1
    assert sum(rule is None for rule in compiled.whole.rules) == 4
    assert compiled.by_id["contract.late"].label == text
    assert judge(compiled, question(programmes=frozenset())).permit is None


@pytest.mark.parametrize("name", ['retail" || true', "retail)", "a b", "retail\n", "x" * 200])
def test_a_name_that_could_be_more_than_a_name_is_refused(name):
    escaped = name.replace('"', '\\"').replace("\n", "\\n")
    with pytest.raises(InvalidInput):
        compile_contract(CONTRACT.replace('id = "retail"', f'id = "{escaped}"', 1))


def test_a_rule_of_a_contract_can_only_narrow():
    rule = """
[[rule]]
id = "open"
says = "Everything is open to leads."
remedy = "None."
effect = "deny"
operations = ["search"]
except_roles = ["agent", "lead", "admin"]
"""
    compiled = compile_policies(compile_contract(CONTRACT + rule))
    for changes in (
        {"roles": frozenset({"admin"})},
        {"programmes": frozenset()},
        {"facts": facts(unmet=(FactId.CUSTOMERS_DAY,))},
    ):
        assert judge(compiled, replace(question(), **changes)).permit is None


def test_a_contract_cannot_show_what_the_schema_keeps_for_comparison():
    # It names the field for a reason, so that the caller can be asked; it is still never shown.
    asked = group("maiden", handling=Handling.VERIFY_ONLY, presentation=Presentation.CLEAR)
    assert judged(asked, **STRONGEST).permit is None
