"""`holdfast feed …`: who may do it, what it prints, and what it leaves behind."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from holdfast.edges.cli.main import run
from holdfast.kit.clock import SECOND_US, SystemClock
from holdfast.kit.terminal import ExitCode
from holdfast.spine.identity.credentials import issue
from holdfast.vocabulary.levels import Role
from support.ports import free_ports
from support.published import PublishedHouse
from support.stores import raw


@pytest.fixture
def house(tmp_path, monkeypatch):
    house = PublishedHouse(tmp_path)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    yield house
    house.close()


@pytest.fixture
def holdfast(house, capsys):
    """Run a command; returns its exit code and what it printed, parsed if it is JSON."""

    def call(*arguments: str):
        capsys.readouterr()
        code = run(["feed", *arguments])
        out, err = capsys.readouterr()
        call.said = err
        try:
            return code, json.loads(out)
        except ValueError:
            return code, out

    return call


@pytest.fixture
def feed(holdfast):
    assert holdfast("add", "acd", "--client", "bank-01", "--json")[0] == ExitCode.OK
    return "acd"


@pytest.fixture
def key(holdfast, feed, tmp_path):
    code, made = holdfast("key", feed, "--json")
    assert code == ExitCode.OK
    file = tmp_path / "acd.key"
    file.write_text(json.dumps(made))
    return file


def events(path, *more: dict[str, str]) -> str:
    common = {
        "id": "e1",
        "type": "contact.connected",
        "occurred_at": "2020-01-01T00:00:00Z",
        "client": "bank-01",
        "contact": "CT-1",
        "queue": "cards-inbound",
        "person": "A1",
    }
    file = path / "events.jsonl"
    file.write_text("\n".join(json.dumps({**common, **one}) for one in more) + "\n")
    return str(file)


def test_a_feed_is_registered_with_what_it_may_speak_for(holdfast):
    code, added = holdfast(
        "add", "ivr", "--client", "bank-01", "--types", "verified,contact.ended",
        "--programmes", "cards", "--sites", "manila", "--zone", "Asia/Manila", "--json",
    )  # fmt: skip
    assert code == ExitCode.OK
    assert added["types"] == ["contact.verified", "contact.ended"]
    _, listed = holdfast("list", "--json")
    assert listed[0]["programmes"] == ["cards"]
    assert listed[0]["zone"] == "Asia/Manila"
    assert listed[0]["keys"] == []
    assert holdfast("list", "--client", "bank-02", "--json")[1] == []


def test_contact_is_short_for_all_events_of_contacts(holdfast):
    _, added = holdfast("add", "acd", "--client", "bank-01", "--types", "contact", "--json")
    assert len(added["types"]) == 6
    assert all(kind.startswith("contact.") for kind in added["types"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["acd", "--client", "nobody"], "nobody"),
        (["acd", "--client", "bank-01", "--types", "contact.exploded"], "contact.connected"),
        (["acd", "--client", "bank-01", "--programmes", "loans"], "Known: cards"),
        (["acd", "--client", "bank-01", "--adaptor", "fax"], "Known: generic"),
        (["acd", "--client", "bank-01", "--zone", "Mars/Base"], "IANA"),
        (["acd", "--client", "bank-01", "--zone", "../../etc/passwd"], "IANA"),
        (["acd", "--client", "bank-01", "--sites", "a b"], "site"),
        (["A.B", "--client", "bank-01"], "lower-case"),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused_with_what_would(holdfast, arguments, said):
    assert holdfast("add", *arguments)[0] == ExitCode.REFUSED
    assert said in holdfast.said


def test_a_name_is_registered_once(holdfast, feed):
    assert holdfast("add", feed, "--client", "bank-01")[0] == ExitCode.REFUSED


def test_a_key_is_shown_once_alone_on_standard_output(holdfast, feed, house):
    code, secret = holdfast("key", feed)
    assert code == ExitCode.OK
    assert secret.startswith("hfk_")
    assert "kid: fk_" in holdfast.said
    assert secret.strip() not in str(holdfast("list", "--json"))


def test_three_keys_may_be_active_and_a_retired_one_makes_room(holdfast, feed):
    made = [holdfast("key", feed, "--json")[1] for _ in range(3)]
    assert holdfast("key", feed)[0] == ExitCode.REFUSED
    assert holdfast("key", feed, "--retire", made[0]["kid"])[0] == ExitCode.OK
    assert holdfast("key", feed, "--retire", made[0]["kid"])[0] == ExitCode.REFUSED
    assert holdfast("key", feed)[0] == ExitCode.OK
    _, (listed,) = holdfast("list", "--json")
    assert listed["retired"] == [made[0]["kid"]]


def test_events_are_pushed_with_a_key_file(holdfast, key, tmp_path, house):
    file = events(tmp_path, {"type": "contact.queued"}, {})
    code, report = holdfast(
        "push", "acd", file, "--key-file", str(key), "--direct", "--now", "--json"
    )
    assert (code, report) == (ExitCode.OK, {"accepted": 2, "duplicate": 0, "rejected": []})
    rows = raw(house.data, "SELECT state, person <> '' FROM purpose_contact")
    assert rows == [("connected", 1)]


def test_an_administrator_may_push_with_the_houses_own_copy_of_the_key(holdfast, key, tmp_path):
    assert holdfast("push", "acd", events(tmp_path, {}), "--direct", "--now")[0] == ExitCode.OK


def test_events_come_from_standard_input_too(holdfast, key, tmp_path, monkeypatch):
    text = Path(events(tmp_path, {})).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert holdfast("push", "acd", "-", "--direct", "--now")[0] == ExitCode.OK


def test_the_key_may_stand_in_the_environment(holdfast, key, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_FEED_KEY_FILE", str(key))
    file = events(tmp_path, {})
    assert holdfast("push", "acd", file, "--direct", "--now")[0] == ExitCode.OK
    monkeypatch.delenv("HOLDFAST_FEED_KEY_FILE")
    made = json.loads(key.read_text())
    monkeypatch.setenv("HOLDFAST_FEED_KEY", f"{made['kid']}:{made['secret']}")
    assert holdfast("push", "acd", file, "--direct", "--now")[0] == ExitCode.OK
    monkeypatch.setenv("HOLDFAST_FEED_KEY", "guess")
    assert holdfast("push", "acd", file, "--direct", "--now")[0] == ExitCode.DENIED


def test_old_events_are_refused_and_listed_as_dead_letters(holdfast, key, tmp_path):
    file = events(tmp_path, {"id": "a"}, {"id": "b", "type": "contact.ended"}, {"oops": "x"})
    code, report = holdfast("push", "acd", file, "--direct", "--json")
    assert code == ExitCode.PARTIAL
    assert report["accepted"] == 1
    assert report["rejected"] == [
        {"line": 1, "reason": "too_late", "field": "occurred_at"},
        {"line": 3, "reason": "unknown_field", "field": "oops"},
    ]
    _, dead = holdfast("dead-letters", "--feed", "acd", "--json")
    assert {letter["reason"] for letter in dead} == {"too_late", "unknown_field"}
    assert holdfast("dead-letters", "--client", "bank-02", "--json")[1] == []
    assert holdfast("push", "acd", events(tmp_path, {"id": "c"}), "--direct")[0] == ExitCode.REFUSED


def test_lines_are_numbered_as_in_the_file_however_it_is_cut(holdfast, key, tmp_path):
    many = [{"id": f"e{n}", "type": "contact.ended"} for n in range(450)]
    many[431] = {"id": "bad", "client": "bank-02"}
    file = events(tmp_path, *many)
    code, report = holdfast("push", "acd", file, "--direct", "--json")
    assert (code, report["accepted"]) == (ExitCode.PARTIAL, 449)
    assert report["rejected"] == [{"line": 432, "reason": "other_client", "field": "client"}]


def test_without_a_server_nothing_is_sent_and_it_says_what_to_do(holdfast, key, tmp_path):
    (port,) = free_ports(1)
    url = f"http://localhost:{port}"
    code, _ = holdfast("push", "acd", events(tmp_path, {}), "--url", url)
    assert code == ExitCode.UNAVAILABLE
    assert "--direct" in holdfast.said
    assert holdfast("push", "acd", events(tmp_path, {}), "--url", "ftp://x")[0] == ExitCode.REFUSED


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "crm", "--client", "bank-01"],
        ["key", "acd"],
        ["key", "acd", "--retire", "fk_x"],
        ["list"],
        ["dead-letters"],
        ["push", "acd", "{file}", "--direct"],
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_an_agent_administers_no_feed(holdfast, feed, house, tmp_path, monkeypatch, arguments):
    person = house.person("A2", Role.AGENT, client="bank-01")
    now_us = SystemClock().now_us()
    token = house.transact(issue(person=person, life_us=3600 * SECOND_US, now_us=now_us))
    monkeypatch.setenv("HOLDFAST_TOKEN", token.secret.reveal())
    file = events(tmp_path, {})
    code, _ = holdfast(*(argument.replace("{file}", file) for argument in arguments))
    assert code == ExitCode.DENIED
    assert "role" in holdfast.said


def test_registering_a_feed_and_a_key_are_leaves_by_the_person_who_did_it(holdfast, key, house):
    told = [leaf for log, leaf in house.leaves() if log == "client-bank-01"]
    assert [leaf["type"] for leaf in told] == ["feed.added", "feed.key_added"]
    assert len({leaf["by"] for leaf in told}) == 1
