"""The worker as a process: ``holdfast worker``, and a part of ``holdfast serve``.

Every quarter of a second it sequences, signs and publishes the logs that grew, and takes them to their subscribers. On
a thread beside that, with connections of its own, it runs the jobs that are due: however long one takes, no log waits
for it. It holds no request and may be killed at any moment: what it does is committed step by step and goes on where it
stood. On PostgreSQL several may run: one of them keeps the logs, the others stand by for that, and
all do the jobs.
"""

from __future__ import annotations

import holdfast.kit.db.sqlite  # noqa: F401 - swaps in a safe SQLite before anything else opens one

import signal
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import structlog

from holdfast.edges.checks.run import require_sound
from holdfast.edges.worker.jobs import HANDLERS, SCHEDULES
from holdfast.edges.worker.room import RoomWatch
from holdfast.edges.worker.time import TimeWatch
from holdfast.kit.clock import SECOND_US
from holdfast.kit.config import load_settings
from holdfast.kit.errors import Conflict, HoldfastError, Unavailable
from holdfast.kit.jobs.beating import Heart
from holdfast.kit.jobs.queue import run_due, tick
from holdfast.kit.log import configure, place_of
from holdfast.kit.process import die_with_parent, forbid_core_dumps
from holdfast.manifests import subscriptions
from holdfast.spine.house import open_house
from holdfast.spine.ledger.lease import LEASE_HELD
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.stream.follower import follower_of
from holdfast.spine.stream.following import Following
from holdfast.spine.ending.client_shred import complete_unfinished_clients
from holdfast.spine.vault.shred import complete_unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from holdfast.edges.worker.jobs import Handler
    from holdfast.spine.house import House

log = structlog.get_logger(__name__)

TICK_S = 0.25
SCHEDULES_EVERY_US = 30 * SECOND_US


class Jobs:
    """The jobs that are due, run by one thread with one house."""

    def __init__(self, house: House, handlers: Mapping[str, Handler]) -> None:
        self._house = house
        self._scheduled_us = 0
        self._heart = Heart(house.settings.data, house.clock)
        self._handlers = {kind: handler(house) for kind, handler in handlers.items()}

    def turn(self) -> None:
        """Run what is due once."""
        now_us = self._house.clock.now_us()
        if now_us - self._scheduled_us >= SCHEDULES_EVERY_US:
            self._scheduled_us = now_us
            quietly(lambda: tick(self._house, SCHEDULES))
        beating = self._heart.beating
        quietly(lambda: run_due(self._house, self._handlers, most=20, beating=beating))


def quietly(work: Callable[[], object]) -> None:
    """Do ``work``; what the house refuses just now is put off to the next turn, and said in the log."""
    try:
        work()
    except HoldfastError as error:
        log.warning("work_put_off", code=error.code, where=place_of(error))


class Worker:
    """One house's background work. ``handlers`` are the jobs that it can do."""

    def __init__(self, house: House, handlers: Mapping[str, Handler] = HANDLERS) -> None:
        self._house = house
        self._handlers = handlers
        life_us = house.settings.worker_lease_seconds * SECOND_US
        self._registrar = Registrar(house, house.signing_keys, life_us=life_us)
        self._stands_by = False
        self._stop = threading.Event()
        self._room = RoomWatch(house)
        self._time = TimeWatch(house)
        self._following = Following(house, map(follower_of, subscriptions()))
        self._jobs = Jobs(house, handlers)
        self._failed: BaseException | None = None

    def run(self) -> None:
        """Work until told to stop; what an earlier process began to erase is completed first."""
        try:
            quietly(lambda: complete_unfinished(self._house))
            quietly(lambda: complete_unfinished_clients(self._house))
            self._keep()
            beside = threading.Thread(target=self._run_jobs, name="jobs")
            beside.start()
            try:
                while not self._stop.is_set():
                    self._keep()
                    self._stop.wait(TICK_S)
            finally:
                self._stop.set()
                beside.join()
            self._keep_logs()
            quietly(self._following.turn)
        finally:
            self._registrar.close()
        if self._failed is not None:
            raise self._failed

    def turn(self) -> None:
        """Do what is due once, one after the other."""
        self._keep()
        self._jobs.turn()

    def _keep(self) -> None:
        quietly(self._time.look)  # first: nothing may be done by a time that is in doubt
        self._keep_logs()
        quietly(self._following.turn)
        quietly(self._room.look)

    def _run_jobs(self) -> None:
        """Run jobs until told to stop; an error that nobody expected ends the whole process, and its job goes on."""
        try:
            with closing(open_house(self._house.settings, self._house.clock)) as house:
                jobs = Jobs(house, self._handlers)
                while not self._stop.is_set():
                    jobs.turn()
                    self._stop.wait(TICK_S)
        except BaseException as error:  # noqa: BLE001  raised where the process ends
            self._failed = error
            self._stop.set()

    def _keep_logs(self) -> None:
        try:
            done = self._registrar.tick()
        except (Conflict, Unavailable) as error:
            stands_by = error.code == LEASE_HELD and not self._house.embedded
            if not stands_by:
                log.warning("logs_not_kept", code=error.code, where=place_of(error))
            elif not self._stands_by:
                log.info("stands_by")
            self._stands_by = stands_by
            return
        self._stands_by = False
        for name, reason in done.refused.items():
            log.error("log_refused", log=name, reason=reason)

    def stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Stop after the present turn."""
        self._stop.set()


def main(parent: int | None = None) -> None:
    """Work until told to stop, or until the process ``parent`` is gone."""
    if parent is not None:
        die_with_parent(parent)
    forbid_core_dumps()
    settings = load_settings()
    configure(settings.log_level)
    require_sound(settings)  # no job runs on a store that was set back
    house = open_house(settings)
    worker = Worker(house)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
