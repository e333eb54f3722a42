"""Operations of one turn that take their steps together.

An interpreter that runs a whole request and then the next one reads all of the path's code from memory for each of
them: it is larger than the processor's caches. Here all take their first step, then all their second, and so on, so
that a step's code is read once; and so do the statements that they ask. What is a last round is written for all at
once; who writes earlier does it in its turn, as if it ran alone.

What keeps them apart is what keeps writers apart on PostgreSQL: the rows that a statement locks (decision record 0042).
Who asks for rows that a companion holds waits, and goes on alone when that one has written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.db import PAUSE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.kit.db import Query, Round, Rows, Work
    from holdfast.kit.db.ports import Ask, Connection

SHARED: Final = "FOR SHARE"


class Step:
    """An operation, its place in the turn, and what it asks next."""

    __slots__ = ("asked", "place", "work")

    def __init__(self, place: int, work: Work[Any], asked: Round) -> None:
        self.place = place
        self.work = work
        self.asked = asked


class Ended(NamedTuple):
    """An operation that came to its end; ``error`` is what it raised."""

    place: int
    result: Any
    error: Exception | None = None


class Taken(NamedTuple):
    """How far operations went: those whose last round is a write, those that go on alone, in this order, and the rest.

    First of those that go alone come those who have all that they need, then who waits for one that is further on than
    itself: locks are asked for in one order, so nobody waits for one who comes later here.
    """

    last: list[Step]
    alone: list[Step]
    ended: list[Ended]


class Cohort:
    """Takes operations as far as they go without writing."""

    def __init__(self, data: Connection, keys: Connection) -> None:
        self._ask_data = data.asking()
        self._ask_keys = keys.asking()
        self._holders: dict[tuple[object, ...], int] = {}  # -1: several, who only read

    def take(self, works: Sequence[tuple[int, Callable[[], Work[Any]]]]) -> Taken:
        """Run all up to what they write."""
        taken = Taken([], [], [])
        blocked: list[list[Step]] = []
        steps = [step for place, work in works if (step := _begun(place, work, taken.ended))]
        while steps:
            going: list[Step] = []
            waiting: list[Step] = []
            for step in steps:
                if step.asked is PAUSE:
                    going.append(step)
                elif not self._holds(step):
                    waiting.append(step)
                elif _is_free(step.asked):
                    going.append(step)
                elif step.asked.last and not step.asked.keys_writes:
                    taken.last.append(step)
                else:
                    taken.alone.append(step)
            blocked.append(waiting)
            answers = self._answers(going)
            steps = [
                step
                for step, answer in zip(going, answers, strict=True)
                if _goes_on(step, answer, taken.ended)
            ]
        taken.alone.extend(step for waiting in reversed(blocked) for step in waiting)
        return taken

    def write(self, steps: Sequence[Step]) -> list[list[Rows]]:
        """Run the last rounds of operations; an error may leave some of them written."""
        return self._answers(steps)

    def _answers(self, steps: Sequence[Step]) -> list[list[Rows]]:
        answers = ask_each(self._ask_data, [step.asked.data for step in steps])
        more = ask_each(self._ask_keys, [step.asked.keys for step in steps])
        return [ours + theirs for ours, theirs in zip(answers, more, strict=True)]

    def _holds(self, step: Step) -> bool:
        """Take the locks that are asked for; False, and none is taken, when a companion has one."""
        wanted = [_lock(query) for query in step.asked.data if query.statement.lock]
        if not wanted:
            return True
        holders = self._holders
        for key, shared in wanted:
            if holders.get(key, step.place) not in {step.place, -1 if shared else step.place}:
                return False
        for key, shared in wanted:
            holders[key] = -1 if shared else step.place
        return True


def ended_by(step: Step, answer: list[Rows]) -> Ended:
    """Give an operation the answer to its last round."""
    ended: list[Ended] = []
    if _goes_on(step, answer, ended):
        return Ended(step.place, None, AssertionError("it asks something after its last round"))
    return ended[0]


def ask_each(ask: Ask, rounds: Sequence[Sequence[Query]]) -> list[list[Rows]]:
    """Answer each round; of those that ask the same, the first statement is run for all, then the second."""
    answers: list[list[Rows]] = [[]] * len(rounds)
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, queries in enumerate(rounds):
        if queries:
            alike.setdefault(tuple([query.statement.name for query in queries]), []).append(number)
    for numbers in alike.values():
        columns = zip(*[rounds[number] for number in numbers], strict=True)
        rows = zip(*map(ask, columns), strict=True)
        for number, answer in zip(numbers, rows, strict=True):
            answers[number] = list(answer)
    return answers


def _begun(place: int, work: Callable[[], Work[Any]], ended: list[Ended]) -> Step | None:
    try:
        begun = work()
        return Step(place, begun, next(begun))
    except StopIteration as done:
        ended.append(Ended(place, done.value))
    except Exception as error:  # noqa: BLE001  it is a failure of this operation alone
        ended.append(Ended(place, None, error))
    return None


def _goes_on(step: Step, answer: list[Rows], ended: list[Ended]) -> bool:
    """Let an operation take its next step; False when it came to its end."""
    try:
        step.asked = step.work.send(answer)
    except StopIteration as done:
        ended.append(Ended(step.place, done.value))
    except Exception as error:  # noqa: BLE001  it is a failure of this operation alone
        ended.append(Ended(step.place, None, error))
    else:
        return True
    return False


def _is_free(asked: Round) -> bool:
    return not asked.keys_writes and all(query.statement.free for query in asked.data)


def _lock(query: Query) -> tuple[tuple[object, ...], bool]:
    statement = query.statement
    return (statement.name, *query.params.values()), statement.lock == SHARED
