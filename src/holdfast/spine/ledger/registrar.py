"""The registrar: keeps the logs of one house. One tick sequences, signs and publishes whatever grew.

Only one process of a house has a registrar (a file lock beside the keys), and a fenced lease guards the database it
writes. A log that does not verify is left alone with its reason, and the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken
from holdfast.kit.ids import new_reference
from holdfast.kit.process import LockFile
from holdfast.spine.ledger import lease as leases
from holdfast.spine.ledger import sequencer, store
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.growth import State
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.memory import Memory, Remembered
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.publish import DurableDisk, Publication, publish, published
from holdfast.spine.ledger.signer import examine, is_due, last_signed, own_head, sign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.kit.clock import Clock
    from holdfast.kit.db import Work
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.spine.ledger.lease import Lease
    from holdfast.spine.ledger.publish import Disk
    from holdfast.spine.ledger.signer import Signed

T = TypeVar("T")
LOCK: Final = "lock"
MOST_BATCHES: Final = 64
_TRIES: Final = 3


class Keeping(Protocol):
    """A house, as far as its logs matter."""

    @property
    def home(self) -> Path:
        """Folder of the house."""
        ...

    @property
    def clock(self) -> Clock:
        """Its clock."""
        ...

    @property
    def embedded(self) -> bool:
        """Whether its stores are files of SQLite, which numbers rows without gaps."""
        ...

    def transact(self, work: Work[T]) -> T:
        """Run in one write transaction."""
        ...

    def read(self, work: Work[T]) -> T:
        """Run outside one."""
        ...


class Tick(NamedTuple):
    """What one tick did. ``refused`` names logs that do not verify, with the reason."""

    sequenced: int
    signed: tuple[str, ...]
    published: tuple[str, ...]
    lifted: int
    vanished: int
    refused: dict[str, str]


class Registrar:
    """Holds the keys, the signer's memory and the lock; :meth:`close` gives the lock back."""

    def __init__(self, house: Keeping, keys: SigningKeys, disk: Disk | None = None) -> None:
        """Raise :class:`Conflict` when another process keeps this house's logs."""
        self._house = house
        self._keys = keys
        self._disk = disk or DurableDisk()
        self._lock = LockFile(house.home / FOLDER / LOCK)
        self._lock.acquire()
        self._memory = Memory.open(house.home / FOLDER)
        self._holder = new_reference("seq")
        self._lease: Lease | None = None
        self._kept: dict[str, _Kept] = {}
        self._refused: dict[str, str] = {}
        self._looked = False

    def close(self) -> None:
        """Let another process keep the logs."""
        self._lock.release()

    def tick(self) -> Tick:
        """Sequence what waits, sign what grew or is an hour old, publish what was signed.

        Raises :class:`Conflict` when the lease is held elsewhere. A log that does not verify is in ``refused`` until
        the process is started anew: nothing of it is sequenced, signed or published.
        """
        self._refuse_set_back()
        sequenced, lifted, vanished = self.sequence()
        signed = self.sign(self._house.read(sequencer.heads()))
        return Tick(
            sequenced=sequenced,
            signed=tuple(checkpoint.log for checkpoint in signed),
            published=self.publish(),
            lifted=lifted,
            vanished=vanished,
            refused=dict(self._refused),
        )

    def _refuse_set_back(self) -> None:
        """Once, before anything is given a place: a store that was set back must not grow a second history."""
        if self._looked:
            return
        states = {state.log: state for state in self._house.read(sequencer.heads())}
        signed = map(log_of, self._memory.origins())
        for log in sorted({*states, *signed}):
            try:
                last = self._kept_log(log).last
                self._house.read(examine(states.get(log, State.new(log)), last))
            except IntegrityBroken as error:
                self._refused[log] = error.message
        self._looked = True

    def sequence(self) -> tuple[int, int, int]:
        """Give pending leaves their places; counts of leaves sequenced, lifted in time, and vanished."""
        sequenced = lifted = vanished = 0
        for _ in range(MOST_BATCHES):
            if not self._house.read(sequencer.has_pending(self._refused)):
                break
            batch = self._batch()
            sequenced += batch[0]
            lifted += batch[1]
            vanished += batch[2]
        return sequenced, lifted, vanished

    def _batch(self) -> tuple[int, int, int]:
        """One batch; what moved meanwhile is read again."""
        house = self._house
        for attempt in range(_TRIES):
            lease = self._leased()
            try:
                claims = house.read(sequencer.load(without=self._refused))
                growths, broken = sequencer.plan(claims)
                self._refused.update(broken)
                if not growths:
                    return 0, 0, 0
                now_us, gapless = house.clock.now_us(), house.embedded
                work = sequencer.commit(growths, lease, now_us, gapless=gapless)
                vanished = house.transact(work)
            except Conflict:
                self._lease = None
                if attempt == _TRIES - 1:
                    raise
                continue
            counts = [len(growth.claimed) for growth in growths]
            return sum(counts), sum(growth.lifted for growth in growths), vanished
        raise AssertionError

    def _leased(self) -> Lease:
        now_us = self._house.clock.now_us()
        if self._lease is None:
            taken = leases.take(leases.SEQUENCER, self._holder, self._keys.name, now_us=now_us)
            self._lease = self._house.transact(taken)
        elif self._lease.is_due(now_us):
            self._lease = self._house.transact(self._lease.renewed(now_us))
        return self._lease

    def sign(self, heads: Sequence[State]) -> tuple[Signed, ...]:
        """Sign the heads that are due, and store the checkpoints."""
        now_us = self._house.clock.now_us()
        due = []
        for state in heads:
            if state.log in self._refused or state.size == 0:
                continue
            try:
                kept = self._kept_log(state.log)
                if not kept.note or is_due(kept.last, state.size, now_us):
                    self._house.read(examine(state, kept.last))
                    due.append(state)
            except IntegrityBroken as error:
                self._refused[state.log] = error.message
        signed = sign(self._keys, self._memory, due, now_us)
        if signed:
            self._house.transact(_store(signed))
        for state, checkpoint in zip(due, signed, strict=True):
            kept = self._kept[state.log]
            kept.last = Remembered(state.size, state.root, now_us)
            kept.note = checkpoint.note
        return signed

    def publish(self) -> tuple[str, ...]:
        """Write the files of every log whose newest checkpoint is not published yet."""
        done = []
        for log, kept in self._kept.items():
            if log in self._refused or not kept.note or kept.note == kept.published:
                continue
            size = kept.last.size if kept.last else 0
            folder = log_folder(self._house.home, log)
            wanted = Publication(log, folder, kept.note, kept.published_size, size)
            try:
                publish(wanted, self._disk, self._house.read)
            except IntegrityBroken as error:
                self._refused[log] = error.message
                continue
            kept.published, kept.published_size = kept.note, size
            done.append(log)
        return tuple(done)

    def _kept_log(self, log: str) -> _Kept:
        """What is known of a log, read once: memory, stored checkpoint and published files."""
        if log not in self._kept:
            keys = self._keys
            known = self._memory.last(keys.origin(log))
            stored = self._house.read(_stored(log))
            head = own_head(keys, log, stored)
            is_newest = head is not None and known is not None and head[1:] == known[:2]
            out = published(log_folder(self._house.home, log))
            out_head = own_head(keys, log, out)
            self._kept[log] = _Kept(
                last=last_signed(log, known, out_head),
                note=stored if is_newest else b"",
                published=out if out_head else b"",
                published_size=out_head.size if out_head else 0,
            )
        return self._kept[log]


@dataclass
class _Kept:
    last: Remembered | None  # the last head signed
    note: bytes  # the checkpoint with that head, or nothing when it was lost before it was stored
    published: bytes
    published_size: int


def _stored(log: str) -> Work[bytes]:
    (rows,) = yield Round(data=(store.CHECKPOINT(log=log),))
    return bytes(rows[0][1]) if rows else b""


def _store(signed: Sequence[Signed]) -> Work[None]:
    yield Round(
        data=tuple(
            store.PUT_CHECKPOINT(
                log=checkpoint.log,
                day=checkpoint.at_us // DAY_US,
                size=checkpoint.size,
                note=checkpoint.note,
                at_us=checkpoint.at_us,
            )
            for checkpoint in signed
        )
    )
