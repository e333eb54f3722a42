"""Token buckets: how fast one may ask, kept in this process's memory and asked in constant time.

Only a full bucket is ever forgotten, which is the same as a new one: nobody empties the table to fill their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from holdfast.kit.config import Rate

MOST_KNOWN: Final = 65_536
_TIDY_S: Final = 1.0


class Buckets:
    """Token buckets of one rate by key; at most ``most`` of them, and one more that all further keys share."""

    def __init__(self, rate: Rate, now: Callable[[], float], most: int = MOST_KNOWN) -> None:
        self._rate = rate
        self._now = now
        self._most = most
        self._levels: dict[Hashable, tuple[float, float]] = {}  # key → tokens, and when
        self._tidied_s = now()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: Hashable) -> float:
        """Take a token; returns 0.0, or how many seconds until there is one."""
        now_s, rate = self._now(), self._rate
        if key not in self._levels and len(self._levels) >= self._most:
            key = self._room_for(key, now_s)
        tokens, at_s = self._levels.get(key, (float(rate.burst), now_s))
        tokens = min(rate.burst, tokens + (now_s - at_s) * rate.per_second)
        if tokens < 1:
            return (1 - tokens) / rate.per_second
        self._levels[key] = (tokens - 1, now_s)
        return 0.0

    def _room_for(self, key: Hashable, now_s: float) -> Hashable:
        if now_s - self._tidied_s >= _TIDY_S:
            self._tidied_s = now_s
            fills_s = self._rate.burst / self._rate.per_second
            self._levels = {
                known: level for known, level in self._levels.items() if now_s - level[1] < fills_s
            }
        return key if len(self._levels) < self._most else None
