"""A feed is measured against itself: late, silent, punctual, or not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.spine.signals.pace import Pace, State, behind, hear, measure, measured, quarter_of

NOON = 20_000 * DAY_US + 12 * HOUR_US
WHERE = ("tel-acd", "")


class Feed:
    """What is kept of one feed while deliveries come."""

    def __init__(self, now_us=NOON, where=WHERE):
        self.rows: list[Pace] = []
        self.now_us = now_us
        self.where = where

    def deliver(self, *lags_s, after_s=0.0):
        self.now_us += int(after_s * SECOND_US)
        lags = [int(lag * SECOND_US) for lag in lags_s or (0.5,)]
        row = hear(self.rows, self.where, lags, self.now_us)
        self.rows = [one for one in self.rows if one.quarter != row.quarter] + [row]
        return self

    def speak(self, deliveries=40, every_s=2.0, lag_s=0.5):
        for _ in range(deliveries):
            self.deliver(lag_s, after_s=every_s)
        return self

    def state(self, after_s=0.0):
        return measure(self.rows, self.now_us + int(after_s * SECOND_US)).state


def test_nothing_is_known_of_a_feed_that_was_never_heard():
    assert measure([], NOON) is None
    assert measured([], NOON) == []
    assert behind([], "") is None


def test_a_feed_is_silent_after_a_minute_and_eight_normal_gaps():
    fast = Feed().speak(every_s=2)
    assert [fast.state(after_s=s) for s in (1, 60, 61)] == [
        State.PUNCTUAL,
        State.PUNCTUAL,
        State.SILENT,
    ]
    slow = Feed().speak(every_s=60)
    assert [slow.state(after_s=s) for s in (61, 480, 481)] == [
        State.PUNCTUAL,
        State.PUNCTUAL,
        State.SILENT,
    ]


def test_too_short_a_history_says_nothing():
    feed = Feed().speak(deliveries=20)  # nineteen gaps
    assert feed.state(after_s=3600) is State.UNKNOWN
    assert feed.deliver(after_s=2).state(after_s=3600) is State.SILENT


def test_a_feed_is_late_when_most_of_its_last_events_are():
    feed = Feed().speak()
    for late in range(1, 9):
        feed.deliver(30, after_s=2)
        assert feed.state() is (State.LATE if late >= 5 else State.PUNCTUAL), late
    for _ in range(4):
        feed.deliver(0.5, after_s=2)
    assert feed.state() is State.PUNCTUAL


def test_nine_seconds_are_not_late_nor_is_what_is_normal():
    assert Feed().speak().speak(8, lag_s=9).state() is State.PUNCTUAL
    assert Feed().speak(lag_s=30).state() is State.PUNCTUAL
    assert Feed().speak(lag_s=30).speak(8, lag_s=121).state() is State.LATE


def test_one_straggler_in_fifty_makes_no_feed_late():
    feed = Feed().speak()
    for number in range(200):
        feed.deliver(60 if number % 50 == 0 else 0.5, after_s=2)
        assert feed.state() is State.PUNCTUAL


def test_a_burst_of_late_events_does_not_become_the_norm():
    feed = Feed().speak()
    feed.speak(deliveries=1000, every_s=0.1, lag_s=60)
    assert feed.state() is State.LATE


def test_an_outage_does_not_become_the_norm():
    feed = Feed().speak()
    before = measure(feed.rows, feed.now_us).normal_gap_us
    feed.deliver(after_s=45 * 60)
    assert measure(feed.rows, feed.now_us).normal_gap_us < before * 1.1


def test_the_night_is_another_quarter_of_the_day():
    feed = Feed(NOON).speak(every_s=2)
    feed.now_us = NOON + 12 * HOUR_US
    feed.speak(every_s=120)
    assert feed.state(after_s=300) is State.PUNCTUAL
    feed.now_us = NOON + DAY_US
    feed.deliver().deliver(after_s=2)
    assert feed.state(after_s=61) is State.SILENT


def test_a_gap_over_the_end_of_a_quarter_teaches_neither():
    feed = Feed(NOON + 6 * HOUR_US - 2 * MINUTE_US).speak(every_s=2)
    feed.deliver(after_s=600)
    gaps = {row.quarter: row.gaps for row in feed.rows}
    assert gaps == {2: 39, 3: 0}


def test_parts_of_one_delivery_are_one_gap():
    feed = Feed().speak()
    gaps = feed.rows[0].gaps
    feed.deliver(after_s=2).deliver().deliver()
    assert feed.rows[0].gaps == gaps + 1


def test_a_silent_site_concerns_those_who_are_there():
    whole = Feed().speak().rows
    there = Feed(where=("tel-acd", "manila")).speak().rows
    at = measured([*whole, *there], NOON + 85 * SECOND_US)
    assert behind(at, "manila") is None
    later = [row._replace(received_us=row.received_us + 100 * SECOND_US) for row in whole]
    at = measured([*later, *there], NOON + 185 * SECOND_US)
    assert [(one.site, one.state) for one in at] == [("", "punctual"), ("manila", "silent")]
    assert behind(at, "manila").site == "manila"
    assert behind(at, "cebu") is None
    assert behind(at, "") is None


@pytest.mark.parametrize(("hour", "quarter"), [(0, 0), (5, 0), (6, 1), (12, 2), (23, 3)])
def test_quarters_of_the_day(hour, quarter):
    assert quarter_of(20_000 * DAY_US + hour * HOUR_US) == quarter


@given(st.lists(st.tuples(st.floats(0, 5000), st.lists(st.floats(-10, 900), max_size=5))))
def test_figures_stay_within_bounds(deliveries):
    feed = Feed()
    for after_s, lags in deliveries:
        feed.deliver(*lags, after_s=after_s)
        row = feed.rows[-1]
        assert 0 <= row.gap_us <= 15 * MINUTE_US
        assert 0 <= row.lag_us <= 900 * SECOND_US
        assert len(row.lags.split(",")) <= 8
