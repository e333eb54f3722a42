"""What is permitted, withheld, masked, or would be with a step-up or an approval."""

from __future__ import annotations

import pytest

from holdfast.spine.decision.verdict import Denial, NeedsApproval, Permit, StepUp
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import (
    Audience,
    AuthLevel,
    DataClass,
    Handling,
    Operation,
    Outcome,
    Presentation,
)
from support.judging import FAILS, facts, group, judged, question, rules

C2 = {"data_class": DataClass.C2}
C3 = {"data_class": DataClass.C3}
C4 = {"data_class": DataClass.C4}
MASKED = {"presentation": Presentation.MASKED}
COMPARED = {"presentation": Presentation.WITHHELD, "handling": Handling.VERIFY_ONLY}
STEP_UP = {"level": AuthLevel.STEP_UP}
KEY = {"level": AuthLevel.POSSESSION}


def only(judgement):
    (verdict,) = judgement.verdicts
    return verdict


def test_the_field_set_of_a_live_contact_is_permitted():
    judgement = judged(group("name"), group("acct", **C2))
    assert judgement.outcome is Outcome.PERMIT
    permit = judgement.permit
    assert permit.fields == {"name": Presentation.CLEAR, "acct": Presentation.CLEAR}
    assert (permit.client, permit.customer, permit.collection) == ("bank-01", "cus_1", "accounts")
    assert judgement.rules == ()


def test_a_field_outside_the_set_is_withheld_and_the_rest_shown():
    judgement = judged(group("name"), group("email", in_field_set=False))
    assert judgement.outcome is Outcome.PARTIAL
    assert judgement.permit.fields == {"name": Presentation.CLEAR}
    denial = judgement.verdicts[1]
    assert isinstance(denial, Denial)
    assert [(r.rule, r.state, r.clause) for r in denial.reasons] == [("field.set", "unmet", "2.1")]


@pytest.mark.parametrize(
    ("how", "level", "kind"),
    [
        (C2, {}, Permit),
        (C3 | MASKED, {}, Permit),
        (C3, {}, StepUp),
        (C3, STEP_UP, Permit),
        (C4 | MASKED, {}, StepUp),
        (C4 | MASKED, STEP_UP, Permit),
        (C4, {}, Denial),
        (C4, STEP_UP, Denial),
        (C4, KEY, Permit),
    ],
)
def test_what_each_level_reaches(how, level, kind):
    assert isinstance(only(judged(group("x", **how), **level)), kind)


@pytest.mark.parametrize("data_class", [DataClass.C1, DataClass.C2, DataClass.C3])
def test_verify_is_open_to_a_bearer_up_to_c3(data_class):
    asked = group("x", **COMPARED, data_class=data_class)
    verdict = only(judged(asked, operation=Operation.VERIFY))
    assert isinstance(verdict, Permit)
    assert verdict.fields == {"x": Presentation.WITHHELD}


def test_verify_of_a_critical_field_asks_for_a_step_up():
    asked = group("x", **COMPARED | C4)
    assert isinstance(only(judged(asked, operation=Operation.VERIFY)), StepUp)


def test_a_verify_only_field_is_never_shown_and_the_remedy_is_to_verify():
    for level in AuthLevel:
        for how in (MASKED, {}):
            asked = group("maiden", handling=Handling.VERIFY_ONLY, **how)
            verdict = only(judged(asked, level=level))
            assert isinstance(verdict, Denial)
            assert verdict.reasons[0].rule == "field.verify_only"
            assert verdict.reasons[0].remedy_href == "/v1/verify"


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ({"handling": Handling.MASKED}, "field.masked_only"),
        ({"handling": Handling.REFERENCE}, "field.reference"),
        ({"mask_required": True}, "field.mask"),
    ],
)
def test_what_is_only_shown_masked_is_permitted_masked(how, rule):
    judgement = judged(group("x", **how))
    assert judgement.permit.fields == {"x": Presentation.MASKED}
    assert [reason.rule for reason in judgement.limits[0]] == [rule]
    assert judgement.rules == (rule,)


def test_a_masked_c3_field_needs_no_step_up_because_masking_alone_suffices():
    judgement = judged(group("x", mask_required=True, **C3))
    assert judgement.permit.fields == {"x": Presentation.MASKED}


def test_the_contract_can_ask_for_an_approval():
    asked = group("papers", approval_required=True)
    assert isinstance(only(judged(asked)), NeedsApproval)
    assert isinstance(only(judged(asked, approved=True)), Permit)


def test_approval_and_step_up_together_are_told_as_the_stronger():
    verdict = only(judged(group("papers", approval_required=True, **C3)))
    assert isinstance(verdict, NeedsApproval)
    assert [reason.rule for reason in verdict.reasons] == ["field.approval", "level.sensitive"]


def test_a_denial_is_stronger_than_anything_soft():
    asked = group("x", approval_required=True, in_field_set=False, mask_required=True, **C3)
    assert isinstance(only(judged(asked)), Denial)


@pytest.mark.parametrize("fact", [FactId.NETWORK, FactId.DEVICE])
class TestPlace:
    def test_unmet_is_refused(self, fact):
        verdict = only(judged(facts=facts(unmet=(fact,))))
        assert isinstance(verdict, Denial)
        assert [reason.fact for reason in verdict.reasons] == [fact.value]

    def test_unknown_is_a_step_up(self, fact):
        verdict = only(judged(facts=facts(unknown=(fact,))))
        assert isinstance(verdict, StepUp)
        assert verdict.reasons[0].state == "unknown"
        assert isinstance(only(judged(facts=facts(unknown=(fact,)), **STEP_UP)), Permit)

    def test_unknown_is_refused_at_c4(self, fact):
        verdict = only(judged(group("x", **C4), facts=facts(unknown=(fact,)), **KEY))
        assert isinstance(verdict, Denial)


def test_an_unknown_entitlement_is_an_approval():
    unknown = facts(unknown=(FactId.EMPLOYER_APPROVED,))
    assert isinstance(only(judged(facts=unknown)), NeedsApproval)


@pytest.mark.parametrize("fact", [FactId.CONTACT_LIVE, FactId.CONTACT_YOURS, FactId.QUEUE])
def test_an_unknown_purpose_is_refused(fact):
    judgement = judged(facts=facts(unknown=(fact,)), **KEY)
    assert not judgement.visible
    assert judgement.outcome is Outcome.DENY


class TestVisibility:
    GATES = (
        FactId.EMPLOYED,
        FactId.NOT_SUSPENDED,
        FactId.ASSIGNED,
        FactId.EMPLOYER_APPROVED,
        FactId.CLIENT_OPEN,
        FactId.CONTACT_YOURS,
        FactId.CONTACT_LIVE,
        FactId.QUEUE,
        FactId.CUSTOMER_OPEN,
    )

    @pytest.mark.parametrize("fact", GATES)
    def test_each_gate_alone_hides_everything(self, fact):
        judgement = judged(
            group("name"), group("x", in_field_set=False), facts=facts(unmet=(fact,))
        )
        assert not judgement.visible
        assert judgement.permit is None
        assert judgement.verdicts[0] == judgement.verdicts[1]
        assert "field.set" not in rules(judgement)

    def test_only_the_lowest_tier_is_told(self):
        unmet = (FactId.CONTACT_LIVE, FactId.CONTACT_YOURS, FactId.QUEUE, FactId.CUSTOMER_BOUND)
        judgement = judged(facts=facts(unmet=(*unmet, FactId.CUSTOMER_FOUND)))
        assert judgement.rules == ("contact.yours",)
        stranger = judged(facts=facts(unmet=(*unmet, FactId.ASSIGNED)), programmes=frozenset())
        assert stranger.rules == ("person.assigned",)

    def test_an_erased_customer_reads_like_one_who_is_not_on_the_contact(self):
        erased = judged(facts=facts(unmet=(FactId.CUSTOMER_OPEN,)))
        other = judged(facts=facts(unmet=(FactId.CUSTOMER_BOUND, FactId.CUSTOMER_FOUND)))
        assert erased.reasons(Audience.SELF) == other.reasons(Audience.SELF)
        assert erased.reasons(Audience.LEAD) == other.reasons(Audience.LEAD)
        assert erased.reasons(Audience.SECURITY)[0].rule == "customer.known"
        assert len(str(erased.rules)) == len(str(other.rules)), "leaves differ in size"

    def test_no_grant_names_the_nearest_one(self):
        judgement = judged(programmes=frozenset())
        assert not judgement.visible
        (reason,) = judgement.reasons()
        assert reason.rule == "grant.retail"
        assert reason.clause == "1.1"
        assert "Retail banking" in reason.remedy_text

    def test_a_role_of_another_assignment_does_not_count(self):
        as_agent = judged(programme="fraud", programmes=frozenset({"fraud"}), reason="kyc")
        assert not as_agent.visible
        as_lead = judged(
            programme="fraud",
            programmes=frozenset({"fraud"}),
            roles=frozenset({"lead"}),
            reason="kyc",
        )
        assert as_lead.outcome is Outcome.PERMIT


class TestBeforeBinding:
    UNBOUND = facts(unmet=(FactId.CUSTOMER_BOUND,))

    def test_basic_fields_are_shown_masked(self):
        judgement = judged(group("name"), facts=self.UNBOUND)
        assert judgement.permit.fields == {"name": Presentation.MASKED}
        assert judgement.limits[0][0].rule == "customer.verified_clear"

    def test_anything_above_is_withheld_with_the_remedy_to_verify(self):
        verdict = only(judged(group("acct", **C2 | MASKED), facts=self.UNBOUND))
        assert isinstance(verdict, Denial)
        assert verdict.reasons[0].remedy_href == "/v1/verify"

    def test_answers_may_be_compared(self):
        asked = group("dob", **COMPARED | C3)
        verdict = only(judged(asked, operation=Operation.VERIFY, facts=self.UNBOUND))
        assert isinstance(verdict, Permit)

    def test_nothing_is_changed(self):
        verdict = only(judged(group("name"), operation=Operation.UPDATE, facts=self.UNBOUND))
        assert isinstance(verdict, Denial)

    def test_a_customer_whom_no_search_found_is_not_visible(self):
        unmet = (FactId.CUSTOMER_BOUND, FactId.CUSTOMER_FOUND)
        assert not judged(facts=facts(unmet=unmet)).visible


class TestSearch:
    def search(self, **changes):
        asked = group("name", handling=Handling.MASKED, presentation=Presentation.MASKED)
        changes = {"operation": Operation.SEARCH, "customer": "", **changes}
        return judged(changes.pop("group", asked), **changes)

    def test_a_hit_shows_masked_basic_fields(self):
        permit = self.search().permit
        assert permit.fields == {"name": Presentation.MASKED}
        assert permit.for_customer("cus_9").customer == "cus_9"

    @pytest.mark.parametrize(
        "how", [{"presentation": Presentation.CLEAR}, C2 | MASKED, C4 | MASKED]
    )
    def test_a_hit_never_shows_more(self, how):
        assert rules(self.search(group=group("x", **how))) == {"search.masked"}

    def test_no_new_search_in_wrap_up(self):
        refused = self.search(facts=facts(unmet=(FactId.CONTACT_TALKING,)))
        assert rules(refused) == {"contact.talking"}

    @pytest.mark.parametrize("fact", [FactId.SEARCHES_DAY, FactId.SEARCHES_CONTACT])
    def test_searches_are_counted(self, fact):
        refused = self.search(facts=facts(unmet=(fact,)))
        assert [reason.clause for reason in refused.reasons()] == ["9.1"]
        assert refused.visible

    def test_it_does_not_ask_for_a_customer(self):
        unmet = (FactId.CUSTOMER_BOUND, FactId.CUSTOMER_FOUND, FactId.CUSTOMER_OPEN)
        assert self.search(facts=facts(unmet=unmet)).outcome is Outcome.PERMIT


class TestUpdate:
    def update(self, *groups, **changes):
        return only(judged(*groups, operation=Operation.UPDATE, **changes))

    def test_a_field_that_the_reason_changes_may_be_changed(self):
        assert isinstance(self.update(group("email")), Permit)

    def test_a_field_changed_by_an_action_only_is_refused(self):
        verdict = self.update(group("payout", by_action="payout", **C2))
        assert isinstance(verdict, Denial)
        assert verdict.reasons[0].rule == "field.change"
        assert verdict.reasons[0].value == "payout"

    def test_a_sensitive_field_is_changed_after_a_step_up(self):
        assert isinstance(self.update(group("balance", **C3)), StepUp)


class TestReason:
    def change(self, *unmet, level=AuthLevel.BEARER):
        asked = question(operation=Operation.REASON, level=level, facts=facts(unmet=unmet))
        return judged(operation=asked.operation, level=level, facts=asked.facts, groups=())

    def test_a_reason_of_the_same_queue_that_shows_no_more(self):
        assert self.change().outcome is Outcome.PERMIT

    def test_a_wider_one_is_a_step_up(self):
        assert self.change(FactId.REASON_NOT_WIDER).outcome is Outcome.STEP_UP
        stepped = self.change(FactId.REASON_NOT_WIDER, level=AuthLevel.STEP_UP)
        assert stepped.outcome is Outcome.PERMIT

    @pytest.mark.parametrize("fact", [FactId.REASON_OF_QUEUE, FactId.REASON_CHANGES])
    def test_another_queues_reason_or_a_second_change_is_refused(self, fact):
        assert self.change(fact, level=AuthLevel.POSSESSION).outcome is Outcome.DENY

    def test_in_wrap_up_only_one_that_shows_no_more(self):
        assert self.change(FactId.CONTACT_TALKING).outcome is Outcome.PERMIT
        wider = (FactId.CONTACT_TALKING, FactId.REASON_NOT_WIDER)
        assert self.change(*wider, level=AuthLevel.STEP_UP).outcome is Outcome.DENY


class TestBudgets:
    @pytest.mark.parametrize("fact", [FactId.CUSTOMERS_HOUR, FactId.CUSTOMERS_DAY])
    @pytest.mark.parametrize("operation", [Operation.REVEAL, Operation.VERIFY, Operation.UPDATE])
    def test_customers_are_counted(self, fact, operation):
        judgement = judged(operation=operation, facts=facts(unmet=(fact,)))
        assert judgement.outcome is Outcome.DENY
        assert judgement.visible

    def test_sensitive_fields_are_counted_from_c3(self):
        left = facts(unmet=(FactId.SENSITIVE_FIELDS_DAY,))
        assert judged(group("x", **C2), facts=left).outcome is Outcome.PERMIT
        assert judged(group("x", **C3), facts=left, **STEP_UP).outcome is Outcome.DENY

    @pytest.mark.parametrize("fact", [FactId.VERIFY_CONTACT, FactId.VERIFY_DAY])
    def test_attempts_are_counted_and_one_more_is_approved(self, fact):
        asked = group("dob", **COMPARED)
        used_up = {"operation": Operation.VERIFY, "facts": facts(unmet=(fact,))}
        refused = judged(asked, **used_up)
        assert refused.outcome is Outcome.APPROVAL
        assert judged(asked, approved=True, **used_up).outcome is Outcome.PERMIT

    @pytest.mark.parametrize("fact", [FactId.VERIFY_CONTACT, FactId.VERIFY_DAY])
    def test_where_one_more_attempt_would_be_refused_none_is_offered(self, fact):
        asked = group("dob", **COMPARED | {"in_field_set": False})
        refused = judged(asked, operation=Operation.VERIFY, facts=facts(unmet=(fact,)))
        assert refused.outcome is Outcome.DENY


class TestContractRules:
    def test_a_rule_of_the_contract_refuses_with_its_clause(self):
        refused = judged(collection="papers")
        assert [(r.rule, r.clause) for r in refused.reasons()] == [
            ("contract.papers-by-leads", "5.2")
        ]
        assert judged(collection="papers", roles=frozenset({"agent", "lead"})).permit is not None
        assert judged(collection="accounts").permit is not None


def test_values_told_are_those_of_the_facts():
    told = facts()
    told[FactId.CUSTOMERS_DAY] = FAILS._replace(value="used up until 14:00 UTC")
    (reason,) = judged(facts=told).reasons()
    assert reason.value == "used up until 14:00 UTC"
    assert reason.clause == "9.1"


def test_policies_of_another_client_judge_nothing():
    judgement = judged(client="bank-02")
    assert judgement.outcome is Outcome.DENY
    assert judgement.errors


def test_a_question_without_groups_has_one_verdict():
    assert len(judged(groups=(), operation=Operation.REASON).verdicts) == 1
