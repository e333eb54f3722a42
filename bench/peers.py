"""Holdfast beside OpenBao's transit engine and Databunker, in one go: ``python -m bench.peers [ROUNDS]``.

    HOLDFAST_BENCH_OPENBAO_URL, HOLDFAST_BENCH_OPENBAO_TOKEN (and _MOUNT, if it is not "transit")
    HOLDFAST_BENCH_DATABUNKER_URL, HOLDFAST_BENCH_DATABUNKER_TOKEN

A peer whose address is not given is "not present". Each is asked over one connection, one request after the other, for
the same: keep a record of twelve fields, read all twelve, read one, find by phone, delete. They do not do the same for
it: Holdfast decides, and writes a durable leaf, each time; transit keeps keys alone, and its caller the ciphertexts.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bench.house import FIELDS, BenchHouse, record
from bench.peer.databunker import Databunker
from bench.peer.holdfast import Holdfast
from bench.peer.openbao import OpenBao
from bench.peer.port import Peer, PeerFailed
from bench.result import Cpu, Line, Measured, quantiles_ms
from bench.serving import DataPlane
from bench.workload import Workload, command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.workload import Run

PREFIX = "HOLDFAST_BENCH_"
SUBJECTS = 16
#: What Holdfast's driver does as its commands do it: this process's CPU time is Holdfast's then.
IN_PROCESS = frozenset({"keep a record", "delete"})


class Closing(Peer, Protocol):
    """A driver that holds a connection."""

    def close(self) -> None:
        """End it."""
        ...


def drivers(given: Mapping[str, str]) -> tuple[list[Closing], list[str]]:
    """Return the drivers of the peers whose addresses are given, and the names of those whose are not."""
    found: list[Closing] = []
    absent: list[str] = []
    for kind, word in ((OpenBao, "OPENBAO"), (Databunker, "DATABUNKER")):
        url, token = (given.get(f"{PREFIX}{word}_{part}", "") for part in ("URL", "TOKEN"))
        if not url:
            absent.append(kind.name)
        elif not token:
            raise SystemExit(f"{PREFIX}{word}_TOKEN is not set")
        elif kind is OpenBao:
            found.append(OpenBao(url, token, given.get(f"{PREFIX}OPENBAO_MOUNT", "transit")))
        else:
            found.append(Databunker(url, token))
    return found, absent


def records(count: int) -> dict[str, dict[str, str]]:
    """Customers by number, each with the twelve fields that W1 reveals."""
    whole = {f"C{n:05d}": record(n, note1="as it is kept") for n in range(1, count + 1)}
    return {subject: {name: one[name] for name in FIELDS} for subject, one in whole.items()}


class Timing:
    """Times calls of one driver; client CPU is that of this process."""

    def __init__(self, run: Run, peer: Peer, pids: Sequence[int] = ()) -> None:
        self.lines: list[Line] = []
        self._run = run
        self._peer = peer
        self._pids = pids

    def each(self, what: str, calls: Sequence[Callable[[], object]]) -> None:
        """Make the calls one after the other."""
        times = []
        with self._run.metered(*self._pids) as spent:
            cpu = time.process_time()
            for call in calls:
                begun = time.perf_counter()
                call()
                times.append(time.perf_counter() - begun)
            client = time.process_time() - cpu
        known = Cpu(spent.cpu.ours, client, spent.cpu.database)
        if what in IN_PROCESS:
            known = Cpu((spent.cpu.ours or 0.0) + client, None, spent.cpu.database)
        line = Line(
            what=f"{self._peer.name}: {what}",
            operations=len(times),
            wall_s=sum(times),
            cpu_s=known if self._pids else Cpu(client=client),
            **quantiles_ms(times),
        )
        self.lines.append(line)


def asked(timing: Timing, peer: Peer, kept: Mapping[str, Mapping[str, str]], rounds: int) -> None:
    """Ask a peer for everything that it can do; :class:`SystemExit` for a wrong answer."""
    every = [subject for _ in range(rounds) for subject in kept]
    timing.each("keep a record", [partial(peer.store, s, kept[s]) for s in kept])
    for subject, one in kept.items():
        read = peer.read(subject, FIELDS)
        wrong = {f for f in FIELDS if read.get(f) != one[f]} - peer.masks
        if wrong or read.keys() != one.keys():
            raise SystemExit(f"{peer.name} does not return what it was given: {sorted(wrong)}")
    timing.each("read 12 fields", [partial(peer.read, s, FIELDS) for s in every])
    timing.each("read 1 field", [partial(peer.read, s, FIELDS[:1]) for s in every])
    if peer.finds:
        finds = [partial(peer.find, kept[s]["phone"]) for s in every]
        if [finds[place]() for place in range(len(kept))] != list(kept):
            raise SystemExit(f"{peer.name} finds somebody else")
        timing.each("find by phone", finds)
    timing.each("delete", [partial(peer.delete, s) for s in kept])


def measure(run: Run) -> Measured:
    """Ask Holdfast, then each peer that is present."""
    few = 2 if run.quick else SUBJECTS
    kept = records(few)
    with ExitStack() as stack:
        house = BenchHouse(run, agents=few)
        stack.callback(house.house.close)
        plane = stack.enter_context(DataPlane(house.home, house.port))
        house.connect_all()
        own = stack.enter_context(closing(Holdfast(house, plane)))
        present, absent = drivers(run.peers)
        timings = [Timing(run, own, (plane.pid,))]
        asked(timings[0], own, kept, run.count)
        for peer in present:
            stack.enter_context(closing(peer))
            timings.append(Timing(run, peer))
            try:
                asked(timings[-1], peer, kept, run.count)
            except (OSError, PeerFailed) as error:
                raise SystemExit(f"{peer.name}: {error}") from error
    lines = tuple(line for timing in timings for line in timing.lines)
    said = [f"{name}: not present when these figures were taken" for name in absent]
    return Measured(lines=lines, details={"not_present": absent, "findings": said})


WORKLOAD = Workload(
    module="peers",
    title="Holdfast beside other stores, over one connection each",
    measure=measure,
    amount=20,
    quick=1,
    unit="rounds",
)

if __name__ == "__main__":
    command(WORKLOAD)
