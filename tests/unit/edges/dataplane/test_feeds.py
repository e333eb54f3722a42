"""`POST /v1/feeds/{name}`: what a sender gets back, and what it costs when another process writes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from holdfast.edges.dataplane.assembled import assemble
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.db.sqlite import connect
from holdfast.spine.house import House
from holdfast.spine.signals.envelope import sign
from holdfast.spine.signals.known import known_of
from holdfast.spine.signals.registry import (
    NewFeed,
    add_feed,
    add_key,
    check_feed,
    make_digest_key,
    make_key,
)
from support.published import PublishedHouse
from support.stores import FakeClock


class Plane:
    """The data plane's application over a house of its own, called without a network."""

    def __init__(self, home) -> None:
        self.small = PublishedHouse(home)
        self.clock = FakeClock()
        self.house = House(self.small.settings, self.clock)
        self.house.found_signing_keys()
        now_us = self.clock.now_us()
        known = self.house.read(known_of(self.house, "bank-01"))
        new = check_feed(NewFeed("acd", "bank-01"), known, ("generic",))
        digest_key = make_digest_key(self.house.root, "acd")
        self.house.transact(add_feed(new, digest_key, by=self._by, now_us=now_us))
        self.key, sealed = make_key(self.house.root, "acd", now_us)
        self.house.transact(add_key("acd", self.key.kid, sealed, by=self._by, now_us=now_us))

    def _by(self, log: str):
        yield from ()
        return "p_admin"

    def close(self) -> None:
        self.house.close()
        self.small.close()

    def event(self, number: int = 1, **more: Any) -> dict[str, Any]:
        return {
            "id": f"e{number}",
            "type": "contact.connected",
            "occurred_at": rfc3339(self.clock.now_us()),
            "client": "bank-01",
            "contact": f"CT-{number}",
            "queue": "cards-inbound",
            "person": "A1",
            **more,
        }

    def post(self, *bodies: bytes, header: str | None = None, while_doing: Any = None):
        """Post all bodies at once; return status and answer of each."""

        async def both():
            loop = asyncio.get_running_loop()
            plane = assemble(self.house, loop, frozenset({"localhost"}))
            await plane.runner.open()
            calls = [self._call(plane.app, body, header) for body in bodies]
            if while_doing is not None:
                calls.append(while_doing())
            try:
                return (await asyncio.gather(*calls))[: len(bodies)]
            finally:
                await plane.runner.close()

        return asyncio.run(both())

    async def _call(self, app, body: bytes, header: str | None):
        if header is None:
            header = sign(self.key, "acd", self.clock.now_us() // SECOND_US, body)
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/feeds/acd",
            "client": ("127.0.0.1", 1),
            "headers": [(b"host", b"localhost"), (b"holdfast-signature", header.encode())],
        }
        sent: list[dict[str, Any]] = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.fixture
def plane(tmp_path):
    plane = Plane(tmp_path)
    yield plane
    plane.close()


def lines(*events: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events)


def test_events_are_taken_in(plane):
    ((status, report),) = plane.post(lines(plane.event(1), plane.event(2)))
    assert status == 200
    assert report == {"accepted": 2, "duplicate": 0, "rejected": []}


def test_many_batches_at_once_are_all_taken_in_and_each_event_once(plane):
    bodies = [lines(*(plane.event(n) for n in range(k, k + 3))) for k in range(10)]
    answers = plane.post(*bodies)
    assert {status for status, _ in answers} == {200}
    assert sum(report["accepted"] for _, report in answers) == 12
    assert sum(report["duplicate"] for _, report in answers) == 18


def test_a_batch_of_which_every_line_is_refused_says_so_by_its_status(plane):
    ((status, report),) = plane.post(lines(plane.event(client="bank-02")))
    assert status == 422
    assert report["rejected"] == [{"line": 1, "reason": "other_client", "field": "client"}]


@pytest.mark.parametrize(
    ("header", "status", "code", "field"),
    [
        ("", 401, "not_authenticated", ""),
        ("t=1,kid=k,v1=" + "0" * 64, 401, "not_authenticated", ""),
        ("nonsense", 400, "invalid_input", "Holdfast-Signature"),
    ],
)
def test_a_bad_signature_is_a_problem_that_shows_nothing(plane, header, status, code, field):
    ((got, problem),) = plane.post(lines(plane.event()), header=header)
    assert (got, problem["code"], problem.get("field", "")) == (status, code, field)


def test_a_body_over_a_mebibyte_is_refused(plane):
    ((status, problem),) = plane.post(b" " * (1024 * 1024 + 1))
    assert (status, problem["field"]) == (413, "body")


@pytest.mark.storage("sqlite", reason="a store on PostgreSQL has many writers at once")
def test_it_waits_for_another_writer_of_the_keys_store_without_holding_up_the_loop(plane):
    keys = connect(plane.small.settings.keys_path)
    keys.begin()
    turns_of_the_loop = 0

    async def let_go():
        nonlocal turns_of_the_loop
        for _ in range(5):
            await asyncio.sleep(0)
            turns_of_the_loop += 1
        keys.rollback()

    ((status, report),) = plane.post(lines(plane.event()), while_doing=let_go)
    keys.close()
    assert (status, report["accepted"], turns_of_the_loop) == (200, 1, 5)
