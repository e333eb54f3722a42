"""Checks of background work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import Skipped, doubtful
from holdfast.kit.db import sqlite
from holdfast.kit.jobs.store import DEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding

_MOST_SHOWN: Final = 5


def given_up(settings: Settings) -> Iterator[Finding]:
    """Name jobs that failed twelve times, an erasure for example: they do not run again by themselves."""
    if not settings.data_path.exists():
        raise Skipped
    try:
        with closing(sqlite.connect(settings.data_path)) as connection:
            rows = sqlite.execute(connection, DEAD(limit=_MOST_SHOWN))
    except sqlite.Error:  # no store, or no tables: stores.E001 and E003 say so
        raise Skipped from None
    for ident, kind, attempts, error, _ in rows:
        yield doubtful(
            f"job {ident} ({kind}) was given up after {attempts} attempts: {error}",
            "Mend the cause, then give the order again; that starts the job anew.",
        )
