"""Whatever two processes do in whatever order, and wherever they die: what subscribers keep is what a replay keeps."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.kit.ids import new_id
from holdfast.kit.jobs.queue import Schedule, tick
from holdfast.spine.stream import store
from holdfast.spine.stream.following import Behind, Following
from holdfast.vocabulary.ids import LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType
from support.following import ask, follow, own_followers, replayed, state
from support.ledger import BANK, SHOP, LedgerHouse
from support.stores import raw

LOGS = (BANK, SHOP)


class Killed(BaseException):
    """A process was killed: no handler of errors sees it."""


@dataclass
class Process:
    """One that follows, and dies when so many rounds of its next transaction were answered."""

    house: LedgerHouse
    dies_after: int | None = None
    seen: list[Behind] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = self.house.clock
        self.following = Following(self, own_followers())

    def read(self, work: Any) -> Any:
        return self.house.read(work)

    def transact(self, work: Any) -> Any:
        return self.house.transact(work if self.dies_after is None else self._cut_off(work))

    def _cut_off(self, work: Any) -> Any:
        asked = next(work)
        for _ in range(self.dies_after):
            try:
                asked = work.send((yield asked))
            except StopIteration:  # it dies before the commit
                break
        raise Killed

    def looks(self) -> None:
        self.seen = self.following.due()

    def steps(self, at: int) -> None:
        if self.seen:
            self.following.step(self.seen[at % len(self.seen)])

    def dies(self, at: int, after: int) -> None:
        self.dies_after = after
        with contextlib.suppress(Killed):
            self.steps(at)
        self.dies_after = None


ACTIONS = st.one_of(
    st.tuples(st.just("append"), st.sampled_from(LOGS), st.integers(1, 300)),
    st.tuples(st.just("erase"), st.sampled_from(LOGS), st.just(0)),
    st.tuples(st.just("rebuild"), st.sampled_from(("timeline", "tally")), st.just(0)),
    st.tuples(st.sampled_from(("looks", "steps")), st.integers(0, 1), st.integers(0, 3)),
    st.tuples(st.sampled_from(("looks", "steps")), st.integers(0, 1), st.integers(0, 3)),
    st.tuples(st.just("race"), st.integers(0, 1), st.integers(0, 9)),
    st.tuples(st.just("dies"), st.integers(0, 1), st.integers(0, 9)),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = LedgerHouse(tmp_path_factory.mktemp("interleaved") / "house")
    yield house
    house.close()


def emptied(house):
    growing = ("tree", "tile", "bundle", "pending", "lease", "written", "placed")
    for table in (f"ledger_{name}" for name in growing):
        raw(house.data, f"DELETE FROM {table}")
    for table in ("stream_timeline", "stream_tally", "stream_position", "stream_parked"):
        raw(house.data, f"DELETE FROM {table}")
    house._registrar = house._registrar and house._registrar.close()


def erased(house, log):
    house.clock.advance(1000)
    now_us = house.clock.now_us()
    body = {"client": log, "operation": "op_1", "customers": 1, "records": 1, "erased": "now"}
    leaf = Leaf(LeafType.CLIENT_SHREDDED, new_id(LEAF, now_us), now_us, body)
    house.append_leaves(log, [leaf])


def done(house, processes, action):
    what, whom, number = action
    if what == "append":
        house.append(whom, number)
    elif what == "erase":
        erased(house, whom)
    elif what == "rebuild":
        house.transact(ask(store.REBUILD(subscriber=whom, nothing=b"", now_us=1)))
    elif what == "race":  # both see the same, and do it in turn
        processes[whom].looks()
        processes[1 - whom].seen = processes[whom].seen
        for process in processes:
            process.steps(number)
    elif what == "dies":
        processes[whom].dies(number, number % 3)
    elif what == "steps":
        processes[whom].steps(number)
    else:
        processes[whom].looks()
    if what in {"append", "erase"}:
        house.registrar.sequence()


@given(st.lists(ACTIONS, min_size=6, max_size=24))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interleaving_comes_to_what_a_replay_comes_to(house, actions):
    emptied(house)
    processes = [Process(house), Process(house)]
    for log in LOGS:  # both logs are followed already
        house.append(log, 3)
    house.registrar.sequence()
    follow(house)
    for action in actions:
        done(house, processes, action)
    follow(house)
    assert state(house) == replayed(house)
    assert not raw(house.data, "SELECT * FROM stream_parked")


@given(st.lists(st.integers(-400, 400), min_size=1, max_size=30))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_fire_time_is_enqueued_once_however_the_clocks_of_several_schedulers_differ(
    house, moves
):
    raw(house.data, "DELETE FROM jobs_job")
    schedule = Schedule("beat", 60_000_000)
    at_us = began_us = house.clock.now_us()
    expected = set()
    for by_s in moves:
        at_us = max(began_us, at_us + by_s * 1_000_000)
        expected.add(f"beat@{at_us - at_us % schedule.every_us}")
        tick(Standing(house, at_us), (schedule,))
    keys = [row[0] for row in raw(house.data, "SELECT dedupe_key FROM jobs_job")]
    assert sorted(keys) == sorted(expected)


class Standing:
    """A scheduler whose clock stands."""

    def __init__(self, house: LedgerHouse, at_us: int) -> None:
        self.clock, self.read, self.transact = self, house.read, house.transact
        self.now_us = lambda: at_us
