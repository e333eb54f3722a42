"""Checks of those who follow the logs: whether they keep up, and whether the logs are those that they have followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import doubtful, wrong
from holdfast.edges.checks.opened import opened_data
from holdfast.kit import clock as kit_clock
from holdfast.kit.clock import MINUTE_US, SECOND_US
from holdfast.kit.db.shell import drive
from holdfast.manifests import subscriptions
from holdfast.spine.stream.follower import follower_of
from holdfast.spine.stream.standing import disagreements, standings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.spine.stream.standing import Standing
    from holdfast.vocabulary.manifest import Finding

LATE_US: Final = MINUTE_US
_TABLE: Final = "stream_position"


def continue_the_logs(settings: Settings) -> Iterator[Finding]:
    """Name logs that are shorter than was read of them, or another than was read."""
    followers = tuple(map(follower_of, subscriptions()))
    with opened_data(settings, _TABLE) as connection:
        found = drive(disagreements(followers), connection, connection)
    for name, log, reason in found:
        yield wrong(
            f"log {log}, followed by {name}, {reason}",
            f"If the other checks of the logs find nothing, the position was changed: holdfast stream rebuild {name}",
        )


def keeping_up(settings: Settings) -> Iterator[Finding]:
    """Name who has not read a leaf that is older than a minute."""
    now_us = kit_clock.SystemClock().now_us()
    for one in _standings(settings):
        late_us = one.lag_us(now_us)
        if one.stopped:
            yield doubtful(
                f"{one.name} does not go on in {', '.join(one.stopped)}: a leaf there is not as the tree has it",
                "Put the data store back as it was, or `holdfast restore --repair`; it goes on by itself then.",
            )
        elif late_us > LATE_US:
            yield doubtful(
                f"{one.name} has {one.behind} leaves to read; the oldest waits for {late_us // SECOND_US} s",
                "See that a worker runs: `holdfast serve` has one. It catches up by itself.",
            )


def nothing_parked(settings: Settings) -> Iterator[Finding]:
    """Name who could not take a leaf."""
    for one in _standings(settings):
        if one.parked:
            yield doubtful(
                f"{one.name} could not take {one.parked} leaves",
                f"`holdfast stream parked` names them. Mend the cause, then: holdfast stream retry {one.name}",
            )


def _standings(settings: Settings) -> tuple[Standing, ...]:
    followers = tuple(map(follower_of, subscriptions()))
    with opened_data(settings, _TABLE) as connection:
        return drive(standings(followers), connection, connection)
