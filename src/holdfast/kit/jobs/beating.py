"""Keeping a run's lease while its handler works, however long one of its steps takes.

A lease lasts a minute, so that the work of a worker that died is taken up soon. Writing a big table anew takes longer,
and is one statement: nothing of the handler's own could say meanwhile that it lives. So a thread beside it does, on a
connection of its own that is open for the moment only. A process that is killed or frozen falls silent with it.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import SECOND_US
from holdfast.kit.db.opening import connect, errors_of
from holdfast.kit.db.shell import writing
from holdfast.kit.errors import HoldfastError
from holdfast.kit.jobs.queue import LEASE_US
from holdfast.kit.jobs.store import HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.clock import Clock
    from holdfast.kit.db.address import StoreAddress
    from holdfast.kit.jobs.queue import Run

EVERY_S: Final = (
    LEASE_US / SECOND_US / 3
)  # one that is missed, or finds the store busy, does no harm


class Heart:
    """Beats for one run at a time, in the store where the jobs are."""

    def __init__(self, store: StoreAddress, clock: Clock, *, every_s: float = EVERY_S) -> None:
        self._store = store
        self._clock = clock
        self._every_s = every_s

    @contextmanager
    def beating(self, run: Run) -> Iterator[None]:
        """Keep the lease of ``run`` while the block runs; one that was lost stays lost."""
        ended = Event()
        thread = Thread(
            target=self._beat, args=(run, ended), name=f"heart of {run.id}", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _beat(self, run: Run, ended: Event) -> None:
        while not ended.wait(self._every_s):
            try:
                held = self._once(run)
            except (HoldfastError, errors_of(self._store)):
                continue  # the store is busy or away; the next beat may come through
            if not held:
                return

    def _once(self, run: Run) -> bool:
        until_us = self._clock.now_us() + LEASE_US
        beat = HEARTBEAT(id=run.id, lease=run.lease, lease_until_us=until_us)
        with closing(connect(self._store)) as connection, writing(connection):
            return bool(connection.execute(beat))
