"""No sequence of appends, ticks, kills and restarts loses a leaf, signs two histories, or breaks what a client sees.

The machine works on a real house: real stores, a real signer, real files. A kill is a disk that stops at some file, or
a process that is gone between two of its steps. Now and then somebody tampers with the published files, and the
client must see it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.note import parse_note
from holdfast.spine.ledger.publish import DurableDisk
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.verify import Outcome
from support.bundles import Client
from support.ledger import BANK, SHOP, LedgerHouse, a_leaf

LOGS = st.sampled_from([BANK, SHOP])


class Killed(BaseException):
    """The process is gone."""


class DyingDisk(DurableDisk):
    """Places some files, and then the power of the process is cut."""

    def __init__(self, places: int) -> None:
        super().__init__()
        self._left = places

    def place(self, path, content):
        if self._left == 0:
            raise Killed
        self._left -= 1
        super().place(path, content)


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-ledger-"))
        self.house = LedgerHouse(self.folder / "house")
        self.clients = {log: Client(self.house, self.folder / log, log) for log in (BANK, SHOP)}
        self.committed = {BANK: [], SHOP: []}
        self.signed = {BANK: {}, SHOP: {}}

    def teardown(self):
        self.house.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self):
        self.grow(BANK, 3)
        self.tick()

    def grow(self, log, count):
        self.committed[log] += [leaf.id for leaf in self.house.append(log, count)]

    @rule(log=LOGS, count=st.one_of(st.integers(1, 5), st.sampled_from([200, 256, 300])))
    def append(self, log, count):
        self.grow(log, count)

    @rule(log=LOGS)
    def append_late(self, log):
        late = a_leaf(self.house.clock.now_us() - MINUTE_US, 999_999)
        self.house.append_leaves(log, [late])
        self.committed[log].append(late.id)

    @rule()
    def tick(self):
        done = self.house.tick()
        assert not done.refused
        assert done.vanished == 0
        for log in (BANK, SHOP):
            assert self.house.size(log) == len(self.committed[log])

    @rule()
    def an_hour_passes(self):
        self.house.clock.advance(HOUR_US)

    @rule()
    def killed_after_sequencing(self):
        self.house.registrar.sequence()
        self.house.stop()

    @rule()
    def killed_after_signing(self):
        self.house.registrar.sequence()
        self.house.registrar.sign(self.house.read(heads()))
        self.house.stop()

    @rule(places=st.integers(0, 8))
    def killed_while_publishing(self, places):
        registrar = self.house.registrar_on(DyingDisk(places))
        try:
            registrar.tick()
        except Killed:
            pass
        finally:
            self.house.stop()

    @precondition(lambda self: (self.house.folder(BANK) / "checkpoint").exists())
    @rule(data=st.data())
    def tampered(self, data):
        client = self.clients[BANK]
        bundle = client.copy(self.house.folder(BANK))
        size = parse_head(parse_note((bundle / "checkpoint").read_bytes()).text).size
        evidence = [bundle / "checkpoint"]
        evidence += [
            p for p in sorted(bundle.rglob("*")) if p.is_file() and counts(bundle, p, size)
        ]
        path = data.draw(st.sampled_from(evidence))
        raw = bytearray(path.read_bytes())
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(raw)
        assert client.verify(bundle).outcome is Outcome.BROKEN

    @invariant()
    def every_sequenced_leaf_was_committed_and_stands_once(self):
        for log, committed in self.committed.items():
            leaves = self.house.read(leaves_from(log, 0, most=100_000))
            ids = [leaf.entry.split(b'"id":"')[1].split(b'"')[0].decode() for leaf in leaves]
            assert len(ids) == len(set(ids))
            assert set(ids) <= set(committed)
            assert [leaf.index for leaf in leaves] == list(range(len(leaves)))

    @invariant()
    def what_is_published_is_authentic_and_continues_what_was_seen(self):
        for log, client in self.clients.items():
            folder = self.house.folder(log)
            if (folder / "checkpoint").exists():
                report = client.verify(folder)
                assert report.outcome is Outcome.AUTHENTIC, report.findings
                assert self.signed[log].setdefault(report.size, report.root) == report.root


def counts(bundle, path, size):
    """Whether a file is evidence for this checkpoint: later or narrower states of a tile are not read."""
    relative = path.relative_to(bundle)
    if relative.parts[0] != "tile" or path.name.startswith("."):
        return False
    from holdfast.spine.ledger.tiles import parse_path, tiles_of

    return parse_path(str(relative)) in set(tiles_of(size))


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=12, stateful_step_count=14)
