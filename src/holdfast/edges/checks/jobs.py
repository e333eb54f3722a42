"""Checks of background work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import doubtful
from holdfast.edges.checks.opened import opened_data
from holdfast.kit.jobs.store import DEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding

_MOST_SHOWN: Final = 5


def given_up(settings: Settings) -> Iterator[Finding]:
    """Name jobs that failed twelve times, an erasure for example: they do not run again by themselves."""
    with opened_data(settings, "jobs_job") as connection:
        rows = connection.execute(DEAD(limit=_MOST_SHOWN))
    for ident, kind, attempts, error, _ in rows:
        yield doubtful(
            f"job {ident} ({kind}) was given up after {attempts} attempts: {error}",
            "Mend the cause, then give the order again; that starts the job anew.",
        )
