"""The two stores, migrated once per run and copied for each test, with the smallest shell that runs Works on them."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from holdfast.kit.clock import Uptime
from holdfast.kit.config import load_settings
from holdfast.kit.db.sqlite import connect, drive, in_transaction
from holdfast.kit.disk import Free
from support.server import environment

if TYPE_CHECKING:
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work

T = TypeVar("T")
NOON_US = 1_795_435_200_000_000  # 2026-11-23T12:00:00Z


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now_us: int = NOON_US) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def floor(self, at_us: int) -> None:
        self._now_us = max(self._now_us, at_us)

    def advance(self, by_us: int) -> None:
        self._now_us += by_us

    def step_us(self) -> int:
        return 0

    def take_step(self) -> int:
        return 0

    def uptime(self) -> Uptime:
        return Uptime()


class FakeDisk:
    """A disk that has as much room as a test says."""

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def free(self) -> Free:
        return Free(int(self.share * 100_000_000_000), self.share)


_MIGRATE = """
from holdfast.edges.cli.django import set_up
set_up()
from django.core.management import call_command
for alias in ("default", "keys"):
    call_command("migrate", database=alias, verbosity=0, interactive=False)
"""


@lru_cache(maxsize=1)
def template() -> Path:
    """A folder with both stores, migrated; made once per process, by one that may use Django's own connections."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([sys.executable, "-c", _MIGRATE], env=environment(folder), check=True)
    return folder


class SmallHouse:
    """Two stores and a clock: what a Work needs, without keys, policies or processes."""

    def __init__(self, home: Path, clock: FakeClock | None = None, *, fresh: bool = True) -> None:
        if fresh:
            shutil.copytree(template(), home, dirs_exist_ok=True)
        self.settings: Settings = load_settings(home, {})
        self.clock = clock or FakeClock()
        self.data = connect(self.settings.data_path)
        self.keys = connect(self.settings.keys_path)

    def transact(self, work: Work[T]) -> T:
        return in_transaction(work, self.data, self.keys)

    def read(self, work: Work[T]) -> T:
        return drive(work, self.data, self.keys)

    def close(self) -> None:
        self.data.close()
        self.keys.close()
