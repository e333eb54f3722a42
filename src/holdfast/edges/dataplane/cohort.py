"""Operations of one turn that take their steps together.

An interpreter that runs a whole request and then the next one reads all of the path's code from memory for each of
them: it is larger than the processor's caches. Here all take their first step, then all their second, and so on, so
that a step's code is read once. Together they only read; each writes in its turn, as if it ran alone.

What keeps them apart is what keeps writers apart on PostgreSQL: the rows that a statement locks (decision record 0042).
Who asks for rows that a companion holds waits, and goes on alone when that one has written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.kit.db import Query, Round, Rows, Work
    from holdfast.kit.db.ports import Connection

SHARED: Final = "FOR SHARE"


class Step(NamedTuple):
    """An operation, its place in the turn, and what it asks next."""

    place: int
    work: Work[Any]
    asked: Round


class Ended(NamedTuple):
    """An operation that came to its end while it was read for; ``error`` is what it raised."""

    place: int
    result: Any
    error: Exception | None = None


class Cohort:
    """Takes operations as far as they go without writing."""

    def __init__(self, data: Connection, keys: Connection) -> None:
        self._ask_data = data.asking()
        self._ask_keys = keys.asking()
        self._holders: dict[tuple[object, ...], int] = {}  # -1: several, who only read
        self.ended: list[Ended] = []

    def take(self, works: Sequence[tuple[int, Callable[[], Work[Any]]]]) -> list[Step]:
        """Run all up to what they may only ask alone; return that in the order in which it is to be run.

        First who has all that it needs, then who waits for one that is further on than itself: locks are asked for in
        one order, so nobody waits for one who comes later here. Those that came to an end are in :attr:`ended`.
        """
        writers: list[Step] = []
        blocked: list[list[Step]] = []
        steps = [step for place, work in works if (step := self._begun(place, work))]
        while steps:
            going: list[Step] = []
            waiting: list[Step] = []
            for step in steps:
                if not self._holds(step):
                    waiting.append(step)
                elif _is_free(step.asked):
                    going.append(step)
                else:
                    writers.append(step)
            blocked.append(waiting)
            answers = [self._answer(step.asked) for step in going]
            steps = [
                after
                for step, answer in zip(going, answers, strict=True)
                if (after := self._advanced(step, answer))
            ]
        return [*writers, *(step for waiting in reversed(blocked) for step in waiting)]

    def _begun(self, place: int, work: Callable[[], Work[Any]]) -> Step | None:
        try:
            begun = work()
            return Step(place, begun, next(begun))
        except StopIteration as done:
            self.ended.append(Ended(place, done.value))
        except Exception as error:  # noqa: BLE001  it is a failure of this operation alone
            self.ended.append(Ended(place, None, error))
        return None

    def _advanced(self, step: Step, answer: list[Rows]) -> Step | None:
        try:
            return Step(step.place, step.work, step.work.send(answer))
        except StopIteration as done:
            self.ended.append(Ended(step.place, done.value))
        except Exception as error:  # noqa: BLE001  it is a failure of this operation alone
            self.ended.append(Ended(step.place, None, error))
        return None

    def _answer(self, asked: Round) -> list[Rows]:
        answer = self._ask_data(asked.data) if asked.data else []
        return answer + self._ask_keys(asked.keys) if asked.keys else answer

    def _holds(self, step: Step) -> bool:
        """Take the locks that are asked for; False, and none is taken, when a companion has one."""
        wanted = [_lock(query) for query in step.asked.data if query.statement.lock]
        holders = self._holders
        for key, shared in wanted:
            if holders.get(key, step.place) not in {step.place, -1 if shared else step.place}:
                return False
        for key, shared in wanted:
            holders[key] = -1 if shared else step.place
        return True


def _is_free(asked: Round) -> bool:
    return not asked.keys_writes and all(query.statement.free for query in asked.data)


def _lock(query: Query) -> tuple[tuple[object, ...], bool]:
    statement = query.statement
    return (statement.name, *query.params.values()), statement.lock == SHARED
