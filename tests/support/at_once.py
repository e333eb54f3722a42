"""Many requests at the same moment: in one turn of the data plane, in threads, in processes.

``ask(house, number)`` answers what runs one request on that house. A refusal that is raised is answered like any other
answer, so that a test can count it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

from holdfast.edges.dataplane.runner import runner_for
from holdfast.edges.dataplane.turn import unchanged
from holdfast.kit.errors import HoldfastError, Unavailable
from holdfast.spine.house import open_house
from support.server import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from support.bank import Bank

Ask = "Callable[[House, int], Callable[[], Work[Any]]]"
AT_ONCE = 32
PROCESSES = 4


def in_one_turn(bank: Bank, ask: Ask, count: int = AT_ONCE) -> list[Any]:
    """Requests 1 to ``count``, which share one turn, and so one transaction."""

    async def story() -> tuple[list[Any], int]:
        house = bank.house
        loop = asyncio.get_running_loop()
        runner = runner_for(house, loop, opens=house.keep_time, seals=unchanged)
        await runner.open()
        answers: dict[int, Any] = {}
        while left := [n for n in range(1, count + 1) if _is_to_try_again(bank, answers.get(n))]:
            asked = [runner.submit(ask(house, number), together=True) for number in left]
            given = await asyncio.gather(*asked, return_exceptions=True)
            answers.update(zip(left, given, strict=True))
        await runner.close()
        return [answers[number] for number in range(1, count + 1)], runner.turns

    answers, turns = asyncio.run(story())
    assert turns == 1 or not bank.house.settings.embedded, "on PostgreSQL they run at once"
    assert all(isinstance(a, HoldfastError) for a in answers if isinstance(a, BaseException))
    return answers


def _until_answered(house: House, work: Callable[[], Work[Any]]) -> Any:
    """Ask again while the store is busy, as the refusal says; on a slow machine that may take a while."""
    while True:
        try:
            return house.transact(work())
        except Unavailable:
            continue


def _is_to_try_again(bank: Bank, answer: Any) -> bool:
    """On PostgreSQL who waits two seconds for one of eight connections is told to try again; a slow machine's do."""
    busy = isinstance(answer, Unavailable) and not bank.house.settings.embedded
    return answer is None or busy


def in_threads(bank: Bank, ask: Ask, count: int = AT_ONCE) -> list[Any]:
    """One request per thread, each with a house, caches and connections of its own, let go together."""
    together = Barrier(count)

    def one(number: int) -> Any:
        house = open_house(bank.house.settings, bank.clock)
        house.root  # noqa: B018  opened before the race
        together.wait()
        try:
            return _until_answered(house, ask(house, number))
        except HoldfastError as refusal:
            return refusal
        finally:
            house.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(1, count + 1)))


_CHILD = """
import sys
from pathlib import Path
from holdfast.kit.errors import HoldfastError, Unavailable
from support.stores import FakeClock

def counts(number):
    try:
        return {counts}
    except Unavailable:
        return counts(number)
    except HoldfastError:
        return False

{opens}
print("ready", flush=True)
sys.stdin.readline()
print(sum(counts(number) for number in map(int, sys.argv[1:])), flush=True)
"""


def in_processes(bank: Bank, opens: str, counts: str, count: int = AT_ONCE) -> int:
    """Requests 1 to ``count``, dealt out to processes that are let go together; how many of them counted.

    ``opens`` is what each process does first: it knows ``home`` and ``clock``, which stands where the bank's does.
    ``counts`` is an expression with ``number`` in it: one request, and whether it counts.
    """
    begins = f"home, clock = Path({str(bank.home)!r}), FakeClock({bank.clock.now_us()})\n"
    child = _CHILD.format(opens=begins + opens, counts=counts)
    numbers = [str(number) for number in range(1, count + 1)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", child, *numbers[start::PROCESSES]],
            env=environment(bank.home, PYTHONPATH=str(Path(__file__).parents[1])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in range(PROCESSES)
    ]
    for one in children:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in children:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    counted = [int(one.communicate()[0]) for one in children]
    assert all(one.returncode == 0 for one in children)
    return sum(counted)
