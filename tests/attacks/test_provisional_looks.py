"""What a provisional contact shows: masked C1 and C2 of one customer, and a verdict; nothing else (SPINE 10)."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import import_customers
from holdfast.spine.purpose.settle import settle_overdue
from holdfast.spine.turn.answers import Found, ProvisionalOpened, Refused, Revealed, Verified
from support.answers import rules
from support.bank import customer, new_punctual_bank

MINE, THEIRS = "C00001", "C00002"
PHONE = customer(1)["phone"]
ANSWERS = {"dob": customer(1)["dob"], "postcode": customer(1)["postcode"]}
ON_WORD = {"contact": "CT-9"}


@pytest.fixture
def bank(tmp_path):
    bank = new_punctual_bank(tmp_path)
    bank.advance(90)
    assert isinstance(bank.open_on_word("CT-9", reason="dispute"), ProvisionalOpened)
    yield bank
    bank.close()


@pytest.fixture
def found(bank):
    """The customer was found by the first search."""
    answer = bank.search(PHONE, **ON_WORD)
    assert [hit.customer for hit in answer.hits] == [bank.id_of(MINE)]
    return bank


@pytest.fixture
def verified(found):
    answer = found.verify(MINE, ANSWERS, **ON_WORD)
    assert isinstance(answer, Verified)
    assert (answer.match, answer.bound) == (True, True)
    return found


def how(answer):
    assert isinstance(answer, Revealed), answer
    return {name: shown.shown for name, shown in answer.fields.items()}


def test_basic_fields_are_masked_before_and_after_the_caller_is_verified(found):
    assert how(found.reveal(MINE, ["name"], **ON_WORD)) == {"name": "masked"}
    assert "customer.verified" in rules(found.reveal(MINE, ["acct"], **ON_WORD))
    found.verify(MINE, ANSWERS, **ON_WORD)
    assert how(found.reveal(MINE, ["name", "acct"], **ON_WORD)) == {
        "name": "masked",
        "acct": "masked",
    }


def test_every_line_says_on_what_the_contact_rests(verified):
    verified.reveal(MINE, ["name"], **ON_WORD)
    lines = [leaf for leaf in verified.leaves("decision.made") if leaf["op"] != "provisional"]
    assert {leaf["basis"] for leaf in lines} == {"provisional"}
    assert verified.leaves("contact.bound")[-1]["how"] == "provisional"


def test_no_value_in_clear_reaches_anybody(verified):
    shown = verified.reveal(MINE, ["name", "acct", "phone", "address"], **ON_WORD)
    values = {field.value for field in shown.fields.values()}
    assert values.isdisjoint(customer(1).values())


def test_a_sensitive_field_stays_closed(verified):
    for name in ("card", "balance"):
        assert "provisional.class" in rules(verified.reveal(MINE, [name], **ON_WORD))
    mixed = verified.reveal(MINE, ["name", "balance"], **ON_WORD)
    assert how(mixed) == {"name": "masked", "balance": "withheld"}


def test_a_step_up_opens_nothing_more(verified):
    answer = verified.reveal(MINE, ["balance"], **ON_WORD)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.challenge) == ("denied", None)


def test_nothing_is_changed(verified):
    changed = verified.update(MINE, {"address": "9 Example Road"}, **ON_WORD)
    assert "provisional.change" in rules(changed)
    assert rules(verified.change_reason("card-lost", contact="CT-9", client="bank-01")) >= {
        "provisional.change"
    }


def test_another_customer_by_id(found):
    assert rules(found.reveal(THEIRS, ["name"], **ON_WORD)) == {"customer.bound"}
    assert rules(found.verify(THEIRS, ANSWERS, **ON_WORD)) == {"customer.bound"}


def test_before_any_search_nobody_is_there(bank):
    assert rules(bank.reveal(MINE, ["name"], **ON_WORD)) == {"customer.bound"}


def test_a_second_value(found):
    second = found.search(customer(2)["phone"], **ON_WORD)
    assert rules(second) == {"budget.searches_contact"}
    assert isinstance(found.search(PHONE, **ON_WORD), Found)
    assert rules(found.reveal(THEIRS, ["name"], **ON_WORD)) == {"customer.bound"}


def test_a_value_that_several_customers_have(bank):
    twin = customer(7, phone=PHONE)
    import_customers(bank.house, bank.admin, [twin])
    answer = bank.search(PHONE, **ON_WORD)
    assert isinstance(answer, Refused)
    assert [reason.rule for reason in answer.reasons] == ["search.selective"]
    assert bank.sql("SELECT customer FROM purpose_provisional") == [("",)]


def test_another_customer_than_the_one_who_waits_in_the_queue(bank):
    by = {"customer": {"by": {"phone": customer(2)["phone"]}}}
    bank.send(bank.event("queued", "CT-9", **by))
    assert bank.search(PHONE, **ON_WORD).hits == ()


def test_another_person_under_it(found):
    answer = found.reveal(MINE, ["name"], agent=found.other, **ON_WORD)
    assert rules(answer) == {"contact.yours"}


def test_once_the_feed_says_that_it_is_with_somebody_else(found):
    found.connect("CT-9", agent=found.other, number=2)
    assert rules(found.reveal(MINE, ["name"], **ON_WORD)) == {"contact.yours"}


def test_once_the_feed_says_that_it_is_over(found):
    found.end("CT-9")
    assert rules(found.reveal(MINE, ["name"], **ON_WORD)) == {"contact.yours"}


def test_once_the_feed_names_another_caller(found):
    by = {"customer": {"by": {"phone": customer(2)["phone"]}}}
    found.send(found.event("queued", "CT-9", **by))
    assert rules(found.reveal(MINE, ["name"], **ON_WORD)) == {"contact.yours"}


def test_after_a_quarter_of_an_hour(found):
    found.advance(15 * 60)
    assert rules(found.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}


def test_after_the_next_call(found):
    found.advance(1)
    found.connect("CT-10", number=2)
    assert rules(found.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}


def test_after_logout(found):
    event = found.event("x", contact=None, queue=None, person=found.agent.staff_id)
    found.send({**event, "type": "person.logged_out"})
    assert rules(found.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}


def test_a_wrong_answer_binds_nobody(found):
    wrong = {"dob": "1970-01-01", "postcode": "00000"}
    answer = found.verify(MINE, wrong, **ON_WORD)
    assert (answer.match, answer.bound) == (False, False)
    assert "customer.verified" in rules(found.reveal(MINE, ["acct"], **ON_WORD))


# ── what the feed says in the end ───────────────────────────────────────────────────────────────────────────────
def state(bank):
    bank.house.transact(settle_overdue(bank.clock.now_us()))
    return bank.sql("SELECT state FROM purpose_provisional WHERE contact <> ''")[0][0]


def test_the_event_of_this_contact_person_and_customer_confirms_it(verified):
    verified.advance(10)
    assert verified.hear_late(ago=10).accepted
    assert state(verified) == "reconciled"
    assert how(verified.reveal(MINE, ["name", "acct"], **ON_WORD)) == {
        "name": "clear",
        "acct": "clear",
    }
    assert verified.leaves("decision.made")[-1]["basis"] == "feed"
    leaf = verified.leaves("provisional.reconciled")[-1]
    assert leaf["person"] == verified.leaves("provisional.opened")[-1]["person"]


def test_an_event_that_comes_after_ten_minutes_confirms_it_and_the_contact_goes_on(found):
    found.advance(600)
    assert found.hear_late(ago=600).accepted
    assert state(found) == "reconciled"
    assert how(found.reveal(MINE, ["name", "acct"], **ON_WORD)) == {
        "name": "clear",
        "acct": "clear",
    }


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ({"person": "A0002"}, 10),
        ({"number": 2}, 10),
        ({"number": None}, 10),
        ({"ago": 75}, 10),  # more than a minute before the look
        ({"ago": -4, "wait": 0}, 70),
    ],
)
def test_another_event_confirms_nothing(verified, told, wait):
    told = {name: value for name, value in told.items() if name != "wait"}
    verified.advance(wait)
    verified.hear_late(**{"ago": wait, **told})
    assert state(verified) == "open"
    verified.advance(15 * 60)
    assert state(verified) == "unreconciled"
    assert verified.leaves("provisional.reconciled") == []


def test_an_event_that_comes_after_a_quarter_of_an_hour_confirms_nothing(verified):
    verified.advance(15 * 60 + 1)
    verified.hear_late(ago=15 * 60 + 1)
    assert rules(verified.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}
    assert state(verified) == "unreconciled"
    assert rules(verified.reveal(MINE, ["name"], **ON_WORD)) == {"contact.yours"}


def test_a_refused_event_confirms_nothing(verified):
    verified.hear_late(ago=1, reason="no-such-reason")
    assert state(verified) == "open"


def test_a_late_event_of_another_contact_opens_nothing_meanwhile(verified):
    verified.advance(300)
    verified.hear_late("CT-10", ago=300)
    assert rules(verified.reveal(MINE, ["name"], contact="CT-10")) == {"contact.yours"}


def test_the_same_event_twice_confirms_it_once(verified):
    event = verified.event("connected", "CT-9", reason="dispute", customer={"by": {"phone": PHONE}})
    verified.deliver(event)
    verified.deliver(event)
    assert len(verified.leaves("provisional.reconciled")) == 1


def test_a_verified_caller_stays_verified_where_the_feeds_identifiers_bind_nobody(verified):
    other = {"customer": {"by": {"phone": customer(2)["phone"]}}}
    right = {"customer": {"by": {"phone": PHONE}}}
    verified.send(
        verified.event("queued", "CT-9", ago=2, **other),
        verified.event("connected", "CT-9", ago=1, reason="dispute", **right),
    )
    assert state(verified) == "reconciled"
    assert how(verified.reveal(MINE, ["acct"], **ON_WORD)) == {"acct": "clear"}
