"""A keeper of the logs is frozen beyond its lease, another takes over, and the first wakes: nothing comes of it.

It is frozen before and after each thing that a tick asks of its stores and its disk, one after the other.
"""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.spine.ledger import lease, sequencer, store
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.note import parse_note
from holdfast.spine.ledger.publish import DurableDisk, published
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.tail import leaves_from
from support.ledger import BANK, SHOP, LedgerHouse
from support.stores import raw

pytestmark = pytest.mark.storage("postgresql", reason="one keeps the logs of a house on SQLite")
LOGS = (BANK, SHOP)


class Freezing:
    """A house and its disk, as a keeper sees them that is frozen once: around the ``at``-th thing that it asks for."""

    def __init__(self, house, meanwhile):
        self._house = house
        self._meanwhile = meanwhile
        self._disk = DurableDisk()
        self.home, self.clock, self.embedded = house.home, house.clock, house.embedded
        self.placed = []
        self.freeze_at(-1)

    def freeze_at(self, at):
        self._left = at
        self.frozen = False

    def _step(self):
        if self._left == 0:
            self.frozen = True
            self._meanwhile()
        self._left -= 1

    def _around(self, what, *given):
        self._step()
        answer = what(*given)
        self._step()
        return answer

    def transact(self, work):
        return self._around(self._house.transact, work)

    def read(self, work):
        return self._around(self._house.read, work)

    def place(self, path, content):
        self._around(self._disk.place, path, content)
        if path.name == "checkpoint":
            self.placed.append((path.parent.name, parse_head(parse_note(content).text)))

    def settle(self):
        self._around(self._disk.settle)


@pytest.fixture
def house(tmp_path):
    one = LedgerHouse(tmp_path / "house")
    yield one
    one.close()


@pytest.fixture
def other(house):
    one = LedgerHouse(house.home, house.clock, fresh=False)
    yield one
    one.close()


def tick(registrar):
    """One tick, unless another keeps the logs; no log may ever be refused."""
    with suppress(Conflict):
        assert registrar.tick().refused == {}


def out(house, log):
    return parse_head(parse_note(published(house.folder(log))).text)


def entries(house, log):
    found = []
    while batch := house.read(leaves_from(log, len(found))):
        found.extend(leaf.entry for leaf in batch)
    return found


@pytest.mark.parametrize("begun", [True, False])
def test_wherever_a_keeper_is_frozen_what_it_does_when_it_wakes_is_nothing(house, other, begun):
    expected = {log: [] for log in LOGS}

    def append(log, count):
        expected[log] += [leaf.entry() for leaf in house.append(log, count)]

    def take_over():
        house.clock.advance(lease.TIME_TO_LIVE_US + 1)
        append(BANK, 2)
        tick(other.registrar)  # it may have to learn first that its own lease is lost
        assert other.tick().refused == {}
        assert out(house, BANK).size == house.size(BANK)

    watched = Freezing(house, take_over)
    for at in itertools.count():
        house.clock.advance(lease.TIME_TO_LIVE_US + 1)
        watched.freeze_at(-1)
        keeper = Registrar(watched, house.signing, watched)
        if begun:
            tick(keeper)
        append(BANK, 3)
        append(SHOP, 1)
        watched.freeze_at(at)
        tick(keeper)
        frozen = watched.frozen
        watched.freeze_at(-1)
        keeper.close()
        if not frozen:
            break
        tick(other.registrar)
        for log in LOGS:
            assert entries(house, log) == expected[log], at
            assert out(house, log).size == house.size(log) == len(expected[log]), at
            assert Memory.open(house.home / "signing").last(
                house.signing.origin(log)
            ).size == house.size(log)
    assert at > 40, "a tick asks for more than that"
    heads = {}
    for log, head in watched.placed:
        assert heads.setdefault((log, head.size), head.root) == head.root


def test_a_keeper_that_was_overtaken_replaces_no_stored_checkpoint(house, other):
    house.grown(BANK, 3)
    house.stop()
    held = house.transact(lease.take("sequencer", "a", "here", now_us=0))
    other.grown(BANK, 1)

    def late():
        yield from held.check()
        yield Round(data=(store.PUT_CHECKPOINT(log=BANK, day=0, size=99, note=b"", at_us=0),))

    with pytest.raises(Conflict):
        house.transact(late())
    assert raw(house.data, "SELECT MAX(size) FROM ledger_checkpoint") == [(4,)]


def test_nobody_takes_over_between_the_look_at_the_lease_and_the_commit(house, other):
    house.append(BANK, 2)
    held = house.transact(lease.take("sequencer", "a", "here", now_us=0))
    growths, _ = sequencer.plan(house.read(sequencer.load()))

    def work():
        yield from sequencer.commit(growths, held, 0)
        with pytest.raises(Exception, match="busy"):
            other.transact(lease.take("sequencer", "b", "there", now_us=held.until_us))

    raw(other.data, "SET lock_timeout = '100ms'")
    house.transact(work())
    assert house.size(BANK) == 2
    assert (
        other.transact(lease.take("sequencer", "b", "there", now_us=held.until_us)).fence
        == held.fence + 1
    )


def test_who_stands_by_with_a_copy_of_the_keys_learns_what_is_signed(house, tmp_path):
    """Were the store set back then, it would not sign a second history, though it has signed nothing itself."""
    house.grown(BANK, 3)
    copied = tmp_path / "copy"
    for source in (house.home / "signing", house.home / "holdfast.toml"):
        target = copied / source.relative_to(house.home)
        if source.is_dir():
            target.mkdir(parents=True)
            for name in ("keys", "memory.json"):
                (target / name).write_bytes((source / name).read_bytes())
        else:
            target.write_bytes(source.read_bytes())
    elsewhere = LedgerHouse(copied, house.clock, fresh=False)
    house.grown(BANK, 4)
    with pytest.raises(Conflict):
        elsewhere.tick()
    origin = house.signing.origin(BANK)
    assert (
        Memory.open(copied / "signing").last(origin)[:2]
        == Memory.open(house.home / "signing").last(origin)[:2]
    )
    house.clock.advance(lease.TIME_TO_LIVE_US)
    raw(house.data, "DELETE FROM ledger_tree")
    raw(house.data, "DELETE FROM ledger_checkpoint")
    assert BANK in elsewhere.tick().refused
    elsewhere.close()


def test_a_checkpoint_that_an_overtaken_keeper_places_late_is_replaced_at_the_next_tick(house):
    house.grown(BANK, 3)
    older = published(house.folder(BANK))
    house.grown(BANK, 3)
    newer = published(house.folder(BANK))
    (house.folder(BANK) / "checkpoint").write_bytes(older)
    house.tick()
    assert published(house.folder(BANK)) == newer
    house.tick()
    (house.folder(BANK) / "checkpoint").unlink()
    assert house.tick().published == (BANK,)
    assert published(house.folder(BANK)) == newer
