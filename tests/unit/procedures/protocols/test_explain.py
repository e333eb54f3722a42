"""`holdfast explain`: the card says what happened, why, and what would have to be otherwise, as its reader may know."""

from __future__ import annotations

import dataclasses
import re

import pytest

from holdfast.drills.bank.build import CONTRACT
from holdfast.kit.secret import Secret
from holdfast.procedures.protocols.commands.explain import _data, card
from holdfast.procedures.protocols.services import decisions
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import By, draft, publish_contract
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.references import reference_of
from support.bank import customer, new_bank


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def explained(bank, answer, token):
    house = bank.house
    house.settings = dataclasses.replace(house.settings, token=Secret(token))
    found = house.read(decisions.find(house, answer.decision))
    if not found.own:
        house.transact(decisions.tell_reading(house, found))
    return decisions.explained(found)


def admin_token(bank):
    work = issue(person=bank.admin, life_us=10**12, now_us=bank.clock.now_us())
    return bank.house.transact(work).secret.reveal()


def test_a_partial_answer(bank):
    told = explained(bank, bank.reveal("C00001", ["name", "email", "balance"]), bank.agent.token)
    text = card(told)
    assert "reveal customers for bank-01: partial" in text
    assert re.search(r"name +clear", text)
    assert re.search(r"email +withheld", text)
    assert "✗ The call's reason needs this field.  (not needed for this reason, 4.2)" in text
    assert "→ Confirm that it is you (step-up), then ask again." in text
    assert "With this otherwise it would be permitted." in text
    assert "Judged again by version 1 of the contract: the same result." in text
    assert told.same_policies


def test_as_data(bank):
    data = _data(explained(bank, bank.reveal("C00001", ["email"]), bank.agent.token))
    assert data["outcome"] == "deny"
    assert data["fields"] == {"email": "withheld"}
    (why,) = data["why"]
    assert why["proven"]
    assert why["complete"]
    assert why["reasons"][0]["rule"] == "field.set"
    states = {one["fact"]: one["state"] for one in data["conditions"]}
    assert states["contact_live"] == "met"
    assert "customer_open" not in states


def test_of_what_was_hidden_the_person_is_told_no_more_than_why(bank):
    answer = bank.reveal("C00002", ["name"])
    told = explained(bank, answer, bank.agent.token)
    text = card(told)
    assert "✗ The customer is the one on this contact." in text
    assert "customers" not in text.split("Why")[0]
    assert "Conditions" not in text


def test_security_sees_all_conditions_and_the_client_sees_that_it_looked(bank):
    answer = bank.reveal("C00002", ["name"])
    told = explained(bank, answer, admin_token(bank))
    assert "customer_open" in {one.fact for one in told.conditions}
    (leaf,) = bank.leaves("decision.read")
    assert leaf["decision"] == answer.decision


def test_a_decision_is_explained_by_the_contract_of_its_time(bank):
    answer = bank.reveal("C00001", ["email"])
    wider = CONTRACT.replace('"name", "phone", "acct"', '"name", "phone", "email", "acct"')
    made = draft(wider, in_force=compile_contract(CONTRACT))
    by = By(bank.admin, lambda log: reference_of(bank.admin, log))
    bank.house.transact(publish_contract(made, by, now_us=bank.clock.now_us()))
    assert "email" in bank.reveal("C00001", ["email"]).fields
    told = explained(bank, answer, bank.agent.token)
    assert told.same
    assert told.found.content.contract_version == 1
    assert told.whys[0].reasons[0].rule == "field.set"


def test_a_permitted_look_needs_no_explanation(bank):
    told = explained(bank, bank.reveal("C00001", ["name"]), bank.agent.token)
    assert told.whys == ()
    assert "Why" not in card(told)


def test_what_was_refused_after_the_judgement_is_told(bank):
    bank.connect("CT-2", number=None)
    bank.search(customer(2)["phone"], contact="CT-2")
    answer = bank.verify("C00002", {"dob": customer(2)["dob"]}, contact="CT-2")
    told = explained(bank, answer, bank.agent.token)
    assert "Permitted by the rules, then refused: verify.combined" in card(told)
