"""Every rule of the house refuses or limits something that no other rule does: none is dead, none is doubled."""

from __future__ import annotations

import pytest

from holdfast.spine.decision.policies import guards_text
from holdfast.spine.decision.rules import Stage
from holdfast.vocabulary.facts import FactId as F
from holdfast.vocabulary.levels import AuthLevel, DataClass, Handling, Operation, Presentation
from support.judging import facts, group, judged, policies

STEP_UP = {"level": AuthLevel.STEP_UP}
KEY = {"level": AuthLevel.POSSESSION}
C1, C2, C3, C4 = DataClass.C1, DataClass.C2, DataClass.C3, DataClass.C4
MASKED = {"presentation": Presentation.MASKED}
COMPARED = {"presentation": Presentation.WITHHELD}


def unmet(*names, operation=Operation.REVEAL, how=None, **changes):
    """Everything holds but these facts."""
    asked = group("x", **(how or {}))
    return judged(asked, operation=operation, facts=facts(unmet=names), **changes)


def unknown(name, *, how=None, **changes):
    return judged(group("x", **(how or {})), facts=facts(unknown=(name,)), **changes)


def asked(operation=Operation.REVEAL, changes=None, **how):
    return judged(group("x", **how), operation=operation, **(changes or {}))


SEARCH = {"operation": Operation.SEARCH, "how": MASKED, "customer": ""}
VERIFY = {"operation": Operation.VERIFY, "how": COMPARED}
CHANGE = {"operation": Operation.REASON}
ACT = {"operation": Operation.ACT}
WORD = {"operation": Operation.PROVISIONAL, "customer": ""}
OUTAGE = {"operation": Operation.OUTAGE, "customer": ""}
ALONE = {
    "person.employed": lambda: unmet(F.EMPLOYED),
    "person.not_suspended": lambda: unmet(F.NOT_SUSPENDED),
    "person.assigned": lambda: unmet(F.ASSIGNED),
    "person.employer": lambda: unmet(F.EMPLOYER_APPROVED),
    "client.open": lambda: unmet(F.CLIENT_OPEN),
    "contact.yours": lambda: unmet(F.CONTACT_YOURS),
    "contact.live": lambda: unmet(F.CONTACT_LIVE),
    "contact.queue": lambda: unmet(F.QUEUE),
    "customer.bound": lambda: unmet(F.CUSTOMER_BOUND, F.CUSTOMER_FOUND),
    "customer.known": lambda: unmet(F.CUSTOMER_OPEN),
    "field.set": lambda: asked(in_field_set=False),
    "field.verify_only": lambda: asked(handling=Handling.VERIFY_ONLY, **MASKED),
    "field.masked_only": lambda: asked(handling=Handling.MASKED),
    "field.reference": lambda: asked(handling=Handling.REFERENCE),
    "field.mask": lambda: asked(mask_required=True),
    "field.approval": lambda: asked(approval_required=True),
    "field.change": lambda: asked(Operation.UPDATE, by_action="payout"),
    "glass.looks": lambda: unmet(F.CONTACT_ORDINARY, operation=Operation.UPDATE),
    "approve.clear": lambda: asked(Operation.APPROVE, {"roles": frozenset({"lead"})}),
    "customer.verified": lambda: unmet(F.CUSTOMER_BOUND, how={"data_class": C2, **MASKED}),
    "customer.verified_clear": lambda: unmet(F.CUSTOMER_BOUND),
    "customer.verified_change": lambda: unmet(F.CUSTOMER_BOUND, operation=Operation.UPDATE),
    "search.masked": lambda: asked(Operation.SEARCH, {"customer": ""}),
    "contact.talking": lambda: unmet(F.CONTACT_TALKING, **SEARCH),
    "contact.talking_verify": lambda: unmet(F.CONTACT_TALKING, F.CUSTOMER_BOUND, **VERIFY),
    "level.sensitive": lambda: asked(data_class=C3),
    "level.critical": lambda: asked(data_class=C4, **MASKED),
    "level.possession": lambda: asked(changes=STEP_UP, data_class=C4),
    "place.network": lambda: unmet(F.NETWORK),
    "place.network_unknown": lambda: unknown(F.NETWORK),
    "place.network_critical": lambda: unknown(F.NETWORK, how={"data_class": C4}, **KEY),
    "place.device": lambda: unmet(F.DEVICE),
    "place.device_unknown": lambda: unknown(F.DEVICE),
    "place.device_critical": lambda: unknown(F.DEVICE, how={"data_class": C4}, **KEY),
    "person.employer_unknown": lambda: unknown(F.EMPLOYER_APPROVED),
    "budget.customers_hour": lambda: unmet(F.CUSTOMERS_HOUR),
    "budget.customers_day": lambda: unmet(F.CUSTOMERS_DAY),
    "budget.sensitive_day": lambda: unmet(F.SENSITIVE_FIELDS_DAY, how={"data_class": C3, **MASKED}),
    "budget.searches_day": lambda: unmet(F.SEARCHES_DAY, **SEARCH),
    "budget.searches_contact": lambda: unmet(F.SEARCHES_CONTACT, **SEARCH),
    "budget.verify_contact": lambda: unmet(F.VERIFY_CONTACT, **VERIFY),
    "budget.verify_day": lambda: unmet(F.VERIFY_DAY, **VERIFY),
    "act.of_reason": lambda: unmet(F.ACTION_OF_REASON, **ACT),
    "act.proven": lambda: unmet(F.ACTION_PROVEN, **ACT),
    "act.day": lambda: unmet(F.ACTION_DAY, **ACT),
    "act.approval": lambda: asked(Operation.ACT, approval_required=True),
    "act.step_up": lambda: unmet(F.ACTION_PLAIN, **ACT),
    "act.key": lambda: unmet(F.ACTION_KEYLESS, **ACT),
    "verify.quarantined": lambda: unmet(F.ANSWER_SETTLED, **VERIFY),
    "provisional.feed_behind": lambda: unmet(F.FEED_BEHIND, **WORD),
    "provisional.one": lambda: unmet(F.PROVISIONAL_ONE, **WORD),
    "provisional.shift": lambda: unmet(F.PROVISIONAL_SHIFT, **WORD),
    "provisional.free": lambda: unmet(F.CONTACT_FREE, **WORD),
    "provisional.trusted": lambda: unmet(F.PROVISIONAL_TRUSTED, **OUTAGE),
    "provisional.class": lambda: unmet(F.CONTACT_CONFIRMED, how={"data_class": C3, **MASKED}),
    "provisional.clear": lambda: unmet(F.CONTACT_CONFIRMED),
    "provisional.change": lambda: unmet(F.CONTACT_CONFIRMED, operation=Operation.UPDATE),
    "outage.declared": lambda: unmet(F.OUTAGE_DECLARED, **OUTAGE),
    "outage.verified": lambda: unmet(F.CUSTOMER_BOUND, F.NO_OUTAGE, how=MASKED),
    "reason.of_queue": lambda: unmet(F.REASON_OF_QUEUE, **CHANGE),
    "reason.changes": lambda: unmet(F.REASON_CHANGES, **CHANGE),
    "reason.wider": lambda: unmet(F.REASON_NOT_WIDER, **CHANGE),
    "reason.talking": lambda: unmet(F.CONTACT_TALKING, F.REASON_NOT_WIDER, **CHANGE, **STEP_UP),
}


def test_every_rule_of_the_house_has_its_situation():
    house = {rule for rule in policies().by_id if not rule.startswith("contract.")}
    assert house == set(ALONE)


@pytest.mark.parametrize("rule", ALONE)
def test_a_rule_stands_alone(rule):
    assert ALONE[rule]().rules == (rule,)


def test_no_rule_stands_twice():
    text = guards_text(Stage.VISIBILITY) + guards_text(Stage.PERMISSION)
    conditions = [part.partition("forbid")[2] for part in text.split("@id(")[1:]]
    assert len(conditions) == len(set(conditions))
