"""Attacks on the one more attempt that a second person approves, once the attempts to verify are used up (SPINE 11)."""

from __future__ import annotations

import json
from functools import partial

import msgspec
import pytest

from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import Conflict, Denied, NotFound
from holdfast.spine.operations.decisions import read_decision
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Refused, Verified
from support.answers import body, rules, text_of
from support.approving import WITH_APPROVAL, approving_bank
from support.at_once import in_one_turn, in_processes, in_threads
from support.bank import customer
from support.stores import raw

MINE, THEIRS, ABSENT = "C00001", "C00002", "cus_01m000000000000000000000zz"
WRONG = {"dob": "1950-01-01"}
RIGHT = {"dob": customer(1)["dob"]}
ELSE = "the approval is for something else"


@pytest.fixture
def bank(tmp_path):
    """A caller known by the feed, of whose date of birth no attempt is left in this contact."""
    bank = approving_bank(tmp_path / "house")
    bank.connect()
    use_up(bank)
    yield bank
    bank.close()


def use_up(bank, contact="CT-1", times=3, **more):
    for _ in range(times):
        assert not bank.verify(MINE, WRONG, contact=contact, **more).match


def attempts(bank, field="dob"):
    rows = bank.sql("SELECT COUNT(*) FROM decision_verify_attempt WHERE field = ?", field)
    return rows[0][0]


def approved(bank, answers=WRONG, **more):
    return bank.granted(bank.ask(bank.verify(MINE, answers, **more)))


def told(answer, rule="budget.verify_contact"):
    assert isinstance(answer, Refused), answer
    assert answer.code == "approval_required"
    return next(reason.value for reason in answer.reasons if reason.rule == rule)


# ── what it gives ───────────────────────────────────────────────────────────────────────────────────────────────


def test_once_they_are_used_up_the_way_to_one_more_is_told(bank):
    answer = bank.verify(MINE, RIGHT)
    assert told(answer) == "used up for this contact; approval: not given"
    assert {reason.remedy.href for reason in answer.reasons} == {"/v1/approvals"}
    assert attempts(bank) == 3


def test_right_and_wrong_are_told_alike_while_nobody_approved(bank):
    assert body(bank.verify(MINE, RIGHT)) == body(bank.verify(MINE, WRONG))


@pytest.mark.parametrize(("answers", "match"), [(RIGHT, True), (WRONG, False)])
def test_it_gives_one_attempt_and_is_used_whether_it_matches_or_not(bank, answers, match):
    ident = approved(bank)
    answer = bank.verify_with(ident, MINE, answers)
    assert isinstance(answer, Verified)
    assert (answer.match, answer.attempts_left) == (match, 0)
    assert bank.leaves("decision.made")[-1]["approval"] == ident
    assert bank.state_of(ident) == "used"
    again = bank.verify_with(ident, MINE, RIGHT)
    assert told(again) == "used up for this contact; approval: the approval is used"
    assert attempts(bank) == 4


def test_it_is_used_although_the_record_then_does_not_verify(bank):
    ident = approved(bank)
    bank.sql("UPDATE vault_record SET body = ?", b"\0")
    assert rules(bank.verify_with(ident, MINE, RIGHT)) == {"vault.integrity"}
    assert bank.state_of(ident) == "used"
    assert bank.leaves("decision.made")[-1]["approval"] == ident
    assert attempts(bank) == 4


def test_the_approved_attempt_counts_against_the_day(bank):
    """Three, one approved, one in another contact: the day's five are gone."""
    bank.verify_with(approved(bank), MINE, WRONG)
    bank.connect("CT-2", channel="chat")
    assert isinstance(bank.verify(MINE, WRONG, contact="CT-2"), Verified)
    answer = bank.verify(MINE, RIGHT, contact="CT-2")
    assert rules(answer) == {"budget.verify_day"}
    ident = bank.granted(bank.ask(answer))
    assert bank.verify_with(ident, MINE, RIGHT, contact="CT-2").match
    assert attempts(bank) == 6


def test_an_approval_in_the_hand_is_used_although_an_attempt_was_left(bank):
    """It is never a way to try without losing anything: what covers the request is used by it."""
    ident = approved(bank)
    bank.advance(60)
    with bank.house.stores() as stores:
        raw(stores.data, "DELETE FROM decision_verify_attempt")
    assert isinstance(bank.verify_with(ident, MINE, WRONG), Verified)
    assert bank.state_of(ident) == "used"
    assert attempts(bank) == 1


def test_a_repeated_request_does_not_bring_it_back(bank):
    ident = approved(bank)
    key = ("k", b"same")
    assert isinstance(bank.verify_with(ident, MINE, WRONG, key=key), Verified)
    assert isinstance(bank.verify_with(ident, MINE, WRONG, key=key), Refused)
    assert attempts(bank) == 4


# ── what it is for ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answers",
    [
        {"postcode": "10001"},
        {"dob": "1950-01-01", "postcode": "10001"},
        {"dob": "1950-01-01", "national_id": "900-12-0001"},
    ],
)
def test_other_questions_than_were_approved(bank, answers):
    bank.verify(MINE, {"postcode": "99999"})
    ident = approved(bank)
    bank.verify_with(ident, MINE, answers)
    assert bank.state_of(ident) == "granted"


def test_fewer_questions_than_were_approved(bank):
    """A verdict over one answer tells more than one over two."""
    ident = approved(bank, WRONG | {"postcode": "99999"})
    answer = bank.verify_with(ident, MINE, WRONG)
    assert told(answer) == f"used up for this contact; approval: {ELSE}"
    assert bank.state_of(ident) == "granted"
    assert attempts(bank) == 3


def test_another_customer_contact_or_person(bank):
    ident = approved(bank)
    bank.connect("CT-2", number=2, channel="chat")
    bank.connect("CT-3", agent=bank.other, channel="chat")
    use_up(bank, "CT-3", times=2, agent=bank.other)
    tries = (
        (THEIRS, {"contact": "CT-2"}),
        (MINE, {"contact": "CT-3", "agent": bank.other}),
    )
    for name, more in tries:
        bank.verify_with(ident, name, WRONG, **more)
        assert bank.state_of(ident) == "granted"


def test_another_record(bank):
    record = bank.sql("SELECT id FROM vault_record WHERE customer = ?", bank.id_of(MINE))[0][0]
    ident = approved(bank)
    answer = bank.verify_with(ident, MINE, WRONG, record=record)
    assert told(answer) == f"used up for this contact; approval: {ELSE}"
    assert bank.state_of(ident) == "granted"


def test_an_approval_of_a_look_is_no_attempt(bank):
    ident = bank.granted(bank.asked_for())
    answer = bank.verify_with(ident, MINE, RIGHT)
    assert told(answer) == f"used up for this contact; approval: {ELSE}"
    assert bank.state_of(ident) == "granted"


def test_an_approval_of_an_attempt_is_no_look(bank):
    ident = approved(bank)
    assert rules(bank.reveal_with(ident)) == {"field.approval"}
    assert bank.state_of(ident) == "granted"


def test_it_has_lapsed(bank):
    ident = approved(bank)
    bank.clock.advance(15 * MINUTE_US)
    value = told(bank.verify_with(ident, MINE, RIGHT))
    assert value == "used up for this contact; approval: the approval has lapsed"
    assert attempts(bank) == 3


def test_the_contract_was_changed_since(bank):
    ident = approved(bank)
    bank.publish(WITH_APPROVAL.replace("attempts_per_day = 5", "attempts_per_day = 4"))
    assert isinstance(bank.verify_with(ident, MINE, RIGHT), Refused)
    assert bank.state_of(ident) == "granted"


def test_the_approver_was_suspended_since(bank):
    ident = approved(bank)
    bank.suspend(bank.lead)
    assert isinstance(bank.verify_with(ident, MINE, RIGHT), Refused)
    assert attempts(bank) == 3


# ── what it never lifts ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_of_the_contract_that_is_none(bank):
    """A soft outcome is not read off a denial: with an approval it would be refused as well (SPINE 1)."""
    answer = bank.verify(MINE, WRONG | {"acct": "0070000001"})
    assert answer.code == "denied"
    assert "field.set" in rules(answer)
    with pytest.raises(Conflict) as refused:
        bank.ask(answer)
    assert refused.value.code == "no_approval_needed"


def test_a_caller_who_is_not_known_yet_is_asked_all_questions(bank):
    bank.connect("CT-2", number=None, channel="chat")
    bank.search(customer(1)["phone"], contact="CT-2")
    wrong = WRONG | {"postcode": "99999"}
    for _ in range(2):
        bank.verify(MINE, wrong, contact="CT-2")
    assert rules(bank.verify(MINE, RIGHT, contact="CT-2")) == {"verify.combined"}
    ident = approved(bank, wrong, contact="CT-2")
    assert rules(bank.verify_with(ident, MINE, RIGHT, contact="CT-2")) == {"verify.combined"}
    assert bank.state_of(ident) == "granted"
    right = RIGHT | {"postcode": customer(1)["postcode"]}
    answer = bank.verify_with(ident, MINE, right, contact="CT-2")
    assert (answer.match, answer.bound) == (True, True)


def test_the_contact_is_over(bank):
    ident = approved(bank)
    bank.end()
    bank.advance(121)
    assert rules(bank.verify_with(ident, MINE, RIGHT)) == {"contact.live"}
    assert bank.state_of(ident) == "granted"


def test_a_step_up_that_is_missing(bank):
    """A critical answer is compared after a step-up only, approved or not."""
    with bank.house.stores() as stores:
        raw(stores.data, "UPDATE decision_verify_attempt SET field = 'national_id'")
    answer = bank.verify(MINE, {"national_id": "900-12-9999"})
    ident = bank.granted(bank.ask(answer))
    stepped = bank.verify_with(ident, MINE, {"national_id": "900-12-9999"})
    assert stepped.code == "step_up_required"
    assert bank.state_of(ident) == "granted"
    bank.take_step_up(stepped.challenge)
    assert isinstance(bank.verify_with(ident, MINE, {"national_id": "900-12-9999"}), Verified)


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────


def test_hidden_absent_and_unbound_customers_are_not_told_apart_by_it(bank):
    """Nor is it told of any of them whether attempts are left."""
    ident = approved(bank)
    bank.connect("CT-2", number=2, agent=bank.other, channel="chat")
    for _ in range(3):
        bank.verify(THEIRS, WRONG, contact="CT-2", agent=bank.other)
    answers = [bank.verify(name, WRONG) for name in (THEIRS, ABSENT, "C00003")]
    answers += [bank.verify_with(ident, name, WRONG) for name in (THEIRS, ABSENT, "C00003")]
    assert {json.dumps(body(answer)) for answer in answers} == {json.dumps(body(answers[0]))}
    assert rules(answers[0]) == {"customer.bound"}
    assert bank.state_of(ident) == "granted"


def test_the_approver_sees_no_value_and_not_what_was_answered(bank):
    answer = "1977-07-07"
    ident = bank.ask(bank.verify(MINE, {"dob": answer}))
    shown = bank.show(ident)
    assert (shown.kind, shown.wanted, shown.fields) == ("attempt", {"dob": "withheld"}, {})
    assert answer not in text_of(shown)
    assert not any(value in text_of(shown) for value in customer(1).values() if len(value) > 4)
    line = bank.leaves("decision.made")[-1]
    assert (line["op"], line["approval"]) == ("approve", ident)


def test_the_approver_is_not_told_whether_it_matched(bank):
    ident = approved(bank)
    before = text_of(bank.listed(bank.lead))
    decision = bank.verify_with(ident, MINE, RIGHT).decision
    assert text_of(bank.listed(bank.lead)) == before
    assert bank.show(ident, bank.agent).state == "used"
    with pytest.raises(NotFound):
        bank.house.transact(read_decision(bank.house, bank.caller(bank.other), decision))


def test_what_was_answered_stands_nowhere(bank):
    """Not in the request, not as a hash that a guess could be held against: equal requests are one request."""
    one = bank.ask(bank.verify(MINE, {"dob": "1977-07-07"}))
    other = bank.ask(bank.verify(MINE, {"dob": "1978-08-08"}))
    assert one == other
    row = bank.sql("SELECT subject, summary FROM approvals_request WHERE id = ?", one)[0]
    assert json.loads(row[0]) == {"dob": "withheld"}
    assert b"1977-07-07" not in bank.all_bytes()


# ── who may approve ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_colleague_approves(bank):
    ident = bank.ask(bank.verify(MINE, WRONG))
    with pytest.raises(NotFound):
        bank.decide(ident, bank.other)
    with pytest.raises(Denied):
        bank.decide(ident, bank.agent)
    assert bank.state_of(ident) == "asked"


def test_a_lead_who_approves_more_than_a_pair_may(bank):
    for _ in range(3):
        assert isinstance(bank.verify_with(approved(bank), MINE, WRONG), Verified)
    with pytest.raises(Denied) as refused:
        approved(bank)
    assert refused.value.code == "approval_limit"
    assert attempts(bank) == 6


# ── all at once ─────────────────────────────────────────────────────────────────────────────────────────────────


def guess(bank, ident, house, number):
    asked = msgspec.structs.replace(bank.asked(), approval=ident)
    answers = {"dob": f"19{50 + number}-01-01"}
    return partial(verify, house, asked, bank.id_of(MINE), answers)


@pytest.mark.parametrize("at_once", [in_one_turn, in_threads])
def test_32_at_once_are_compared_once(bank, at_once):
    ident = approved(bank)
    answers = at_once(bank, partial(guess, bank, ident))
    assert sum(isinstance(answer, Verified) for answer in answers) == 1
    assert bank.state_of(ident) == "used"
    assert attempts(bank) == 4


OPENS = """
from support.approving import ApprovingBank
from holdfast.spine.turn.answers import Verified
bank = ApprovingBank(home, clock)
"""


@pytest.mark.slow
def test_32_at_once_in_processes_are_compared_once(bank):
    ident = approved(bank)
    guess = f'bank.verify_with("{ident}", "{MINE}", {{"dob": f"19{{50 + number}}-01-01"}})'
    assert in_processes(bank, OPENS, f"isinstance({guess}, Verified)") == 1
    assert bank.state_of(ident) == "used"
    assert attempts(bank) == 4
