"""`holdfast policy diff`: which real decisions another contract would have changed, and what it cannot tell."""

from __future__ import annotations

import dataclasses
import re

import pytest

from holdfast.drills.bank.build import CLIENT, CONTRACT
from holdfast.kit.errors import Denied, InvalidInput
from holdfast.procedures.protocols.commands.diff import _data, _text
from holdfast.procedures.protocols.services.diff import Asked, difference, since_us
from holdfast.spine.operations.breaking import Emergency, break_glass
from holdfast.spine.replay.rederive import KNOWN_OPERATIONS
from holdfast.spine.turn.answers import Refused, Revealed
from holdfast.vocabulary.contract import Contract
from holdfast.vocabulary.levels import GlassReason, Operation, Role
from support.acting import permitted
from support.approving import WITH_APPROVAL, approving_bank
from support.bank import customer, new_bank
from support.freezing import acting, person, publish

C1 = "C00001"
NARROW = CONTRACT.replace(
    'fields.customers = ["name", "phone", "acct", "card", "balance", "address"]',
    'fields.customers = ["name", "phone", "card", "balance", "address"]',
)

TIGHT = re.sub(r"customers_hour = \d+", "customers_hour = 1", CONTRACT)
assert TIGHT != CONTRACT


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.reader = person(bank, "S0001", house=(Role.SECURITY,), roles=())
    bank.connect()
    yield bank
    bank.close()


def compared(bank, contract, *, days=7, most=3, who=None):
    with acting(bank, who or bank.reader):
        asked = Asked(since_us(bank.house, days), days, most)
        return difference(bank.house, CLIENT, contract, asked)


def work(bank):
    """A bit of everything that agents do, some of it refused."""
    bank.reveal(C1, ["name", "acct"])
    bank.reveal(C1, ["name", "acct", "email", "balance"])
    bank.reveal("C00002", ["name"])
    bank.reveal(C1, ["name"], agent=bank.other)
    bank.search(customer(1)["phone"])
    bank.search("robin@example.com", by="email")
    bank.verify(C1, {"dob": customer(1)["dob"]})
    bank.update(C1, {"email": "new@example.com"})
    bank.change_reason("contact-change")
    bank.connect("CT-2", number=None)
    bank.search(customer(2)["phone"], contact="CT-2")
    bank.verify("C00002", {"dob": customer(2)["dob"]}, contact="CT-2")
    bank.verify(
        "C00002", {"dob": customer(2)["dob"], "postcode": customer(2)["postcode"]}, contact="CT-2"
    )
    bank.reveal("C00002", ["name", "acct"], contact="CT-2")


def test_a_contract_changes_nothing_against_itself(bank):
    work(bank)
    found = compared(bank, CONTRACT)
    assert (found.decisions, found.unchanged, found.changed) == (13, 13, 0)
    assert found.untold_decisions == 0
    # and judging again gives what was given then: nothing was derived otherwise
    assert found.otherwise_already == 0


def test_a_narrower_field_set_names_exactly_the_looks_that_would_be_refused(bank):
    both = bank.reveal(C1, ["name", "acct"])
    alone = bank.reveal(C1, ["acct"])
    other = bank.reveal(C1, ["name", "phone"])
    for answer in (both, alone, other):
        assert isinstance(answer, Revealed)
    found = compared(bank, NARROW)
    rows = {(row.before, row.after): row for row in found.rows.values()}
    assert set(rows) == {("permit", "partial"), ("permit", "deny")}
    assert rows["permit", "partial"].examples == [both.decision]
    assert rows["permit", "deny"].examples == [alone.decision]
    assert dict(rows["permit", "partial"].rules) == {"field.set": 1}
    assert list(rows["permit", "partial"].fields) == [("acct", "clear", "withheld")]
    assert {row.direction for row in rows.values()} == {"narrower"}
    assert found.unchanged == 1


def test_a_wider_field_set_names_the_refusals_that_would_pass(bank):
    publish(bank, contract=NARROW)
    answer = bank.reveal(C1, ["acct"])
    assert isinstance(answer, Refused)
    found = compared(bank, CONTRACT)
    (row,) = found.rows.values()
    assert (row.before, row.after, row.direction) == ("deny", "permit", "wider")
    assert dict(row.rules) == {"field.set": 1}
    assert row.examples == [answer.decision]


def test_decisions_of_an_older_version_are_judged_by_the_one_in_force_first(bank):
    bank.reveal(C1, ["acct"])
    publish(bank, contract=NARROW)
    found = compared(bank, NARROW)
    assert (found.changed, found.unchanged, found.otherwise_already) == (0, 1, 1)


def test_a_mask_is_a_change_though_the_outcome_is_the_same(bank):
    bank.reveal(C1, ["name", "acct"])
    masked = CONTRACT.replace(
        'id = "dispute"\n', 'id = "dispute"\nmasked.customers = ["acct"]\n', 1
    )
    found = compared(bank, masked)
    (row,) = found.rows.values()
    assert (row.before, row.after, row.direction) == ("permit", "permit", "narrower")
    assert list(row.fields) == [("acct", "clear", "masked")]


def test_a_budget_that_shrinks_cannot_be_told(bank):
    """How much was used stands in no record: neither changed nor unchanged."""
    bank.reveal(C1, ["name"])
    bank.reveal("C00002", ["name"])  # refused whatever the budget is
    found = compared(bank, TIGHT)
    assert dict(found.untold) == {"customers_hour": 1}
    assert (found.unchanged, found.changed) == (1, 0)


def test_networks_are_told_where_an_address_was_recorded(bank):
    bank.reveal(C1, ["name"])
    inside = CONTRACT + '\n[networks]\nallowed = ["127.0.0.0/8"]\n'
    outside = CONTRACT + '\n[networks]\nallowed = ["192.0.2.0/24"]\n'
    assert dict(compared(bank, outside).untold) == {"network": 1}  # nothing was bound: no address
    publish(bank, contract=inside)
    bank.reveal(C1, ["name", "phone"])
    found = compared(bank, outside)
    (row,) = found.rows.values()
    assert (row.before, row.after, row.count) == ("permit", "deny", 1)
    assert dict(row.rules) == {"place.network": 1}


def test_an_employer_who_is_no_longer_accepted(bank):
    answer = bank.reveal(C1, ["name"])
    found = compared(bank, CONTRACT + '\n[employers]\nallowed = ["vendor-7"]\n')
    (row,) = found.rows.values()
    assert row.examples == [answer.decision]
    assert dict(row.rules) == {"person.employer": 1}


def test_a_rule_of_the_contract(bank):
    bank.reveal(C1, ["name"])
    rule = """
[[rule]]
id = "no-cards"
says = "Names are for leads."
remedy = "Ask your lead."
operations = ["reveal"]
except_roles = ["lead"]
"""
    (row,) = compared(bank, CONTRACT + rule).rows.values()
    assert (row.after, dict(row.rules)) == ("deny", {"contract.no-cards": 1})


def test_a_proof_that_asks_for_more(bank):
    work(bank)
    found = compared(bank, CONTRACT.replace("needed = 2", "needed = 3"))
    (row,) = found.rows.values()
    assert (row.operation, row.before, row.after) == ("verify", "permit", "deny")
    assert dict(row.rules) == {"verify.combined": 1}
    # who was bound by two answers would perhaps not be bound by three
    assert found.untold["customer_bound"] > 0


def test_how_long_a_silent_call_counts(bank):
    bank.advance(200)
    bank.reveal(C1, ["name"])
    short = CONTRACT.replace('longest = "1 h"', 'longest = "2 min"')
    (row,) = compared(bank, short).rows.values()
    assert (row.after, dict(row.rules)) == ("deny", {"contact.live": 1})
    assert compared(bank, CONTRACT.replace('longest = "1 h"', 'longest = "4 min"')).changed == 0


def test_only_the_days_asked_for(bank):
    bank.reveal(C1, ["name"])
    bank.advance(2 * 86_400)
    bank.reader = bank.new_token(bank.reader)
    assert compared(bank, CONTRACT, days=1).decisions == 0
    assert compared(bank, CONTRACT, days=3).decisions == 1


def test_the_client_sees_that_decisions_were_opened(bank):
    work(bank)
    compared(bank, NARROW)
    (leaf,) = bank.leaves("policy.compared")
    assert leaf["decisions"] == 13
    assert leaf["changed"] > 0


def test_who_may_not_compare(bank):
    for role in (Role.AGENT, Role.LEAD, Role.CLIENT_USER):
        who = person(bank, f"X-{role.value}", house=(role,), roles=())
        with pytest.raises(Denied):
            compared(bank, NARROW, who=who)
    assert bank.leaves("policy.compared") == []
    with pytest.raises(InvalidInput):
        compared(bank, CONTRACT.replace('id = "bank-01"', 'id = "bank-02"'))


def test_a_record_that_was_edited_or_whose_key_is_gone_is_counted(bank):
    bank.reveal(C1, ["name"])
    bank.reveal(C1, ["phone"])
    bank.sql(
        "UPDATE decision_record SET sealed = ? WHERE id = (SELECT MIN(id) FROM decision_record)",
        bytes(64),
    )
    found = compared(bank, NARROW)
    assert dict(found.untold) == {"record does not verify": 1}
    assert found.unchanged == 1
    bank.sql("DELETE FROM keyring_record_key", keys=True)
    found = compared(bank, NARROW)
    assert dict(found.untold) == {"key of its month": 2}


#: What a comparison makes of each part of a contract. A new part has to find its place here, and in ``replay``.
DERIVED = {
    "queues": "queue, times, default reason",
    "reasons": "groups, masks, approvals",
    "verification": "bound, combined, attempts",
    "search": "groups of hits, limits",
    "budgets": "what was left",
    "networks": "the address, where there is one",
    "employers": "the person's employer",
    "grants": "compiled into the policies",
    "rules": "compiled into the policies",
    "freeze_exempt": "a freeze that spared the call, or would have",
    "actions": "reason, target, level; the proof and the day, where the record tells",
    "approval": "who may approve, but for who is on call",
}
OF_OTHER_OPERATIONS = {
    "second_person": "administration",
    "exports": "export",
    "notify": "an erasure under a hold",
    "pdp": "AuthZEN, which keeps no record",
}
ASKS_NOTHING = {"client", "name", "version", "client_key", "clauses", "digest", "cases"}


def test_every_part_of_a_contract_has_its_place():
    parts = {field.name for field in dataclasses.fields(Contract)}
    assert parts == DERIVED.keys() | OF_OTHER_OPERATIONS.keys() | ASKS_NOTHING
    others = {"export", "provisional", "outage", "read_decision"}
    assert set(Operation) - others == KNOWN_OPERATIONS


def test_an_operation_that_is_not_compared_is_said_to_be_so(bank):
    bank.open_on_word("CT-77")
    found = compared(bank, NARROW)
    assert (found.decisions, dict(found.untold)) == (1, {"operation": 1})


# ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────────

RESET = """[[action]]
id = "reset_login"
label = "Reset of the online login"
clause = "4.5"
reasons = ["contact-change"]
proof = { matches = 2, fields = ["dob", "national_id", "postcode"] }
targets = ["crm"]
level = "step_up"
per_customer_day = 1
"""
assert RESET in CONTRACT


def acted(bank, **reset):
    """A reset that was permitted, and what another contract makes of it and of the step-up before."""
    permit = permitted(bank, "CT-8")
    text = RESET
    for name, value in reset.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    other = CONTRACT[: CONTRACT.index("[[test]]")].replace(RESET, text)
    return permit.decision, compared(bank, other)


def acts_of(found):
    return {(row.before, row.after): row for row in found.rows.values() if row.operation == "act"}


def test_actions_change_nothing_against_their_own_contract(bank):
    permitted(bank, "CT-8")
    bank.act(C1, "reset_login", [], contact="CT-8")
    bank.act(C1, "no_such_action", [], contact="CT-8")
    bank.act(C1, "change_phone", [], contact="CT-8", values={"phone": "+12025550166"})
    found = compared(bank, CONTRACT)
    assert (found.changed, found.untold_decisions, found.otherwise_already) == (0, 0, 0)
    assert found.decisions == found.unchanged


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"reasons": '["dispute"]'}, "act.of_reason"),
        ({"level": '"possession"'}, "act.key"),
        (
            {"proof": '{ matches = 3, fields = ["dob", "national_id", "postcode"] }'},
            "act.proven",
        ),
        ({"id": '"another"'}, "act.of_reason"),
    ],
)
def test_an_action_that_another_contract_refuses_is_told(bank, change, rule):
    decision, found = acted(bank, **change)
    row = acts_of(found)["permit", "deny"]
    assert (row.direction, row.examples) == ("narrower", [decision])
    assert rule in dict(row.rules)
    assert found.untold_decisions == 0


def test_an_action_that_would_take_a_second_person_is_told(bank):
    decision, found = acted(bank, level='"step_up"\napproval = true')
    assert acts_of(found)["permit", "approval"].examples == [decision]


def test_an_action_that_needed_more_than_it_would_is_told(bank):
    _, found = acted(bank, level='"bearer"')
    row = acts_of(found)["step_up", "permit"]
    assert (row.direction, dict(row.rules)) == ("wider", {"act.step_up": 1})


def test_what_a_record_of_an_action_does_not_hold_is_untold(bank):
    """Which questions counted, and how often the action was done that day."""
    _, found = acted(bank, proof='{ matches = 2, fields = ["dob", "national_id"] }')
    assert dict(found.untold) == {"action_proven": 2}
    assert acts_of(found) == {}
    bank.act(C1, "reset_login", [], contact="CT-8")
    again = compared(bank, CONTRACT.replace("per_customer_day = 1", "per_customer_day = 2"))
    assert dict(again.untold) == {}
    assert (
        acts_of(again) == {}
    )  # the one after the first has no proof either: refused whatever the day is


# ── approvals ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def approving(tmp_path):
    bank = approving_bank(tmp_path / "approving")
    bank.reader = person(bank, "S0002", house=(Role.SECURITY,), roles=())
    bank.connect()
    yield bank
    bank.close()


def previews(found):
    return [row for row in found.rows.values() if row.operation == "approve"]


def test_previews_change_nothing_against_their_own_contract(approving):
    approving.show(approving.asked_for())
    who = approving.who(device="desk-1")
    wanted = Emergency(CLIENT, GlassReason.LIFE_SAFETY, "card-lost", 1, 10)
    glass = approving.house.transact(break_glass(approving.house, who, wanted)).approval
    approving.show(glass)
    found = compared(approving, WITH_APPROVAL)
    assert (found.decisions, found.unchanged, found.untold_decisions) == (3, 3, 0)
    assert found.otherwise_already == 0


def test_an_approver_whose_role_approves_no_more_is_told(approving):
    approving.show(approving.asked_for())
    approving.show(approving.asked_for(fields=["address"]), approving.guard)
    other = WITH_APPROVAL + '\n[approval]\nroles = ["security"]\n'
    (row,) = previews(compared(approving, other))
    assert (row.before, row.after, row.count, row.direction) == ("permit", "deny", 1, "narrower")


def test_a_preview_of_a_field_that_leaves_the_reason_is_told(approving):
    approving.show(approving.asked_for(fields=["acct", "address"]))
    other = WITH_APPROVAL.replace('"name", "phone", "acct", "card"', '"name", "phone", "card"')
    (row,) = previews(
        compared(
            approving, other.replace('["acct", "address", "balance"]', '["address", "balance"]')
        )
    )
    assert (row.before, row.after) == ("permit", "partial")
    assert list(row.fields) == [("acct", "masked", "withheld")]


def test_who_is_on_call_under_another_contract_is_untold(approving):
    """The record has their roles, and not by which of the contract's words they were let in."""
    called = WITH_APPROVAL + '\n[approval]\nroles = ["dpo"]\non_call = ["U0007"]\n'
    approving.publish(called)
    user = approving.person("U0007", Role.CLIENT_USER)
    wanted = Emergency(CLIENT, GlassReason.LIFE_SAFETY, "card-lost", 1, 10)
    who = approving.who(device="desk-1")
    glass = approving.house.transact(break_glass(approving.house, who, wanted)).approval
    approving.show(glass, user)
    assert dict(compared(approving, called).untold) == {}
    found = compared(approving, called.replace("U0007", "U0009"))
    assert dict(found.untold) == {"on call": 1}


def test_equal_situations_are_judged_once(bank):
    for _ in range(10):
        bank.reveal(C1, ["name", "phone"])
    found = compared(bank, NARROW, most=2)
    assert (found.decisions, found.situations) == (10, 1)


def test_what_is_printed(bank):
    answer = bank.reveal(C1, ["acct"])
    found = compared(bank, NARROW)
    text = _text(found, 7)
    assert "1 would change" in text
    assert "reveal: permit → deny" in text
    assert "because of field.set (1)" in text
    assert answer.decision in text
    data = _data(found)
    assert data["changes"][0]["examples"] == [answer.decision]
    assert data["cannot_be_told"] == 0
