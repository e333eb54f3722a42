"""One call, from connected to ended: what the agent sees, what is refused, and what the client can read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.spine.turn.answers import Found, Refused, Revealed, Updated, Verified
from support.bank import Bank, customer, new_bank

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


def test_a_call_from_its_first_second_to_its_last(bank: Bank) -> None:
    bank.connect()
    found = bank.search(customer(1)["phone"])
    assert isinstance(found, Found)
    assert [hit.customer for hit in found.hits] == [bank.customers["C00001"]]
    assert found.hits[0].fields["name"].shown == "masked"

    shown = bank.reveal("C00001", ["name", "acct"])
    assert isinstance(shown, Revealed)
    assert shown.outcome == "permit"
    assert shown.fields["name"].value == "Robin Example1"
    assert shown.fields["acct"].value == customer(1)["acct"]

    partial = bank.reveal("C00001", ["name", "email"])
    assert partial.outcome == "partial"
    assert partial.fields["email"].value is None
    assert partial.fields["email"].reasons[0].rule == "field.set"

    matched = bank.verify("C00001", {"dob": customer(1)["dob"]})
    assert isinstance(matched, Verified)
    assert matched.match
    assert not bank.verify("C00001", {"dob": "1980-01-01"}).match

    refused = bank.reveal("C00001", ["balance"])
    assert isinstance(refused, Refused)
    assert refused.code == "step_up_required"
    bank.take_step_up(refused.challenge)
    assert bank.reveal("C00001", ["balance"]).fields["balance"].value == "101.50"

    bank.end()
    bank.advance(121)
    over = bank.reveal("C00001", ["name"])
    assert isinstance(over, Refused)
    assert [reason.rule for reason in over.reasons] == ["contact.live"]


def test_an_unknown_caller_is_bound_by_two_answers(bank: Bank) -> None:
    bank.connect(number=None)
    bank.search(customer(2)["acct"], by="acct")
    before = bank.reveal("C00002", ["name", "acct"])
    assert before.fields["name"].shown == "masked"
    assert before.fields["acct"].shown == "withheld"

    answers = {"dob": customer(2)["dob"], "postcode": customer(2)["postcode"]}
    assert bank.verify("C00002", answers).bound
    assert bank.reveal("C00002", ["acct"]).fields["acct"].value == customer(2)["acct"]
    assert len(bank.leaves("contact.bound")) == 1


def test_an_answer_that_asks_for_a_step_up_asks_for_it_beside_others_too(bank: Bank) -> None:
    bank.connect(number=None)
    bank.search(customer(2)["acct"], by="acct")
    answers = {name: customer(2)[name] for name in ("dob", "national_id")}
    refused = bank.verify("C00002", answers)
    assert isinstance(refused, Refused)
    assert refused.code == "step_up_required"
    bank.take_step_up(refused.challenge)
    assert bank.verify("C00002", answers).bound
    beyond = bank.verify("C00002", answers | {"email": "robin@example.com"})
    assert isinstance(beyond, Refused)
    assert beyond.code == "denied"
    assert beyond.challenge is None


def test_a_caller_whose_record_was_changed_is_known_by_phone_at_the_next_call(bank: Bank) -> None:
    bank.connect()
    wider = bank.change_reason("contact-change")
    bank.take_step_up(wider.challenge)
    bank.change_reason("contact-change")
    assert isinstance(bank.update("C00001", {"address": "9 New Street, Springfield"}), Updated)
    bank.end()
    bank.step_up = None
    bank.advance(300)
    bank.connect("CT-2")
    shown = bank.reveal("C00001", ["name"], contact="CT-2")
    assert isinstance(shown, Revealed)
    assert shown.fields["name"].shown == "clear"


def test_an_agent_changes_the_reason_and_then_the_address(bank: Bank) -> None:
    bank.connect()
    refused = bank.update("C00001", {"address": "9 New Street, Springfield"})
    assert isinstance(refused, Refused)
    wider = bank.change_reason("contact-change")
    assert wider.code == "step_up_required"
    bank.take_step_up(wider.challenge)
    assert bank.change_reason("contact-change").changes_left == 0
    done = bank.update("C00001", {"address": "9 New Street, Springfield"})
    assert isinstance(done, Updated)
    assert done.version == 2
    shown = bank.reveal("C00001", ["address", "phone"])
    assert shown.fields["address"].value == "9 New Street, Springfield"
    assert shown.fields["phone"].value is not None


def test_who_changes_the_reason_of_an_unknown_contact_is_told_of_the_contact(bank: Bank) -> None:
    refused = bank.change_reason("contact-change", contact="CT-404", client="")
    assert isinstance(refused, Refused)
    assert [reason.rule for reason in refused.reasons] == ["contact.yours"]
    elsewhere = bank.change_reason("contact-change", contact="CT-404", client="bank-77")
    assert [(reason.rule, reason.value) for reason in elsewhere.reasons] == [
        ("person.assigned", "none")
    ]
