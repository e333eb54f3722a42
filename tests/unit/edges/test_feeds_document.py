"""docs/reference/feeds.md does what it says: its examples are run, its tables are the code's."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.edges.feeds.catalogue import ADAPTORS
from holdfast.kit.clock import SECOND_US, parse_rfc3339
from holdfast.spine.purpose.merge import EventType
from holdfast.spine.signals.events import Event, Refusal
from support.feeds import FEED, FeedHouse

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "feeds.md").read_text()


def block(kind: str, position: int = 0) -> str:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[position]


def table(heading: str) -> list[str]:
    """The code words in the first column of the first table after a heading."""
    rows = PAGE.split(heading, 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\|? ?`([^`]+)` \|", rows, re.MULTILINE)


def code(position: int) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(block("python", position), scope)  # the document's own example
    return scope


@pytest.fixture
def house(tmp_path):
    house = FeedHouse(tmp_path)
    example = [json.loads(line) for line in block("jsonl").splitlines()]
    house.clock.floor(parse_rfc3339(example[-1]["occurred_at"]))
    yield house
    house.close()


def test_the_complete_example_is_taken_in_as_it_says(house):
    report = house.send_body(block("jsonl").encode())
    assert json.loads(msgspec.json.encode(report)) == json.loads(block("json"))
    contact = house.contact("CT-7")
    assert contact.state == "ended"
    assert (contact.queue, contact.person) == ("lines", house.people["ben"])
    assert contact.customer == "cus_ana"


def test_the_example_gives_the_same_in_any_order(tmp_path):
    lines = block("jsonl").splitlines()
    ends = set()
    for number, order in enumerate([*permutations(lines, len(lines))][::6991]):
        house = FeedHouse(tmp_path / str(number))
        house.clock.floor(parse_rfc3339(json.loads(lines[-1])["occurred_at"]))
        for line in order:
            house.send_body(line.encode())
        ends.add(house.contact("CT-7")._replace(ref="", version=0, person=""))
        house.close()
    assert len(ends) == 1


def test_the_example_uses_every_key():
    used = {key for line in block("jsonl").splitlines() for key in json.loads(line)}
    assert used == set(Event.__struct_fields__)
    assert {json.loads(line)["type"] for line in block("jsonl").splitlines()} == set(EventType)


def test_the_tables_are_the_codes():
    assert set(table("## Events")) == set(Event.__struct_fields__)
    assert re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGE, re.MULTILINE) == [
        kind.value for kind in EventType
    ]
    assert table("## Why a line was refused") == [reason.value for reason in Refusal]


def test_the_signature_in_the_document_is_accepted(house, monkeypatch):
    scope = code(0)
    scope["time"] = type("Time", (), {"time": lambda: house.clock.now_us() / SECOND_US})
    body = json.dumps(house.event("connected")).encode()
    secret = house.key.secret.reveal().decode()
    header = scope["signature"](FEED, house.key.kid, secret, body)
    assert house.send_body(body, header).accepted == 1


def test_the_adaptor_in_the_document_translates(house):
    house.translate = code(1)["translate"]
    at = "2026-11-23T12:01:30Z"
    rows = [f"{at};RING;C7;billing;;+12025550101", f"{at};TALK;C7;billing;ana;", "nonsense"]
    report = house.send_body("\n".join(rows).encode())
    assert report.accepted == 2
    assert [(r.line, r.reason) for r in report.rejected] == [(3, "not_json")]
    assert house.contact("C7").customer == "cus_ana"
    assert house.is_open("C7")


def test_the_documented_adaptor_is_the_one_that_exists():
    assert list(ADAPTORS) == ["generic"]
