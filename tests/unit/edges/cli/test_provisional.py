"""`holdfast provisional …` and `holdfast outage …`: what they print, and who may."""

from __future__ import annotations

import json

import pytest

from holdfast.edges.cli.main import run
from holdfast.kit.clock import SECOND_US, SystemClock
from holdfast.kit.terminal import ExitCode
from holdfast.vocabulary.levels import Role
from support.bank import new_punctual_bank
from support.freezing import person


@pytest.fixture
def bank(tmp_path, monkeypatch):
    """The bank at the present time, with one contact that its silent feed never told."""
    bank = new_punctual_bank(tmp_path)
    bank.advance(90)
    bank.ident = bank.open_on_word("CT-9").provisional
    bank.advance(15 * 60 + 1)
    bank.clock.floor(SystemClock().now_us())
    bank.house.close()
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    yield bank
    bank.close()


@pytest.fixture
def holdfast(bank, capsys, monkeypatch):
    """Run a command with somebody's token; returns its exit code and what it printed as JSON."""

    def call(who, *arguments):
        monkeypatch.setenv("HOLDFAST_TOKEN", who.token)
        capsys.readouterr()
        code = run([*arguments, "--json"])
        out, _ = capsys.readouterr()
        return code, json.loads(out) if out.strip() else None

    return call


def member(bank, staff_id, role):
    return person(bank, staff_id, house=(role,), roles=())


def test_what_waits_is_listed_and_cleared_by_a_lead(bank, holdfast):
    lead = member(bank, "L0001", Role.LEAD)
    code, rows = holdfast(lead, "provisional", "list")
    assert code == ExitCode.OK
    assert [(row["id"], row["state"], row["looked"]) for row in rows] == [
        (bank.ident, "unreconciled", "no")
    ]
    code, row = holdfast(lead, "provisional", "clear", bank.ident)
    assert (code, row["state"]) == (ExitCode.OK, "cleared")
    assert holdfast(lead, "provisional", "list") == (ExitCode.OK, [])
    _, rows = holdfast(lead, "provisional", "list", "--all", "--client", "bank-01")
    assert [row["state"] for row in rows] == ["cleared"]


def test_an_agent_neither_lists_nor_clears(bank, holdfast):
    agent = member(bank, "A0009", Role.AGENT)
    for command in (("list",), ("clear", bank.ident)):
        assert holdfast(agent, "provisional", *command)[0] == ExitCode.DENIED


def test_an_outage_takes_two_and_is_ended_by_one(bank, holdfast):
    one, two = member(bank, "H0001", Role.ADMIN), member(bank, "H0002", Role.ADMIN)
    declare = ("outage", "declare", "bank-01", "--hours", "2", "--reason", "feed_down")
    assert holdfast(one, *declare)[0] == ExitCode.DENIED
    ident = bank.sql("SELECT id FROM approvals_request")[0][0]
    assert holdfast(two, "approval", "approve", ident)[0] == ExitCode.OK
    code, declared = holdfast(one, *declare)
    assert (code, declared["state"], declared["reason"]) == (ExitCode.OK, "stands", "feed_down")
    code, rows = holdfast(two, "outage", "list")
    assert [row["id"] for row in rows] == [declared["id"]]
    code, ended = holdfast(two, "outage", "end", "bank-01")
    assert (code, ended["state"]) == (ExitCode.OK, "over")
    assert holdfast(two, "outage", "end", "bank-01")[0] == ExitCode.REFUSED


def test_an_outage_of_five_hours_is_a_mistake_in_the_input(bank, holdfast):
    one = member(bank, "H0001", Role.ADMIN)
    declare = ("outage", "declare", "bank-01", "--hours", "5", "--reason", "network")
    assert holdfast(one, *declare)[0] == ExitCode.REFUSED
    assert bank.sql("SELECT id FROM approvals_request") == []


def test_the_list_of_feeds_says_which_is_behind(bank, holdfast):
    admin = member(bank, "H0001", Role.ADMIN)
    code, (row,) = holdfast(admin, "feed", "list")
    assert code == ExitCode.OK
    assert row["lag_s"] == 0.0
    assert row["silent_s"] > 15 * 60
    assert row["pace"] in {"silent", "punctual", "unknown"}  # by the hour at which the test runs
    assert row["behind_at"] == ([""] if row["pace"] == "silent" else [])


def test_the_clock_of_the_test_is_the_present(bank):
    assert abs(bank.clock.now_us() - SystemClock().now_us()) < 60 * SECOND_US
