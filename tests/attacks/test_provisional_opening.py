"""A provisional contact is no way round the feed: it is opened while the feed is behind, one at a time (SPINE 10)."""

from __future__ import annotations

import json
from functools import partial

import pytest

from holdfast.drills.bank.build import CLIENT, FEED
from holdfast.kit.db import Round
from holdfast.spine.identity.store import END_ASSIGNMENTS
from holdfast.spine.operations.provisional import open_contact
from holdfast.spine.purpose.settle import settle_overdue
from holdfast.spine.turn.answers import ProvisionalOpened, Refused
from support.at_once import in_one_turn, in_processes, in_threads
from support.bank import new_bank, new_punctual_bank
from support.stores import raw


@pytest.fixture
def bank(tmp_path):
    """The feed speaks every two seconds, on time."""
    bank = new_punctual_bank(tmp_path)
    yield bank
    bank.close()


@pytest.fixture
def silent(bank):
    """And then nothing came for ninety seconds."""
    bank.advance(90)
    return bank


def rules(answer):
    assert isinstance(answer, Refused), answer
    return [reason.rule for reason in answer.reasons]


def settle(bank):
    bank.house.transact(settle_overdue(bank.clock.now_us()))


def test_it_is_opened_while_the_feed_is_silent(silent):
    answer = silent.open_on_word()
    assert isinstance(answer, ProvisionalOpened)
    leaf = silent.leaves("provisional.opened")[-1]
    assert leaf["cause"] == "silent"
    assert leaf["provisional"] == answer.provisional


def test_one_opens_it_while_the_feed_is_punctual(bank):
    assert rules(bank.open_on_word()) == ["provisional.feed_behind"]
    assert bank.sql("SELECT * FROM purpose_provisional") == []
    assert bank.sql("SELECT * FROM keyring_contact WHERE external = 'CT-9'", keys=True) == []


def test_one_opens_it_where_the_feed_has_no_history(tmp_path):
    bank = new_bank(tmp_path)
    bank.be_punctual(5)
    bank.advance(1000)
    assert rules(bank.open_on_word()) == ["provisional.feed_behind"]
    bank.close()


def test_one_late_straggler_makes_no_feed_late(bank):
    bank.hear_late("CT-8", ago=100)
    assert rules(bank.open_on_word()) == ["provisional.feed_behind"]


def test_a_feed_of_other_programmes_is_no_excuse(silent):
    with (
        silent.house.stores() as stores
    ):  # what `holdfast feed add --programmes` would have written
        raw(stores.data, "UPDATE signals_feed SET programmes = 'other' WHERE name = ?", (FEED,))
    assert rules(silent.open_on_word()) == ["provisional.feed_behind"]


def test_a_silent_site_where_the_person_is_not_is_no_excuse(bank):
    for _ in range(25):
        bank.send(bank.event("queued", "CT-far", site="far"))
        bank.advance(2)
    bank.advance(60)
    bank.be_punctual(2)
    assert rules(bank.open_on_word()) == ["provisional.feed_behind"]
    login = bank.event("queued", contact=None, queue=None, person=bank.agent.staff_id, site="far")
    bank.advance(70)
    bank.send({**login, "type": "person.logged_in"}, bank.event("queued", "CT-beat"))
    # The person is there now, but there it spoke this very moment.
    assert rules(bank.open_on_word()) == ["provisional.feed_behind"]


def test_a_second_one_is_opened_beside_the_first(silent):
    assert isinstance(silent.open_on_word("CT-9"), ProvisionalOpened)
    assert rules(silent.open_on_word("CT-10")) == ["provisional.one"]
    silent.advance(14 * 60)
    assert "provisional.one" in rules(silent.open_on_word("CT-10"))


def test_many_after_one_another_are_one(silent):
    answers = [silent.open_on_word(f"CT-{number}") for number in range(20, 30)]
    assert sum(isinstance(answer, ProvisionalOpened) for answer in answers) == 1


def one_is_open(bank):
    assert len(bank.leaves("provisional.opened")) == 1
    assert bank.sql("SELECT COUNT(*) FROM purpose_provisional") == [(1,)]


@pytest.mark.parametrize("at_once", [in_one_turn, in_threads])
def test_many_at_once_are_one(silent, at_once):
    def open_one(house, number):
        asked = silent.asked(f"CT-{20 + number}", collection="")
        return partial(open_contact, house, asked, "cards", "")

    answers = at_once(silent, open_one)
    assert sum(isinstance(answer, ProvisionalOpened) for answer in answers) == 1
    one_is_open(silent)


@pytest.mark.slow
def test_many_at_once_in_processes_are_one(silent):
    opens = """
from support.bank import Bank
from holdfast.spine.turn.answers import ProvisionalOpened
bank = Bank(home, clock)
"""
    opened = 'isinstance(bank.open_on_word(f"CT-{20 + number}"), ProvisionalOpened)'
    assert in_processes(silent, opens, opened) == 1
    one_is_open(silent)


def test_two_at_once_of_a_person_with_two_tokens_are_one(silent):
    tokens = [silent.agent, silent.new_token(silent.agent)]

    def open_one(house, number):
        asked = silent.asked(f"CT-{20 + number}", agent=tokens[number - 1], collection="")
        return partial(open_contact, house, asked, "cards", "")

    answers = in_threads(silent, open_one, 2)
    assert sum(isinstance(answer, ProvisionalOpened) for answer in answers) == 1
    one_is_open(silent)


def test_a_third_one_in_a_shift(silent):
    for contact in ("CT-9", "CT-10"):
        assert isinstance(silent.open_on_word(contact), ProvisionalOpened)
        assert silent.hear_late(contact, ago=1).accepted
        silent.advance(100)
    assert rules(silent.open_on_word("CT-11")) == ["provisional.shift"]
    silent.advance(12 * 3600)
    silent.be_punctual()
    silent.advance(90)
    assert isinstance(silent.open_on_word("CT-12"), ProvisionalOpened)


def test_a_contact_that_is_with_somebody_else(bank):
    bank.connect("CT-9", agent=bank.other)
    bank.advance(90)
    assert rules(bank.open_on_word("CT-9")) == ["provisional.free"]


def test_a_contact_that_is_over(bank):
    bank.connect("CT-9")
    bank.end("CT-9")
    bank.advance(90)
    assert rules(bank.open_on_word("CT-9")) == ["provisional.free"]


def test_an_unknown_queue_or_one_of_another_programme(silent):
    assert rules(silent.open_on_word(queue="nowhere")) == ["contact.queue"]


def test_without_an_assignment(silent):
    end = END_ASSIGNMENTS(
        person=silent.agent.id, client=CLIENT, programme="cards-in", now=silent.clock.now_us()
    )

    def work():
        yield Round(data=(end,))

    silent.house.transact(work())
    assert rules(silent.open_on_word()) == ["person.assigned"]


def test_while_suspended(silent):
    silent.suspend(silent.agent)
    assert rules(silent.open_on_word()) == ["person.not_suspended"]


def test_from_a_network_that_nobody_knows(silent):
    """A step-up is for a contact; where no feed has told one, there is nothing to step up for, and it is a refusal."""
    bound = silent.new_token(silent.agent, networks=("127.0.0.0/8",))
    silent.peer = ""
    answer = silent.open_on_word(agent=bound)
    assert rules(answer) == ["place.network_unknown"]
    assert (answer.code, answer.challenge) == ("denied", None)


def test_of_a_client_that_does_not_exist(silent):
    answer = silent.open_on_word(client="bank-99")
    assert rules(answer) == ["person.assigned"]
    assert answer.leaf.log == ""


def test_the_privilege_is_suspended_after_one_that_no_feed_confirmed(silent):
    silent.open_on_word("CT-9")
    silent.advance(15 * 60 + 1)  # no job has run
    assert "provisional.trusted" in rules(silent.open_on_word("CT-10"))
    settle(silent)
    assert "provisional.trusted" in rules(silent.open_on_word("CT-10"))
    assert len(silent.leaves("provisional.unreconciled")) == 1
    signals = [leaf["signal"] for leaf in silent.leaves("signal.raised")]
    assert signals == ["provisional.unreconciled"]
    settle(silent)
    assert len(silent.leaves("provisional.unreconciled")) == 1
    silent.advance(13 * 3600)
    assert "provisional.trusted" in rules(silent.open_on_word("CT-11"))


def test_a_remembered_key_opens_no_second_one(silent):
    key = ("k1", b"x" * 32)
    assert isinstance(silent.open_on_word(key=key), ProvisionalOpened)
    assert "provisional.one" in rules(silent.open_on_word(key=key))


# ── a contact that is offered ───────────────────────────────────────────────────────────────────────────────────
def log_in(bank, kind="logged_in", **more):
    event = bank.event("x", contact=None, queue=None, person=bank.agent.staff_id, **more)
    return bank.deliver({**event, "type": f"person.{kind}"})


def test_a_contact_offered_to_a_live_login_is_opened_though_the_feed_is_punctual(bank):
    log_in(bank)
    bank.send(bank.event("queued", "CT-9"))
    assert isinstance(bank.open_on_word("CT-9"), ProvisionalOpened)
    assert bank.leaves("provisional.opened")[-1]["cause"] == "offered"


def test_a_contact_that_nobody_offered_is_not(bank):
    log_in(bank)
    assert rules(bank.open_on_word("CT-9")) == ["provisional.feed_behind"]


def test_nor_one_offered_before_the_login_or_after_the_logout(bank):
    bank.send(bank.event("queued", "CT-9"))
    assert rules(bank.open_on_word("CT-9")) == ["provisional.feed_behind"]
    log_in(bank)
    bank.advance(1)
    log_in(bank, "logged_out")
    assert rules(bank.open_on_word("CT-9")) == ["provisional.feed_behind"]


def test_a_late_login_opens_nothing(bank):
    report = log_in(bank, ago=130)
    assert [line.reason for line in report.rejected] == ["too_late"]
    bank.send(bank.event("queued", "CT-9"))
    assert rules(bank.open_on_word("CT-9")) == ["provisional.feed_behind"]


def test_nothing_of_the_feeds_id_stands_in_data(silent):
    silent.open_on_word("CT-secret-9")
    assert "CT-secret-9" not in json.dumps(silent.leaves())
    assert silent.sql("SELECT contact FROM purpose_provisional")[0][0].startswith("ct_")
