"""Two samples: a look at a hidden customer takes as long as one at a customer who does not exist (SPINE 2).

    python -m bench.hidden [PAIRS] [--storage sqlite|postgresql|both] [--json] [--quick]

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
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.house import BenchHouse
from bench.result import Line, Measured, quantiles_ms
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, COLLECTION
from holdfast.kit.ids import new_id
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Asked, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.workload import Run

WARM = 100
Z95 = 1.96


def measure(run: Run) -> Measured:
    """Compare looks at a hidden customer with looks at none, for reveal and verify."""
    bench = BenchHouse(run, agents=2)
    bench.connect_all()
    lines: list[Line] = []
    details: dict[str, Any] = {"findings": []}
    for name, ask in looks(bench).items():
        with run.metered(here=True) as spent:
            hidden, absent = sampled(bench, ask, run.count, warm=min(WARM, run.count))
        details[name] = figures(hidden, absent)
        details["findings"].append(_said(name, details[name]))
        wall = sum(hidden) + sum(absent)
        what = f"{name} that tells nothing"
        each = quantiles_ms([*hidden, *absent])
        count = 2 * len(hidden)
        share = count / (count + 2 * min(WARM, run.count))
        cpu = spent.cpu._replace(ours=(spent.cpu.ours or 0.0) * share)
        lines.append(Line(what=what, operations=count, wall_s=wall, cpu_s=cpu, **each))
    bench.house.close()
    return Measured(lines=tuple(lines), details=details)


def _said(name: str, found: dict[str, Any]) -> str:
    low, high = found["difference_95_us"]
    told = "can be told apart" if found["distinguishable"] else "cannot be told apart"
    return f"{name}: hidden and absent {told} by the clock (difference {low} to {high} µs)"


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


def sampled(
    bench: BenchHouse, ask: Callable[[str], Any], pairs: int, *, warm: int
) -> tuple[list[float], list[float]]:
    """Time ``pairs`` pairs, seconds each. The hidden customer is the second agent's."""
    hidden = bench.customers["C00002"]
    absent = new_id("cus", bench.house.clock.now_us())
    order = random.Random(1)
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs + warm):
        times = {}
        for name in order.sample((hidden, absent), 2):
            work = ask(name)
            gc.collect(0)
            begun = time.perf_counter()
            answer = bench.house.transact(work())
            times[name] = time.perf_counter() - begun
            assert isinstance(answer, Refused)
        if number >= warm:
            samples[0].append(times[hidden])
            samples[1].append(times[absent])
    return samples


def figures(hidden_s: list[float], absent_s: list[float]) -> dict[str, Any]:
    """Compare the two samples."""
    hidden, absent = ([one * 1e6 for one in sample] for sample in (hidden_s, absent_s))
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


WORKLOAD = Workload(
    module="hidden",
    title="does a look at a hidden customer take as long as one at a customer who does not exist?",
    measure=measure,
    amount=2000,
    quick=20,
    unit="pairs",
)

if __name__ == "__main__":
    command(WORKLOAD)
