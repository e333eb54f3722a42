"""What doctor and the metrics say of feeds that are behind."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from holdfast.edges.checks.feeds import judge_paces, on_time
from holdfast.edges.checks.findings import Skipped
from holdfast.edges.dataplane.metrics import Metrics
from holdfast.kit.clock import SECOND_US
from holdfast.kit.db.address import SqliteFile
from holdfast.spine.signals.pace import Measured, State
from holdfast.vocabulary.manifest import Severity
from support.bank import new_punctual_bank


def feed(state, site="", silence_s=0, lag_s=0):
    return Measured(
        "tel-acd",
        site,
        state,
        silence_s * SECOND_US,
        lag_s * SECOND_US,
        2 * SECOND_US,
        SECOND_US // 2,
    )


def test_a_feed_on_time_or_unknown_is_no_finding():
    assert list(judge_paces([feed(State.PUNCTUAL), feed(State.UNKNOWN)])) == []


def test_one_that_is_behind_is_a_warning_that_says_by_how_much():
    silent, late = judge_paces(
        [feed(State.SILENT, silence_s=90), feed(State.LATE, site="manila", lag_s=40)]
    )
    assert {silent.severity, late.severity} == {Severity.WARNING}
    assert silent.message == "feed tel-acd is silent for 90 s; its normal gap is 2.0 s"
    assert late.message == "feed tel-acd at manila is late by 40 s; its normal lag is 0.5 s"


def test_a_house_is_examined_and_none_is_skipped(tmp_path):
    with pytest.raises(Skipped):
        list(on_time(SimpleNamespace(data=SqliteFile(tmp_path / "none"))))
    bank = new_punctual_bank(tmp_path)
    findings = list(on_time(bank.house.settings))
    bank.close()
    assert all("bank-acd is silent" in finding.message for finding in findings)


def test_metrics_count_feeds_by_state_and_name_none():
    metrics = Metrics()
    metrics.feeds(
        [
            feed(State.PUNCTUAL, silence_s=3),
            feed(State.SILENT, silence_s=90, lag_s=7),
            feed(State.LATE, site="manila", silence_s=500, lag_s=40),
        ]
    )
    text = metrics.text().decode()
    assert 'holdfast_feeds{state="punctual"} 1.0' in text
    assert 'holdfast_feeds{state="silent"} 1.0' in text
    assert 'holdfast_feeds{state="late"} 0.0' in text
    assert "holdfast_feed_silence_seconds 90.0" in text
    assert "holdfast_feed_lag_seconds 7.0" in text
    assert "tel-acd" not in text
    assert "manila" not in text
