"""What a data plane does beside its requests, once a second (SPINE 20, 23, 24).

It tells what it counted, a line a minute, and that the clock was set; and it compiles contracts that were published.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import monotonic_s
from holdfast.kit.db import Round
from holdfast.kit.errors import Unavailable
from holdfast.spine.decision.policies import warm
from holdfast.spine.ledger.recorder import append_signal
from holdfast.spine.timekeeping import report_step
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from holdfast.edges.dataplane.metrics import Metrics
    from holdfast.edges.dataplane.runner import Runner
    from holdfast.kit.db import Work
    from holdfast.spine.house import House

EVERY_S: Final = 1.0
TOLD_EVERY_S: Final = 60.0


class Keeping:
    """Keeps one data plane; :meth:`start` lets it beat by itself."""

    def __init__(
        self, house: House, runner: Runner, metrics: Metrics, now: Callable[[], float] = monotonic_s
    ) -> None:
        self._house = house
        self._runner = runner
        self._metrics = metrics
        self._now = now
        self._told_s = now()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Beat now, and every second from now on."""
        self.beat()
        loop.call_later(EVERY_S, self.start, loop)

    def beat(self) -> None:
        """Do what is due."""
        if self._now() - self._told_s >= TOLD_EVERY_S:
            self._told_s = self._now()
            self._tell(self._metrics.take_unauthenticated())
        if self._house.clock.step_us():
            self._submit(self._stepped)
        with contextlib.suppress(Exception):  # the request that needs them compiles them itself
            self._house.try_read(warm(self._house.policies))

    def _tell(self, count: int) -> None:
        if count:
            self._submit(lambda: self._refused(count))

    def _submit(self, work: Callable[[], Work[object]]) -> None:
        with contextlib.suppress(
            Unavailable
        ):  # the queue is full; the worker looks at the clock, too
            self._runner.submit(work)

    def _stepped(self) -> Work[None]:
        """Tell of the step; until this is done, the clock itself says that it is in doubt."""
        by_us = self._house.clock.take_step()
        if by_us:
            yield from report_step(self._house, by_us)

    def _refused(self, count: int) -> Work[None]:
        now_us = self._house.clock.now_us()
        told = append_signal(HOUSE_LOG, Signal.CREDENTIAL_REFUSED, now_us, count=count)
        yield Round(data=(told,))
