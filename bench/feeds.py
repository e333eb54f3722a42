"""Intake of a feed: signed batches of 100 events, contacts from the queue to their end, each customer known by phone.

``python -m bench.feeds`` measures :func:`~holdfast.spine.signals.intake.receive` in one process, commits included:
verify, read, resolve names and identifiers, fold into contacts, leaves.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from bench.house import BenchHouse
from bench.measure import fsync_p50_us, report
from holdfast.drills.bank.build import CLIENT, FEED, customer
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.secret import Secret
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.signals.intake import receive

AGENTS = 50
BATCHES = 200
TYPES = ("queued", "connected", "held", "verified", "ended")
PER_BATCH = 100


def batch(house: BenchHouse, number: int, now_us: int) -> bytes:
    """Twenty contacts, five events each."""
    lines = []
    for position in range(PER_BATCH // len(TYPES)):
        call = number * PER_BATCH + position
        agent = call % AGENTS
        for order, kind in enumerate(TYPES):
            event = {
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


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        house = BenchHouse(Path(folder), agents=AGENTS)
        key = FeedKey(house.facts["feed_kid"], Secret(house.facts["feed_secret"].encode()))
        now_us = house.house.clock.now_us()
        bodies = [batch(house, number, now_us) for number in range(BATCHES)]
        times = []
        cpu_s = 0.0
        for number, body in enumerate(bodies):
            begun, cpu = time.perf_counter(), time.process_time()
            header = sign(key, FEED, house.house.clock.now_us() // SECOND_US, body)
            done = receive(house.house, FEED, header, body)
            if number >= BATCHES // 10:  # the first are warm-up
                times.append(time.perf_counter() - begun)
                cpu_s += time.process_time() - cpu
            if done.accepted != PER_BATCH:
                raise SystemExit(f"events were not taken in: {done}")
        events = len(times) * PER_BATCH
        figures = {
            "batches": len(times),
            "events_per_batch": PER_BATCH,
            "events_per_s": round(events / sum(times)),
            "events_per_cpu_s": round(events / cpu_s),
            "batch_p50_ms": round(sorted(times)[len(times) // 2] * 1e3, 2),
            "batch_p99_ms": round(sorted(times)[int(len(times) * 0.99)] * 1e3, 2),
            "fsync_p50_us": fsync_p50_us(Path(folder)),
        }
        house.house.close()
    report("feeds", figures)


if __name__ == "__main__":
    main()
