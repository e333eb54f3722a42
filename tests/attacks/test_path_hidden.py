"""Attacks that compare answers: whether a customer, client or contact exists is told only to those whom it concerns.

What an answer says, what its line says, and what work it cost are the same for what is hidden and what is not there.
Work is counted, not timed: the statements that ran, the rows that were sealed or opened. (`bench/` has it timed.)
"""

from __future__ import annotations

import json

import pytest

from holdfast.kit.errors import NotFound
from holdfast.spine.operations.decisions import read_decision
from holdfast.spine.turn.answers import Revealed
from support.answers import body, rules, text_of
from support.bank import customer, new_bank
from support.counting import counted, entries, record_size
from support.second import SECOND, SecondClient

MINE, HIDDEN, ABSENT = "C00001", "C00002", "cus_01m000000000000000000000zz"
NO_DECISION = "dec_" + "0" * 26


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    assert isinstance(bank.reveal(MINE, ["name"]), Revealed)
    yield bank
    bank.close()


def looks(bank, name):
    """Every way to ask for a customer by id."""
    return (
        lambda **more: bank.reveal(name, ["name", "acct", "dob"], **more),
        lambda **more: bank.verify(name, {"dob": "1990-02-03", "postcode": "10002"}, **more),
        lambda **more: bank.update(name, {"address": "1 Elsewhere Street"}, **more),
        lambda **more: bank.act(name, "reset_login", [NO_DECISION], **more),
        lambda **more: bank.act(name, "change_phone", values={"phone": "+12025550199"}, **more),
    )


@pytest.mark.parametrize("number", range(5))
def test_a_hidden_customer_and_an_absent_one_are_answered_alike(bank, number):
    hidden, absent = looks(bank, HIDDEN)[number](), looks(bank, ABSENT)[number]()
    assert rules(hidden) == {"customer.bound"}
    assert body(hidden) == body(absent)
    assert len(text_of(hidden)) == len(text_of(absent))


@pytest.mark.parametrize("number", range(5))
def test_their_lines_and_records_are_of_one_size(bank, number):
    looks(bank, HIDDEN)[number]()
    looks(bank, ABSENT)[number]()
    hidden, absent = entries(bank)[-2:]
    assert len(hidden) == len(absent)
    differing = {k for k, v in json.loads(hidden).items() if json.loads(absent)[k] != v}
    assert differing <= {"id", "decision", "record"}
    assert record_size(bank, hidden) == record_size(bank, absent)


@pytest.mark.parametrize("number", range(5))
def test_they_cost_the_same_work(bank, number):
    hidden, absent = looks(bank, HIDDEN)[number], looks(bank, ABSENT)[number]
    hidden(), absent()  # what is remembered between requests is remembered now
    with counted(bank) as first:
        hidden()
    with counted(bank) as second:
        absent()
    assert first == second
    assert sum(first.values()) > 10


def test_a_decoy_is_opened_for_both(bank):
    """Not only alike: a refusal before any decryption would tell by its speed that there was nothing to open."""
    with counted(bank) as work:
        looks(bank, HIDDEN)[0]()
    assert work["decrypt"] >= 1


@pytest.mark.parametrize("contact", ["CT-404", "CT-THEIRS"])
def test_a_contact_of_somebody_else_and_none_at_all_are_answered_alike(bank, contact):
    bank.connect("CT-THEIRS", number=2, agent=bank.other)
    told = bank.reveal(HIDDEN, ["name"], contact=contact)
    nobody = bank.reveal(ABSENT, ["name"], contact="CT-405")
    assert rules(told) == {"contact.yours"}
    assert body(told) == body(nobody)


def test_a_search_on_a_strangers_contact_tells_nothing(bank):
    bank.connect("CT-THEIRS", number=2, agent=bank.other)
    for contact in ("CT-THEIRS", "CT-404"):
        known = bank.search(customer(1)["phone"], contact=contact)
        unknown = bank.search("+12025550199", contact=contact)
        malformed = bank.search("not a phone", contact=contact)
        assert rules(known) == {"contact.yours"}
        assert body(known) == body(unknown) == body(malformed)


def everything(bank, client):
    asked = {"client": client, "contact": "CT-X"}
    return [
        *(look(**asked) for look in looks(bank, ABSENT)),
        bank.search("+12025550101", **asked),
        bank.change_reason("dispute", **asked),
    ]


def test_a_client_of_others_and_one_that_does_not_exist_are_answered_alike(bank):
    SecondClient(bank)
    others, nobodys = everything(bank, SECOND), everything(bank, "bank-99")
    assert [body(answer) for answer in others] == [body(answer) for answer in nobodys]
    assert {answer.leaf.log for answer in others + nobodys} == {""}
    assert rules(others[0]) == {"person.assigned"}


def test_a_client_of_others_that_accepts_few_networks_does_not_show_it(bank):
    SecondClient(
        bank, **{"[verification]": '[networks]\nallowed = ["192.0.2.0/24"]\n\n[verification]'}
    )
    assert body(bank.reveal(ABSENT, ["name"], client=SECOND)) == body(
        bank.reveal(ABSENT, ["name"], client="bank-99")
    )


def test_a_decision_about_a_client_of_others_is_kept_but_not_read_by_who_guessed(bank):
    SecondClient(bank)
    for client in (SECOND, "bank-99"):
        answer = bank.reveal(ABSENT, ["name"], client=client)
        work = read_decision(bank.house, bank.caller(), answer.decision)
        with pytest.raises(NotFound):
            bank.house.transact(work)


def test_a_contact_id_alone_does_not_tell_whose_it_is(bank):
    """A reason is changed by the contact's id; of a client of others, or of none, nothing is told."""
    second = SecondClient(bank)
    second.import_customer(1)
    second.assign(bank.other)
    second.connect("CT-X", bank.other, 1)
    theirs = bank.change_reason("dispute", contact="CT-X", client="")
    nobodys = bank.change_reason("dispute", contact="CT-404", client="")
    assert body(theirs) == body(nobodys)


def test_a_thief_of_a_bound_token_learns_only_that_it_is_bound(bank):
    bound = bank.new_token(bank.agent, networks=("192.0.2.0/24",), device="desk-7")
    bank.peer, bank.device = "198.51.100.7", "desk-8"
    told = [
        body(bank.reveal(name, ["name"], contact=contact, client=client, agent=bound))
        for name in (MINE, ABSENT)
        for contact in ("CT-1", "CT-404")
        for client in ("bank-01", "bank-99")
    ]
    for one in told:
        assert {reason["rule"] for reason in one["reasons"]} == {"place.network", "place.device"}
        assert one["challenge"] is None
    assert len({json.dumps({**one, "leaf": ""}) for one in told}) == 1


def test_the_thief_of_a_bound_token_neither_searches_nor_verifies(bank):
    bound = bank.new_token(bank.agent, device="desk-7")
    bank.device = "desk-8"
    for answer in (
        bank.search(customer(1)["phone"], agent=bound),
        bank.verify(MINE, {"dob": customer(1)["dob"]}, agent=bound),
        bank.change_reason("card-lost", agent=bound),
    ):
        assert rules(answer) == {"place.device"}
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM purpose_search_value") == [(0,)]
