"""W1b: reveal of one field of a record of twelve, as W1 does it: ``python -m bench.reveal_one [SECONDS]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.house import BenchHouse
from bench.result import Measured
from bench.serving import DataPlane, load, under_load
from bench.workload import Workload, command

if TYPE_CHECKING:
    from bench.workload import Run

CLIENTS = (1, 32)
FIELD = ("name",)


def measure(run: Run) -> Measured:
    """Reveal one field at each number of clients."""
    house = BenchHouse(run, agents=max(CLIENTS))
    with DataPlane(house.home, house.port) as plane:
        house.connect_all()
        requests = house.reveals(FIELD)
        load(plane.port, requests, 8, min(1.0, run.amount))
        found = [
            under_load(run, plane, requests, what="reveal of 1 field of 12", clients=clients)
            for clients in CLIENTS
        ]
    return Measured(
        lines=tuple(line for line, _ in found), details={"runs": [details for _, details in found]}
    )


WORKLOAD = Workload(
    module="reveal_one",
    title="reveal of one field of twelve, leaf durable",
    measure=measure,
    amount=4,
    quick=0.5,
    unit="seconds",
)

if __name__ == "__main__":
    command(WORKLOAD)
