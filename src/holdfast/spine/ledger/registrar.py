"""The registrar: keeps the logs of one house. One tick sequences, signs and publishes whatever grew.

One keeps them at a time: who has the lease, which fences each transaction that writes. On SQLite there is one registrar
(a file lock beside the keys); on PostgreSQL several stand by and follow what is signed. One that was frozen beyond its
lease may wake anywhere: it commits nothing more, remembers in a file of its own, and a checkpoint that it places late
is replaced by the next tick of who keeps the logs now. A log that does not verify is left alone with its reason, and
the others go on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, HoldfastError, IntegrityBroken
from holdfast.kit.ids import new_reference
from holdfast.spine.ledger import lease as leases
from holdfast.spine.ledger import sequencer, store
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.growth import State
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.memory import Memory, Remembered
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.post import Post
from holdfast.spine.ledger.publish import DurableDisk, Publication, Stamp, publish, published, stamp
from holdfast.spine.ledger.signer import examine, is_due, last_signed, own_head, sign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.kit.clock import Clock
    from holdfast.kit.db import Work
    from holdfast.spine.ledger.checkpoint import Head
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.spine.ledger.lease import Lease
    from holdfast.spine.ledger.publish import Disk
    from holdfast.spine.ledger.signer import Signed

T = TypeVar("T")
MOST_BATCHES: Final = 64
_UNSEEN: Final = Stamp(0, 0, 0)
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
    """Holds the keys, the signer's memory, its post and, while it keeps the logs, the lease."""

    def __init__(
        self,
        house: Keeping,
        keys: SigningKeys,
        disk: Disk | None = None,
        *,
        life_us: int = leases.TIME_TO_LIVE_US,
    ) -> None:
        """``life_us`` is for how long the lease is taken.

        Raises :class:`Conflict` when another process keeps the logs of this house on SQLite, or is alone with it.
        """
        self._house = house
        self._keys = keys
        self._disk = disk or DurableDisk()
        self._life_us = life_us
        self._folder = house.home / FOLDER
        self._post = Post(
            self._folder, keys.name, alone=house.embedded, boot=house.clock.uptime().boot
        )
        self._memory = Memory.open(self._folder, self._post.number)
        self._holder = new_reference("seq")
        self._lease: Lease | None = None
        self._kept: dict[str, _Kept] = {}
        self._refused: dict[str, str] = {}
        self._followed_us = 0

    def close(self) -> None:
        """Let another process keep the logs, at once if the store can be told."""
        if self._lease is not None:
            with suppress(HoldfastError):
                self._house.transact(self._lease.released())
            self._lease = None
        self._post.leave()

    def tick(self) -> Tick:
        """Sequence what waits, sign what grew or is an hour old, publish what was signed.

        Raises :class:`Conflict` when the lease is held elsewhere: this one stands by then, and remembers what is
        signed. A log that does not verify is in ``refused`` until the process is started anew: nothing of it is
        sequenced, signed or published.
        """
        try:
            self._leased()
        except Conflict:
            self._follow()
            raise
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
        """Before anything is given a place: a store that was set back must not grow a second history."""
        states = {state.log: state for state in self._house.read(sequencer.heads())}
        signed = map(log_of, self._memory.origins())
        for log in sorted({*states, *signed}):
            try:
                last = self._kept_log(log).last
                self._house.read(examine(states.get(log, State.new(log)), last))
            except IntegrityBroken as error:
                self._refuse({log: error.message})

    def _refuse(self, reasons: dict[str, str]) -> None:
        """Leave logs alone from now on; :class:`Conflict` if what was seen may be another keeper's work meanwhile."""
        if reasons:
            self._require_turn()
            self._refused.update(reasons)

    def _require_turn(self) -> None:
        """Raise :class:`Conflict` unless nobody else has kept the logs up to now."""
        try:
            self._house.read(self._held().stands())
        except Conflict:
            self._lease = None
            raise

    def _held(self) -> Lease:
        if self._lease is None:
            raise Conflict("the lease was lost meanwhile", code=leases.LEASE_HELD)
        return self._lease

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
                self._refuse(broken)
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
        """The lease, taken or prolonged; :class:`Conflict` when another holds it.

        Who takes it knows nothing of what was done meanwhile, and looks anew.
        """
        house, lease = self._house, self._lease
        now_us = house.clock.now_us()
        if lease is not None:
            if lease.is_due(now_us):
                self._lease = None  # unless it is prolonged
                self._lease = lease = house.transact(lease.renewed(now_us))
            return lease
        name, place = leases.SEQUENCER, self._post.place
        house.read(leases.require_free(name, place, now_us=now_us))
        taken = leases.take(name, self._holder, place, now_us=now_us, life_us=self._life_us)
        self._lease = lease = house.transact(taken)
        try:
            self._memory = Memory.open(self._folder, self._post.number)
            self._kept.clear()
            self._refuse_set_back()
        except HoldfastError:
            self._lease = None
            raise
        return lease

    def _follow(self) -> None:
        """Remember what the keeper signed: on another machine its memory is not at hand, when it is needed."""
        now_us = self._house.clock.now_us()
        if now_us - self._followed_us < self._life_us // 2:
            return
        self._followed_us = now_us
        memory = Memory.open(self._folder, self._post.number)
        heads = {}
        for state in self._house.read(sequencer.heads()):
            with suppress(IntegrityBroken):  # it is refused by who takes the lease
                head = own_head(self._keys, state.log, self._house.read(_stored(state.log)))
                known = memory.last(self._keys.origin(state.log))
                if head and (known is None or head.size > known.size):
                    signed = state._replace(size=head.size, root=head.root)
                    self._house.read(examine(signed, known))
                    heads[head.origin] = Remembered(head.size, head.root, now_us)
        if heads:
            memory.remember(heads)

    def sign(self, heads: Sequence[State]) -> tuple[Signed, ...]:
        """Sign the heads that are due, and store the checkpoints."""
        lease = self._leased()
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
                self._refuse({state.log: error.message})
        signed = sign(self._keys, self._memory, due, now_us)
        if signed:
            try:
                self._house.transact(_store(signed, lease))
            except Conflict:
                self._lease = None
                raise
        for state, checkpoint in zip(due, signed, strict=True):
            kept = self._kept[state.log]
            kept.last = Remembered(state.size, state.root, now_us)
            kept.note = checkpoint.note
        return signed

    def publish(self) -> tuple[str, ...]:
        """Write the files of every log whose newest checkpoint does not stand published."""
        done = []
        for log, kept in tuple(self._kept.items()):
            if log in self._refused or not kept.note:
                continue
            folder = log_folder(self._house.home, log)
            if stamp(folder) != kept.stamp:
                self._look_at_published(log, kept)
            size = kept.last.size if kept.last else 0
            if kept.published_size > size:
                self._refuse({log: f"{kept.published_size} leaves of log {log} stand published"})
                continue
            if kept.note == kept.published:
                continue
            wanted = Publication(log, folder, kept.note, kept.published_size, size)
            try:
                publish(wanted, self._disk, self._house.read, self._require_turn)
            except IntegrityBroken as error:
                self._refuse({log: error.message})
                continue
            # looked at by the next tick: another may have placed its own since
            kept.published, kept.published_size, kept.stamp = kept.note, size, _UNSEEN
            done.append(log)
        return tuple(done)

    def _look_at_published(self, log: str, kept: _Kept) -> Head | None:
        """See what stands published: one that was overtaken may have placed its own over ours."""
        folder = log_folder(self._house.home, log)
        kept.stamp, out = stamp(folder), published(folder)
        head = own_head(self._keys, log, out)
        kept.published, kept.published_size = (out, head.size) if head else (b"", 0)
        return head

    def _kept_log(self, log: str) -> _Kept:
        """What is known of a log, read once: memory, stored checkpoint and published files."""
        if log not in self._kept:
            keys = self._keys
            known = self._memory.last(keys.origin(log))
            stored = self._house.read(_stored(log))
            head = own_head(keys, log, stored)
            is_newest = head is not None and known is not None and head[1:] == known[:2]
            kept = _Kept(note=stored if is_newest else b"")
            kept.last = last_signed(log, known, self._look_at_published(log, kept))
            self._kept[log] = kept
        return self._kept[log]


@dataclass
class _Kept:
    note: bytes  # the checkpoint of the last head signed, or nothing when it was lost before it was stored
    last: Remembered | None = None  # that head
    published: bytes = b""
    published_size: int = 0
    stamp: Stamp | None = _UNSEEN  # of the file that was looked at last


def _stored(log: str) -> Work[bytes]:
    (rows,) = yield Round(data=(store.CHECKPOINT(log=log),))
    return bytes(rows[0][1]) if rows else b""


def _store(signed: Sequence[Signed], lease: Lease) -> Work[None]:
    yield from lease.check()
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
