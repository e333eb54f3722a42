"""Killed at any moment, again and again: what subscribers keep is what a fresh replay keeps, and each job is done."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from faults.stream_parts import HEART, NOTE, FastClock, Part, follow, work, work_once, write
from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.tail import leaves_from
from holdfast.vocabulary.ids import HOUSE_LOG
from support.bank import new_bank
from support.following import follow as follow_all
from support.following import positions, replayed, state
from support.ledger import BANK, SHOP, LedgerHouse, a_leaf
from support.server import environment
from support.stores import FakeClock, raw

pytestmark = pytest.mark.slow

KILLS = 24
WORKERS_KILLED = 3
SHORT = {"HOLDFAST_WORKER_LEASE_SECONDS": "2"}  # on PostgreSQL the next worker waits for it


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A house in which everything was killed many times."""
    home = tmp_path_factory.mktemp("killed") / "house"
    LedgerHouse(home).close()
    clock = FastClock(time.time_ns() // 1000)
    parts = [Part(does, home, clock) for does in (write, follow, follow, work, work)]
    moments = random.Random(20261127)
    try:
        for part in parts:
            part.hear(2)
        for _ in range(KILLS):
            part = moments.choice(parts)
            part.hear(moments.randint(1, 4))
            part.kill_and_begin()
    finally:
        for part in parts:
            part.kill()
    return home


@pytest.fixture
def house(home):
    house = LedgerHouse(home, FakeClock(), fresh=False)
    house.clock.advance(DAY_US)  # every lease has lapsed
    house.tick()
    yield house
    house.close()


def test_the_subscribers_keep_what_a_fresh_replay_keeps(house):
    before = positions(house)
    assert min(before.values()) > 0
    follow_all(house)
    kept = state(house)
    assert kept["timeline"]
    assert sum(row[-1] for row in kept["tally"]) == sum(
        house.size(log) for log in {log for _, log in before}
    )
    assert kept == replayed(house)
    assert not raw(house.data, "SELECT * FROM stream_parked")


def test_every_job_is_done_and_has_its_effect_once(house):
    while work_once(house):
        pass
    house.tick()
    jobs = raw(house.data, "SELECT id, kind, state, dedupe_key FROM jobs_job")
    assert {state for _, _, state, _ in jobs} == {"done"}
    leaves = [
        json.loads(one.entry)
        for log in (BANK, SHOP, HOUSE_LOG)
        for one in house.read(leaves_from(log, 0, most=10**6))
    ]
    done = Counter(one["subject"] for one in leaves if one.get("signal") == "feed.malformed")
    assert done == Counter(ident for ident, *_ in jobs)
    batches = sum(one.get("signal") == "feed.untimely" for one in leaves)
    assert sum(kind == NOTE for _, kind, _, _ in jobs) == 2 * batches


def test_no_fire_time_of_a_schedule_was_enqueued_twice(house):
    keys = [
        row[0] for row in raw(house.data, "SELECT dedupe_key FROM jobs_job WHERE kind = 'heart'")
    ]
    fires = [int(key.removeprefix("heart@")) for key in keys]
    assert len(fires) > 1
    assert len(set(fires)) == len(fires)
    assert all(fire % HEART.every_us == 0 for fire in fires)


def test_the_houses_own_worker_is_killed_and_goes_on_where_it_stood(tmp_path):
    bank = new_bank(tmp_path / "house")
    house, moments = bank.house, random.Random(7)
    with house.stores() as stores:
        seen = SimpleNamespace(
            data=stores.data, read=house.read, transact=house.transact, clock=house.clock
        )
        for _ in range(WORKERS_KILLED):
            house.transact(_appended(house.clock.now_us(), 300))
            at = sum(positions(seen).values())
            with subprocess.Popen(
                [sys.executable, "-m", "holdfast.edges.worker.process"],
                env=environment(bank.home, **SHORT),
            ) as worker:
                for goal in (at + 1, at + moments.randint(600, 1200)):
                    while sum(positions(seen).values()) < goal:
                        assert worker.poll() is None
                        threading.Event().wait(0.02)
                        if goal > at + 1:
                            house.transact(_appended(house.clock.now_us(), moments.randint(1, 60)))
                worker.kill()
        bank.advance(60)  # the lease of the one that was killed last has lapsed
        registrar = Registrar(house, house.signing_keys)
        registrar.tick()
        registrar.close()
        follow_all(seen)
        kept = state(seen)
        assert len(kept["timeline"]) > WORKERS_KILLED
        assert kept == replayed(seen)
        keys = [key for (key,) in raw(stores.data, "SELECT dedupe_key FROM jobs_job")]
        assert len(set(keys)) == len(keys)
    bank.close()


def _appended(now_us, count):
    yield Round(data=tuple(append(BANK, a_leaf(now_us, number)) for number in range(count)))
