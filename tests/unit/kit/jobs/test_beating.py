"""A run that takes longer than its lease keeps it, and one that lost it does not get it back."""

from __future__ import annotations

import threading
import time

import pytest

from holdfast.kit.clock import MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.jobs.beating import Heart
from holdfast.kit.jobs.queue import NewJob, claim, enqueue, run_due
from support.stores import SmallHouse, raw

OFTEN_S = 0.01
PATIENCE_S = 60


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    house.transact(_once(enqueue(NewJob("long"), house.clock.now_us())))
    yield house
    house.close()


@pytest.fixture
def other(house, tmp_path):
    """Another worker of the same house."""
    other = SmallHouse(tmp_path / "house", house.clock, fresh=False)
    yield other
    other.close()


def _once(query):
    yield Round(data=(query,))


def leased_until(house):
    ((until_us,),) = raw(house.data, "SELECT lease_until_us FROM jobs_job")
    return until_us


def until(what):
    patience = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < patience
        time.sleep(OFTEN_S)


def heart(house):
    return Heart(house.settings.data, house.clock, every_s=OFTEN_S)


def test_nobody_takes_work_over_whose_worker_lives_however_long_it_takes(house, other):
    seen = []

    def long(run):
        for _ in range(5):
            house.clock.advance(MINUTE_US - 1)
            until(lambda: leased_until(other) >= house.clock.now_us() + MINUTE_US)
            seen.append(claim(other, ("long",)))

    run_due(house, {"long": long}, beating=heart(house).beating)
    assert seen == [None] * 5
    assert raw(house.data, "SELECT state, attempts FROM jobs_job") == [("done", 1)]


def test_a_lease_that_another_worker_has_is_not_prolonged(house, other):
    def long(run):
        # as another worker does after a stop that was longer than the lease
        raw(other.data, "UPDATE jobs_job SET lease = 'another'")
        until(lambda: not any(one.name.endswith(run.id) for one in threading.enumerate()))

    before = house.clock.now_us() + MINUTE_US
    run_due(house, {"long": long}, beating=heart(house).beating)
    assert raw(house.data, "SELECT state, lease FROM jobs_job") == [("leased", "another")]
    assert leased_until(house) == before


def test_the_heart_stops_with_the_work(house):
    run = claim(house, ("long",))
    with heart(house).beating(run):
        house.clock.advance(MINUTE_US // 2)
        until(lambda: leased_until(house) >= house.clock.now_us() + MINUTE_US)
    before = leased_until(house)
    house.clock.advance(MINUTE_US // 2)
    assert leased_until(house) == before
