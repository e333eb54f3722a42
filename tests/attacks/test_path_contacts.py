"""Attacks on the purpose: no live contact of one's own with this customer, no value.

Each begins where an honest look succeeds, or says why none would, and changes the one thing that the attack is about.
"""

from __future__ import annotations

import pytest

from holdfast.spine.turn.answers import Found, Refused, Revealed, Verified
from support.answers import rules
from support.bank import customer, new_bank
from support.second import SECOND, SecondClient

MINE, THEIRS = "C00001", "C00002"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def unknown_caller(bank, contact="CT-1"):
    """A call of which the feed knows no customer."""
    bank.connect(contact, number=None)


def answers_of(number):
    return {"dob": customer(number)["dob"], "postcode": customer(number)["postcode"]}


def test_an_agent_of_another_client(bank):
    second = SecondClient(bank)
    theirs = second.import_customer(1)
    second.assign(bank.other)
    second.connect("CT-X", bank.other, 1)
    seen = bank.reveal(theirs, ["name"], client=SECOND, contact="CT-X", agent=bank.other)
    assert isinstance(seen, Revealed)
    mine = bank.reveal(theirs, ["name"], client=SECOND, contact="CT-X")
    assert rules(mine) == {"person.assigned"}
    own_call = bank.reveal(theirs, ["name"], client=SECOND, contact="CT-1")
    assert rules(own_call) == {"person.assigned"}


def test_a_contact_id_of_another_client(bank):
    second = SecondClient(bank)
    second.assign(bank.agent)
    second.import_customer(1)
    second.connect("CT-X", bank.agent, 1)
    answer = bank.reveal(MINE, ["name"], contact="CT-X")
    assert rules(answer) == {"contact.yours"}


def test_a_customer_id_of_another_client(bank):
    second = SecondClient(bank)
    theirs = second.import_customer(1)
    assert rules(bank.reveal(theirs, ["name"])) == {"customer.bound"}


def test_a_call_for_one_client_does_not_open_another_that_the_agent_also_works_for(bank):
    second = SecondClient(bank)
    second.assign(bank.agent)
    theirs = second.import_customer(1)
    assert rules(bank.reveal(theirs, ["name"], client=SECOND)) == {"contact.yours"}


def test_a_contact_that_never_was(bank):
    assert rules(bank.reveal(MINE, ["name"], contact="CT-404")) == {"contact.yours"}


def test_a_contact_of_a_colleague(bank):
    assert rules(bank.reveal(MINE, ["name"], agent=bank.other)) == {"contact.yours"}
    assert rules(bank.search(customer(1)["phone"], agent=bank.other)) == {"contact.yours"}
    assert rules(bank.verify(MINE, answers_of(1), agent=bank.other)) == {"contact.yours"}
    assert rules(bank.update(MINE, {"email": "x@example.com"}, agent=bank.other)) == {
        "contact.yours"
    }
    assert rules(bank.change_reason("card-lost", agent=bank.other)) == {"contact.yours"}


def test_a_contact_that_is_still_in_the_queue(bank):
    bank.send(bank.event("queued", "CT-Q", customer={"by": {"phone": customer(1)["phone"]}}))
    assert rules(bank.reveal(MINE, ["name"], contact="CT-Q")) == {"contact.yours"}


def test_a_contact_that_was_handed_to_a_colleague(bank):
    bank.send(bank.event("transferred", person=bank.other.staff_id))
    assert isinstance(bank.reveal(MINE, ["name"], agent=bank.other), Revealed)
    assert rules(bank.reveal(MINE, ["name"])) == {"contact.yours"}


def test_a_contact_that_is_over(bank):
    bank.end()
    bank.advance(119)
    assert isinstance(bank.reveal(MINE, ["name"]), Revealed)
    bank.advance(1)
    assert rules(bank.reveal(MINE, ["name"])) == {"contact.live"}


def test_a_contact_closed_by_the_next_call_although_its_end_never_came(bank):
    bank.advance(1)
    bank.connect("CT-2", number=2)
    assert isinstance(bank.reveal(THEIRS, ["name"], contact="CT-2"), Revealed)
    assert rules(bank.reveal(MINE, ["name"], contact="CT-1")) == {"contact.live"}


def test_a_contact_of_which_the_feed_has_been_silent_for_too_long(bank):
    bank.advance(3600)
    assert rules(bank.reveal(MINE, ["name"])) == {"contact.live"}


def test_a_contact_that_outlived_the_shift(bank):
    bank.advance(1)
    logout = bank.event("ended", contact=None, queue=None, person=bank.agent.staff_id)
    bank.send(logout | {"type": "person.logged_out"})
    assert rules(bank.reveal(MINE, ["name"])) == {"contact.live"}


def test_a_contact_of_a_queue_that_the_agent_does_not_work(bank):
    bank.sql("UPDATE identity_assignment SET queues = 'loans' WHERE person = ?", bank.agent.id)
    assert rules(bank.reveal(MINE, ["name"])) == {"contact.queue"}


def test_another_customer_than_the_one_who_called(bank):
    assert isinstance(bank.reveal(MINE, ["name"]), Revealed)
    assert rules(bank.reveal(THEIRS, ["name"])) == {"customer.bound"}
    assert rules(bank.verify(THEIRS, answers_of(2))) == {"customer.bound"}


def test_a_customer_whom_a_colleague_found(bank):
    unknown_caller(bank, "CT-2")
    bank.connect("CT-3", number=None, agent=bank.other)
    assert isinstance(bank.search(customer(2)["phone"], contact="CT-3", agent=bank.other), Found)
    assert rules(bank.reveal(THEIRS, ["name"], contact="CT-2")) == {"customer.bound"}


def test_a_customer_found_in_the_call_before(bank):
    assert isinstance(bank.search(customer(2)["phone"]), Found)
    bank.end()
    bank.advance(1)
    unknown_caller(bank, "CT-2")
    assert rules(bank.reveal(THEIRS, ["name"], contact="CT-2")) == {"customer.bound"}
    assert rules(bank.verify(THEIRS, answers_of(2), contact="CT-2")) == {"customer.bound"}


def test_a_customer_who_was_found_is_shown_masked_until_verified(bank):
    bank.search(customer(2)["phone"])
    found = bank.reveal(THEIRS, ["name", "phone", "address"])
    assert {shown.shown for shown in found.fields.values()} == {"masked"}
    assert customer(2)["name"] not in {shown.value for shown in found.fields.values()}
    assert "customer.verified" in rules(bank.reveal(THEIRS, ["acct"]))


def test_a_second_rebinding(bank):
    for number, bound in ((2, True), (3, False)):
        bank.search(customer(number)["phone"])
        answer = bank.verify(f"C0000{number}", answers_of(number))
        assert isinstance(answer, Verified)
        assert answer.bound is bound
    assert "customer.verified" in rules(bank.reveal("C00003", ["acct"]))
    assert isinstance(bank.reveal("C00002", ["acct"]), Revealed)
    assert rules(bank.reveal("C00001", ["acct"])) == {"customer.bound"}
    signals = [leaf["signal"] for leaf in bank.leaves("signal.raised")]
    assert signals == ["contact.rebound"]


def test_a_new_customer_in_wrap_up(bank):
    bank.search(customer(2)["phone"])
    bank.end()
    bank.advance(30)
    assert isinstance(bank.reveal(MINE, ["name"]), Revealed)
    assert rules(bank.verify(THEIRS, answers_of(2))) == {"contact.talking_verify"}
    assert rules(bank.search(customer(3)["phone"])) == {"contact.talking"}


def test_a_reason_changed_twice(bank):
    first = bank.change_reason("contact-change")
    bank.take_step_up(first.challenge)
    assert bank.change_reason("contact-change").changes_left == 0
    assert rules(bank.change_reason("dispute")) == {"reason.changes"}
    assert rules(bank.change_reason("card-lost")) == {"reason.changes"}


def test_a_reason_of_another_queue(bank):
    assert rules(bank.change_reason("loan-offer")) == {"reason.of_queue"}
    assert rules(bank.change_reason("*")) == {"reason.of_queue"}


def test_a_reason_that_shows_more_without_a_step_up(bank):
    answer = bank.change_reason("contact-change")
    assert isinstance(answer, Refused)
    assert answer.code == "step_up_required"
    assert rules(bank.reveal(MINE, ["email"])) == {"field.set"}


def test_a_reason_that_shows_more_in_wrap_up(bank):
    answer = bank.change_reason("contact-change")
    bank.take_step_up(answer.challenge)
    bank.end()
    bank.advance(1)
    assert rules(bank.change_reason("contact-change")) == {"reason.talking"}


def test_a_step_up_taken_in_one_call_and_used_in_the_next(bank):
    bank.take_step_up(bank.reveal(MINE, ["balance"]).challenge)
    assert isinstance(bank.reveal(MINE, ["balance"]), Revealed)
    bank.end()
    bank.advance(1)
    bank.connect("CT-2")
    answer = bank.reveal(MINE, ["balance"], contact="CT-2")
    assert isinstance(answer, Refused)
    assert answer.code == "step_up_required"


def test_a_client_that_is_closed_in_the_middle_of_a_call(bank):
    assert isinstance(bank.reveal(MINE, ["name"]), Revealed)
    bank.sql("UPDATE decision_client SET state = 'frozen', fence = fence + 1")
    for answer in (
        bank.reveal(MINE, ["name"]),
        bank.search(customer(1)["phone"]),
        bank.verify(MINE, answers_of(1)),
        bank.update(MINE, {"email": "x@example.com"}),
        bank.change_reason("card-lost"),
    ):
        assert rules(answer) == {"client.open"}


def test_every_refusal_leaves_a_line_and_a_record(bank):
    before = len(bank.leaves("decision.made"))
    answers = [
        bank.reveal(THEIRS, ["name"]),
        bank.reveal(MINE, ["name"], contact="CT-404"),
        bank.verify(THEIRS, answers_of(2)),
        bank.search("+12025550199", agent=bank.other),
    ]
    lines = bank.leaves("decision.made")[before:]
    assert [line["id"] for line in lines] == [answer.leaf.id for answer in answers]
    assert {line["outcome"] for line in lines} == {"deny"}
    assert all(line["customers"] == [] for line in lines)
    kept = {row[0] for row in bank.sql("SELECT id FROM decision_record")}
    assert kept >= {answer.leaf.id for answer in answers}
