"""Which jobs the worker runs, and which recur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.edges.worker.retention import Forgetting
from holdfast.kit.clock import MINUTE_US
from holdfast.kit.jobs.queue import Schedule
from holdfast.spine.actions.exports import JOB as EXPORT_JOB
from holdfast.spine.ending.client_shred import CLIENT_SHRED_JOB, run_client_shred
from holdfast.spine.ledger.folding import close_overdue
from holdfast.spine.operations.export_job import expire_exports, run_export
from holdfast.spine.operations.holding import expire_holds
from holdfast.spine.operations.outcome import MOST_AT_ONCE, tell_missing
from holdfast.spine.purpose.settle import settle_overdue, tell_outages_over
from holdfast.spine.vault.shred import SHRED_JOB, run_shred
from holdfast.spine.vault.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kit.jobs.queue import Run
    from holdfast.spine.house import House

    Handler = Callable[[House], Callable[[Run], None]]

FORGET: Final = "forget"
SWEEP: Final = "sweep"
FOLD: Final = "fold"
ACTS: Final = "acts"
SETTLE: Final = "settle"
SCHEDULES: Final = (
    Schedule(FORGET, 5 * MINUTE_US),
    Schedule(SWEEP, MINUTE_US),
    Schedule(FOLD, MINUTE_US),
    Schedule(ACTS, MINUTE_US),
    Schedule(SETTLE, MINUTE_US),
)


def _forget(house: House) -> Callable[[Run], None]:
    """Drop what nothing asks for any more, of every table."""
    forgetting = Forgetting(house)
    return lambda _run: forgetting.run()


def _sweep(house: House) -> Callable[[Run], None]:
    """Remove from the keys store what was prepared and never committed."""

    def run(_run: Run) -> None:
        sweep(house)

    return run


def _acts(house: House) -> Callable[[Run], None]:
    """Tell clients of permits of which no target said what became of them, and delete exports that are over."""

    def run(_run: Run) -> None:
        while house.transact(tell_missing(house.clock.now_us())) == MOST_AT_ONCE:
            pass  # some at a time, so that no transaction is long

    return run


def _settle(house: House) -> Callable[[Run], None]:
    """Tell which contacts on a person's word no feed confirmed, and which outages are over."""

    def run(_run: Run) -> None:
        now_us = house.clock.now_us()
        while house.transact(settle_overdue(now_us)):
            pass  # some at a time, so that no transaction is long
        while house.transact(tell_outages_over(now_us)):
            pass
        expire_exports(house)
        expire_holds(house)

    return run


def _export(house: House) -> Callable[[Run], None]:
    """Write the file of an export."""
    return lambda run: run_export(house, run.payload, run.heartbeat)


def _fold(house: House) -> Callable[[Run], None]:
    """Say how many equal refusals there were, of the minutes that are over."""

    def run(_run: Run) -> None:
        while house.transact(close_overdue(house.clock.now_us())):
            pass  # some at a time, so that no transaction is long

    return run


def _shred(house: House) -> Callable[[Run], None]:
    """Finish an erasure."""
    return lambda run: run_shred(house, run.payload)


def _shred_client(house: House) -> Callable[[Run], None]:
    """Finish the erasure of a whole client."""
    return lambda run: run_client_shred(house, run.payload)


HANDLERS: Final[dict[str, Handler]] = {
    FORGET: _forget,
    FOLD: _fold,
    SWEEP: _sweep,
    ACTS: _acts,
    SETTLE: _settle,
    SHRED_JOB: _shred,
    EXPORT_JOB: _export,
    CLIENT_SHRED_JOB: _shred_client,
}
