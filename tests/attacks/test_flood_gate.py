"""Floods at the door: one who asks too much waits, and takes nothing from the others."""

from __future__ import annotations

import asyncio
import json

import pytest

from holdfast.edges.dataplane.assembled import assemble
from holdfast.edges.dataplane.gate import MOST_CLIENTS, SHARE, STRANGERS, Gate
from holdfast.edges.dataplane.keeping import Keeping
from holdfast.edges.dataplane.turn import MOST_WAITING
from holdfast.kit.buckets import Buckets
from holdfast.kit.config import Rate
from holdfast.kit.errors import TooMany, Unavailable
from holdfast.spine.operations.reveal import reveal
from support.bank import new_bank
from support.stores import ON_POSTGRES

AGENT, OTHER, FRESH = b"agent", b"other", b"fresh"
HERE, THERE = "192.0.2.1", "198.51.100.2"


class Hand:
    """A clock that is moved by hand."""

    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def gate(hand):
    gate = Gate(Rate(10, 20), Rate(15, 30), now=hand)
    for credential in (AGENT, OTHER):
        once(gate, credential, client="bank-01")
    hand.s += 100
    return gate


def once(gate, credential, *, peer=HERE, client="", answered=True):
    given = gate.enter(credential, peer)
    try:
        if client:
            gate.name_client(given, client)
    finally:
        gate.leave(given, answered=answered, shown=answered)


def until_refused(gate, credential, most=10_000, **how):
    for count in range(most):
        try:
            once(gate, credential, **how)
        except TooMany as error:
            return count, error
    raise AssertionError("never refused")


def test_one_credential_is_slowed_down_and_another_is_served(gate, hand):
    count, refusal = until_refused(gate, AGENT)
    assert count == 20
    assert (refusal.status, refusal.retry_after_s) == (429, 1)
    once(gate, OTHER)
    hand.s += refusal.retry_after_s
    once(gate, AGENT)


def test_invented_credentials_take_nothing_from_known_ones(gate):
    refused = 0
    for number in range(5_000):
        try:
            once(gate, b"invented %d" % number, answered=False)
        except TooMany:
            refused += 1
    assert refused > 4_900, "they share what their address has"
    once(gate, AGENT)
    once(gate, FRESH, peer=THERE)


def test_a_flood_of_strangers_does_not_fill_the_memory(hand):
    buckets = Buckets(Rate(1, 5), hand, most=100)
    for number in range(10_000):
        buckets.take(f"2001:db8::{number:x}")
    assert len(buckets) <= 101, "one more is shared by all others"


def test_a_bucket_is_not_filled_by_pushing_it_out_of_the_table(hand):
    """Many others come so that one's own empty bucket is forgotten: only full ones are."""
    buckets = Buckets(Rate(1, 5), hand, most=100)
    while not buckets.take("mine"):
        pass
    hand.s += 2
    for number in range(1_000):
        buckets.take(number)
    taken = sum(not buckets.take("mine") for _ in range(10))
    assert taken == 2, "what two seconds gave, and no more"


def test_those_for_whom_there_is_no_room_share_one_bucket(hand):
    buckets = Buckets(Rate(1, 5), hand, most=3)
    for number in range(3):
        buckets.take(number)
    served = sum(not buckets.take(f"late {number}") for number in range(50))
    assert served == 5


def test_a_stranger_to_a_client_cannot_use_up_its_share(gate):
    """Naming a client costs its bucket nothing until something of it was shown to that credential."""
    once(gate, FRESH, client="bank-02", answered=False)
    for _ in range(15):
        once(gate, FRESH, client="bank-01", answered=False)
    once(gate, AGENT, client="bank-01")


def test_all_of_a_client_together_are_slowed_down(gate):
    credentials = [b"desk %d" % number for number in range(10)]
    for number, credential in enumerate(credentials):
        once(gate, credential, peer=f"203.0.113.{number}", client="bank-01")
    refused = 0
    for credential in credentials * 10:
        try:
            once(gate, credential, client="bank-01")
        except TooMany:
            refused += 1
    assert refused == 70


def test_a_revoked_credential_is_a_stranger_and_gets_no_new_bucket(gate):
    given = gate.enter(AGENT, HERE)
    gate.refuse(given)
    gate.leave(given, answered=False, shown=False)
    until_refused(gate, b"a stranger", answered=False)
    with pytest.raises(TooMany):
        once(gate, AGENT)
    once(gate, AGENT, peer=THERE)
    count, _ = until_refused(gate, AGENT)
    assert count == 19, "the bucket that it had before"


def test_the_clients_of_one_credential_are_bounded(gate, hand):
    for number in range(5 * MOST_CLIENTS):
        hand.s += 1
        once(gate, AGENT, client=f"client-{number}")
    assert len(gate._known[AGENT]) == MOST_CLIENTS


def test_one_credential_cannot_have_all_under_way(hand):
    gate = Gate(Rate(10_000, 10_000), Rate(10_000, 10_000), now=hand)
    once(gate, AGENT)
    once(gate, OTHER)
    for _ in range(SHARE):
        gate.enter(AGENT, HERE)
    with pytest.raises(TooMany):
        gate.enter(AGENT, HERE)
    once(gate, OTHER)


def test_strangers_together_cannot_have_all_under_way(hand):
    gate = Gate(Rate(10_000, 10_000), Rate(10_000, 10_000), now=hand)
    once(gate, AGENT)
    for number in range(STRANGERS):
        gate.enter(b"x %d" % number, f"203.0.113.{number % 100}")
    with pytest.raises(TooMany):
        gate.enter(FRESH, THERE)
    assert STRANGERS < MOST_WAITING
    once(gate, AGENT)


# ── through the application ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def bank(tmp_path):
    home = tmp_path / "house"
    home.mkdir()
    (home / "holdfast.toml").write_text('[flood]\nper_credential = "1/20"\n')
    bank = new_bank(home)
    bank.connect()
    yield bank
    bank.close()


async def ask(app, path="/v1/reveal", body=b"{}", token="", method="POST"):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "client": ("127.0.0.1", 1),
        "headers": headers,
    }
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(sent[1]["body"])


def look(bank):
    return json.dumps(
        {
            "client": "bank-01",
            "collection": "customers",
            "customer": bank.customers["C00001"],
            "fields": ["name"],
            "purpose": {"contact": "CT-1"},
        }
    ).encode()


def in_plane(bank, story):
    async def run():
        plane = assemble(bank.house, asyncio.get_running_loop(), frozenset({"localhost"}))
        await plane.runner.open()
        try:
            return await story(plane)
        finally:
            await plane.runner.close()

    return asyncio.run(run())


def test_the_answer_to_a_flood_says_when_to_come_back_and_wrote_nothing(bank):
    async def story(plane):
        first = await ask(plane.app, body=look(bank), token=bank.agent.token)
        asked = (ask(plane.app, body=look(bank), token=bank.agent.token) for _ in range(50))
        answers = [first, *await asyncio.gather(*asked)]  # all at the gate in a moment
        other = await ask(plane.app, body=look(bank), token=bank.other.token)
        return answers, other

    answers, other = in_plane(bank, story)
    served = [one for one in answers if one[0] == 200]
    held_up = [one for one in answers if one[0] == 429]
    assert len(held_up) >= 25, "some more than twenty are let in, as time goes by"
    _, headers, problem = held_up[-1]
    assert problem["code"] == "too_many_requests"
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"retry-after"]) >= 1
    assert len(bank.leaves("decision.made")) == len(served) + 1
    assert other[0] == 403, "another agent is judged, not held up"


def test_a_flood_without_credential_writes_one_line_a_minute_with_the_count(bank):
    hand = Hand()

    async def story(plane):
        keeping = Keeping(bank.house, plane.runner, plane.metrics, hand)
        for _ in range(3):
            for number in range(100):
                token = f"hft_{number:043d}" if number % 2 else ""
                status, _, _ = await ask(plane.app, body=look(bank), token=token)
                assert status in {401, 429}
            for _ in range(60):
                hand.s += 1
                keeping.beat()
            await asyncio.sleep(0)
        return await plane.runner.submit(nothing)

    def nothing():
        return
        yield

    in_plane(bank, story)
    told = [leaf for leaf in bank.leaves("signal.raised") if leaf["signal"] == "credential.refused"]
    assert len(told) == 3
    assert sum(leaf["count"] for leaf in told) >= 150
    assert not bank.leaves("decision.made")


def test_a_full_queue_refuses_at_once_and_leaves_nothing_half_done(bank):
    async def story(plane):
        given = bank.asked()

        def work():
            return reveal(bank.house, given, bank.id_of("C00001"), ("name",))

        waiting = [plane.runner.submit(work) for _ in range(MOST_WAITING)]
        with pytest.raises(Unavailable) as refused:
            plane.runner.submit(work)
        status, headers, problem = await ask(plane.app, "/readyz", method="GET")
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        return refused.value, (status, headers[b"retry-after"], problem["code"]), answers

    error, ready, answers = in_plane(bank, story)
    assert (error.status, error.code) == (503, "queue_full")
    assert ready == (503, b"1", "queue_full")
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    ids = [answer.leaf.id for answer in answers if not isinstance(answer, BaseException)]
    written = [leaf["id"] for leaf in bank.leaves("decision.made")]
    if ON_POSTGRES:  # they run side by side, and who waits too long for a connection is told so
        assert all(isinstance(one, Unavailable) for one in refused)
        ids, written = sorted(ids), sorted(written)
        assert ids
    else:
        assert not refused
    assert written == ids, "the oldest first"


def test_callers_who_went_away_do_not_keep_the_queue_full(bank):
    async def story(plane):
        given = bank.asked()

        def work():
            return reveal(bank.house, given, bank.id_of("C00001"), ("name",))

        gone = [plane.runner.submit(work) for _ in range(MOST_WAITING)]
        for future in gone:
            future.cancel()
        return await plane.runner.submit(work)

    assert in_plane(bank, story).outcome == "permit"
    assert len(bank.leaves("decision.made")) == 1
