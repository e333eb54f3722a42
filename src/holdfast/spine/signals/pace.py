"""How fast a feed speaks, and whether it is late or silent now: measured against itself, never configured. Pure.

Telephone traffic follows the day, so the normal gap between two deliveries is learnt per quarter of the day (UTC): what
is silence at noon is nothing at night. Per feed, and per site where events name one, a :class:`Pace` keeps:

* the normal *gap*: a mean in which a new gap weighs 1/64. One gap counts as four normal ones at most, and as a quarter
  of an hour, so that an outage does not become the norm; one that spans two quarters teaches neither;
* the present *lag* (arrival less occurrence): the median of the last eight events. One straggler among them says
  nothing, and every feed has some;
* the normal *lag*: a mean that learns by time, so that a late hour does not become the norm by its many events.

A feed is *late* when the present lag is beyond ten seconds and four times its normal one; it is *silent* when nothing
came for a minute and eight times its normal gap. Without a history of twenty deliveries neither can be told: a feed of
which nothing is known is never measurably late.
"""

from __future__ import annotations

from enum import StrEnum
from statistics import median_low
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

QUARTER_US: Final = DAY_US // 4
WEIGHT: Final = 64
MOST_TIMES: Final = 4  # a gap or lag counts for the norm as so many normal ones at most
MOST_GAP_US: Final = 15 * MINUTE_US
LEAST_HEARD: Final = 20
LAGS_KEPT: Final = 8
LEAST_LAGS: Final = 4
LEARNS_US: Final = 4 * HOUR_US
LATE_US: Final = 10 * SECOND_US
LATE_TIMES: Final = 4
SILENT_US: Final = 60 * SECOND_US
SILENT_TIMES: Final = 8
NO_SITE: Final = ""


class Pace(NamedTuple):
    """One row: a feed at a site (empty: the whole feed) in one quarter of the day."""

    feed: str
    site: str
    quarter: int
    received_us: int  # when something was last received in this quarter
    gap_us: int = 0  # normal gap between two deliveries
    gaps: int = 0  # gaps that taught it
    lag_us: int = 0  # normal lag
    lags: str = ""  # the last lags in microseconds, oldest first
    heard: int = 0  # deliveries that taught the normal lag


class State(StrEnum):
    """What can be said of a feed now."""

    PUNCTUAL = "punctual"
    LATE = "late"
    SILENT = "silent"
    UNKNOWN = "unknown"  # too little was heard of it


class Measured(NamedTuple):
    """A feed at a site, as it is now. ``lag_us`` is None when too little was heard."""

    feed: str
    site: str
    state: State
    silence_us: int
    lag_us: int | None
    normal_gap_us: int
    normal_lag_us: int

    @property
    def is_behind(self) -> bool:
        """Whether it is measurably late or silent."""
        return self.state in {State.LATE, State.SILENT}


def quarter_of(at_us: int) -> int:
    """Return the quarter of the day (UTC), 0 to 3."""
    return at_us % DAY_US // QUARTER_US


def hear(rows: Sequence[Pace], where: tuple[str, str], lags: Sequence[int], now_us: int) -> Pace:
    """Return the present quarter's row after a delivery of events with these lags.

    ``rows`` are those of the feed and site ``where``. Parts of one delivery are one gap.
    """
    quarter = quarter_of(now_us)
    mine = next((row for row in rows if row.quarter == quarter), Pace(*where, quarter, 0))
    last = newest(rows)
    before_us = last.received_us if last else 0
    recent = _numbers(last.lags) if last else []
    gap_us = now_us - before_us
    if gap_us > 0 and before_us // QUARTER_US == now_us // QUARTER_US:
        counted = _at_most(gap_us, mine.gap_us, known=mine.gaps >= LEAST_HEARD)
        counted = min(counted, MOST_GAP_US)
        weight = min(mine.gaps + 1, WEIGHT)
        mine = mine._replace(
            gap_us=mine.gap_us + (counted - mine.gap_us) // weight, gaps=mine.gaps + 1
        )
    late = [max(0, lag_us) for lag_us in lags]
    if late:
        mine = _learn(mine, median_low(late), gap_us if before_us else 0)
    kept = [*recent, *late][-LAGS_KEPT:]
    return mine._replace(received_us=max(now_us, before_us), lags=",".join(map(str, kept)))


def _learn(mine: Pace, lag_us: int, gap_us: int) -> Pace:
    known = mine.heard >= LEAST_HEARD
    counted = _at_most(lag_us, max(mine.lag_us, SECOND_US), known=known)
    if known:  # by time: a thousand late deliveries in one minute teach no more than one
        step = (counted - mine.lag_us) * min(gap_us, LEARNS_US // WEIGHT) // LEARNS_US
    else:
        step = (counted - mine.lag_us) // (mine.heard + 1)
    return mine._replace(lag_us=mine.lag_us + step, heard=mine.heard + 1)


def _at_most(value: int, normal: int, *, known: bool) -> int:
    return min(value, MOST_TIMES * normal) if known and normal else value


def newest(rows: Iterable[Pace]) -> Pace | None:
    """Return the row of the quarter in which something was received last."""
    return max(rows, key=lambda row: row.received_us, default=None)


def measure(rows: Sequence[Pace], now_us: int) -> Measured | None:
    """Say how a feed at a site is now; None if nothing was ever received of it."""
    last = newest(rows)
    if last is None:
        return None
    mine = next((row for row in rows if row.quarter == quarter_of(now_us)), None)
    silence_us = max(0, now_us - last.received_us)
    normal_us = mine.gap_us if mine is not None and mine.gaps >= LEAST_HEARD else 0
    lag_us = _present_lag(last)
    if normal_us and silence_us > max(SILENT_US, SILENT_TIMES * normal_us):
        state = State.SILENT
    elif lag_us is not None and lag_us > max(LATE_US, LATE_TIMES * last.lag_us):
        state = State.LATE
    else:
        state = State.PUNCTUAL if normal_us else State.UNKNOWN
    return Measured(last.feed, last.site, state, silence_us, lag_us, normal_us, last.lag_us)


def _present_lag(last: Pace) -> int | None:
    lags = _numbers(last.lags)
    known = len(lags) >= LEAST_LAGS and last.heard >= LEAST_HEARD
    return median_low(lags) if known else None


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",") if word]


def measured(rows: Iterable[Pace], now_us: int, *, time_is_sure: bool = True) -> list[Measured]:
    """Measure every feed and site that ``rows`` speak of, by name.

    While the clock is in doubt no feed is measurably behind: who sets a clock shall not open contacts by it (SPINE 24).
    """
    at: dict[tuple[str, str], list[Pace]] = {}
    for row in rows:
        at.setdefault((row.feed, row.site), []).append(row)
    found = (measure(at[where], now_us) for where in sorted(at))
    known = [one for one in found if one is not None]
    return known if time_is_sure else [one._replace(state=State.UNKNOWN) for one in known]


def behind(given: Iterable[Measured], site: str) -> Measured | None:
    """Return what lets a person at ``site`` open a provisional contact: their whole feed, or their site, is behind."""
    return next((one for one in given if one.is_behind and one.site in {NO_SITE, site}), None)
