"""The only source of time.

Times are whole microseconds since the Unix epoch, UTC, in names that end in ``_us``. A clock never runs
backwards within a process; :meth:`Clock.floor` raises its lower bound to what is already written, so that it
does not run backwards across restarts either (SPINE 24).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


class Uptime(NamedTuple):
    """How long the machine has run, asleep or not, since a start of its own that ``boot`` names; empty if unknown.

    Nobody sets this clock. Two answers of one ``boot`` tell how much time passed between them, whatever the wall says.
    """

    boot: str = ""
    us: int = 0


class Clock(Protocol):
    """What the rest of the code asks for the time."""

    def now_us(self) -> int:
        """Return microseconds since the epoch; never less than an earlier answer."""
        ...

    def floor(self, at_us: int) -> None:
        """Promise never to answer less than ``at_us`` again."""
        ...

    def take_step(self) -> int:
        """By how much the wall clock was set since this was asked last, in microseconds; 0 if it was not."""
        ...

    def step_us(self) -> int:
        """Return what :meth:`take_step` would, and leave it there."""
        ...

    def uptime(self) -> Uptime:
        """Say how long the machine has run."""
        ...


STEP_BACK_US = 2 * SECOND_US
STEP_AHEAD_US = 60 * SECOND_US
_WINDOW_US = 10 * MINUTE_US  # what a clock may be slewed in this time is under a third of a second


def _wall_us() -> int:
    return time.time_ns() // 1000


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000


def _uptime() -> Uptime:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return Uptime(boot, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)
    except (OSError, AttributeError):  # no Linux: a jump while nothing ran stays unnoticed
        return Uptime()


class SystemClock:
    """Wall clock that never runs backwards, and never stands still either.

    Where the wall lies before what was answered already, the monotonic clock goes on from there, a tenth slower until
    the wall has caught up: time that stood still would be time in which nothing expires.
    """

    def __init__(
        self,
        wall: Callable[[], int] = _wall_us,
        monotonic: Callable[[], int] = _monotonic_us,
        uptime: Callable[[], Uptime] = _uptime,
    ) -> None:
        self._wall, self._monotonic, self.uptime = wall, monotonic, uptime
        self._last_us, self._last_at_us = 0, monotonic()
        self._anchor = wall(), self._last_at_us
        self._step_us = 0

    def now_us(self) -> int:
        now, at_us = self._wall(), self._monotonic()
        self._compare(now, at_us)
        ran_us = self._last_us + (at_us - self._last_at_us) * 9 // 10
        now = max(now, ran_us)
        self._last_us, self._last_at_us = now, at_us
        return now

    def floor(self, at_us: int) -> None:
        if at_us > self._last_us:
            self._last_us, self._last_at_us = at_us, self._monotonic()

    def take_step(self) -> int:
        step, self._step_us = self.step_us(), 0
        return step

    def step_us(self) -> int:
        self.now_us()
        return self._step_us

    def _compare(self, wall_us: int, at_us: int) -> None:
        """Hold the wall against the monotonic clock; several small steps within ten minutes count as one."""
        anchor_us, anchor_at_us = self._anchor
        passed_us = at_us - anchor_at_us
        off_us = wall_us - anchor_us - passed_us
        if -STEP_BACK_US <= off_us <= STEP_AHEAD_US:
            if passed_us >= _WINDOW_US:
                self._anchor = wall_us, at_us
            return
        self._step_us += off_us
        self._anchor = wall_us, at_us


def monotonic_s() -> float:
    """Seconds on a clock without meaning, for measuring how long something took."""
    return time.monotonic()


def rfc3339(at_us: int) -> str:
    """Write a time as RFC 3339 in UTC with microseconds, e.g. ``2026-11-23T20:41:00.000000Z``."""
    return f"{_to_the_second(at_us // SECOND_US)}.{at_us % SECOND_US:06d}Z"


@lru_cache(maxsize=256)
def _to_the_second(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}"


def parse_rfc3339(text: str) -> int:
    """Read an RFC 3339 time with an offset into microseconds; ``ValueError`` without one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "a time needs an offset, e.g. 2026-11-23T20:41:00Z"
        raise ValueError(msg)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_US + delta.microseconds
