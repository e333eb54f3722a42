"""A data plane as a process, and load on it from another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.request import urlopen

from bench.measure import cpu_seconds
from bench.result import Cpu, Line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.result import Target
    from bench.workload import Run

MODULE = "holdfast.edges.dataplane.process"
START_LIMIT_S = 60.0


class DataPlane:
    """A data plane process of its own on a free port; it ends with the block."""

    def __init__(self, home: Path, port: int, command: Sequence[str] = ("-m", MODULE)) -> None:
        self.port = port
        environment = {
            **os.environ,
            "HOLDFAST_HOME": str(home),
            "HOLDFAST_DATA_PLANE_PORT": str(port),
            "HOLDFAST_DISK_RESERVE_MB": "1",
            "HOLDFAST_LOG_LEVEL": "error",  # turns are slow where the disk is throttled
        }
        begun = time.perf_counter()
        self._log = home / "plane.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, *command], env=environment, stderr=log)
        self._await_ready(begun + START_LIMIT_S)
        self.start_s = time.perf_counter() - begun
        self.start_cpu_s = cpu_seconds(self.process.pid)

    def _await_ready(self, until: float) -> None:
        while True:
            try:
                urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1).close()
            except OSError:
                if self.process.poll() is not None or time.perf_counter() > until:
                    self.stop()
                    told = self._log.read_text()[-2000:]
                    raise SystemExit(f"the data plane did not start: {told}") from None
                time.sleep(0.005)
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def started(self, target: Target) -> Line:
        """How long it took from the command until it answered."""
        return Line(
            what="start of a data plane, checks included",
            operations=1,
            wall_s=self.start_s,
            cpu_s=Cpu(ours=self.start_cpu_s),
            p50_ms=self.start_s * 1e3,
            targets=(target,),
        )

    def turns(self) -> float:
        """How many groups of answers left together so far."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("holdfast_turns "))

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.process.terminate()
        self.process.wait(30)


def load(
    port: int, requests: Sequence[bytes], clients: int, seconds: float, *, each: int = 0
) -> dict[str, Any]:
    """Run the load generator and return its figures; a client sends ``each`` requests (0: until the time is over)."""
    words = ["127.0.0.1", str(port), str(clients), str(seconds), str(each)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *words],
        input=b"\0".join(requests),
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def under_load(
    run: Run,
    plane: DataPlane,
    requests: Sequence[bytes],
    *,
    what: str,
    clients: int,
    targets: tuple[Target, ...] = (),
) -> tuple[Line, dict[str, Any]]:
    """Load the data plane for ``run.amount`` seconds; every answer must be 200.

    A machine that is too busy for so many clients has some told to try again (503): they are counted apart.
    """
    turns = plane.turns()
    with run.metered(plane.pid) as spent:
        figures = load(plane.port, requests, clients, run.amount)
        spent.client_s = figures["cpu_s"]
    statuses = figures["statuses"]
    answered = statuses.pop("200", 0)
    busy = statuses.pop("503", 0)
    if statuses or not answered:
        raise SystemExit(f"{what}: {answered} answers, and {busy} refused as busy, and {statuses}")
    shared = answered / max(1.0, plane.turns() - turns)
    line = Line(
        what=f"{what}, {clients} client{'s' if clients > 1 else ''}",
        operations=answered,
        wall_s=figures["seconds"],
        cpu_s=spent.cpu,
        p50_ms=figures["p50_ms"],
        p99_ms=figures["p99_ms"],
        targets=targets,
    )
    return line, {"clients": clients, "answers_per_turn": round(shared, 2), "told_busy": busy}
