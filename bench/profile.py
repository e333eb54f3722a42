"""Where the time of a reveal goes: ``python -m bench.profile [SECONDS] [--callgrind]``.

W1 once more, with a data plane that samples itself; samples are put to the parts of the path (:mod:`bench.parts`).
Shares are of all CPU time of the process: the table says *where*, W1 says *how much*. ``--callgrind`` also counts the
processor's instructions per reveal, without HTTP, with valgrind: a figure that other work on the machine does not
change.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from bench.house import BenchHouse
from bench.parts import DRIVER
from bench.result import Measured
from bench.serving import DataPlane, load, under_load
from bench.workload import Workload, command

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workload import Run

CLIENTS = (32, 1)
COUNTED = (32, 96)  # reveals; the difference of two runs is without the start
Shares = dict[str, float]


def shares(phase: dict[str, float]) -> Shares:
    """Return each part's share of the whole, the largest first; parts that were never seen are not there."""
    whole = sum(phase.values())
    ordered = sorted(phase.items(), key=lambda item: -item[1])
    return {part: round(spent / whole, 4) for part, spent in ordered if spent > 0}


def said(phases: dict[int, Shares]) -> list[str]:
    """One sentence per part: its share at each number of clients."""
    first = next(iter(phases.values()))
    parts = list(dict.fromkeys([*first, *(part for found in phases.values() for part in found)]))
    heads = ", ".join(f"{clients} client{'s' if clients > 1 else ''}" for clients in phases)
    columns = [
        " / ".join(f"{found.get(part, 0.0):>5.1%}" for found in phases.values()) for part in parts
    ]
    rows = [f"{column}  {part}" for column, part in zip(columns, parts, strict=True)]
    return [f"share of CPU time at {heads}:", *rows]


def sampled(run: Run, house: BenchHouse) -> tuple[list[Any], dict[int, Shares]]:
    """Run W1 on a data plane that samples itself, at each number of clients."""
    out, lines = run.folder / "phases.json", []
    with DataPlane(house.home, house.port, ("-m", "bench.sampled", str(out))) as plane:
        house.connect_all()
        requests = house.reveals()
        load(plane.port, requests, CLIENTS[0], min(2.0, run.amount))
        for clients in CLIENTS:
            os.kill(plane.pid, signal.SIGUSR1)
            what = "reveal of 12 fields, sampled"
            lines.append(under_load(run, plane, requests, what=what, clients=clients)[0])
    phases = json.loads(out.read_text())
    return lines, {clients: shares(phase) for clients, phase in zip(CLIENTS, phases, strict=True)}


def instructions(house: BenchHouse, clients: int) -> int:
    """Instructions of one reveal, ``clients`` of them at once."""
    few, many = (_collected(house.home, count, clients) for count in COUNTED)
    return round((many - few) / (COUNTED[1] - COUNTED[0]))


def _collected(home: Path, count: int, clients: int) -> int:
    program = shutil.which("valgrind")
    if program is None:
        raise SystemExit("--callgrind needs valgrind")
    words = [program, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    words += ["-m", "bench.counted", str(home), str(count), str(clients)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"valgrind failed: {done.stderr[-2000:]}")
    return int(found[1])


def measure(run: Run) -> Measured:
    """Sample, and count if asked to."""
    house = BenchHouse(run, agents=CLIENTS[0])
    lines, phases = sampled(run, house)
    findings = said(phases)
    details: dict[str, Any] = {"shares": phases, "findings": findings}
    ours = lines[0].cpu_s.ours or 0.0
    if driver := phases[CLIENTS[0]].get(DRIVER):
        own = ours / lines[0].operations * (1 - driver) * 1e6
        details["ours_us_without_the_driver"] = round(own, 1)
        findings.append(f"ours without the database's driver: {own:,.0f} µs of CPU a reveal")
    if "callgrind" in run.options:
        house.write_down()
        details["instructions"] = {clients: instructions(house, clients) for clients in CLIENTS}
        findings += [
            f"{count / 1e6:.2f} million instructions a reveal, {clients} at once, without HTTP"
            for clients, count in details["instructions"].items()
        ]
    return Measured(lines=tuple(lines), details=details)


WORKLOAD = Workload(
    module="profile",
    title="where the time of a reveal goes",
    measure=measure,
    amount=6,
    quick=0.5,
    unit="seconds",
    options=("callgrind",),
)

if __name__ == "__main__":
    command(WORKLOAD)
