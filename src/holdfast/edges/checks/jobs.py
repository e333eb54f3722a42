"""Checks of background work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import doubtful
from holdfast.edges.checks.opened import opened_data
from holdfast.kit import clock as kit_clock
from holdfast.kit.clock import MINUTE_US, SECOND_US
from holdfast.kit.db.shell import drive
from holdfast.kit.jobs.queue import backlog
from holdfast.kit.jobs.store import DEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding

_MOST_SHOWN: Final = 5
_PATIENCE_US: Final = 5 * MINUTE_US


def given_up(settings: Settings) -> Iterator[Finding]:
    """Name jobs that failed twelve times, an erasure for example: they do not run again by themselves."""
    with opened_data(settings, "jobs_job") as connection:
        rows = connection.execute(DEAD(limit=_MOST_SHOWN))
    for ident, kind, attempts, error, _ in rows:
        yield doubtful(
            f"job {ident} ({kind}) was given up after {attempts} attempts: {error}",
            f"Mend the cause, then: holdfast job retry {ident}",
        )


def overdue(settings: Settings) -> Iterator[Finding]:
    """Name kinds of work that have waited for more than five minutes after they were due."""
    now_us = kit_clock.SystemClock().now_us()
    with opened_data(settings, "jobs_job") as connection:
        waiting = drive(backlog(now_us), connection, connection).overdue
    for kind, since_us in waiting.items():
        if now_us - since_us > _PATIENCE_US:
            yield doubtful(
                f"work of the kind {kind} has been due for {(now_us - since_us) // SECOND_US} s",
                "See that a worker runs: `holdfast serve` has one, `holdfast worker` is one more.",
            )
