"""How the workloads measure: percentiles, CPU time of another process, fsync beside every figure."""

from __future__ import annotations

import hmac
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

if TYPE_CHECKING:
    from collections.abc import Callable

TICKS = os.sysconf("SC_CLK_TCK")
RESULTS = Path(__file__).parent / "results"


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_seconds(pid: int) -> float:
    """User and system CPU seconds that process ``pid`` has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def fsync_p50_us(folder: Path, count: int = 100) -> float:
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


def yardstick() -> dict[str, float]:
    """CPU microseconds, median of many, of two primitives: divide by them to compare machines and moments."""
    cipher, nonce = AESGCMSIV(bytes(32)), bytes(12)
    sealed = cipher.encrypt(nonce, b"x" * 32, b"y" * 64)
    return {
        "aead_open_us": _cpu_us(lambda: cipher.decrypt(nonce, sealed, b"y" * 64)),
        "hmac_us": _cpu_us(lambda: hmac.digest(b"k" * 32, b"m" * 64, "sha256")),
    }


def _cpu_us(work: Callable[[], object], *, rounds: int = 15, each: int = 1000) -> float:
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        for _ in range(each):
            work()
        times.append((time.process_time() - begun) / each * 1e6)
    return round(statistics.median(times), 2)


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        **yardstick(),
    }


def report(name: str, result: dict[str, Any]) -> None:
    """Print the result as JSON and keep it in ``bench/results``."""
    text = json.dumps({"workload": name, "machine": machine(), **result}, indent=2)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    sys.stdout.write(text + "\n")
