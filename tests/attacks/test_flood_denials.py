"""A flood of refusals: few lines, the right count, and everything paid for."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.spine.house import open_house
from holdfast.spine.ledger.checkpoint import base64_text
from holdfast.spine.ledger.folding import close_overdue, opens
from holdfast.spine.ledger.recorder import append_entry
from holdfast.spine.ledger.tree import leaf_hash
from holdfast.spine.operations.decisions import read_decision
from holdfast.spine.turn.answers import Refused
from support.answers import rules
from support.bank import new_bank
from support.pair import until

HIDDEN = "C00002"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def close(bank):
    bank.advance(61)
    while bank.house.transact(close_overdue(bank.clock.now_us())):
        pass


def made(bank):
    return bank.leaves("decision.made")


def test_a_thousand_equal_denials_are_two_lines_with_the_right_count(bank):
    answers = [bank.reveal(HIDDEN, ["name"]) for _ in range(1_000)]
    assert [leaf["count"] for leaf in made(bank)] == [1]
    close(bank)
    first, rest = made(bank)
    assert (first["count"], rest["count"]) == (1, 999)
    same = {"op", "outcome", "person", "contact", "rules", "policies", "record", "decision"}
    assert {name: first[name] for name in same} == {name: rest[name] for name in same}
    assert {answer.leaf.id for answer in answers} == {first["id"]}
    assert {answer.decision for answer in answers} == {first["decision"]}


def test_what_a_folded_answer_names_is_in_the_log_with_that_hash(bank):
    answers = [bank.reveal(HIDDEN, ["name"]) for _ in range(3)]
    ((entry,),) = bank.sql("SELECT entry FROM ledger_pending WHERE leaf = ?", answers[2].leaf.id)
    assert {answer.leaf.hash for answer in answers} == {base64_text(leaf_hash(bytes(entry)))}
    read = bank.house.transact(read_decision(bank.house, bank.caller(), answers[2].decision))
    assert read.leaf == answers[0].leaf


def test_every_one_of_them_is_charged(bank):
    """A miss costs three units; the budget is used up as if each had its own line."""
    before = used(bank)
    answers = [bank.search("+12025550199", contact="CT-404") for _ in range(10)]
    assert all(isinstance(answer, Refused) for answer in answers)
    assert len(made(bank)) == 1
    once = used(bank) - before
    assert once == 10 * 3


def used(bank):
    ((count,),) = bank.sql("SELECT COALESCE(SUM(used), 0) FROM decision_budget")
    return count


def test_denials_that_differ_have_lines_of_their_own(bank):
    """Whoever tries one customer after another, or one value after another, is seen to."""
    for name in ("C00002", "C00003", "cus_01m000000000000000000000zz"):
        bank.reveal(name, ["name"])
    for value in ("+12025550198", "+12025550199"):
        bank.search(value, contact="CT-404")
    bank.reveal("C00002", ["name", "dob"], contact="CT-405")
    bank.reveal("C00002", ["name"], agent=bank.other)
    assert len(made(bank)) == 7
    assert {leaf["count"] for leaf in made(bank)} == {1}


def test_the_table_of_folds_does_not_say_who_was_asked_for(bank):
    bank.reveal(HIDDEN, ["name"])
    ((key, entry),) = bank.sql("SELECT key, entry FROM ledger_fold")
    assert len(key) == 32
    assert bank.id_of(HIDDEN) not in json.dumps(json.loads(entry))


def test_the_first_of_the_next_minute_is_written_at_once_and_counts_the_last(bank):
    for _ in range(5):
        bank.reveal(HIDDEN, ["name"])
    bank.advance(61)
    bank.reveal(HIDDEN, ["name"])
    assert sorted(leaf["count"] for leaf in made(bank)) == [1, 1, 4]
    close(bank)
    assert sum(leaf["count"] for leaf in made(bank)) == 6


def test_a_repeated_request_keeps_its_own_decision(bank):
    first = bank.reveal(HIDDEN, ["name"], key=("k", b"d"))
    bank.advance(90)
    other = bank.reveal(HIDDEN, ["name"])
    again = [bank.reveal(HIDDEN, ["name"], key=("k", b"d")) for _ in range(3)]
    assert other.decision != first.decision
    assert {answer.decision for answer in again} == {first.decision}


def test_a_step_up_is_never_folded_into_one_that_was_met(bank):
    """Each comes with a challenge of its own."""
    challenges = {bank.reveal("C00001", ["balance"]).challenge for _ in range(3)}
    assert len(challenges) == 3


def test_a_fold_tells_nobody_about_a_client_that_is_none_of_theirs(bank):
    answers = [bank.reveal(HIDDEN, ["name"], client="bank-99") for _ in range(3)]
    assert {answer.leaf.log for answer in answers} == {""}
    assert {answer.leaf.hash for answer in answers} == {""}
    assert rules(answers[2]) == {"person.assigned"}
    with pytest.raises(NotFound):
        bank.house.transact(read_decision(bank.house, bank.caller(), answers[2].decision))


@pytest.mark.storage("postgresql", reason="on SQLite the writer's lock keeps them apart")
def test_two_workers_that_close_the_same_windows_count_them_once(bank):
    for number in (2, 3, 4):
        for _ in range(5):
            bank.reveal(f"C{number:05d}", ["name"])
    bank.advance(61)
    with closing(open_house(bank.house.settings, bank.clock)) as other:

        def first():
            closed = yield from close_overdue(bank.clock.now_us())
            second = threads.submit(other.transact, close_overdue(bank.clock.now_us()))
            until(lambda: second.done() or waits(), "it neither ended nor waited")
            return closed, second

        def waits():
            return bank.sql(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )

        with ThreadPoolExecutor(1) as threads:
            closed, second = bank.house.transact(first())
            assert (closed, second.result()) == (3, 0)
    assert sorted(leaf["count"] for leaf in made(bank)) == [1, 1, 1, 4, 4, 4]


def test_who_opens_a_window_that_another_opened_meanwhile_loses_none_of_its_count(bank):
    """Two equal refusals at once may both be written in full; what joined the first is counted all the same."""
    bank.reveal(HIDDEN, ["name"])
    ((log, key, leaf, entry),) = bank.sql("SELECT log, key, leaf, entry FROM ledger_fold")
    bank.reveal(HIDDEN, ["name"])
    now_us = bank.clock.now_us()

    def late():
        yield Round(
            data=(opens(bytes(key), "dec_x", append_entry(log, leaf, now_us, bytes(entry))),)
        )

    bank.house.transact(late())
    close(bank)
    assert sorted(leaf["count"] for leaf in made(bank)) == [1, 1]
