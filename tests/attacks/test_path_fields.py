"""Attacks on what is shown: fields that the reason does not need, fields that nobody sees, records of somebody else."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import Conflict, InvalidInput
from holdfast.spine.turn.answers import Refused, Revealed, Updated
from support.answers import rules, text_of, withheld
from support.bank import customer, new_bank

MINE, THEIRS = "C00001", "C00002"
ALL = tuple(customer(1))


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def step_up(bank):
    bank.take_step_up(bank.reveal(MINE, ["balance"]).challenge)


def test_a_field_outside_the_reasons_set(bank):
    assert rules(bank.reveal(MINE, ["email"])) == {"field.set"}
    assert rules(bank.reveal(MINE, ["segment"])) == {"field.set"}


def test_everything_at_once_shows_only_what_the_reason_needs(bank):
    step_up(bank)
    answer = bank.reveal(MINE, ALL)
    assert answer.outcome == "partial"
    shown = {name for name, one in answer.fields.items() if one.value is not None}
    assert shown == {"name", "phone", "acct", "card", "balance", "address"}
    hidden = set(ALL) - shown
    assert all(withheld(answer, name) for name in hidden)
    assert all(customer(1)[name] not in text_of(answer) for name in hidden - {"segment"})


def test_every_withheld_field_says_why_and_what_to_do(bank):
    answer = bank.reveal(MINE, ALL)
    for shown in answer.fields.values():
        if shown.shown == "withheld":
            assert shown.reasons
            assert all(reason.remedy.text for reason in shown.reasons)


@pytest.mark.parametrize("field", ["dob", "national_id", "postcode"])
def test_a_field_that_is_only_compared_is_shown_to_nobody(bank, field):
    step_up(bank)
    bank.change_reason("card-lost")
    answer = bank.reveal(MINE, [field])
    assert "field.verify_only" in rules(answer)
    assert customer(1)[field] not in text_of(answer)


def test_a_card_is_shown_by_its_last_digits_only(bank):
    step_up(bank)
    shown = bank.reveal(MINE, ["card"]).fields["card"]
    assert shown.shown == "masked"
    assert customer(1)["card"] not in text_of(shown)
    assert customer(1)["card"][:12] not in text_of(shown)


def test_a_sensitive_field_without_a_step_up(bank):
    answer = bank.reveal(MINE, ["balance"])
    assert isinstance(answer, Refused)
    assert answer.code == "step_up_required"
    assert "101.50" not in text_of(answer)


def test_a_step_up_opens_no_field_outside_the_set(bank):
    step_up(bank)
    assert rules(bank.reveal(MINE, ["email"])) == {"field.set"}


def test_a_critical_field_is_compared_only_after_a_step_up(bank):
    right = {"national_id": customer(1)["national_id"]}
    answer = bank.verify(MINE, right)
    assert isinstance(answer, Refused)
    assert answer.code == "step_up_required"
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(0,)]
    bank.take_step_up(answer.challenge)
    assert bank.verify(MINE, right).match


def test_a_field_that_does_not_exist_is_told_only_to_those_who_may_know(bank):
    with pytest.raises(InvalidInput) as told:
        bank.reveal(MINE, ["name", "shoe_size"])
    assert told.value.field == "fields[1]"
    for stranger in (
        bank.reveal(THEIRS, ["shoe_size"]),
        bank.reveal(MINE, ["shoe_size"], contact="CT-404"),
    ):
        assert "shoe_size" not in text_of(stranger)
        assert rules(stranger) <= {"customer.bound", "contact.yours"}


def test_a_collection_that_does_not_exist_is_told_only_to_those_who_may_know(bank):
    with pytest.raises(InvalidInput) as told:
        bank.reveal(MINE, ["name"], collection="loans")
    assert told.value.field == "collection"
    assert rules(bank.reveal(MINE, ["name"], collection="loans", contact="CT-404")) == {
        "contact.yours"
    }


def test_a_record_of_another_customer(bank):
    ((theirs,),) = bank.sql(
        "SELECT id FROM vault_record WHERE customer = ?", bank.customers[THEIRS]
    )
    with pytest.raises(InvalidInput) as told:
        bank.reveal(MINE, ["name"], record=theirs)
    assert told.value.field == "record"


def test_a_field_that_the_reason_does_not_let_change(bank):
    assert isinstance(bank.update(MINE, {"address": "1 Elsewhere Street"}), Refused)
    assert isinstance(bank.update(MINE, {"balance": "1000000.00"}), Refused)
    assert isinstance(bank.update(MINE, {"customer_no": "C00002"}), Refused)
    assert bank.sql("SELECT MAX(version) FROM vault_record") == [(1,)]


@pytest.fixture
def changing(bank):
    """The same call, when the reason lets the address be changed."""
    bank.take_step_up(bank.change_reason("contact-change").challenge)
    bank.change_reason("contact-change")
    return bank


def test_one_field_too_many_changes_nothing(changing):
    values = {"address": "1 Elsewhere Street", "phone": "+12025550199"}
    assert "field.set" in rules(changing.update(MINE, values))
    assert changing.sql("SELECT MAX(version) FROM vault_record") == [(1,)]


def test_a_change_to_another_customer(changing):
    assert rules(changing.update(THEIRS, {"address": "1 Elsewhere Street"})) == {"customer.bound"}
    changing.search(customer(2)["phone"])
    assert "customer.verified_change" in rules(
        changing.update(THEIRS, {"address": "1 Elsewhere Street"})
    )
    assert changing.sql("SELECT MAX(version) FROM vault_record") == [(1,)]


def test_a_change_repeated_under_its_idempotency_key_is_made_once(changing):
    key = ("again", b"the same body")
    assert isinstance(changing.update(MINE, {"address": "1 Elsewhere Street"}, key=key), Updated)
    with pytest.raises(Conflict) as told:
        changing.update(MINE, {"address": "1 Elsewhere Street"}, key=key)
    assert told.value.code == "repeated"
    assert changing.sql("SELECT MAX(version) FROM vault_record") == [(2,)]


def test_a_change_that_was_refused_under_a_key_is_not_taken_for_made(bank):
    asked = {"key": ("once", b"the same body")}
    assert isinstance(bank.update(MINE, {"address": "1 Elsewhere Street"}, **asked), Refused)
    bank.take_step_up(bank.change_reason("contact-change").challenge)
    bank.change_reason("contact-change")
    assert isinstance(bank.update(MINE, {"address": "1 Elsewhere Street"}, **asked), Updated)
    with pytest.raises(Conflict, match="made already"):
        bank.update(MINE, {"address": "1 Elsewhere Street"}, **asked)


def test_a_value_that_is_not_of_its_type_changes_nothing(changing):
    with pytest.raises(InvalidInput) as told:
        changing.update(MINE, {"email": "nobody"})
    assert told.value.field in {"email", "values.email"}
    assert "nobody" not in told.value.message
    assert changing.sql("SELECT MAX(version) FROM vault_record") == [(1,)]


def test_a_value_is_shown_no_longer_than_the_contact_lasts(bank):
    bank.end()
    bank.advance(60)
    answer = bank.reveal(MINE, ["name"])
    assert isinstance(answer, Revealed)
    assert answer.fields["name"].until == "2026-11-23T12:02:00.000000Z"
