"""Group commit by loop turn.

The operations that arrive in one turn of the event loop share one write transaction: ``BEGIN IMMEDIATE`` before the
first load, what each operation writes under its own savepoint, no ``await`` between its load and its leaf, one commit,
and only then do the answers leave. Those that may take their steps together do (``cohort``). A commit that fails makes
all of them fail: no answer without a durable leaf (SPINE 5, 18).
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import structlog

from holdfast.edges.dataplane.cohort import Cohort, ended_by
from holdfast.kit.clock import monotonic_s
from holdfast.kit.db.shell import drive, go_on
from holdfast.kit.errors import HoldfastError, Unavailable
from holdfast.kit.log import place_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from holdfast.edges.dataplane.cohort import Ended, Step
    from holdfast.kit.db import Rows, Work
    from holdfast.spine.house import Stores

T = TypeVar("T")
log = structlog.get_logger(__name__)

MOST_PER_TURN = 48  # at about 0.4 ms each the writer's lock is held for less than 20 ms
GATHERING = 2  # rounds of the loop
COMPANY = 4  # fewer than this are served at once
QUIET_S = 0.001  # nobody came for so long; uvloop's timers know no shorter time
MOST_QUIETS = 4
MOST_WAITING = 512
BUSY_LIMIT_S = 2.0
SLOW_TURN_S = 0.1


class Waiting(NamedTuple):
    """An operation, who is to be answered, since when it waits, and whether it is of those that go together."""

    work: Callable[[], Work[Any]]
    future: asyncio.Future[Any]
    since_s: float
    together: bool = False

    def answer(self, result: Any) -> None:
        """Let the result, or :class:`Failed`, leave, if anybody still waits for it."""
        if self.future.cancelled():
            return
        if isinstance(result, Failed):
            self.future.set_exception(result.error)
        else:
            self.future.set_result(result)


def unchanged(results: list[Any]) -> list[Any]:
    """Let results leave as they are."""
    return results


class Turns:
    """Runs operations in turns on one pair of connections; ``stores.data`` must have a busy timeout of 0."""

    def __init__(
        self,
        stores: Stores,
        loop: asyncio.AbstractEventLoop,
        *,
        opens: Callable[[], Work[None]] | None = None,
        seals: Callable[[list[Any]], list[Any]] = unchanged,
    ) -> None:
        """``opens`` is run first in each turn; ``seals`` is given the results of a turn once they are durable."""
        self._opens = opens
        self._seals = seals
        self._stores = stores
        self._data = stores.data
        self._keys = stores.keys
        self._loop = loop
        self._waiting: deque[Waiting] = deque()
        self._scheduled = False
        self.turns = 0
        self.operations = 0
        self.busy_retries = 0
        self.refused = 0

    async def open(self) -> None:
        """Connected already."""

    async def close(self) -> None:
        """Close the connections; turns are run at once, so none is under way."""
        self._stores.close()

    def submit(self, work: Callable[[], Work[T]], *, together: bool = False) -> asyncio.Future[T]:
        """Queue an operation; the future resolves after the commit that holds its leaf. The oldest is answered first.

        Raises :class:`Unavailable` at once when too many wait already: nothing of the operation is done then.

        ``work`` is called inside the turn, so that the operation takes its time there.
        """
        if len(self._waiting) >= MOST_WAITING:
            self._refuse_or_make_room()
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(Waiting(work, future, monotonic_s(), together))
        self._schedule()
        return future

    def _refuse_or_make_room(self) -> None:
        """Drop those whose callers went away; :class:`Unavailable` when that makes no room."""
        here = deque(one for one in self._waiting if not one.future.cancelled())
        if len(here) >= MOST_WAITING:
            self.refused += 1
            raise Unavailable("too many requests wait", code="queue_full")
        self._waiting = here

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._gather, GATHERING)

    def _gather(self, rounds: int) -> None:
        """Let requests that are already on their way reach this turn: a commit costs the same for one as for many."""
        if rounds:
            self._loop.call_soon(self._gather, rounds - 1)
        elif COMPANY <= len(self._waiting) < MOST_PER_TURN:
            self._loop.call_later(QUIET_S, self._linger, len(self._waiting), MOST_QUIETS - 1)
        else:
            self._run()

    def _linger(self, seen: int, more: int) -> None:
        """Where several came at once, those who were answered last are on their way again: wait until it is quiet."""
        here = len(self._waiting)
        if more and seen < here < MOST_PER_TURN:
            self._loop.call_later(QUIET_S, self._linger, here, more - 1)
        else:
            self._run()

    def _run(self) -> None:
        self._scheduled = False
        while self._waiting and self._waiting[0].future.cancelled():
            self._waiting.popleft()
        if not self._waiting:
            return
        try:
            self._data.begin()
        except Exception as error:  # noqa: BLE001  no failure may look like an answer
            self._cannot_begin(error)
            return
        begun_s = monotonic_s()
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_PER_TURN))]
        self._finish(batch, self._judge_all(batch))
        took_s = monotonic_s() - begun_s
        if took_s > SLOW_TURN_S:
            log.warning("slow_turn", seconds=round(took_s, 3), operations=len(batch))
        if self._waiting:
            self._schedule()

    def _judge_all(self, batch: list[Waiting]) -> list[Any]:
        try:
            # One read transaction for the turn: its locks are taken once. No other can commit in `data` meanwhile,
            # so nothing that `keys` gains now could count in this turn.
            self._keys.begin_reading()
            if self._opens is not None:
                drive(self._opens(), self._data, self._keys)
            return self._results(batch)
        except Exception as error:  # noqa: BLE001  the store itself failed: nothing of this turn may count
            self._data.rollback()
            return [Failed(error)] * len(batch)
        finally:
            if self._keys.in_transaction:
                self._keys.commit()

    def _results(self, batch: list[Waiting]) -> list[Any]:
        """Run those first that go alone: they may change what the others go by."""
        data, keys = self._data, self._keys
        cohort = [(place, one.work) for place, one in enumerate(batch) if one.together]
        if len(cohort) == 1:
            cohort = []
        results: dict[int, Any] = dict.fromkeys(place for place, _ in cohort)
        for place, one in enumerate(batch):
            if place not in results:
                results[place] = self._one(partial(self._whole, one.work))
        together = Cohort(data, keys)
        taken = together.take(cohort)
        results.update(self._last(together, taken.last))
        for step in taken.alone:
            results[step.place] = self._one(partial(go_on, step.work, step.asked, data, keys))
        for ended in taken.ended:
            failed = ended.error
            results[ended.place] = ended.result if failed is None else self._failed(failed)
        return [results[place] for place in range(len(batch))]

    def _last(self, together: Cohort, steps: list[Step]) -> dict[int, Any]:
        """Write the last rounds of all at once; when one fails, each by itself."""
        data, keys = self._data, self._keys
        data.save()
        try:
            answers = together.write(steps)
        except Exception:  # noqa: BLE001  some cannot be written; each by itself shows which
            data.undo()
            data.release()
            return {
                step.place: self._one(partial(go_on, step.work, step.asked, data, keys))
                for step in steps
            }
        ended = [ended_by(*one) for one in zip(steps, answers, strict=True)]
        if all(one.error is None for one in ended):
            data.release()
            return {one.place: one.result for one in ended}
        data.undo()
        data.release()
        return {
            one.place: self._one(partial(_again, together, step, answer, one))
            for step, answer, one in zip(steps, answers, ended, strict=True)
        }

    def _whole(self, work: Callable[[], Work[T]]) -> T:
        return drive(work(), self._data, self._keys)

    def _one(self, run: Callable[[], Any]) -> Any:
        data = self._data
        data.save()
        try:
            result: Any = run()
        except Exception as error:  # noqa: BLE001  it wrote nothing and shows nothing
            data.undo()
            result = self._failed(error)
        data.release()
        return result

    def _failed(self, error: Exception) -> Failed:
        """Write what an error leaves behind."""
        if isinstance(error, HoldfastError) and error.aftermath is not None:
            drive(error.aftermath(), self._data, self._keys)
        return Failed(error)

    def _finish(self, batch: list[Waiting], results: list[Any]) -> None:
        committed = self._committed(results)
        self.turns += 1
        self.operations += len(batch)
        for waiting, result in zip(batch, committed, strict=True):
            waiting.answer(result)

    def _committed(self, results: list[Any]) -> list[Any]:
        """Commit, and only then sign for what was written."""
        if not self._data.in_transaction:
            return results
        try:
            self._data.commit()
        except Exception as error:  # noqa: BLE001  no failure may look like an answer
            log.error("commit_failed", error=type(error).__name__, operations=len(results))  # noqa: TRY400  a traceback may hold a value
            self._data.rollback()
            refusal = Unavailable("the ledger could not be written", remedy="Try again.")
            return [Failed(refusal)] * len(results)
        try:
            return self._seals(results)
        except Exception as error:  # noqa: BLE001  an answer without its receipt is none
            return [Failed(error)] * len(results)

    def _cannot_begin(self, error: Exception) -> None:
        if (
            isinstance(error, Unavailable)
            and monotonic_s() - self._waiting[0].since_s < BUSY_LIMIT_S
        ):
            self.busy_retries += 1
            self._scheduled = True
            self._loop.call_later(0.001, self._run)
            return
        log.error("cannot_begin", error=type(error).__name__)
        refusal = Unavailable("the store is busy", remedy="Try again.")
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.future.cancelled():
                waiting.future.set_exception(refusal)


class Failed:
    """An operation that raised; kept apart from results, which may be anything."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error: Exception = error if isinstance(error, HoldfastError) else _internal(error)


def _again(together: Cohort, step: Step, answer: list[Rows], ended: Ended) -> Any:
    """Write once more what an operation has ended by; it fails if it did, or if it would end otherwise now."""
    if ended.error is not None:
        raise ended.error
    if together.write([step]) != [answer]:
        raise Unavailable("another request came between at this very moment", remedy="Ask again.")
    return ended.result


def _internal(error: Exception) -> HoldfastError:
    log.error("operation_failed", error=type(error).__name__, where=place_of(error))
    return HoldfastError("an internal error; nothing was shown", code="internal")
