"""Attacks on the proof of an action: whoever lets themselves be talked into a reset must not get it through."""

from __future__ import annotations

from functools import partial

import pytest

from holdfast.spine.operations.act import Wanted, act
from holdfast.spine.turn.answers import Acted
from support.acting import RESET, permitted, ready
from support.answers import rules
from support.at_once import in_one_turn, in_threads
from support.bank import customer, new_bank

MINE, THEIRS = "C00001", "C00002"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


def refused(bank, *proof, name=MINE, action=RESET, **more):
    """Whether the action is refused, and by which rules; nothing may have been permitted."""
    before = bank.sql("SELECT COUNT(*) FROM actions_permit")
    answer = bank.act(name, action, proof, **more)
    assert bank.sql("SELECT COUNT(*) FROM actions_permit") == before
    return rules(answer)


def why(bank, *proof):
    (reason,) = (r for r in bank.act(MINE, RESET, proof).reasons if r.rule == "act.proven")
    return reason.value


def test_no_proof_at_all(bank):
    ready(bank)
    assert refused(bank) == {"act.proven"}


@pytest.mark.parametrize("proof", ["dec_00000000000000000000000000", "I-asked-him-his-birthday"])
def test_a_claim_instead_of_a_decision(bank, proof):
    ready(bank)
    assert refused(bank, proof) == {"act.proven"}


def test_the_proof_of_an_earlier_call(bank):
    old = ready(bank, "CT-0")
    bank.end("CT-0")
    bank.advance(200)
    bank.connect(reason="contact-change")
    assert "act.proven" in refused(bank, old)
    assert why(bank, old) == "a decision that is no verification of yours in this contact"


def test_the_proof_of_a_colleague(bank):
    proof = ready(bank)
    bank.send(bank.event("transferred", person=bank.other.staff_id))
    bank.send(bank.event("connected", person=bank.other.staff_id))
    bank.step_up = None
    answer = bank.act(MINE, RESET, [proof], agent=bank.other)
    assert "act.proven" in rules(answer)


def test_the_proof_of_another_customer(bank):
    bank.connect("CT-2", number=2, reason="contact-change")
    theirs = bank.prove(2, contact="CT-2")
    bank.end("CT-2")
    ready(bank)
    assert refused(bank, theirs) == {"act.proven"}


def test_the_action_on_a_customer_who_is_not_on_the_line(bank):
    proof = ready(bank)
    assert refused(bank, proof, name=THEIRS) == {"customer.bound"}


def test_answers_that_did_not_match(bank):
    ready(bank)
    wrong = bank.verify(MINE, {"dob": "1950-01-01", "postcode": "99999"})
    assert refused(bank, wrong.decision) == {"act.proven"}
    assert why(bank, wrong.decision) == "a verification that did not match"


def test_a_wrong_answer_among_right_ones(bank):
    right = ready(bank)
    wrong = bank.verify(MINE, {"dob": "1950-01-01"})
    assert refused(bank, right, wrong.decision) == {"act.proven"}


def test_the_same_question_answered_twice(bank):
    ready(bank)
    one = bank.prove(1, "dob")
    assert refused(bank, one, one) == {"act.proven"}
    assert refused(bank, one, bank.prove(1, "dob")) == {"act.proven"}
    assert why(bank, one) == "1 of 2 questions"


def test_a_look_instead_of_an_answer(bank):
    ready(bank)
    look = bank.reveal(MINE, ["name"])
    assert refused(bank, look.decision) == {"act.proven"}


def test_an_action_that_the_reason_does_not_need(bank):
    bank.connect(reason="dispute")
    assert "act.of_reason" in refused(bank, bank.prove())


def test_an_action_that_the_contract_does_not_name(bank):
    proof = ready(bank)
    assert "act.of_reason" in refused(bank, proof, action="wire_money")


def test_an_action_in_a_system_that_the_contract_does_not_name(bank):
    proof = ready(bank)
    assert refused(bank, proof, target="payroll") == {"act.of_reason"}


def test_the_second_reset_of_the_day(bank):
    first = permitted(bank)
    assert first.permit
    assert refused(bank, bank.prove()) == {"act.day"}
    bank.end()
    bank.advance(3600)
    bank.step_up = None
    proof = ready(bank, "CT-9", step_up=False)
    assert "act.day" in rules(bank.act(MINE, RESET, [proof], contact="CT-9"))


def test_the_second_reset_by_another_agent(bank):
    permitted(bank)
    bank.end()
    bank.step_up = None
    bank.connect("CT-2", agent=bank.other, reason="contact-change")
    proof = bank.prove(contact="CT-2", agent=bank.other)
    answer = bank.act(MINE, RESET, [proof], contact="CT-2", agent=bank.other)
    assert "act.day" in rules(answer)


@pytest.mark.parametrize("at_once", [in_one_turn, in_threads])
def test_32_resets_at_once_are_one(bank, at_once):
    proof = ready(bank)
    asked, customer_id = bank.asked(), bank.id_of(MINE)
    wanted = Wanted(RESET, (proof,))
    answers = at_once(bank, lambda house, _number: partial(act, house, asked, customer_id, wanted))
    assert sum(isinstance(answer, Acted) for answer in answers) == 1
    assert bank.sql("SELECT COUNT(*) FROM actions_permit") == [(1,)]
    assert len(bank.leaves("action.permitted")) == 1


def test_an_action_without_confirming_who_one_is(bank):
    proof = ready(bank, step_up=False)
    assert refused(bank, proof) == {"act.step_up"}


def test_an_action_for_a_caller_who_is_not_known(bank):
    bank.connect(number=None, reason="contact-change")
    bank.search(customer(1)["phone"])
    wrong = bank.verify(MINE, {"dob": "1950-01-01", "postcode": "9"})
    assert "customer.verified_change" in refused(bank, wrong.decision)


def test_an_action_after_the_call(bank):
    proof = ready(bank)
    bank.end()
    bank.advance(121)
    assert refused(bank, proof) == {"contact.live"}
