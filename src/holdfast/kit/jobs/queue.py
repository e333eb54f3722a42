"""Background work: enqueued in the transaction that needs it, run at least once.

A job is claimed with a lease by one ``UPDATE … RETURNING``, which the worker prolongs while the handler works
(:mod:`holdfast.kit.jobs.beating`); a worker that dies loses its lease, and another worker runs the job again, so a
handler must be able to run twice. Payloads are JSON and hold references only: the table is
not a place for a customer's value. Recurring work is enqueued under the key ``name@fire time``, so that several
schedulers enqueue it once::

    def enqueue_shred(customer: str, now_us: int) -> Work[None]:
        yield Round(data=(enqueue(NewJob("shred", {"customer": customer}, dedupe_key=f"shred:{customer}"), now_us),))

    run_due(house, {"shred": lambda run: shred(house, run.payload["customer"])})
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, HoldfastError
from holdfast.kit.ids import new_id
from holdfast.kit.jobs.store import (
    BURY,
    CLAIM,
    COMPLETE,
    COUNTS,
    DUE,
    ENQUEUE,
    HEARTBEAT,
    LISTED,
    OVERDUE,
    RETRY,
    REVIVE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from holdfast.kit.clock import Clock
    from holdfast.kit.db import Query, Work

T = TypeVar("T")

LEASE_US: Final = MINUTE_US
MOST_ATTEMPTS: Final = 12  # with the back-off below: about a day and a half
KEPT_US: Final = 7 * DAY_US  # how long a finished job's key still refuses a second one
_FIRST_RETRY_US: Final = 5 * SECOND_US
_LONGEST_RETRY_US: Final = 12 * HOUR_US
_AT_ONCE: Final = 16  # in line for workers that claim at once
_MOST_PAYLOAD: Final = 16 * 1024


class Shell(Protocol):
    """What runs jobs needs of a house."""

    @property
    def clock(self) -> Clock:
        """The clock that leases are counted by."""
        ...

    def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one write transaction."""
        ...

    def read(self, work: Work[T]) -> T:
        """Run ``work`` without taking the writer's lock."""
        ...


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to enqueue. ``run_at_us`` of None is at once.

    A ``dedupe_key`` is accepted once in seven days; one whose job was given up starts that job anew.
    """

    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    dedupe_key: str | None = None
    run_at_us: int | None = None


def enqueue(job: NewJob, now_us: int) -> Query:
    """Return the query that enqueues ``job``: put it in the Round that also writes what the job is about.

    ``ValueError`` when the payload is over 16 KiB, ``TypeError`` when it is not JSON.
    """
    payload = json.dumps(dict(job.payload), separators=(",", ":"), sort_keys=True, allow_nan=False)
    if len(payload) > _MOST_PAYLOAD:
        raise ValueError(f"the payload of a {job.kind} job is over {_MOST_PAYLOAD} bytes")
    return ENQUEUE(
        id=new_id("job", now_us),
        kind=job.kind,
        payload=payload,
        dedupe_key=job.dedupe_key,
        run_at_us=now_us if job.run_at_us is None else job.run_at_us,
        created_us=now_us,
    )


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that recurs every ``every_us`` (a week at most), at multiples of it since the epoch."""

    name: str
    every_us: int
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (
            not 0 < self.every_us <= KEPT_US
        ):  # longer, and the key would be forgotten before the next fire
            raise ValueError(f"the schedule {self.name} must recur within a week")

    def due(self, now_us: int) -> NewJob:
        """Return the job of the latest fire time; its key lets it be enqueued only once."""
        fire_us = now_us - now_us % self.every_us
        return NewJob(self.name, self.payload, f"{self.name}@{fire_us}", fire_us)


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at one job, as its handler sees it."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    attempt: int
    lease: str
    _shell: Shell = field(repr=False)

    def heartbeat(self) -> None:
        """Keep the job for another minute; raises :class:`Conflict` when it was given to somebody else meanwhile."""
        until_us = self._shell.clock.now_us() + LEASE_US
        held = self._shell.transact(
            _settles(HEARTBEAT(id=self.id, lease=self.lease, lease_until_us=until_us))
        )
        if not held:
            raise Conflict(f"the lease of job {self.id} has lapsed", code="lease_lost")


def claim(shell: Shell, kinds: tuple[str, ...]) -> Run | None:
    """Take the next due job of these kinds, or None. Its lease lasts a minute unless a heartbeat prolongs it.

    A job whose runs all ended without a word (the worker was killed each time) is buried instead of run once more.
    """
    while True:
        now_us = shell.clock.now_us()
        due = shell.read(_rows(DUE(kinds=kinds, now=now_us, most=_AT_ONCE)))
        if not due:
            return None
        for (ident,) in due:
            run = _claimed(shell, ident)
            if run is not None:
                return run


def _claimed(shell: Shell, ident: str) -> Run | None:
    """Take one job, unless another worker was faster or there was no word from it twelve times."""
    now_us = shell.clock.now_us()
    lease = new_id("run", now_us)
    query = CLAIM(id=ident, now=now_us, lease=lease, lease_until_us=now_us + LEASE_US)
    rows = shell.transact(_rows(query))
    if not rows:
        return None
    _, kind, payload, attempts, _ = rows[0]
    if attempts <= MOST_ATTEMPTS:
        return Run(ident, kind, json.loads(payload), attempts, lease, shell)
    shell.transact(_settles(BURY(id=ident, lease=lease, error="lease_lapsed", now=now_us)))
    return None


def complete(run: Run, now_us: int) -> Query:
    """Return the query that finishes ``run``; it returns a row only while the lease is still this run's own.

    A handler whose result is one transaction puts it in there: result and completion are then one.
    """
    return COMPLETE(id=run.id, lease=run.lease, now=now_us)


def fail(run: Run, code: str, now_us: int) -> Query:
    """Return the query that puts ``run`` back with a growing delay, or buries it after the twelfth attempt."""
    if run.attempt >= MOST_ATTEMPTS:
        return BURY(id=run.id, lease=run.lease, error=code, now=now_us)
    return RETRY(
        id=run.id, lease=run.lease, error=code, run_at_us=now_us + retry_delay_us(run.attempt)
    )


def retry_delay_us(attempt: int) -> int:
    """5 s after the first attempt, then four times as long each time, at most twelve hours."""
    return int(min(_FIRST_RETRY_US * 4 ** min(attempt - 1, 12), _LONGEST_RETRY_US))


def run_due(
    shell: Shell,
    handlers: Mapping[str, Callable[[Run], None]],
    *,
    most: int = 100,
    beating: Callable[[Run], AbstractContextManager[None]] | None = None,
) -> int:
    """Run due jobs one after another until none is left or ``most`` were run; return how many.

    ``beating``, where it is given, is entered for each run and keeps its lease meanwhile.

    A handler that raises is retried later; only the error's code is kept, since its text could hold a value. What is
    no :class:`Exception` (Ctrl-C, the end of the process) leaves the lease to lapse.
    """
    kinds = tuple(handlers)
    for count in range(most):
        run = claim(shell, kinds)
        if run is None:
            return count
        try:
            with beating(run) if beating else nullcontext():
                handlers[run.kind](run)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the next job still runs
            shell.transact(_settles(fail(run, _code(error), shell.clock.now_us())))
        else:
            shell.transact(_settles(complete(run, shell.clock.now_us())))
    return most


def tick(shell: Shell, schedules: tuple[Schedule, ...]) -> None:
    """Enqueue what the schedules are due for."""
    now_us = shell.clock.now_us()
    shell.transact(_all(tuple(enqueue(schedule.due(now_us), now_us) for schedule in schedules)))


class Listed(NamedTuple):
    """A job as it is shown: what it works on is not."""

    id: str
    kind: str
    state: str
    run_at_us: int
    attempts: int
    error: str


class Backlog(NamedTuple):
    """How many jobs are in each state, and since when those wait that are due, by kind, the longest first."""

    counts: dict[str, int]
    overdue: dict[str, int]

    def lag_us(self, now_us: int) -> int:
        """How long the one waits that waits longest."""
        return max(0, now_us - min(self.overdue.values(), default=now_us))


def listed(states: tuple[str, ...], *, most: int) -> Work[list[Listed]]:
    """Return jobs in these states, those first that are due first."""
    rows = yield from _rows(LISTED(states=states, most=most))
    return [Listed(*row) for row in rows]


def revive(ident: str, now_us: int) -> Work[bool]:
    """Make a job due at once that waits or was given up, with all its attempts; tell whether there was one."""
    return (yield from _settles(REVIVE(id=ident, now=now_us)))


def backlog(now_us: int) -> Work[Backlog]:
    """Return how the work stands."""
    counts, overdue = yield Round(data=(COUNTS(), OVERDUE(now=now_us)))
    return Backlog(dict(counts), dict(overdue))


def _code(error: Exception) -> str:
    return error.code if isinstance(error, HoldfastError) else type(error).__name__


def _rows(query: Query) -> Work[list[tuple[Any, ...]]]:
    (rows,) = yield Round(data=(query,))
    return rows


def _settles(query: Query) -> Work[bool]:
    (rows,) = yield Round(data=(query,))
    return bool(rows)


def _all(queries: tuple[Query, ...]) -> Work[None]:
    yield Round(data=queries)
