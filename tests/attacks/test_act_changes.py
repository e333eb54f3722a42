"""Attacks by changing first and being known by it afterwards: SIM swap, payout redirection."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import SCHEMA
from holdfast.kit.db import Round
from holdfast.kit.errors import InvalidInput
from holdfast.kit.ids import new_id
from holdfast.spine.turn.answers import Acted, Found, Updated
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.schema import compile_schema, encode_schema
from holdfast.spine.vault.writer import BatchWriter
from support.acting import RESET, ready
from support.answers import rules
from support.bank import customer, new_bank

MINE = "C00001"
NEW_PHONE = "+12025550199"
HOURS = 3600


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


def change_phone(bank, **more):
    bank.connect(reason="contact-change")
    return bank.act(MINE, "change_phone", [bank.prove()], values={"phone": NEW_PHONE}, **more)


def bound_by(bank, phone, contact="CT-5"):
    """The customer to whom the feed binds a call from this number."""
    by = {"customer": {"by": {"phone": phone}}}
    before = {ref for (ref,) in bank.sql("SELECT ref FROM purpose_contact")}
    bank.connect(contact, **by)
    rows = bank.sql("SELECT ref, customer FROM purpose_contact")
    (found,) = [bound for ref, bound in rows if ref not in before]
    return found


def test_the_phone_is_changed_and_the_next_call_comes_from_it(bank):
    assert isinstance(change_phone(bank), Acted)
    bank.end()
    bank.advance(47 * HOURS)
    assert not bound_by(bank, NEW_PHONE)


def test_after_two_days_the_new_phone_counts(bank):
    change_phone(bank)
    bank.end()
    bank.advance(48 * HOURS + 1)
    assert bound_by(bank, NEW_PHONE) == bank.id_of(MINE)


def test_the_old_phone_is_not_known_any_more(bank):
    change_phone(bank)
    bank.end()
    assert not bound_by(bank, customer(1)["phone"])


def test_a_search_by_the_new_phone_still_finds_the_customer(bank):
    change_phone(bank)
    bank.end()
    bank.connect("CT-6", number=None)
    found = bank.search(NEW_PHONE, contact="CT-6")
    assert isinstance(found, Found)
    assert [hit.customer for hit in found.hits] == [bank.id_of(MINE)]


@pytest.fixture
def asked_for_address(tmp_path):
    """A bank where the e-mail address, which an update may change, is also a question."""
    from support.bank import bank_with

    bank = bank_with(
        tmp_path / "house",
        ('["dob", "national_id", "postcode"]\nattempts', '["dob", "email", "postcode"]\nattempts'),
        ('fields = ["dob", "national_id", "postcode"]', 'fields = ["dob", "email", "postcode"]'),
    )
    yield bank
    bank.close()


def test_an_answer_changed_by_an_update_proves_nothing(asked_for_address):
    bank = asked_for_address
    bank.connect(reason="contact-change")
    assert isinstance(bank.update(MINE, {"email": "mallory@example.com"}), Updated)
    refused = bank.verify(MINE, {"email": "mallory@example.com"})
    assert rules(refused) == {"verify.quarantined"}
    assert "until 25 Nov 12:00 UTC" in refused.reasons[0].value
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(0,)]
    bank.advance(48 * HOURS)
    bank.connect("CT-7", reason="contact-change")
    assert bank.verify(MINE, {"email": "mallory@example.com"}, contact="CT-7").match


def test_an_answer_given_before_it_was_changed_is_no_proof_after(asked_for_address):
    bank = asked_for_address
    bank.connect(reason="contact-change")
    proof = bank.prove(1, "dob", "email")
    bank.update(MINE, {"email": "mallory@example.com"})
    answer = bank.act(MINE, RESET, [proof])
    assert "act.proven" in rules(answer)
    (value,) = (r.value for r in answer.reasons if r.rule == "act.proven")
    assert value.startswith("1 of 2 questions; ")


def test_a_guarded_field_by_an_update(bank):
    bank.connect(reason="contact-change")
    assert "field.set" in rules(bank.update(MINE, {"phone": NEW_PHONE}))


def test_another_field_by_the_action(bank):
    bank.connect(reason="contact-change")
    proof = bank.prove()
    for values in ({"balance": "9.00"}, {"phone": NEW_PHONE, "name": "Mallory Example"}):
        assert "field.set" in rules(bank.act(MINE, "change_phone", [proof], values=values))
    with pytest.raises(InvalidInput):
        bank.act(MINE, "change_phone", [proof])


def test_a_reset_that_changes_a_field_as_well(bank):
    proof = ready(bank)
    assert "field.set" in rules(bank.act(MINE, RESET, [proof], values={"phone": NEW_PHONE}))


def test_half_a_change(bank):
    """What is no telephone number changes nothing and permits nothing."""
    bank.connect(reason="contact-change")
    with pytest.raises(InvalidInput):
        bank.act(MINE, "change_phone", [bank.prove()], values={"phone": "not a number"})
    assert bank.sql("SELECT COUNT(*) FROM actions_permit") == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM actions_quarantine") == [(0,)]


def test_the_change_stands_in_the_log_with_its_decision(bank):
    acted = change_phone(bank)
    (changed,) = bank.leaves("record.updated")
    (permitted,) = bank.leaves("action.permitted")
    assert changed["decision"] == permitted["decision"] == acted.decision
    assert changed["fields"] == ["phone"]
    assert NEW_PHONE not in str(bank.leaves())


def test_a_young_answer_proves_an_action_in_another_collection(asked_for_address):
    """Where no collection is named the action takes the client's first one, which may be another than was verified."""
    bank = asked_for_address
    accounts_of(bank, customer(1))
    bank.connect(reason="contact-change")
    proof = bank.prove(1, "dob", "email")
    bank.update(MINE, {"email": "mallory@example.com"})
    for collection in ("", "accounts", "customers"):
        answer = bank.act(MINE, RESET, [proof], collection=collection)
        assert "act.proven" in rules(answer), collection


def accounts_of(bank, row):
    """Another collection of the client, of the same kind, in which the customer has a record."""
    schema = compile_schema(SCHEMA, name="accounts")
    now = bank.clock.now_us()
    collection = vault.ADD_COLLECTION(
        client="bank-01",
        name="accounts",
        version=1,
        schema_toml=SCHEMA,
        compiled=encode_schema(schema),
        digest=schema.digest,
        added_us=now,
    )
    bank.house.transact(_written(collection))
    with bank_writer(bank, schema) as writer:
        assert not writer.write([row]).rejected


def _written(query):
    yield Round(data=(query,))


def test_an_import_ends_no_quarantine(asked_for_address):
    """The same new value in the next file does not make it old enough; what only a file changed counts at once."""
    bank = asked_for_address
    bank.connect(reason="contact-change")
    bank.update(MINE, {"email": "mallory@example.com"})
    changed = customer(1, email="mallory@example.com", postcode="90210")
    with bank_writer(bank, compile_schema(SCHEMA, name="customers")) as writer:
        assert not writer.write([changed]).rejected
    assert rules(bank.verify(MINE, {"email": "mallory@example.com"})) == {"verify.quarantined"}
    assert bank.verify(MINE, {"postcode": "90210"}).match


def bank_writer(bank, schema):
    operation = new_id("op", bank.clock.now_us())
    return BatchWriter(bank.house, "bank-01", schema, operation=operation, by="p_import")
