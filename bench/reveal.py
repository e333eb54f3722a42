"""W1: reveal of 12 fields through the HTTP data plane, policy on, leaf durable, at 1, 8 and 32 clients.

    python -m bench.reveal [SECONDS] [--dpop] [--storage sqlite|postgresql|both] [--json] [--quick]

Fields stand in four classes and one of them is masked. Server and load generator are processes of their own on this
machine. ``--dpop`` asks once more at 32 clients with tokens that are bound to a key, a fresh proof with each request,
and says how many times as much CPU time that takes; SECONDS is at most 20 then, since a proof is good for a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.house import BenchHouse
from bench.result import Line, Measured, Target
from bench.serving import DataPlane, load, under_load
from bench.workload import Workload, command

if TYPE_CHECKING:
    from bench.workload import Run

CLIENTS = (1, 8, 32)
AGENTS = 32
START = Target("p50_ms", 2000)
TARGETS = {
    "sqlite": (Target("ours_us", 500), Target("per_second", 2000)),
    "postgresql": (Target("ours_us", 1000),),
}


def measure(run: Run) -> Measured:
    """Reveal at each number of clients."""
    house = BenchHouse(run, agents=AGENTS)
    with DataPlane(house.home, house.port) as plane:
        house.connect_all()
        load(plane.port, house.reveals(), 8, min(1.0, run.amount))
        lines = [plane.started(START)]
        details: dict[str, Any] = {"fields": len(house.fields), "runs": []}
        for clients in CLIENTS:
            targets = TARGETS[run.storage.name] if clients == CLIENTS[-1] else ()
            what = f"reveal of {len(house.fields)} fields"
            line, found = under_load(
                run, plane, house.reveals(), what=what, clients=clients, targets=targets
            )
            lines.append(line)
            details["runs"].append(found)
        if "dpop" in run.options:
            lines.append(_with_proofs(run, plane, house, plain=lines[-1], details=details))
    return Measured(lines=tuple(lines), details=details)


def _with_proofs(
    run: Run, plane: DataPlane, house: BenchHouse, *, plain: Line, details: dict[str, Any]
) -> Line:
    wanted = int(plain.operations / plain.wall_s * run.amount * 1.2)
    proved = house.reveals_with_proofs(wanted)
    what = "the same with a proof of possession"
    line, _ = under_load(run, plane, proved, what=what, clients=CLIENTS[-1])
    each = [(one.cpu_s.ours or 0.0) / one.operations for one in (line, plain)]
    details["dpop_cpu_times_plain"] = round(each[0] / each[1], 2)
    return line


WORKLOAD = Workload(
    module="reveal",
    title="reveal of 12 fields in five groups, one masked, one by reference, leaf durable",
    measure=measure,
    amount=4,
    quick=0.5,
    unit="seconds",
    options=("dpop",),
)

if __name__ == "__main__":
    command(WORKLOAD)
