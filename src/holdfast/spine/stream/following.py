"""Following the logs: each step takes the next leaves of one log to one subscriber, in one transaction.

The position moves by compare-and-swap together with what the leaves come to. So a process may be killed anywhere, and
several may follow at once: who loses the swap has written nothing. A subscriber that stumbles over a leaf tries it
again, later and later; then the leaf is parked where everybody sees it, and the others of the log go on. A log that is
not the one that was followed stops its subscribers until that is mended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar
from zlib import crc32

from holdfast.kit.clock import HOUR_US, MINUTE_US, SECOND_US, monotonic_s
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, HoldfastError, IntegrityBroken
from holdfast.kit.ids import new_reference
from holdfast.spine.ledger.recorder import append_signal
from holdfast.spine.stream import store
from holdfast.spine.stream.folding import Folded, code_of, folded, merged
from holdfast.spine.stream.reading import NOTHING, Verified, leaves_after
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.kit.clock import Clock
    from holdfast.kit.db import Query, Work
    from holdfast.spine.stream.follower import Follower

T = TypeVar("T")

MOST_TRIES: Final = 4  # with the delays below: the leaves behind it wait for about twenty seconds
CLEARED_AT_ONCE: Final = 1000
WRITTEN_AT_ONCE: Final = (
    400  # at about 20 µs each the writer's lock is held for less than 20 ms (SPINE 20)
)
TURN_S: Final = 0.15  # the worker has logs to keep beside
_FIRST_RETRY_US: Final = SECOND_US
_LONGEST_RETRY_US: Final = 5 * MINUTE_US
_TOLD_EVERY_US: Final = HOUR_US


class Shell(Protocol):
    """What following needs of a house."""

    @property
    def clock(self) -> Clock:
        """The clock by which tries are spaced."""
        ...

    def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one write transaction."""
        ...

    def read(self, work: Work[T]) -> T:
        """Run ``work`` outside one."""
        ...


class Behind(NamedTuple):
    """A subscriber and a log in which it has something to do; without a version it has never seen the log."""

    follower: Follower
    log: str
    size: int
    version: int | None
    next: int
    last_hash: bytes
    clearing: bool
    tries: int
    retry_us: int
    code: str
    moved_us: int


def behind(followers: Sequence[Follower]) -> Work[tuple[Behind, ...]]:
    """Return what there is to do."""
    answers = yield Round(
        data=tuple(store.BEHIND(subscriber=one.name, version=one.version) for one in followers)
    )
    return tuple(
        Behind(
            *(one, log, size, version, at or 0, bytes(last or NOTHING), bool(clearing)),
            tries=tries or 0,
            retry_us=retry_us or 0,
            code=code or "",
            moved_us=moved_us or 0,
        )
        for one, rows in zip(followers, answers, strict=True)
        for log, size, version, at, last, clearing, tries, retry_us, code, moved_us in rows
        if one.follows(log)
    )


class Following:
    """One process that follows. Several may run at once, in whatever mix."""

    def __init__(self, house: Shell, followers: Iterable[Follower]) -> None:
        self._house = house
        self._followers = tuple(followers)
        self._own = new_reference("fol")

    def turn(self, *, within_s: float = TURN_S) -> int:
        """Take steps, one for each subscriber and log in turn, until nothing is left or the time is over.

        Returns how many steps wrote something. Processes begin at different logs, so that they seldom meet. Raises
        :class:`Unavailable` when the store is busy; nothing of that step was written.
        """
        done, end_s = 0, monotonic_s() + within_s
        while True:
            moved = 0
            for one in self.due():
                moved += self.step(one)
                if monotonic_s() >= end_s:
                    return done + moved
            if not moved:
                return done
            done += moved

    def due(self) -> list[Behind]:
        """Return what can be done now, each process in an order of its own."""
        now_us = self._house.clock.now_us()
        found = [one for one in self._house.read(behind(self._followers)) if one.retry_us <= now_us]
        return sorted(
            found, key=lambda one: crc32(f"{self._own}{one.follower.name}{one.log}".encode())
        )

    def step(self, one: Behind) -> bool:
        """Do the next thing for one subscriber in one log; tell whether it was still to be done."""
        before = _before_leaves(one, self._house.clock)
        if before is not None:
            return self._try(before)
        try:
            given = self._house.read(leaves_after(one.log, one.next, one.size, last=one.last_hash))
        except IntegrityBroken as error:
            return self._try(_stop(one, error.code, self._house.clock))
        result = folded(one.follower, one.log, given)
        if result.writes:
            moved = False
            for part in _parts(one, given, result, most=WRITTEN_AT_ONCE):
                if not self._take(*part):
                    return moved
                moved = True
            return moved
        if result.failed:
            return self._try(_stumble(one, given, result.failed, self._house.clock))
        return False

    def _take(self, one: Behind, given: Verified, result: Folded) -> bool:
        """Write what the leaves come to; where the database refuses that, leaf by leaf up to the one it refuses."""
        try:
            return self._try(_advance(one, given, result, self._house.clock))
        except HoldfastError:
            raise
        except Exception as error:  # noqa: BLE001  which leaf it is shows below
            if len(result.writes) == 1:
                return self._try(_stumble(one, given, code_of(error), self._house.clock))
        for alone in _parts(one, given, result, most=1):
            try:
                if not self._try(_advance(*alone, self._house.clock)):
                    return True
            except HoldfastError:
                raise
            except Exception as error:  # noqa: BLE001  it is this one
                return self._try(_stumble(*alone[:2], code_of(error), self._house.clock))
        return True

    def _try(self, work: Work[None]) -> bool:
        try:
            self._house.transact(work)
        except Conflict:  # another process was faster
            return False
        return True


def retry_delay_us(tries: int) -> int:
    """A second after the first try, then four times as long each time, at most five minutes."""
    return int(min(_FIRST_RETRY_US * 4 ** min(tries, 12), _LONGEST_RETRY_US))


def _before_leaves(one: Behind, clock: Clock) -> Work[None] | None:
    """Return what has to be done before leaves can be taken, if anything has."""
    if one.version is None:
        return _begin(one, clock)
    if one.version < one.follower.version:
        return _renew(one, clock)
    return _clear(one, clock) if one.clearing else None


def _begin(one: Behind, clock: Clock) -> Work[None]:
    begun = store.BEGIN(
        subscriber=one.follower.name,
        log=one.log,
        version=one.follower.version,
        nothing=NOTHING,
        now_us=clock.now_us(),
    )
    yield Round(data=(begun,))


def _renew(one: Behind, clock: Clock) -> Work[None]:
    """Begin anew under a later version."""
    yield from _swapped(
        store.RENEW(
            subscriber=one.follower.name,
            log=one.log,
            version=one.follower.version,
            nothing=NOTHING,
            now_us=clock.now_us(),
        )
    )


def _advance(one: Behind, given: Verified, result: Folded, clock: Clock) -> Work[None]:
    """Return the work that moves the position over the leaves that were folded, and writes what they come to."""
    taken = len(result.writes)
    moved = _moved(one, one.next + taken, given.hashes[taken - 1], clock, clearing=result.ends)
    return _swapped(moved, *merged(one.follower, result.writes))  # merged before the transaction


def _stumble(one: Behind, given: Verified, code: str, clock: Clock) -> Work[None]:
    """Note that the next leaf could not be taken; after the last try, pass it over."""
    now_us = clock.now_us()
    if one.tries + 1 < MOST_TRIES:
        yield from _swapped(_failed(one, code, now_us))
        return
    subscriber = one.follower.name
    yield from _swapped(_moved(one, one.next + 1, given.hashes[0], clock))
    since = store.PARKED_SINCE(subscriber=subscriber, since_us=now_us - _TOLD_EVERY_US)
    (told,) = yield Round(data=(since,))
    parked = store.PARK(
        subscriber=subscriber,
        log=one.log,
        idx=one.next,
        code=code,
        tries=MOST_TRIES,
        now_us=now_us,
    )
    # Once an hour: the signal is a leaf, too, and may be one that the subscriber cannot take.
    signal = append_signal(HOUSE_LOG, Signal.STREAM_PARKED, now_us, subject=subscriber)
    yield Round(data=(parked,) if told else (parked, signal))


def _stop(one: Behind, code: str, clock: Clock) -> Work[None]:
    """Note that the log does not continue what was followed, and tell it once; it is looked at again and again."""
    now_us = clock.now_us()
    yield from _swapped(_failed(one, code, now_us))
    if one.code != code:
        name = one.follower.name
        yield Round(data=(append_signal(HOUSE_LOG, Signal.STREAM_STOPPED, now_us, subject=name),))


def _clear(one: Behind, clock: Clock) -> Work[None]:
    """Take away some rows of an earlier pass; when none is left, let the next pass begin."""
    subscriber = one.follower.name
    key = {"subscriber": subscriber, "log": one.log}
    held = store.CLEARING(**key, version=one.follower.version, now_us=clock.now_us())
    yield from _swapped(held, store.UNPARK_LOG(**key))
    answers = yield Round(
        data=tuple(clear(log=one.log, most=CLEARED_AT_ONCE) for clear in one.follower.clear)
    )
    if not any(answers):
        yield Round(data=(store.CLEARED(**key),))


def _swapped(swap: Query, *writes: Query) -> Work[None]:
    """Write all or nothing: :class:`Conflict` when the swap found another position than it was made from."""
    answers = yield Round(data=(swap, *writes))
    if not answers[0]:
        raise Conflict("the position was moved by another process", code="position_moved")


def _moved(
    one: Behind, to: int, last_hash: bytes, clock: Clock, *, clearing: bool = False
) -> Query:
    return store.ADVANCE(
        subscriber=one.follower.name,
        log=one.log,
        version=one.follower.version,
        next=to,
        hash=last_hash,
        clearing=int(clearing),
        now_us=clock.now_us(),
        from_next=one.next,
        from_hash=one.last_hash,
    )


def _failed(one: Behind, code: str, now_us: int) -> Query:
    return store.FAILED(
        subscriber=one.follower.name,
        log=one.log,
        version=one.follower.version,
        next=one.next,
        tries=one.tries,
        retry_us=now_us + retry_delay_us(one.tries),
        code=code,
    )


def _parts(
    one: Behind, given: Verified, result: Folded, *, most: int
) -> Iterable[tuple[Behind, Verified, Folded]]:
    """Take the leaves apart, so that no part writes more than ``most`` rows, or is one leaf that does."""
    ends = _ends(result.writes, most)
    for at, end in zip([0, *ends], ends, strict=False):
        last = end == len(result.writes)
        here = one._replace(next=one.next + at, tries=0 if at else one.tries)
        if at:
            here = here._replace(last_hash=given.hashes[at - 1])
        leaves = Verified(here.next, given.entries[at:end], given.hashes[at:end])
        yield here, leaves, Folded(result.writes[at:end], ends=result.ends and last)


def _ends(writes: Sequence[Sequence[Query]], most: int) -> list[int]:
    """Where each part ends: a leaf that comes to nothing counts as one row."""
    ends, rows = [], 0
    for at, one in enumerate(writes):
        rows += max(1, len(one))
        if rows > most and at:
            ends.append(at)
            rows = max(1, len(one))
    return [*ends, len(writes)]
