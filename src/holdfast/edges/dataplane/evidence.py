"""Where a data plane reads what is evidence: on a replica of the data store while it answers, else on the store itself.

Only what was written once and does not decide who may read it is read here: a replica lags, and whoever was shut out a
moment ago must find the door shut. What a replica does not have (yet), the store is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import structlog

from holdfast.kit.clock import SECOND_US, monotonic_s
from holdfast.kit.db.address import PostgresDatabase
from holdfast.kit.errors import HoldfastError, Unavailable
from holdfast.spine.ledger.tail import newest_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.edges.dataplane.runner import Runner
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.kit.db.replica import Replica

T = TypeVar("T")
log = structlog.get_logger(__name__)

LEFT_ALONE_S: Final = 5.0


class Following(NamedTuple):
    """Whether the replica answers, and by how much its newest line or tick is older than that of the store."""

    answers: bool
    lag_s: float


class Evidence:
    """Reads of one data plane; without a replica they are operations like all others."""

    def __init__(
        self, settings: Settings, runner: Runner, now: Callable[[], float] = monotonic_s
    ) -> None:
        self._runner = runner
        self._now = now
        self._away_until_s = 0.0
        self._replica: Replica | None = None
        if isinstance(settings.replica, PostgresDatabase):
            from holdfast.kit.db.replica import Replica  # noqa: PLC0415  a house in files starts without the driver

            self._replica = Replica(settings.replica)

    async def open(self) -> None:
        """Begin to connect; a replica that is away keeps nobody from serving."""
        if self._replica is not None:
            await self._replica.open()

    async def close(self) -> None:
        """Disconnect."""
        if self._replica is not None:
            await self._replica.close()

    async def read(self, work: Callable[[], Work[T]]) -> T:
        """Run ``work``, which reads the data store alone. What it raises, the store has said."""
        if self._replica is not None and self._now() >= self._away_until_s:
            try:
                return await self._replica.read(work())
            except Unavailable:
                self._left_alone()
            except HoldfastError:
                pass  # the replica may lag: whether it is so, the store says
        return await self._runner.submit(work)

    async def glance(self, work: Callable[[], Work[T]]) -> T | None:
        """Run ``work`` on the replica alone; None where there is none that answers."""
        if self._replica is None or self._now() < self._away_until_s:
            return None
        try:
            return await self._replica.read(work())
        except Unavailable:
            self._left_alone()
            return None

    async def following(self) -> Following | None:
        """How the replica is; None without one."""
        if self._replica is None:
            return None
        there_us = await self.glance(newest_us)
        if there_us is None:
            return Following(answers=False, lag_s=0.0)
        here_us = await self._runner.submit(newest_us)
        return Following(answers=True, lag_s=max(0, here_us - there_us) / SECOND_US)

    def _left_alone(self) -> None:
        log.warning("replica_away")
        self._away_until_s = self._now() + LEFT_ALONE_S
