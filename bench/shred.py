"""W3: erase customers, then search every byte of both stores for them: ``python -m bench.shred [CUSTOMERS]``.

Searched for are the wrapped data keys and their commitments, the values of the blind index, and a canary in plain text.
The search is shown to find them before the erasure (the canary, which no store ever holds in plain text, in a file of
its own), and must find nothing after it. On PostgreSQL both the product's own search through the server and one of the
server's folder are made. An erasure takes two times: until every look is refused, and until it is certified.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.house import BenchHouse
from bench.result import Cpu, Line, Measured, Target, quantiles_ms
from bench.storage import Server
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, customer
from holdfast.kit.errors import IntegrityBroken, Unavailable
from holdfast.spine.vault.blindindex import TOKEN_BYTES
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.shred import complete, complete_together, request_shred

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bench.workload import Run
    from holdfast.spine.house import House

FEW = 60
TOGETHER = 16
ERASED = {"sqlite": 10, "postgresql": 3}  # PostgreSQL writes its key store anew for each
CANARY = "canary-7f3a9c51-not-to-be-found"
CHUNK = 4 << 20
MOST_TRIES = 5


class Trace(NamedTuple):
    """Byte strings of one kind; what the product's search is asked for."""

    kind: str
    needles: tuple[bytes, ...]

    @property
    def longest(self) -> int:
        """How far two windows overlap."""
        return max(map(len, self.needles))

    def stand_in(self, window: bytes) -> bool:
        """Tell whether one of them stands in ``window``."""
        return any(needle in window for needle in self.needles)


def traces_of(house: House, customer_id: str) -> list[Trace]:
    """What must be nowhere once the customer is erased."""
    whose = {"client": CLIENT, "customer": customer_id}
    with house.stores() as stores:
        keys = stores.keys.execute(keyring.DEKS(**whose))
        index = stores.keys.execute(keyring.INDEX_TOKENS(**whose))
    own = tuple(bytes(token) for _, _, token in index if len(token) == TOKEN_BYTES)
    wrapped = tuple(bytes(part) for _, _, *parts in keys for part in parts)
    return [
        Trace("data keys", wrapped),
        Trace("index values", own),
        Trace("canary", (CANARY.encode(),)),
    ]


def in_files(files: Iterable[Path], traces: list[Trace]) -> tuple[set[str], int]:
    """Search files byte by byte; return the kinds that were found, and how many bytes were read."""
    found, size = set(), 0
    for path in files:
        tail = b""
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                size += len(chunk)
                window = tail + chunk
                found |= {one.kind for one in traces if one.stand_in(window)}
                tail = window[1 - max(one.longest for one in traces) :]
    return found, size


class Search(NamedTuple):
    """What a search of both stores found, of how many bytes, in which time."""

    found: frozenset[str]
    read: int
    seconds: float


def everywhere(run: Run, house: House, traces: list[Trace]) -> Search:
    """Search every byte of both stores: files and logs; on PostgreSQL also as the product does it."""
    begun = time.perf_counter()
    if isinstance(run.storage, Server):
        with house.stores() as stores:
            found = {
                one.kind
                for one in traces
                for store in (stores.data, stores.keys)
                if store.holds(one)
            }
        folder = run.storage.cluster.folder
    else:
        found, folder = set(), house.home
    on_disk, read = in_files(sorted(p for p in folder.rglob("*") if p.is_file()), traces)
    return Search(frozenset(found | on_disk), read, time.perf_counter() - begun)


class Erased(NamedTuple):
    """Times of erasures, seconds."""

    refused: list[float]
    certified: list[float]
    cpu: Cpu
    keys_mb: float
    tries: int


def erase(run: Run, house: House, customers: Iterable[str]) -> Erased:
    """Erase customers one by one, from the request to the certificate."""
    keys = house.read(client_keys(house.keks, CLIENT, 1))
    with house.stores() as stores:
        size = stores.keys.size_bytes()
    refused, certified, tries = [], [], 0
    with run.metered(here=True) as spent:
        for customer_id in customers:
            begun = time.perf_counter()
            now_us = house.clock.now_us()
            operation = house.transact(request_shred(keys, customer_id, by="p_b", now_us=now_us))
            refused.append(time.perf_counter() - begun)
            tries += completed(house, operation)
            certified.append(time.perf_counter() - begun)
    return Erased(refused, certified, spent.cpu, round(size / 1e6, 1), tries)


def erase_together(run: Run, house: House, customers: Sequence[str]) -> Line:
    """Erase customers with one wipe and one search; the time of each is its share of all, from the first request on."""
    keys = house.read(client_keys(house.keks, CLIENT, 1))
    with house.stores() as stores:
        size = stores.keys.size_bytes()
    with run.metered(here=True) as spent:
        begun = time.perf_counter()
        now_us = house.clock.now_us()
        operations = [
            (CLIENT, house.transact(request_shred(keys, one, by="p_b", now_us=now_us)))
            for one in customers
        ]
        for tries in range(1, MOST_TRIES + 1):
            try:
                complete_together(house, operations)
                break
            except (IntegrityBroken, Unavailable):
                if tries == MOST_TRIES:
                    raise
        seconds = time.perf_counter() - begun
    return Line(
        what=f"one of {len(customers)} erasures at once, certified, {size / 1e6:.1f} MB of keys",
        operations=len(customers),
        wall_s=seconds,
        cpu_s=spent.cpu,
        p50_ms=seconds / len(customers) * 1e3,
        targets=(Target("p50_ms", 5),),
    )


def completed(house: House, operation: str) -> int:
    """Carry an erasure to its certificate, again while the house is too busy for it, as its job does; return how often.

    On a PostgreSQL server that keeps both stores, what others write into ``data`` meanwhile may hold the customer's id.
    """
    for tries in range(1, MOST_TRIES + 1):
        try:
            complete(house, CLIENT, operation)
        except (IntegrityBroken, Unavailable):
            if tries == MOST_TRIES:
                raise
        else:
            break
    return tries


def _lines(erased: Erased) -> list[Line]:
    count, of = len(erased.certified), f"{erased.keys_mb:g} MB of keys"
    return [
        Line(
            what=f"erasure until every look is refused, {of}",
            operations=count,
            wall_s=sum(erased.refused),
            **quantiles_ms(erased.refused),
        ),
        Line(
            what=f"erasure until it is certified, {of}",
            operations=count,
            wall_s=sum(erased.certified),
            cpu_s=erased.cpu,
            targets=(Target("p50_ms", 5),),
            **quantiles_ms(erased.certified),
        ),
    ]


def measure(run: Run) -> Measured:
    """Erase in a small store and in a larger one, and search."""
    bench = BenchHouse(run, agents=1, customers=FEW)
    count = 1 if run.quick else ERASED[run.storage.name]
    with closing(bench.house) as house:
        few = erase(run, house, [bench.customers[f"C{n:05d}"] for n in range(2, 2 + count)])
        bench.add_customers(range(FEW + 1, FEW + run.count + 1))
        bench.add_customers([1], note1=CANARY)
        watched = bench.customers["C00001"]
        traces = traces_of(house, watched)
        before = everywhere(run, house, traces)
        control = run.folder / "control.txt"
        control.write_text(f"{customer(1)['name']},{CANARY}\n")
        in_control, _ = in_files([control], traces)
        many = erase(run, house, [watched, *_some(bench, count - 1)])
        batch = [bench.customers[f"C{n:05d}"] for n in range(FEW + 1, FEW + 1 + TOGETHER)]
        together = erase_together(run, house, batch)
        after = everywhere(run, house, traces)
    _judge(before, in_control, after)
    searched = Line(
        what=f"search of {after.read / 1e6:,.0f} MB",
        operations=1,
        wall_s=after.seconds,
        p50_ms=after.seconds * 1e3,
    )
    said = [
        f"before: found {', '.join(sorted(before.found))} in the stores, the canary in the control",
        f"after: nothing in {after.read:,} bytes",
    ]
    details: dict[str, Any] = {
        "found_before": sorted(before.found),
        "found_after": sorted(after.found),
        "tries": few.tries + many.tries,
        "findings": said,
    }
    return Measured(lines=(*_lines(few), *_lines(many), together, searched), details=details)


def _some(bench: BenchHouse, count: int) -> list[str]:
    return [bench.customers[f"C{n:05d}"] for n in range(FEW - count, FEW)]


def _judge(before: Search, in_control: set[str], after: Search) -> None:
    if before.found != {"data keys", "index values"} or in_control != {"canary"}:
        raise SystemExit(f"the search is no proof: before, it found {before}, and {in_control}")
    if after.found:
        raise SystemExit(f"the erased customer's {', '.join(sorted(after.found))} are still there")


WORKLOAD = Workload(
    module="shred",
    title="erase a customer, then search every byte of both stores",
    measure=measure,
    amount=4000,
    quick=20,
    unit="customers",
)

if __name__ == "__main__":
    command(WORKLOAD)
