"""`holdfast log timeline|tally`, `stream …` and `job …`: what they print, and who may."""

from __future__ import annotations

import json

import pytest

from holdfast.edges.cli.main import run
from holdfast.kit.clock import MINUTE_US, SystemClock, parse_rfc3339, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.jobs.queue import NewJob, enqueue, run_due
from holdfast.kit.terminal import ExitCode
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.stream.following import Following
from holdfast.vocabulary.levels import Role
from support.bank import new_bank
from support.following import own_followers
from support.freezing import person


def logs_kept(bank):
    registrar = Registrar(bank.house, bank.house.signing_keys)
    registrar.tick()
    registrar.close()
    while Following(bank.house, own_followers()).turn(within_s=60):
        pass


@pytest.fixture
def bank(tmp_path, monkeypatch):
    """The bank at the present time: an agent looked twice and was refused once; another never looked."""
    bank = new_bank(tmp_path)
    bank.clock.floor(SystemClock().now_us() - MINUTE_US)
    bank.connect()
    bank.prove()
    bank.shown = bank.reveal("C00001", ["name"])
    bank.refused = bank.reveal("C00002", ["name"])
    bank.auditor = person(bank, "U0001", house=(Role.AUDITOR,), roles=())
    bank.security = person(bank, "S0001", house=(Role.SECURITY,), roles=())
    bank.theirs = bank.new_token(person(bank, "B0001"))  # of the client, with an unbound token
    pending = bank.sql("SELECT entry FROM ledger_pending WHERE log = 'client-bank-01' ORDER BY id")
    bank.told = [json.loads(entry) for (entry,) in pending]
    logs_kept(bank)
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


def reference_of(bank, agent):
    query = "SELECT ref FROM identity_reference WHERE person = ? AND log = 'client-bank-01'"
    return bank.sql(query, agent.id)[0][0]


def test_a_persons_timeline_is_what_the_log_says_of_them_newest_first(bank, holdfast):
    code, seen = holdfast(bank.auditor, "log", "timeline", "bank-01", "--person", "A0001")
    assert code == ExitCode.OK
    own = reference_of(bank, bank.agent)
    named = [one for one in bank.told if own in json.dumps(one)]
    assert [one["id"] for one in seen["leaves"]] == [one["id"] for one in reversed(named)]
    assert (seen["log"], seen["unread"], seen["before"]) == ("client-bank-01", 0, None)
    _, same = holdfast(bank.theirs, "log", "timeline", "bank-01", "--person", own)
    assert same == seen


def test_it_is_read_page_by_page(bank, holdfast):
    whole = holdfast(bank.auditor, "log", "timeline", "bank-01", "--person", "A0001")[1]["leaves"]
    pages, before = [], []
    while True:
        more = ["--before", str(before[-1])] if before else []
        ask = ("log", "timeline", "bank-01", "--person", "A0001", "--limit", "2", *more)
        _, page = holdfast(bank.auditor, *ask)
        pages += page["leaves"]
        if page["before"] is None:
            break
        before.append(page["before"])
    assert pages == whole
    assert len(whole) > 2


def test_who_looked_at_a_customer_is_found_by_the_customer(bank, holdfast):
    ask = ("log", "timeline", "bank-01", "--customer", bank.id_of("C00001"))
    code, seen = holdfast(bank.security, *ask)
    assert code == ExitCode.OK
    looks = [one for one in seen["leaves"] if one["type"] == "decision.made"]
    assert {one["person"] for one in looks} == {reference_of(bank, bank.agent)}
    assert bank.shown.decision in {one["decision"] for one in looks}
    assert bank.id_of("C00001") not in json.dumps(seen)


def test_a_decision_and_a_contact_are_found_by_their_reference(bank, holdfast):
    ask = ("log", "timeline", "bank-01", "--reference", bank.shown.decision)
    _, seen = holdfast(bank.auditor, *ask)
    assert [one["decision"] for one in seen["leaves"]] == [bank.shown.decision]
    contact = seen["leaves"][0]["contact"]
    _, of_contact = holdfast(bank.auditor, "log", "timeline", "bank-01", "--reference", contact)
    assert "contact.bound" in {one["type"] for one in of_contact["leaves"]}


def test_who_may_not_read_the_log_reads_no_timeline_and_no_tally(bank, holdfast):
    for client in ("bank-01", "no-such-client"):
        for who in (bank.agent, bank.other):
            ask = ("log", "timeline", client, "--person", reference_of(bank, bank.agent))
            assert holdfast(who, *ask)[0] == ExitCode.DENIED
            assert holdfast(who, "log", "tally", client)[0] == ExitCode.DENIED
    assert holdfast(bank.theirs, "log", "tally", "shop-02")[0] == ExitCode.DENIED
    assert holdfast(bank.theirs, "log", "tally")[0] == ExitCode.DENIED  # the house's own


def test_whom_a_reference_stands_for_is_looked_up_by_those_who_may(bank, holdfast):
    ask = ("log", "timeline", "bank-01", "--person", "A0001")
    assert holdfast(bank.theirs, *ask)[0] == ExitCode.DENIED
    ask = ("log", "timeline", "bank-01", "--customer", bank.id_of("C00001"))
    assert holdfast(bank.auditor, *ask)[0] == ExitCode.DENIED
    assert holdfast(bank.security, *ask[:-1], "C00001")[0] == ExitCode.REFUSED


def test_a_tally_counts_looks_and_refusals_by_rule(bank, holdfast):
    code, rows = holdfast(bank.theirs, "log", "tally", "bank-01", "--days", "400")
    assert code == ExitCode.OK
    made = [one for one in bank.told if one["type"] == "decision.made"]
    looks = [row for row in rows if row["type"] == "decision.made"]
    assert sum(row["count"] for row in looks if not row["rule"]) == len(made)
    refused = next(one for one in made if one["decision"] == bank.refused.decision)
    for rule in refused["rules"]:
        (row,) = [row for row in looks if (row["rule"], row["outcome"]) == (rule, "deny")]
        assert (row["what"], row["day"]) == ("reveal", refused["time"][:10])
        assert row["count"] == sum(rule in one["rules"] for one in made)
    assert refused["rules"]


def test_how_far_the_subscribers_are_is_listed(bank, holdfast):
    code, rows = holdfast(bank.auditor, "stream", "list")
    assert code == ExitCode.OK
    assert {(row["name"], row["behind"], row["parked"]) for row in rows} == {
        ("timeline", 0, 0),
        ("tally", 0, 0),
    }
    bank.reveal("C00001", ["name"])
    registrar = Registrar(bank.house, bank.house.signing_keys)
    registrar.tick()
    registrar.close()
    _, rows = holdfast(bank.auditor, "stream", "list")
    assert [row["behind"] for row in rows] == [1, 1]
    assert holdfast(bank.agent, "stream", "list")[0] == ExitCode.DENIED


def test_a_rebuild_is_ordered_by_who_administers_and_comes_to_the_same(bank, holdfast):
    before = bank.sql("SELECT * FROM stream_tally ORDER BY 1, 2, 3, 4, 5, 6")
    assert holdfast(bank.auditor, "stream", "rebuild", "tally")[0] == ExitCode.DENIED
    code, done = holdfast(bank.security, "stream", "rebuild", "tally")
    assert (code, done["logs"]) == (ExitCode.OK, 2)
    assert holdfast(bank.auditor, "stream", "list")[1][1]["behind"] > 0
    logs_kept(bank)
    after = bank.sql("SELECT * FROM stream_tally ORDER BY 1, 2, 3, 4, 5, 6")
    refused = [row for row in after if row[2] == "administration.refused"]
    assert [row for row in after if row not in refused] == before
    assert holdfast(bank.security, "stream", "rebuild", "nobody")[0] == ExitCode.REFUSED


def test_parked_leaves_are_listed_and_taken_once_more(bank, holdfast):
    ((idx,),) = bank.sql("SELECT MAX(idx) FROM stream_timeline WHERE log = 'client-bank-01'")
    bank.sql("DELETE FROM stream_timeline WHERE log = 'client-bank-01' AND idx = ?", idx)
    bank.sql(
        "INSERT INTO stream_parked (subscriber, log, idx, code, tries, at_us) VALUES (?, ?, ?, ?, 4, 5)",
        *("timeline", "client-bank-01", idx, "KeyError"),
    )
    _, rows = holdfast(bank.auditor, "stream", "parked")
    assert [(row["subscriber"], row["index"], row["code"]) for row in rows] == [
        ("timeline", idx, "KeyError")
    ]
    assert holdfast(bank.auditor, "stream", "retry", "timeline")[0] == ExitCode.DENIED
    code, done = holdfast(bank.security, "stream", "retry", "timeline")
    assert (code, done) == (ExitCode.OK, {"taken": 1, "parked": []})
    assert bank.sql("SELECT 1 FROM stream_timeline WHERE log = 'client-bank-01' AND idx = ?", idx)
    assert holdfast(bank.auditor, "stream", "parked", "timeline")[1] == []


def test_work_that_was_given_up_is_listed_and_run_again(bank, holdfast):
    now_us = bank.clock.now_us()

    def put():
        yield Round(data=(enqueue(NewJob("mail", {"to": "somebody"}), now_us),))

    bank.house.transact(put())
    bank.sql("UPDATE jobs_job SET state = 'dead', attempts = 12, error = 'unavailable'")
    _, rows = holdfast(bank.auditor, "job", "list")
    assert [(row["kind"], row["state"], row["attempts"], row["error"]) for row in rows] == [
        ("mail", "dead", 12, "unavailable")
    ]
    assert "somebody" not in json.dumps(rows)
    ident = rows[0]["id"]
    assert holdfast(bank.auditor, "job", "retry", ident)[0] == ExitCode.DENIED
    assert holdfast(bank.security, "job", "retry", ident)[0] == ExitCode.OK
    bank.clock.floor(SystemClock().now_us())
    assert run_due(bank.house, {"mail": lambda run: None}) == 1
    assert holdfast(bank.security, "job", "retry", ident)[0] == ExitCode.REFUSED
    assert [
        row["state"] for row in holdfast(bank.auditor, "job", "list", "--state", "done")[1]
    ] == ["done"]


def test_days_of_a_tally_are_days_of_the_leaves(bank, holdfast):
    _, rows = holdfast(bank.auditor, "log", "tally", "bank-01")
    days = {one["time"][:10] for one in bank.told}
    now_us = parse_rfc3339(max(one["time"] for one in bank.told))
    assert {row["day"] for row in rows} <= days
    assert rfc3339(now_us)[:10] in {row["day"] for row in rows}
