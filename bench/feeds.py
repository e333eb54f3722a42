"""Intake of a feed: signed batches of 100 events, contacts from the queue to their end, each customer known by phone.

``python -m bench.feeds [BATCHES]`` measures :func:`~holdfast.spine.signals.intake.receive` in one process, commits
included: verify, read, resolve names and identifiers, fold into contacts, leaves.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from bench.house import BenchHouse
from bench.result import Line, Measured, Target, quantiles_ms
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, FEED, customer
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.secret import Secret
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.signals.intake import receive

if TYPE_CHECKING:
    from bench.workload import Run

AGENTS = 50
TYPES = ("queued", "connected", "held", "verified", "ended")
PER_BATCH = 100


def batch(house: BenchHouse, number: int, now_us: int) -> bytes:
    """Twenty contacts, five events each."""
    lines = []
    for position in range(PER_BATCH // len(TYPES)):
        call = number * PER_BATCH + position
        agent = call % AGENTS
        for order, kind in enumerate(TYPES):
            event: dict[str, object] = {
                "id": f"{call}-{kind}",
                "type": f"contact.{kind}",
                "occurred_at": rfc3339(now_us + order),
                "client": CLIENT,
                "contact": f"F-{call}",
            }
            if kind in {"queued", "connected"}:
                event |= {
                    "queue": "cards",
                    "customer": {"by": {"phone": customer(agent + 1)["phone"]}},
                }
            if kind == "connected":
                event |= {"person": house.agents[agent], "reason": "bench"}
            lines.append(json.dumps(event).encode())
    return b"\n".join(lines)


def deliver(house: BenchHouse, key: FeedKey, body: bytes) -> float:
    """Sign a batch and take it in; return the seconds that took."""
    begun = time.perf_counter()
    header = sign(key, FEED, house.house.clock.now_us() // SECOND_US, body)
    done = receive(house.house, FEED, header, body)
    if done.accepted != PER_BATCH:
        raise SystemExit(f"events were not taken in: {done}")
    return time.perf_counter() - begun


def measure(run: Run) -> Measured:
    """Deliver batches; the first tenth of them are warm-up."""
    house = BenchHouse(run, agents=AGENTS)
    key = FeedKey(house.facts["feed_kid"], Secret(house.facts["feed_secret"].encode()))
    now_us = house.house.clock.now_us()
    warm = -(-run.count // 10)
    bodies = [batch(house, number, now_us) for number in range(run.count + warm)]
    for body in bodies[:warm]:
        deliver(house, key, body)
    with run.metered(here=True) as spent:
        times = [deliver(house, key, body) for body in bodies[warm:]]
    house.house.close()
    line = Line(
        what="contact events, in batches of 100",
        operations=len(times) * PER_BATCH,
        wall_s=sum(times),
        cpu_s=spent.cpu,
        targets=(Target("per_second", 2000),),
    )
    return Measured(lines=(line,), details={"of_a_batch": quantiles_ms(times)})


WORKLOAD = Workload(
    module="feeds",
    title="intake of a feed: signed batches of 100 events",
    measure=measure,
    amount=180,
    quick=5,
    unit="batches",
)

if __name__ == "__main__":
    command(WORKLOAD)
