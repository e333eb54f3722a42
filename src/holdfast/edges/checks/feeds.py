"""Checks of feeds: whether what tells which contact is live is late or silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.edges.checks.findings import doubtful
from holdfast.edges.checks.opened import opened_data
from holdfast.kit import clock as kit_clock
from holdfast.kit.clock import SECOND_US
from holdfast.spine.signals.pace import Pace, State, measured
from holdfast.spine.signals.store import PACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.spine.signals.pace import Measured
    from holdfast.vocabulary.manifest import Finding


def on_time(settings: Settings) -> Iterator[Finding]:
    """Name feeds and sites that are late or silent, measured against their own normal pace."""
    with opened_data(settings, "signals_pace") as connection:
        rows = connection.execute(PACES())
    yield from judge_paces(measured((Pace(*row) for row in rows), kit_clock.SystemClock().now_us()))


def judge_paces(given: list[Measured]) -> Iterator[Finding]:
    """Name those that are behind."""
    for one in given:
        if not one.is_behind:
            continue
        where = f"{one.feed} at {one.site}" if one.site else one.feed
        told = (
            f"is silent for {one.silence_us // SECOND_US} s; its normal gap is "
            f"{one.normal_gap_us / SECOND_US:.1f} s"
            if one.state is State.SILENT
            else f"is late by {(one.lag_us or 0) // SECOND_US} s; its normal lag is "
            f"{one.normal_lag_us / SECOND_US:.1f} s"
        )
        yield doubtful(
            f"feed {where} {told}",
            "Ask who runs it. Meanwhile persons may open provisional contacts; if it lasts, declare an outage.",
        )
