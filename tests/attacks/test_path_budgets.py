"""Attacks on how much a person may look at: the budget of the bank's contract, and ways around it."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import import_customers
from holdfast.kit.errors import Conflict
from holdfast.spine.turn.answers import Refused, Revealed
from support.answers import rules
from support.bank import customer, new_bank

HOUR = 3600
A_BODY = b"the same body"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


def calls(bank, numbers, *, agent=None, **asked):
    """One call after the other, each of another customer; how many of them were shown."""
    shown = 0
    for number in numbers:
        contact = f"CT-{number}-{(agent or bank.agent).staff_id}"
        bank.connect(contact, number=number, agent=agent)
        answer = bank.reveal(f"C{number:05d}", ["name"], contact=contact, agent=agent, **asked)
        shown += isinstance(answer, Revealed)
        bank.advance(1)
    return shown, answer


@pytest.fixture
def full(bank):
    """A bank with more customers than an hour allows."""
    rows = [customer(number) for number in range(6, 26)]
    bank.customers |= import_customers(bank.house, bank.admin, rows)
    return bank


def test_more_customers_than_an_hour_allows(full):
    shown, last = calls(full, range(1, 23))
    assert shown == 20
    assert rules(last) == {"budget.customers_hour"}
    assert "20" not in {reason.value for reason in last.reasons}


def test_a_new_token_is_no_new_budget(full):
    calls(full, range(1, 21))
    again = full.new_token(full.agent)
    assert rules(calls(full, [21], agent=again)[1]) == {"budget.customers_hour"}


def test_a_colleague_has_a_budget_of_their_own(full):
    calls(full, range(1, 21))
    assert calls(full, [21], agent=full.other)[0] == 1


def test_the_hour_slides(full):
    calls(full, range(1, 21))
    full.advance(HOUR - 120)
    assert calls(full, [21])[0] == 0
    full.advance(180)
    assert calls(full, [21])[0] == 1


def test_looking_again_at_todays_customer_is_free(full):
    calls(full, range(1, 21))
    assert calls(full, [20, 20])[0] == 2


def test_refused_looks_are_counted_too(full):
    full.connect()
    for number in range(2, 22):
        assert rules(full.reveal(f"C{number:05d}", ["name"])) == {"customer.bound"}
    assert rules(full.reveal("C00001", ["name"])) == {"budget.customers_hour"}


def test_guessed_ids_are_counted_like_customers(full):
    full.connect()
    for number in range(20):
        full.reveal(f"cus_{number:026d}", ["name"])
    assert rules(full.reveal("C00001", ["name"])) == {"budget.customers_hour"}


def test_a_look_that_only_the_budget_refuses_costs_nothing(full):
    calls(full, range(1, 23))
    rows = full.sql("SELECT COUNT(*) FROM decision_budget_customer")
    assert rows == [(20,)]


def test_an_idempotency_key_buys_no_second_customer(full):
    full.connect()
    first = full.reveal("C00001", ["name"], key=("k-1", A_BODY))
    assert isinstance(first, Revealed)
    with pytest.raises(Conflict) as told:
        full.reveal("C00001", ["acct"], key=("k-1", b"another body"))
    assert told.value.code == "idempotency_conflict"


def test_a_repeated_request_is_the_same_decision_judged_again_with_a_line_of_its_own(bank):
    bank.connect()
    first = bank.reveal("C00001", ["name"], key=("k-1", A_BODY))
    again = bank.reveal("C00001", ["name"], key=("k-1", A_BODY))
    assert again.decision == first.decision
    assert again.leaf.id != first.leaf.id
    lines = bank.leaves("decision.made")
    assert [line["decision"] for line in lines] == [first.decision] * 2
    bank.end()
    bank.advance(HOUR)
    assert rules(bank.reveal("C00001", ["name"], key=("k-1", A_BODY))) == {"contact.live"}


def test_a_key_used_with_many_customers_does_not_get_round_the_budget(full):
    """The key of the first request, sent with other requests, is refused; with the same one it shows the same."""
    shown = 0
    for number in range(1, 23):
        full.connect(f"CT-{number}", number=number)
        try:
            answer = full.reveal(
                f"C{number:05d}", ["name"], contact=f"CT-{number}", key=("k", b"%d" % number)
            )
        except Conflict:
            continue
        shown += isinstance(answer, Revealed)
    assert shown == 1


def test_a_fresh_key_for_every_request_pays_for_every_request(full):
    shown = 0
    for number in range(1, 23):
        full.connect(f"CT-{number}", number=number)
        answer = full.reveal(
            f"C{number:05d}", ["name"], contact=f"CT-{number}", key=(f"k-{number}", A_BODY)
        )
        shown += isinstance(answer, Revealed)
        full.advance(1)
    assert shown == 20


def test_a_step_up_asked_for_under_a_key_does_not_make_the_value_free_afterwards(bank):
    """The repeat that succeeds after the step-up costs what it shows."""
    bank.connect()
    asked = {"key": ("k", A_BODY)}
    bank.take_step_up(bank.reveal("C00001", ["balance"], **asked).challenge)
    assert isinstance(bank.reveal("C00001", ["balance"], **asked), Revealed)
    assert used(bank, "sensitive_fields") == 1


def test_refusals_saved_up_under_keys_are_no_looks_on_credit(full):
    """What only the budget refused was not charged; its repeats after the hour are."""
    calls(full, range(1, 21))
    asked = {"contact": "CT-21", "key": ("k", A_BODY)}
    full.connect("CT-21", number=21)
    assert rules(full.reveal("C00021", ["name"], **asked)) == {"budget.customers_hour"}
    full.advance(HOUR - 60)
    full.send(full.event("held", "CT-21"))
    full.advance(120)
    before = full.sql("SELECT COUNT(*) FROM decision_budget_customer")[0][0]
    assert isinstance(full.reveal("C00021", ["name"], **asked), Revealed)
    assert full.sql("SELECT COUNT(*) FROM decision_budget_customer") == [(before + 1,)]


def test_a_colleagues_key_is_not_ones_own(bank):
    bank.connect()
    bank.reveal("C00001", ["name"], key=("k", A_BODY))
    bank.connect("CT-2", number=2, agent=bank.other)
    answer = bank.reveal("C00002", ["name"], key=("k", b"other"), contact="CT-2", agent=bank.other)
    assert isinstance(answer, Revealed)


def test_what_is_kept_of_a_repeated_request_is_no_value_and_no_guessable_hash(bank):
    bank.connect()
    bank.reveal("C00001", ["name"], key=("k", A_BODY))
    ((key, mac, decision),) = bank.sql("SELECT key, body_mac, decision FROM decision_idempotency")
    assert (key, decision[:4]) == ("k", "dec_")
    assert bytes(mac) != A_BODY
    assert len(bytes(mac)) == 32
    assert customer(1)["name"].encode() not in bank.all_bytes()


def test_more_sensitive_fields_than_a_day_allows(bank):
    bank.connect()
    bank.take_step_up(bank.reveal("C00001", ["balance"]).challenge)
    shown = 0
    for _ in range(40):
        answer = bank.reveal("C00001", ["balance", "card"])
        if isinstance(answer, Refused):
            break
        shown += 2
    assert shown == 60
    assert rules(answer) == {"budget.sensitive_day"}
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)


def used(bank, kind):
    rows = bank.sql("SELECT SUM(used) FROM decision_budget WHERE kind = ?", kind)
    return rows[0][0]


def test_the_table_of_customers_names_nobody(bank):
    bank.connect()
    bank.reveal("C00001", ["name"])
    ((mac,),) = bank.sql("SELECT customer_mac FROM decision_budget_customer")
    assert bank.customers["C00001"].encode() not in bytes(mac)
    bank.advance(24 * HOUR)
    bank.connect("CT-2")
    bank.reveal("C00001", ["name"], contact="CT-2")
    macs = {bytes(row[0]) for row in bank.sql("SELECT customer_mac FROM decision_budget_customer")}
    assert len(macs) == 2
