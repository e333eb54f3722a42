"""What runs in processes that are killed: one that writes and keeps the logs, those that follow them, those that work.

Each says through a pipe that it got somewhere. Their clock is the wall's, much faster: a lease of a minute lapses
within a second.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import TYPE_CHECKING, Any

from holdfast.kit.clock import SECOND_US, Uptime
from holdfast.kit.db import Round
from holdfast.kit.errors import HoldfastError
from holdfast.kit.ids import new_id
from holdfast.kit.jobs.queue import NewJob, Schedule, claim, complete, enqueue, tick
from holdfast.spine.ledger.recorder import append, append_signal
from holdfast.spine.stream.following import Following
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.signals import Signal
from support.following import own_followers
from support.ledger import BANK, SHOP, LedgerHouse
from support.stores import NOON_US

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEART = Schedule("heart", 20 * SECOND_US)
NOTE = "note"
FASTER = 60
_FORK = multiprocessing.get_context("fork")


class FastClock:
    """A minute a second, the same in all processes of this machine."""

    def __init__(self, began_us: int) -> None:
        self._began_us = began_us

    def now_us(self) -> int:
        return NOON_US + (time.time_ns() // 1000 - self._began_us) * FASTER

    def floor(self, at_us: int) -> None: ...

    def advance(self, by_us: int) -> None: ...

    def step_us(self) -> int:
        return 0

    def take_step(self) -> int:
        return 0

    def uptime(self) -> Uptime:
        return Uptime()


class Part:
    """One process that does one thing until it is killed, and is then begun again."""

    def __init__(
        self, does: Callable[[LedgerHouse, Callable[[], None]], None], home: Path, clock: Any
    ):
        self._given = does, home, clock
        self._begin()

    def _begin(self) -> None:
        self._heard, says = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_run, args=(*self._given, says), daemon=True)
        self._process.start()
        says.close()

    def hear(self, times: int, within_s: float = 120) -> None:
        """Wait until it got somewhere so many times."""
        for _ in range(times):
            assert self._heard.poll(within_s), f"{self._given[0].__name__} gets nowhere"
            self._heard.recv()

    def kill(self) -> None:
        """Kill it, wherever it is."""
        self._process.kill()
        self._process.join()
        self._heard.close()

    def kill_and_begin(self) -> None:
        """Kill it, and begin it again."""
        self.kill()
        self._begin()


def _run(does: Any, home: Path, clock: Any, says: Any) -> None:
    """Do it in a house of one's own; the end of whoever listens ends it."""
    house = LedgerHouse(home, clock, fresh=False)
    try:
        does(house, lambda: says.send(1))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)


def write(house: LedgerHouse, said: Callable[[], None]) -> None:
    """Append to two clients' logs and the house's, enqueue work in the same transaction, and keep the logs."""
    while True:
        for log in (BANK, SHOP, HOUSE_LOG):
            house.transact(_batch(house.clock.now_us(), log))
        house.registrar.sequence()
        said()


def _batch(now_us: int, log: str) -> Any:
    writes = [append_signal(log, Signal.FEED_UNTIMELY, now_us, subject="ct_1")]
    for one in range(12):
        body = {"decision": new_id("dec", now_us), "person": f"p_{one % 5}"}
        writes.append(append(log, Leaf(LeafType.DECISION_READ, new_id(LEAF, now_us), now_us, body)))
    writes += [enqueue(NewJob(NOTE, {"one": one}), now_us) for one in range(2)]
    yield Round(data=tuple(writes))


def follow(house: LedgerHouse, said: Callable[[], None]) -> None:
    """Take leaves to their subscribers."""
    following = Following(house, own_followers())
    while True:
        if _quietly(lambda: following.turn(within_s=0.05)):
            said()


def work(house: LedgerHouse, said: Callable[[], None]) -> None:
    """Enqueue what recurs, and run jobs."""
    while True:
        if work_once(house):
            said()


def work_once(house: LedgerHouse) -> bool:
    """Run one job, if one is due: what it does is written with its end, in one transaction."""
    _quietly(lambda: tick(house, (HEART,)))
    run = _quietly(lambda: claim(house, (NOTE, HEART.name)))
    if run is None:
        return False
    _quietly(lambda: house.transact(_noted(house.clock.now_us(), run)))
    return True


def _noted(now_us: int, run: Any) -> Any:
    (ended,) = yield Round(data=(complete(run, now_us),))
    if ended:
        signal = append_signal(HOUSE_LOG, Signal.FEED_MALFORMED, now_us, subject=run.id)
        yield Round(data=(signal,))


def _quietly(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except HoldfastError:  # the store is busy
        return None
