"""Attacks by whoever sets the clock ahead: nothing that was used up comes back by it (SPINE 6, 11, 15, 16, 24)."""

from __future__ import annotations

import dataclasses

import pytest

from holdfast.edges.worker.time import TimeWatch
from holdfast.kit.clock import DAY_US, HOUR_US
from holdfast.kit.errors import Denied
from holdfast.spine.identity.credentials import issue
from holdfast.spine.ledger.store import CONFIRMED
from holdfast.spine.turn.answers import Acted, Revealed, Verified
from support import acting
from support.answers import rules
from support.approving import WITH_APPROVAL, approving_bank
from support.bank import customer
from support.machine import on_machine

MINE = "C00001"
WRONG = {"dob": "1950-01-01"}
NEW_PHONE = "+12025550199"


@pytest.fixture
def bank(tmp_path):
    bank = approving_bank(tmp_path / "house")
    on_machine(bank)
    bank.connect()
    yield bank
    bank.close()


def jump(bank, by_us=3 * DAY_US):
    """Somebody sets the clock days ahead; everybody signs in anew."""
    bank.clock.machine.set_wall(by_us)
    for name in ("agent", "other", "lead"):
        person = getattr(bank, name)
        work = issue(person=person.id, life_us=5 * DAY_US, now_us=bank.clock.now_us())
        issued = bank.house.transact(work)
        token = {"token": issued.secret.reveal(), "credential": issued.id}
        setattr(bank, name, dataclasses.replace(person, **token))


def call(bank, contact, **more):
    """Another call, which has just begun."""
    bank.connect(contact, channel="chat", **more)
    return contact


def test_the_hour_of_customers(bank):
    bank.publish(WITH_APPROVAL.replace("customers_hour = 20", "customers_hour = 1"))
    assert isinstance(bank.reveal(MINE, ["name"]), Revealed)
    jump(bank)
    answer = bank.reveal("C00002", ["name"], contact=call(bank, "CT-2", number=2))
    assert rules(answer) == {"budget.customers_hour"}


def test_the_day_of_sensitive_fields(bank):
    bank.publish(WITH_APPROVAL.replace("sensitive_fields_day = 60", "sensitive_fields_day = 1"))
    assert isinstance(bank.reveal(MINE, ["card"]), Revealed)
    jump(bank)
    answer = bank.reveal(MINE, ["card"], contact=call(bank, "CT-2"))
    assert "budget.sensitive_day" in rules(answer)


def no_attempts_left(bank):
    for contact in ("CT-1", call(bank, "CT-2")):
        for _ in range(3):
            bank.verify(MINE, WRONG, contact=contact)


def test_attempts_to_verify(bank):
    no_attempts_left(bank)
    jump(bank)
    answer = bank.verify(MINE, WRONG, contact=call(bank, "CT-3"))
    assert rules(answer) == {"budget.verify_day"}


def test_also_once_the_step_was_told_and_until_the_time_is_confirmed(bank):
    no_attempts_left(bank)
    jump(bank)
    TimeWatch(bank.house).look()
    answer = bank.verify(MINE, WRONG, contact=call(bank, "CT-3"))
    assert rules(answer) == {"budget.verify_day"}
    with bank.house.stores() as stores:  # who may confirm is another test's
        stores.data.execute(CONFIRMED())
    assert isinstance(bank.verify(MINE, WRONG, contact="CT-3"), Verified)


def test_an_action_that_was_done_today(bank):
    acting.permitted(bank, "CT-7")
    jump(bank)
    bank.step_up = None
    proof = acting.ready(bank, "CT-8", step_up=False)
    asked = bank.act(MINE, acting.RESET, [proof], contact="CT-8")
    assert "act.day" in rules(asked)


def test_a_number_that_was_changed_a_moment_ago(bank):
    """It would prove nothing for two days, on a clock that nobody sets."""
    bank.connect("CT-7", reason="contact-change")
    proof = bank.prove(contact="CT-7")
    change = {"values": {"phone": NEW_PHONE}, "contact": "CT-7"}
    assert isinstance(bank.act(MINE, "change_phone", [proof], **change), Acted)
    jump(bank, 49 * HOUR_US)
    before = bank.sql("SELECT ref FROM purpose_contact")
    bank.connect("CT-8", customer={"by": {"phone": NEW_PHONE}})
    rows = bank.sql("SELECT ref, customer FROM purpose_contact")
    assert [bound for ref, bound in rows if (ref,) not in before] == [""]


def test_what_one_lead_may_approve_in_a_shift(bank):
    for fields in (["acct"], ["address"], ["acct", "address"]):
        bank.granted(bank.asked_for(fields=fields))
    jump(bank)
    bank.connect("CT-2", channel="chat")
    with pytest.raises(Denied) as refused:
        bank.decide(bank.asked_for(contact="CT-2"))
    assert refused.value.code == "approval_limit"


def test_on_a_clock_that_nobody_sets_all_of_it_comes_back(bank):
    """So that the tests above do not pass for another reason."""
    no_attempts_left(bank)
    bank.clock.machine.pass_time(25 * HOUR_US)
    assert isinstance(bank.verify(MINE, WRONG, contact=call(bank, "CT-3")), Verified)
    assert bank.verify(MINE, {"dob": customer(1)["dob"]}, contact="CT-3").match
