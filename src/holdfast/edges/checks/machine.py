"""Checks of the machine that the house runs on."""

from __future__ import annotations

import resource
import shutil
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import doubtful, wrong
from holdfast.edges.checks.opened import files
from holdfast.kit import clock as kit_clock
from holdfast.kit.db import sqlite
from holdfast.kit.disk import FULL_SHARE, LOW_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.vocabulary.manifest import Finding

# A clock before this version was written is wrong; one a decade later most likely too.
EARLIEST_US: Final = kit_clock.parse_rfc3339("2026-01-01T00:00:00Z")
LATEST_US: Final = kit_clock.parse_rfc3339("2046-01-01T00:00:00Z")
LEAST_FREE_BYTES: Final = 64 * 1024 * 1024


def sqlite_version(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001
    """Versions before 3.51.3 can corrupt a WAL database that two connections write."""
    if sqlite.VERSION < sqlite.OLDEST_SAFE:
        have, need = (".".join(map(str, v)) for v in (sqlite.VERSION, sqlite.OLDEST_SAFE))
        yield wrong(
            f"SQLite is {have}; versions before {need} can corrupt a store with two writers",
            "Install the pinned requirements again: make clean, then make setup.",
        )


def clock(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001
    """Rights depend on time, so a clock that was never set must not judge."""
    yield from judge_clock(kit_clock.SystemClock().now_us())


def judge_clock(now_us: int) -> Iterator[Finding]:
    """Tell a plausible time from one that cannot be."""
    if not EARLIEST_US <= now_us <= LATEST_US:
        yield wrong(
            f"the clock shows {kit_clock.rfc3339(now_us)}, which cannot be",
            "Set the machine's clock (timedatectl set-ntp true).",
        )


def disk(settings: Settings) -> Iterator[Finding]:
    """A full disk stops every look, because none goes without a durable leaf."""
    for folder in {settings.home, *(path.parent for path in files(settings))}:
        usage = shutil.disk_usage(_existing(folder))
        yield from judge_disk(folder, usage.free, usage.total)


def judge_disk(folder: Path, free_bytes: int, total_bytes: int) -> Iterator[Finding]:
    """Tell enough room from little and from none."""
    free_mb = free_bytes // (1024 * 1024)
    remedy = f"Free some space on the disk that holds {folder}."
    if free_bytes < LEAST_FREE_BYTES:
        yield wrong(f"only {free_mb} MB are free", remedy)
    elif free_bytes < total_bytes * FULL_SHARE:
        why = "nothing is shown, imported or changed; denials and erasures go on"
        yield doubtful(f"less than a twentieth of the disk is free ({free_mb} MB): {why}", remedy)
    elif free_bytes < total_bytes * LOW_SHARE:
        yield doubtful(
            f"less than a tenth of the disk is free ({free_mb} MB): imports stop", remedy
        )


def core_files(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001
    """A core file would hold keys. Serving processes switch it off for themselves; other commands inherit this."""
    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    if soft != 0:
        yield doubtful(
            "a command that crashes may leave a core file, which could hold keys",
            "Set `ulimit -c 0` for the account that runs holdfast.",
        )


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
