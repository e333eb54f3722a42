"""W7: fifty workers with one person's credential against a budget of twenty: ``python -m bench.budget [PERSONS]``.

Every worker asks for another customer, all at once, on a connection of its own, and again if it is told to. Exactly
twenty are shown, for each of the persons, or the workload fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.house import WIDE, BenchHouse, Call
from bench.result import Line, Measured, quantiles_ms
from bench.serving import DataPlane, load
from bench.workload import Workload, command

if TYPE_CHECKING:
    from bench.workload import Run

WORKERS = 50
BUDGET = 20
LIMIT_S = 60.0
FIELDS = ("name", "phone", "acct")


def calls_of(agent: str, place: int) -> list[Call]:
    """Chats of one agent with fifty customers of their own."""
    first = place * WORKERS + 1
    return [Call(f"CT-{agent}-{n}", agent, n) for n in range(first, first + WORKERS)]


def at_once(house: BenchHouse, plane: DataPlane, calls: list[Call]) -> dict[str, Any]:
    """Ask for all of them at the same time; :class:`SystemExit` unless the budget held, and was used up."""
    requests = [house.look(call, FIELDS) for call in calls]
    figures = load(plane.port, requests, WORKERS, LIMIT_S, each=1)
    statuses = figures["statuses"]
    figures["told_busy"] = statuses.pop("503", 0)
    if statuses != {"200": BUDGET, "403": WORKERS - BUDGET}:
        raise SystemExit(f"of {WORKERS} workers: {statuses}, but the budget is {BUDGET}")
    return figures


def measure(run: Run) -> Measured:
    """Person after person, fifty workers each."""
    budgets = {**WIDE, "customers_hour": BUDGET}
    house = BenchHouse(run, agents=run.count, customers=run.count * WORKERS, budgets=budgets)
    calls = [calls_of(agent, place) for place, agent in enumerate(house.agents)]
    with DataPlane(house.home, house.port) as plane:
        for of_one in calls:
            house.connect(of_one, reason="bench", channel="chat")
        with run.metered(plane.pid) as spent:
            rounds = [at_once(house, plane, of_one) for of_one in calls]
            spent.client_s = sum(one["cpu_s"] for one in rounds)
    line = Line(
        what=f"{WORKERS} workers of one person",
        operations=WORKERS * len(rounds),
        wall_s=sum(one["seconds"] for one in rounds),
        cpu_s=spent.cpu,
        **quantiles_ms([time for one in rounds for time in one["times_s"]]),
    )
    said = f"exactly {BUDGET} of {WORKERS} were shown, for each of {len(rounds)} persons"
    busy = sum(one["told_busy"] for one in rounds)
    if busy:
        said += f"; {busy} requests were told to try again, and did"
    return Measured(lines=(line,), details={"budget": BUDGET, "findings": [said]})


WORKLOAD = Workload(
    module="budget",
    title="fifty workers of one person against a budget of twenty",
    measure=measure,
    amount=20,
    quick=1,
    unit="persons",
)

if __name__ == "__main__":
    command(WORKLOAD)
