"""Reveals beside other work: an import into the same house, and a console under load.

    python -m bench.beside [SECONDS] [--storage sqlite|postgresql|both] [--json] [--quick]

The promise: an import that writes 1,000 rows a transaction, sealed before it begins, does not stall reveals (p99 at
most 25 ms), and a person who reloads console pages does not take the data plane's time.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from bench.house import BenchHouse, free_port
from bench.result import Measured, Target
from bench.serving import DataPlane, load, under_load
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, COLLECTION, customer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.workload import Run

CLIENTS = 8
ROWS = 200_000


def write_file(path: Path, rows: int) -> None:
    """Customers that the house does not have yet; enough that the import outlasts the measurement."""
    with path.open("w", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for number in range(1000, 1000 + rows):
            row = customer(
                number, phone=f"+120255501{number % 100:02d}", note1="", note2="", note3=""
            )
            if writer is None:
                writer = csv.DictWriter(file, row)
                writer.writeheader()
            writer.writerow(row)


@contextmanager
def importing(house: BenchHouse, path: Path) -> Iterator[None]:
    """An import beside, ended when the measurement is over."""
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", "import", f"{CLIENT}/{COLLECTION}", str(path)],
        env={
            **os.environ,
            "HOLDFAST_HOME": str(house.home),
            "HOLDFAST_TOKEN": house.facts["admin_token"],
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1.0)  # until it writes
        yield
        if process.poll() is not None:
            raise SystemExit("the import ended before the measurement; give it more rows")
    finally:
        process.kill()
        process.wait()


@contextmanager
def console_under_load(house: BenchHouse, seconds: float) -> Iterator[None]:
    """A console whose status page is reloaded without a pause by four readers."""
    port = free_port()
    environment = {
        **os.environ,
        "HOLDFAST_HOME": str(house.home),
        "HOLDFAST_CONSOLE_PORT": str(port),
        "HOLDFAST_LOG_LEVEL": "error",
    }
    console = subprocess.Popen(
        [sys.executable, "-m", "holdfast.edges.console.process"], env=environment
    )
    reader: subprocess.Popen[bytes] | None = None
    try:
        for _ in range(500):
            try:
                urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
        reader = subprocess.Popen(
            [sys.executable, "-m", "bench.load", "127.0.0.1", str(port), "4", str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        assert reader.stdin is not None
        reader.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reader.stdin.close()
        yield
    finally:
        if reader is not None:
            reader.kill()
            reader.wait()
        console.terminate()
        console.wait(10)


def measure(run: Run) -> Measured:
    """Measure alone, beside an import, beside a console."""
    house = BenchHouse(run, agents=32)
    path = run.folder / "more.csv"
    write_file(path, ROWS if not run.quick else ROWS // 10)
    requests = house.reveals()
    with DataPlane(house.home, house.port) as plane:
        house.connect_all()
        load(plane.port, requests, CLIENTS, min(1.0, run.amount))
        alone, _ = under_load(run, plane, requests, what="reveal alone", clients=CLIENTS)
        with importing(house, path):
            what = "reveal beside an import"
            imported, _ = under_load(
                run, plane, requests, what=what, clients=CLIENTS, targets=(Target("p99_ms", 25),)
            )
        with console_under_load(house, run.amount + 5):
            what = "reveal beside a console"
            watched, _ = under_load(run, plane, requests, what=what, clients=CLIENTS)
    return Measured(lines=(alone, imported, watched))


WORKLOAD = Workload(
    module="beside",
    title="reveals beside an import, and beside a console whose pages are reloaded without a pause",
    measure=measure,
    amount=4,
    quick=0.5,
    unit="seconds",
)

if __name__ == "__main__":
    command(WORKLOAD)
