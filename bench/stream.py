"""The ledger as a stream: leaves a second to each subscriber, what comparing them with the tree costs, and jobs.

``python -m bench.stream [LEAVES]``. Leaves are decisions as the path writes them, of 40 persons and 2,000 customers,
with contact, credential and decision of their own; one in eight is a refusal with two rules.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.house import new_house, stored
from bench.result import Line, Measured, quantiles_ms
from bench.workload import Workload, command
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id, new_reference
from holdfast.kit.jobs.queue import NewJob, claim, complete, enqueue
from holdfast.manifests import subscriptions
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.stream.follower import follower_of
from holdfast.spine.stream.following import Following
from holdfast.spine.stream.timeline import timeline
from holdfast.vocabulary.leaves import SPECS, Leaf, LeafType

if TYPE_CHECKING:
    from bench.workload import Run
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.stream.follower import Follower

LOG = "client-bank-01"
PERSONS = [new_reference("p") for _ in range(40)]
CUSTOMERS = [new_reference("c") for _ in range(2000)]
TOKENS = [new_reference("t") for _ in PERSONS]
PAGES = 300


def leaf(now_us: int, number: int) -> Leaf:
    """A decision."""
    decision, refused = new_id("dec", now_us), number % 8 == 0
    body: dict[str, Any] = dict.fromkeys(SPECS[LeafType.DECISION_MADE].fields, "")
    body |= {
        "decision": decision,
        "op": "reveal",
        "outcome": "deny" if refused else "permit",
        "person": PERSONS[number % len(PERSONS)],
        "token": TOKENS[number % len(PERSONS)],
        "contact": new_reference("ct"),
        "customers": [CUSTOMERS[number * 7 % len(CUSTOMERS)]],
        "fields": {f"field_{one}": "clear" for one in range(12)},
        "rules": ["contact.yours", "field.set"] if refused else [],
        "count": 1,
    }
    return Leaf(LeafType.DECISION_MADE, decision, now_us, body)


def grown(house: House, count: int) -> None:
    """A log of so many leaves."""

    def work(begin: int, end: int) -> Work[None]:
        now_us = house.clock.now_us()
        yield Round(data=tuple(append(LOG, leaf(now_us, one)) for one in range(begin, end)))

    for begin in range(0, count, 1000):
        house.transact(work(begin, min(count, begin + 1000)))
    registrar = Registrar(house, house.signing_keys)
    registrar.sequence()
    registrar.close()


def followed(run: Run, house: House, follower: Follower, what: str) -> Line:
    """From the first leaf to the last."""
    following, times = Following(house, [follower]), []
    with run.metered(here=True) as spent:
        while due := following.due():
            for one in due:
                begin = time.perf_counter()
                following.step(one)
                times.append(time.perf_counter() - begin)
    return Line(
        what=what,
        operations=run.count,
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
        **quantiles_ms(times),
    )


def paged(run: Run, house: House) -> Line:
    """Pages of fifty leaves of one person."""
    times = []
    pages = 20 if run.quick else PAGES
    with run.metered(here=True) as spent:
        for number in range(pages):
            begin = time.perf_counter()
            house.read(timeline(LOG, PERSONS[number % len(PERSONS)]))
            times.append(time.perf_counter() - begin)
    return Line(
        what="a page of a timeline, 50 leaves",
        operations=pages,
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
        **quantiles_ms(times),
    )


def worked(run: Run, house: House) -> Line:
    """Jobs claimed and completed one by one."""
    count = max(20, run.count // 20)

    def put(now_us: int) -> Work[None]:
        yield Round(data=tuple(enqueue(NewJob("bench"), now_us) for _ in range(count)))

    def done(query: Any) -> Work[None]:
        yield Round(data=(query,))

    house.transact(put(house.clock.now_us()))
    with run.metered(here=True) as spent:
        while one := claim(house, ("bench",)):
            house.transact(done(complete(one, house.clock.now_us())))
    return Line(
        what="jobs claimed and completed",
        operations=count,
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
    )


def measure(run: Run) -> Measured:
    """Grow a log, and let each subscriber read it."""
    house = new_house(run)
    house.found_signing_keys()
    grown(house, run.count)
    found = tuple(map(follower_of, subscriptions()))
    nobody = replace(found[0], name="nobody", types=frozenset({"none"}), clear=())
    lines = [followed(run, house, nobody, "read and compared with the tree, by 256")]
    before = stored(house)
    lines += [followed(run, house, one, f"to {one.name}, by 256") for one in found]
    details = {"store_bytes_per_leaf": round((stored(house) - before) / run.count)}
    lines += [paged(run, house), worked(run, house)]
    house.close()
    return Measured(lines=tuple(lines), details=details)


WORKLOAD = Workload(
    module="stream",
    title="leaves to who follows the logs, and jobs",
    measure=measure,
    amount=20_000,
    quick=600,
    unit="leaves",
)

if __name__ == "__main__":
    command(WORKLOAD)
