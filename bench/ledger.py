"""The ledger: appending, sequencing, signing, publishing, proving, verifying.

``python -m bench.ledger [TIMED]``. Leaves are decisions as the path writes them (about 600 bytes). Appends are durable
in groups of 1, 10, 100 and 1,000; the sequencer runs in batches of 16 to 4,096.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.house import new_house, stored
from bench.result import Line, Measured, Target
from bench.workload import Workload, command
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.ledger import lease as leases
from holdfast.spine.ledger import sequencer
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.proofs import consistency, prove_leaf
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.vocabulary.leaves import SPECS, Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.workload import Run
    from holdfast.kit.db import Work
    from holdfast.spine.house import House

LOG = "client-bank-01"
GROUPS = (1, 10, 100, 1000)
BATCHES = (16, 256, 1024, 4096)
TARGETED = 1024
PROOFS = 300


def leaf(now_us: int) -> Leaf:
    """A decision with twelve fields."""
    body: dict[str, Any] = dict.fromkeys(
        SPECS[LeafType.DECISION_MADE].fields, "c_mfrggzdfmztwq2lknnwg23tpoa"
    )
    body["fields"] = {f"field_{number}": "clear" for number in range(12)}
    body["rules"] = []
    body["count"] = 1
    return Leaf(LeafType.DECISION_MADE, new_id("lf", now_us), now_us, body)


def append_many(house: House, count: int) -> None:
    """One transaction."""

    def work() -> Work[None]:
        now_us = house.clock.now_us()
        yield Round(data=tuple(append(LOG, leaf(now_us)) for _ in range(count)))

    house.transact(work())


def appended(run: Run, house: House, group: int) -> Line:
    """Durable appends in groups of ``group``."""
    rounds = max(20, run.count // group)
    with run.metered(here=True) as spent:
        for _ in range(rounds):
            append_many(house, group)
    what = f"durable appends in groups of {group}"
    return Line(what=what, operations=rounds * group, wall_s=spent.wall_s, cpu_s=spent.cpu)


def sequenced(run: Run, house: House, batch: int) -> tuple[Line, float]:
    """Read, hash and commit ``batch`` leaves at a time; also the milliseconds that a transaction took."""
    rounds = max(3, run.count * 16 // batch)
    for _ in range(-(-rounds * batch // 1000)):
        append_many(house, 1000)
    now_us, place = house.clock.now_us(), house.signing_keys.name
    lease = house.transact(leases.take(leases.SEQUENCER, "bench", place, now_us=now_us))
    locked = 0.0
    with run.metered(here=True) as spent:
        for _ in range(rounds):
            growths, broken = sequencer.plan(house.read(sequencer.load(most=batch)))
            assert not broken
            writing = time.perf_counter()
            work = sequencer.commit(growths, lease, house.clock.now_us(), gapless=house.embedded)
            house.transact(work)
            locked += time.perf_counter() - writing
    house.transact(lease.released())
    line = Line(
        what=f"sequencing by {batch}",
        operations=rounds * batch,
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
        targets=(Target("per_second", 40_000),) if batch == TARGETED else (),
    )
    return line, round(locked / rounds * 1e3, 2)


def timed(work: Callable[[int], object], times: int) -> int:
    """Mean microseconds."""
    begin = time.perf_counter()
    for number in range(times):
        work(number)
    return round((time.perf_counter() - begin) / times * 1e6)


def kept(house: House, registrar: Registrar) -> dict[str, float]:
    """What a tick costs: the backlog's, one leaf's, and that of an idle house."""
    begin = time.perf_counter()
    registrar.tick()
    backlog = round(time.perf_counter() - begin, 3)

    def one_leaf(_number: int) -> None:
        append_many(house, 1)
        registrar.tick()

    return {
        "sign_and_publish_backlog_s": backlog,
        "append_to_published_one_leaf_us": timed(one_leaf, 50),
        "idle_tick_us": timed(lambda _number: registrar.tick(), 200),
    }


def read_back(house: House, size: int) -> dict[str, float]:
    """Following the log, and proving from it."""
    begin = time.perf_counter()
    batches = [house.read(leaves_from(LOG, at)) for at in range(0, size, 4096)]
    wall = time.perf_counter() - begin
    entries = [found.entry for batch in batches for found in batch][:: max(1, size // PROOFS)]
    ids = [entry.split(b'"id":"')[1].split(b'"')[0].decode() for entry in entries]
    return {
        "tail_leaves_per_s": round(size / wall),
        "prove_leaf_us": timed(
            lambda number: house.read(prove_leaf(LOG, ids[number % len(ids)])), PROOFS
        ),
        "consistency_us": timed(
            lambda number: house.read(consistency(LOG, 1 + number * size // (PROOFS + 1), size)),
            PROOFS,
        ),
    }


def verified(house: House, folder: Path, size: int) -> dict[str, float]:
    """What the client's verifier does."""
    vkeys = house.signing_keys.vkeys(LOG)
    export_bundle(log_folder(house.home, LOG), folder / "bundle", vkeys=vkeys)
    given = Given(UserMemory(folder / "state"), 0, tuple(map(parse_vkey, vkeys)))
    begin = time.perf_counter()
    if verify_bundle(folder / "bundle", given).outcome is not Outcome.AUTHENTIC:
        raise SystemExit("the bundle does not verify")
    wall = time.perf_counter() - begin
    command = [sys.executable, "-m", "holdfast", "verify", "--help"]
    start_us = timed(lambda _: subprocess.run(command, check=True, capture_output=True), 5)
    return {"verify_leaves_per_s": round(size / wall), "verify_start_ms": start_us // 1000}


def measure(run: Run) -> Measured:
    """Grow a log, then read it, prove from it and verify it."""
    house = new_house(run)
    house.found_signing_keys()
    details: dict[str, Any] = {"leaf_bytes": len(leaf(house.clock.now_us()).entry())}
    before = stored(house)
    groups = GROUPS[:2] if run.quick else GROUPS
    lines = [appended(run, house, group) for group in groups]
    with closing(Registrar(house, house.signing_keys)) as registrar:
        registrar.sequence()
    batches = BATCHES[:2] if run.quick else BATCHES
    found = [sequenced(run, house, batch) for batch in batches]
    lines += [line for line, _ in found]
    details["write_transaction_ms"] = {
        batch: locked for batch, (_, locked) in zip(batches, found, strict=True)
    }
    with closing(Registrar(house, house.signing_keys)) as registrar:
        registrar.sequence()
        size = next(state.size for state in house.read(sequencer.heads()) if state.log == LOG)
        details |= {"leaves": size, "store_bytes_per_leaf": round((stored(house) - before) / size)}
        details |= {**kept(house, registrar), **read_back(house, size)}
    details |= verified(house, run.folder, size)
    house.close()
    return Measured(lines=tuple(lines), details=details)


WORKLOAD = Workload(
    module="ledger",
    title="appending, sequencing, signing, publishing, proving, verifying",
    measure=measure,
    amount=512,
    quick=20,
    unit="timed",
)

if __name__ == "__main__":
    command(WORKLOAD)
