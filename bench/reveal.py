"""W1: reveal of 12 fields through the HTTP data plane, policy on, leaf durable, at 1, 8 and 32 clients.

    python -m bench.reveal [SECONDS] [--dpop]

Fields stand in four classes and one of them is masked. Reported are wall time and the server process's CPU time per
reveal, beside the disk's fsync. Server and load generator are processes of their own on this machine. ``--dpop`` asks
once more at 32 clients with tokens that are bound to a key, a fresh proof with each request, and says how many times as
much CPU time that takes; SECONDS is at most 20 then, since a proof is good for a minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from bench.house import BenchHouse
from bench.measure import cpu_seconds, fsync_p50_us, report

CLIENTS = (1, 8, 32)


class DataPlane:
    """A data plane process of its own on a free port."""

    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        environment = {
            **os.environ,
            "HOLDFAST_HOME": str(home),
            "HOLDFAST_DATA_PLANE_PORT": str(port),
        }
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "holdfast.edges.dataplane.process"], env=environment
        )
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("the data plane did not start") from None
                time.sleep(0.005)
        self.start_s = time.perf_counter() - begun

    def turns(self) -> float:
        """How many turns were committed so far."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("holdfast_turns "))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def load(port: int, requests: list[bytes], clients: int, seconds: float) -> dict[str, Any]:
    """Run the load generator and return its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", "127.0.0.1", str(port), str(clients), str(seconds)],
        input=b"\0".join(requests),
        capture_output=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def measured(
    plane: DataPlane, requests: list[bytes], clients: int, seconds: float
) -> dict[str, Any]:
    """Run the load and add the server's own CPU time and how many operations shared a turn."""
    turns = plane.turns()
    before = cpu_seconds(plane.process.pid)
    figures = load(plane.port, requests, clients, seconds)
    used = cpu_seconds(plane.process.pid) - before
    figures["cpu_ms_per_reveal"] = round(used / figures["requests"] * 1e3, 4)
    figures["operations_per_turn"] = round(figures["requests"] / max(1, plane.turns() - turns), 2)
    return figures


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--dpop"]
    seconds = float(words[0]) if words else 5.0
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        house = BenchHouse(Path(folder) / "house", agents=32)
        plane = DataPlane(house.home, house.port)
        try:
            result: dict[str, Any] = {
                "fsync_p50_us": fsync_p50_us(house.home),
                "start_s": round(plane.start_s, 3),
                "fields": len(house.fields),
            }
            house.connect_all()
            load(plane.port, house.reveals(), 8, 1.0)
            result["runs"] = [
                measured(plane, house.reveals(), clients, seconds) for clients in CLIENTS
            ]
            if "--dpop" in sys.argv:
                plain = result["runs"][-1]
                proved = house.reveals_with_proofs(int(plain["per_second"] * seconds * 1.2))
                result["dpop"] = measured(plane, proved, CLIENTS[-1], seconds)
                result["dpop"]["cpu_times_plain"] = round(
                    result["dpop"]["cpu_ms_per_reveal"] / plain["cpu_ms_per_reveal"], 2
                )
            result["fsync_p50_us_after"] = fsync_p50_us(house.home)
        finally:
            plane.stop()
    report("reveal", result)


if __name__ == "__main__":
    main()
