"""What every workload has in common: its command, its storages, its result file.

``python -m bench.<workload> [AMOUNT] [--storage sqlite|postgresql|both] [--json] [--quick]``. Each storage is measured
in a process of its own. A result is kept in ``bench/results`` only when it is whole: never of ``--quick`` or of
another AMOUNT.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.catalogue import NAMES
from bench.kept import keep
from bench.measure import cpu_seconds, fsync_us, machine, settle
from bench.result import Cpu
from bench.storage import BOTH, place, storage
from bench.table import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bench.result import Measured
    from bench.storage import Name, Storage

SETTLE_S = 30.0
_PACKAGES = ("cryptography", "granian", "cedarpy", "psycopg")


@dataclass
class Run:
    """One measurement on one storage: where its house may stand, how much of it, and the options it was given."""

    storage: Storage
    folder: Path
    amount: float
    quick: bool = False
    options: frozenset[str] = frozenset()
    peers: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The amount as a whole number."""
        return int(self.amount)

    @contextmanager
    def metered(self, *ours: int, here: bool = False) -> Iterator[Spent]:
        """Measure wall and CPU seconds of a block: of our processes, of this one (``here``), of the database."""
        spent = Spent()
        before = self._cpu(ours, here=here)
        begun = time.perf_counter()
        yield spent
        spent.wall_s = time.perf_counter() - begun
        after = self._cpu(ours, here=here)
        known = None if after[1] is None or before[1] is None else after[1] - before[1]
        spent.cpu = Cpu(after[0] - before[0], spent.client_s, known)

    def _cpu(self, ours: tuple[int, ...], *, here: bool) -> tuple[float, float | None]:
        mine = time.process_time() if here else 0.0
        return mine + cpu_seconds(*ours), self.storage.cpu_seconds()


class Spent:
    """What a block took; ``client_s`` is set inside it by who knows the load generator's."""

    wall_s: float = 0.0
    client_s: float | None = None
    cpu: Cpu = Cpu()


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A workload: ``module`` is its command; ``amount`` and ``quick`` count ``unit``."""

    module: str
    title: str
    measure: Callable[[Run], Measured]
    amount: float
    quick: float
    unit: str
    storages: tuple[Name, ...] = BOTH
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: ``W1``, or the module's name."""
        return NAMES.get(self.module) or self.module


def command(workload: Workload) -> None:
    """Run the workload's command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, too
    given = _arguments(workload)
    wanted = workload.storages if given.storage == "both" else (given.storage,)
    if not set(wanted) <= set(workload.storages):
        raise SystemExit(f"bench.{workload.module} runs on {', '.join(workload.storages)}")
    if len(wanted) > 1:
        for one in wanted:
            _again(workload, one)
        return
    result = measured(
        workload,
        wanted[0],
        amount=given.amount,
        quick=given.quick,
        options=frozenset(o for o in workload.options if getattr(given, o)),
    )
    if not given.quick and given.amount in {None, workload.amount}:
        keep(result)
    text = json.dumps(result, indent=2, ensure_ascii=False) if given.json else text_of([result])
    sys.stdout.write(f"{text}\n")


def measured(
    workload: Workload,
    name: Name,
    *,
    amount: float | None = None,
    quick: bool = False,
    options: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Measure on one storage; return the result as it is kept."""
    peers = own_environment()
    much = (workload.quick if quick else workload.amount) if amount is None else amount
    with storage(name) as where, tempfile.TemporaryDirectory(dir=place()) as folder:
        here = Path(folder)
        quiet = settle(here, limit_s=0.0 if quick else SETTLE_S)
        found = {**machine(), "disk_was_quiet": quiet}
        before, begun = fsync_us(here), time.perf_counter()
        run = Run(where, here, much, quick, options, peers)
        made = workload.measure(run)
        wall_s = round(time.perf_counter() - begun, 2)
        found["fsync_p50_us"] = {"before": before, "after": fsync_us(here)}
        versions = {**_versions(), "storage": where.version()}
    return {
        "workload": workload.module,
        "name": workload.name,
        "title": workload.title,
        "storage": name,
        "amount": {workload.unit: much},
        "wall_s": wall_s,
        "commit": _commit(),
        "versions": versions,
        "machine": found,
        "lines": [line.figures(found["aead_open_us"]) for line in made.lines],
        "details": dict(made.details),
    }


def own_environment() -> dict[str, str]:
    """Take the caller's settings of Holdfast out of the environment, and return those that tell where peers are.

    A workload founds its own house; a setting from outside would change what is measured.
    """
    names = [name for name in os.environ if name.startswith("HOLDFAST_")]
    taken = {name: os.environ.pop(name) for name in names}
    return {name: value for name, value in taken.items() if name.startswith("HOLDFAST_BENCH_")}


def _arguments(workload: Workload) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{workload.module}", description=f"{workload.name}: {workload.title}"
    )
    parser.add_argument(
        "amount", nargs="?", type=float, help=f"{workload.unit} (default: {workload.amount:g})"
    )
    parser.add_argument("--storage", choices=[*workload.storages, "both"], default="both")
    parser.add_argument("--json", action="store_true", help="print the whole result")
    parser.add_argument(
        "--quick", action="store_true", help=f"{workload.quick:g} {workload.unit}; keeps no result"
    )
    for option in workload.options:
        parser.add_argument(f"--{option}", action="store_true")
    return parser.parse_args()


def _again(workload: Workload, name: Name) -> None:
    """Run the same command for one storage, in a process of its own."""
    words = [sys.executable, "-m", f"bench.{workload.module}", *sys.argv[1:], "--storage", name]
    if code := subprocess.run(words, check=False).returncode:
        raise SystemExit(code)


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in ("holdfast", *_PACKAGES)}
    return {"python": platform.python_version(), **found}


def _commit() -> str:
    """The commit that was measured; with a ``+`` where the product or the workload differs from it."""
    git = ["git", "-C", str(Path(__file__).parents[1])]
    try:
        head = subprocess.check_output([*git, "rev-parse", "--short=10", "HEAD"], text=True).strip()
        measured = ["src", "bench/*.py", "requirements.txt"]
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", *measured], check=False)
    except (OSError, subprocess.CalledProcessError):  # a copy without its history
        return ""
    return head + ("+" if changed.returncode else "")
