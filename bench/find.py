"""W4: find a customer by phone over HTTP, each search a decision with its leaf: ``python -m bench.find [SECONDS]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.house import BenchHouse, Call
from bench.result import Measured
from bench.serving import DataPlane, load, under_load
from bench.workload import Workload, command
from holdfast.drills.bank.build import customer

if TYPE_CHECKING:
    from bench.workload import Run

CLIENTS = (1, 32)
CUSTOMERS = 5000


def searches(house: BenchHouse) -> list[bytes]:
    """Each agent searches for the phone of the customer on their call."""
    calls = [Call(f"CT-{n}", agent, n) for n, agent in enumerate(house.agents, start=1)]
    return [
        house.request("/v1/search", call, by={"phone": customer(call.customer)["phone"]})
        for call in calls
    ]


def measure(run: Run) -> Measured:
    """Search at each number of clients."""
    known = max(CLIENTS) if run.quick else CUSTOMERS
    house = BenchHouse(run, agents=max(CLIENTS), customers=known)
    with DataPlane(house.home, house.port) as plane:
        house.connect_all()
        requests = searches(house)
        load(plane.port, requests, 8, min(1.0, run.amount))
        found = [
            under_load(run, plane, requests, what="find by phone", clients=clients)
            for clients in CLIENTS
        ]
    return Measured(
        lines=tuple(line for line, _ in found),
        details={"customers": known, "runs": [details for _, details in found]},
    )


WORKLOAD = Workload(
    module="find",
    title="find one of 5,000 customers by phone",
    measure=measure,
    amount=4,
    quick=0.5,
    unit="seconds",
)

if __name__ == "__main__":
    command(WORKLOAD)
