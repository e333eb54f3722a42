"""The only source of time.

Times are whole microseconds since the Unix epoch, UTC, in names that end in ``_us``. A clock never runs
backwards within a process; :meth:`Clock.floor` raises its lower bound to what is already written, so that it
does not run backwards across restarts either (SPINE 24).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


class Clock(Protocol):
    """What the rest of the code asks for the time."""

    def now_us(self) -> int:
        """Return microseconds since the epoch; never less than an earlier answer."""
        ...

    def floor(self, at_us: int) -> None:
        """Promise never to answer less than ``at_us`` again."""
        ...


class SystemClock:
    """Wall clock that never runs backwards."""

    def __init__(self) -> None:
        self._last_us = 0

    def now_us(self) -> int:
        now = time.time_ns() // 1000
        if now < self._last_us:
            return self._last_us
        self._last_us = now
        return now

    def floor(self, at_us: int) -> None:
        self._last_us = max(self._last_us, at_us)


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
