"""Two samples: does a look at a hidden customer take as long as one at a customer who does not exist? (SPINE 2)

    python -m bench.hidden [PAIRS]

One request each in turn, in this process, on a real house; which of the two comes first is drawn for each pair, and
both were asked for before, so that neither is new to the budget. Reported are the medians of both, the median of the
paired differences with its 95 % interval (order statistics, no assumption about the distribution), and the share of
pairs in which the hidden one took longer. ``distinguishable`` says that the interval leaves out zero.

That both do the same work is a test (tests/attacks/test_path_hidden.py); this is the clock.
"""

from __future__ import annotations

import gc
import math
import random
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.house import BenchHouse
from bench.measure import fsync_p50_us, report
from holdfast.drills.bank.build import CLIENT, COLLECTION
from holdfast.kit.ids import new_id
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Asked, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 2000
WARM = 100
Z95 = 1.96


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        bench = BenchHouse(Path(folder) / "house", agents=2)
        bench.connect_all()
        result: dict[str, Any] = {"pairs": pairs, "fsync_p50_us": fsync_p50_us(Path(folder))}
        for name, ask in looks(bench).items():
            result[name] = compared(bench, ask, pairs)
        bench.house.close()
    report("hidden", result)


def looks(bench: BenchHouse) -> dict[str, Callable[[str], Any]]:
    """A look by the first agent, on a call with the first customer, at whatever customer is named."""
    asked = Asked(
        client=CLIENT,
        collection=COLLECTION,
        contact="CT-1",
        secret_hash=hash_secret(bench.facts["agents"][bench.agents[0]]["token"]),
        peer="127.0.0.1",
    )
    answers = {"dob": "1990-02-03", "postcode": "10002"}
    return {
        "reveal": lambda name: partial(reveal, bench.house, asked, name, bench.fields[:4]),
        "verify": lambda name: partial(verify, bench.house, asked, name, answers),
    }


def compared(bench: BenchHouse, ask: Callable[[str], Any], pairs: int) -> dict[str, Any]:
    """Time ``pairs`` pairs. The hidden customer is the second agent's."""
    hidden = bench.customers["C00002"]
    absent = new_id("cus", bench.house.clock.now_us())
    order = random.Random(1)
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs + WARM):
        times = {}
        for name in order.sample((hidden, absent), 2):
            work = ask(name)
            gc.collect(0)
            begun = time.perf_counter()
            answer = bench.house.transact(work())
            times[name] = (time.perf_counter() - begun) * 1e6
            assert isinstance(answer, Refused)
        if number >= WARM:
            samples[0].append(times[hidden])
            samples[1].append(times[absent])
    return figures(*samples)


def figures(hidden: list[float], absent: list[float]) -> dict[str, Any]:
    differences = sorted(one - other for one, other in zip(hidden, absent, strict=True))
    count = len(differences)
    margin = math.ceil(Z95 * math.sqrt(count) / 2)
    low = differences[max(0, count // 2 - margin)]
    high = differences[min(count - 1, count // 2 + margin)]
    return {
        "hidden_p50_us": round(statistics.median(hidden), 1),
        "absent_p50_us": round(statistics.median(absent), 1),
        "difference_p50_us": round(statistics.median(differences), 2),
        "difference_95_us": [round(low, 2), round(high, 2)],
        "share_hidden_longer": round(sum(one > 0 for one in differences) / count, 3),
        "distinguishable": not low <= 0 <= high,
    }


if __name__ == "__main__":
    main()
