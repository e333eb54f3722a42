"""How the workloads measure: percentiles, CPU time of processes and those they started, the disk and the machine."""

from __future__ import annotations

import hmac
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TICKS = os.sysconf("SC_CLK_TCK")
# A disk that is throttled after a burst takes 4 to 8 ms for an fsync; a quiet one 0.2 to 0.3 ms.
QUIET_US = 1000.0
PROBE = 40


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie; the last one for 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Process(NamedTuple):
    """A line of ``/proc``: CPU seconds of a process itself, and of those that it started and that have ended."""

    pid: int
    parent: int
    own_s: float
    ended_s: float


def parse_stat(text: str) -> Process:
    """Read ``/proc/<pid>/stat`` (proc(5)); the command's name may hold blanks and parentheses."""
    pid = int(text.partition(" ")[0])
    fields = text.rpartition(")")[2].split()
    user, system, ended_user, ended_system = (int(field) / TICKS for field in fields[11:15])
    return Process(pid, int(fields[1]), user + system, ended_user + ended_system)


def processes() -> list[Process]:
    """Return all processes of the machine that can be read."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found.append(parse_stat(path.read_text()))
        except OSError:  # it has ended meanwhile
            continue
    return found


def cpu_of(pid: int, among: Sequence[Process]) -> float:
    """CPU seconds of ``pid`` and of all that it has started, those that have ended included."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        for process in among:
            if process.pid == one:
                total += process.own_s + process.ended_s
            elif process.parent == one:
                waiting.append(process.pid)
    return total


def cpu_seconds(*pids: int) -> float:
    """CPU seconds so far of processes and of all that they have started."""
    among = processes() if pids else []
    return sum(cpu_of(pid, among) for pid in pids)


def fsync_us(folder: Path, count: int = 100) -> float:
    """Median time of a 4 KiB append with fdatasync in ``folder``, microseconds."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(count):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1e6)
    return round(statistics.median(times), 1)


def settle(
    folder: Path,
    *,
    limit_s: float,
    pause_s: float = 1.0,
    probe: Callable[[Path, int], float] = fsync_us,
) -> bool:
    """Wait until the disk is quiet, twice in a row, for at most ``limit_s``; tell whether it came to that."""
    until, quiet = time.perf_counter() + limit_s, 0
    while quiet < 2:
        quiet = quiet + 1 if probe(folder, PROBE) <= QUIET_US else 0
        if time.perf_counter() > until:
            return quiet >= 2
        if not quiet:
            time.sleep(pause_s)
    return True


def yardstick() -> dict[str, float]:
    """CPU microseconds, median of many, of two primitives: divide by them to compare machines and moments."""
    cipher, nonce = AESGCMSIV(bytes(32)), bytes(12)
    sealed = cipher.encrypt(nonce, b"x" * 32, b"y" * 64)
    return {
        "aead_open_us": _median_us(lambda: cipher.decrypt(nonce, sealed, b"y" * 64)),
        "hmac_us": _median_us(lambda: hmac.digest(b"k" * 32, b"m" * 64, "sha256")),
    }


def _median_us(work: Callable[[], object], *, rounds: int = 15, each: int = 1000) -> float:
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        for _ in range(each):
            work()
        times.append((time.process_time() - begun) / each * 1e6)
    return round(statistics.median(times), 2)


def best_us(work: Callable[[], object], *, runs: int = 40, each: int = 25) -> float:
    """CPU microseconds of one call: the best of many short runs, so that a busy machine does not count."""
    best = float("inf")
    for _ in range(runs):
        begun = time.thread_time()
        for _ in range(each):
            work()
        best = min(best, (time.thread_time() - begun) / each * 1e6)
    return round(best, 2)


def machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was."""
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "load_average": [round(one, 2) for one in os.getloadavg()],
        **yardstick(),
    }
