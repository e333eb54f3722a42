"""An explanation is the least that would have to be otherwise, proven by asking the engine."""

from __future__ import annotations

from holdfast.spine.decision.explain import explain, told
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import (
    Audience,
    AuthLevel,
    DataClass,
    Handling,
    Operation,
    Presentation,
)
from support.judging import facts, group, judged, policies


def parts(judgement):
    (one,) = explain(judgement)
    assert one.sufficient
    assert one.necessary
    return {part.rule for part in one.parts}


def test_what_is_permitted_as_asked_needs_no_explanation():
    assert explain(judged()) == ()


def test_three_reasons_are_three_parts():
    asked = group("x", in_field_set=False, handling=Handling.VERIFY_ONLY)
    found = parts(judged(asked, facts=facts(unmet=(FactId.CUSTOMERS_DAY,))))
    assert found == {"field.set", "field.verify_only", "budget.customers_day"}


def test_a_rule_that_follows_from_another_drops_out():
    # A key in the hand is a step-up too; being verified lifts every rule about being verified.
    assert parts(judged(group("x", data_class=DataClass.C4))) == {"level.possession"}
    unbound = facts(unmet=(FactId.CUSTOMER_BOUND,))
    assert len(parts(judged(group("x", data_class=DataClass.C2), facts=unbound))) == 1


def test_a_missing_grant_is_a_part():
    judgement = judged(programmes=frozenset())
    assert parts(judgement) == {"grant.retail"}
    both = judged(programmes=frozenset(), facts=facts(unmet=(FactId.QUEUE, FactId.ASSIGNED)))
    assert parts(both) == {"grant.retail", "contact.queue", "person.assigned"}


def test_the_person_is_told_the_lowest_tier_and_security_all_of_it():
    unmet = (FactId.CONTACT_LIVE, FactId.CONTACT_YOURS, FactId.QUEUE)
    (one,) = explain(judged(facts=facts(unmet=unmet)))
    assert [r.rule for r in told(one, policies(), Audience.SELF)] == ["contact.yours"]
    assert {r.rule for r in told(one, policies(), Audience.SECURITY)} == {
        "contact.yours",
        "contact.live",
        "contact.queue",
    }


def test_an_erased_customer_is_told_to_security_only():
    (one,) = explain(judged(facts=facts(unmet=(FactId.CUSTOMER_OPEN,))))
    assert [r.rule for r in told(one, policies(), Audience.SELF)] == ["customer.bound"]
    assert [r.rule for r in told(one, policies(), Audience.SECURITY)] == ["customer.known"]


def test_what_is_shown_masked_is_explained_too():
    assert parts(judged(group("x", mask_required=True))) == {"field.mask"}


def test_a_rule_of_the_contract_is_a_part():
    assert parts(judged(collection="papers")) == {"contract.papers-by-leads"}


def test_each_group_has_its_own():
    found = explain(
        judged(
            group("name"),
            group("x", in_field_set=False),
            group("balance", data_class=DataClass.C3),
        )
    )
    assert [(one.fields, one.parts[0].rule) for one in found] == [
        (("x",), "field.set"),
        (("balance",), "level.sensitive"),
    ]


def test_a_search_and_a_change_of_reason_are_explained():
    wide = group("x", data_class=DataClass.C2, presentation=Presentation.CLEAR)
    search = judged(wide, operation=Operation.SEARCH, customer="")
    assert parts(search) == {"search.masked"}
    wider = judged(
        groups=(), operation=Operation.REASON, facts=facts(unmet=(FactId.REASON_NOT_WIDER,))
    )
    assert parts(wider) == {"reason.wider"}


def test_an_update_by_action_is_explained():
    asked = group("payout", by_action="payout", data_class=DataClass.C2)
    found = parts(judged(asked, operation=Operation.UPDATE, level=AuthLevel.BEARER))
    assert found == {"field.change"}


def test_what_could_not_be_evaluated_has_no_explanation():
    assert explain(judged(client="bank-02")) == ()
