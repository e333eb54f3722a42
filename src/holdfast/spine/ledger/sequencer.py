"""The sequencer: gives committed leaves their place in the log.

It reads pending rows and edges, hashes outside any transaction, and then commits everything at once: lease checked,
rows deleted (those it read and no others; a reader of ``seq > cursor`` would skip rows that commit late), heads
compared and swapped, tiles and bundles written. Whatever changed in between makes the commit a :class:`Conflict`, and
nothing was written.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import MINUTE_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken
from holdfast.kit.ids import new_id
from holdfast.spine.ledger import store
from holdfast.spine.ledger.growth import Edge, PendingLeaf, State, grow, grow_in_order
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.tiles import WIDTH, edge_of
from holdfast.spine.ledger.tree import EMPTY_ROOT
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.ledger.growth import Growth
    from holdfast.spine.ledger.lease import Lease

MOST_LEAVES: Final = 1024  # the write transaction takes about 10 ms; four times as many, 50 ms
_IDS_PER_DELETE: Final = 512
ALWAYS_SURE_US: Final = 2**62
_BEFORE_US: Final = MINUTE_US  # what ended just before a step is doubted, too
VANISHED: Final = "ledger.pending_vanished"


class Claim(NamedTuple):
    """One log's share of a batch: where it stands, its edge, and the leaves that wait."""

    state: State
    edge: Edge
    leaves: tuple[PendingLeaf, ...]


def load(*, most: int = MOST_LEAVES, without: Iterable[str] = ()) -> Work[tuple[Claim, ...]]:
    """Read the oldest pending leaves and the edges of their logs, except of the logs named ``without``.

    Raises :class:`Conflict` when a log moved while it was read.
    """
    (rows,) = yield Round(data=(store.PENDING(most=most, without=[*without, ""]),))
    leaves: dict[str, list[PendingLeaf]] = {}
    for row_id, log, at_us, entry in rows:
        leaves.setdefault(log, []).append(PendingLeaf(row_id, at_us, bytes(entry)))
    states = yield from _states(tuple(leaves))
    claims = []
    for log, waiting in leaves.items():
        edge = yield from _edge(states[log])
        claims.append(Claim(states[log], edge, tuple(waiting)))
    return tuple(claims)


def _states(logs: Sequence[str]) -> Work[dict[str, State]]:
    answers = yield Round(data=tuple(store.TREE(log=log) for log in logs))
    return {
        log: State(log, rows[0][0], bytes(rows[0][1]), rows[0][2]) if rows else State.new(log)
        for log, rows in zip(logs, answers, strict=True)
    }


def _edge(state: State) -> Work[Edge]:
    """The right side of a log.

    A missing or narrow row is reported as it is: :func:`grow` then finds that it does not fit. A row wider than the
    head says is a log that another sequencer moved on.
    """
    expected = edge_of(state.size)
    queries = [store.TILE(log=state.log, level=tile.level, n=tile.n) for tile in expected]
    bundle_width = state.size % WIDTH
    if bundle_width:
        queries.append(store.BUNDLE(log=state.log, n=state.size // WIDTH))
    answers = yield Round(data=tuple(queries))
    tiles: dict[int, bytes] = {}
    for tile, rows in zip(expected, answers, strict=False):
        if rows and rows[0][0] > tile.width:
            raise Conflict(f"log {state.log} moved while it was read", code="log_moved")
        tiles[tile.level] = bytes(rows[0][1]) if rows else b""
    if not bundle_width or not answers[-1]:
        return Edge(tiles)
    width, body = answers[-1][0]
    if width > bundle_width:
        raise Conflict(f"log {state.log} moved while it was read", code="log_moved")
    return Edge(tiles, bytes(body))


def plan(claims: Iterable[Claim]) -> tuple[tuple[Growth, ...], dict[str, str]]:
    """Hash a batch.

    Returns the logs that grow, and those that must not with the reason: a log that was tampered with does not hold up
    the rest.
    """
    growths: list[Growth] = []
    broken: dict[str, str] = {}
    for claim in claims:
        try:
            growths.append(grow(claim.state, claim.edge, claim.leaves))
        except IntegrityBroken as error:
            broken[claim.state.log] = error.message
    return tuple(growths), broken


def commit(
    growths: Sequence[Growth], lease: Lease, now_us: int, *, gapless: bool = True
) -> Work[int]:
    """Write a batch; to be run in one write transaction. :class:`Conflict` when anything moved since :func:`load`.

    Returns how many pending rows have vanished without being claimed; the house log says so too. On SQLite their ids
    are ``gapless``, since a transaction that is rolled back gives its ids back; on PostgreSQL each connection counts.
    """
    ids = [row_id for growth in growths for row_id in growth.claimed]
    claimed = yield from lease.check()
    if gapless:
        vanished = yield from _vanished_ids(lease, claimed, max(ids, default=0))
    else:
        vanished = yield from _vanished_from_lanes()
    yield from take_away(ids)
    if vanished > 0:
        body = {"signal": VANISHED, "subject": "", "count": vanished}
        leaf = Leaf(LeafType.SIGNAL_RAISED, new_id(LEAF, now_us), now_us, body)
        yield Round(data=(append(HOUSE_LOG, leaf),))
    planted = tuple(
        store.PLANT(log=growth.before.log, root=EMPTY_ROOT)
        for growth in growths
        if growth.before.size == 0
    )
    swaps = tuple(_swap(growth) for growth in growths)
    writes = tuple(query for growth in growths for query in _writes(growth))
    answers = yield Round(data=planted + swaps + writes)
    swapped = answers[len(planted) : len(planted) + len(swaps)]
    for growth, rows in zip(growths, swapped, strict=True):
        if not rows:
            raise Conflict(f"log {growth.before.log} moved meanwhile", code="log_moved")
    return vanished


def _vanished_ids(lease: Lease, claimed: int, upto: int) -> Work[int]:
    if upto <= claimed:
        return 0
    (rows, _) = yield Round(
        data=(
            store.COUNT_PENDING(above=claimed, upto=upto),
            store.CLAIMED(name=lease.name, claimed=upto),
        )
    )
    return upto - claimed - int(rows[0][0])


def _vanished_from_lanes() -> Work[int]:
    """What is missing is told once: it counts as placed from then on."""
    (rows,) = yield Round(data=(store.MISSING(),))
    if rows:
        yield Round(data=tuple(store.PLACED(lane=lane, count=missing) for lane, missing in rows))
    return sum(missing for _, missing in rows if missing > 0)


def take_away(ids: Sequence[int]) -> Work[None]:
    """Take pending rows out of the queue, as placed; :class:`Conflict` when one is gone."""
    chunks = [ids[at : at + _IDS_PER_DELETE] for at in range(0, len(ids), _IDS_PER_DELETE)]
    answers = yield Round(data=tuple(store.CLAIM(ids=chunk) for chunk in chunks))
    if sum(len(rows) for rows in answers) != len(ids):
        raise Conflict("a pending leaf was claimed by another", code="leaf_claimed")
    lanes = Counter(lane for rows in answers for _, lane in rows if lane is not store.NO_LANE)
    if lanes:
        counted = sorted(lanes.items())
        yield Round(data=tuple(store.PLACED(lane=lane, count=many) for lane, many in counted))


def _swap(growth: Growth) -> Query:
    before, after = growth.before, growth.after
    return store.GROW(
        log=after.log,
        size=after.size,
        root=after.root,
        last_us=after.last_us,
        from_size=before.size,
        from_root=before.root,
    )


def _writes(growth: Growth) -> Iterable[Query]:
    log = growth.after.log
    for tile in growth.tiles:
        yield store.PUT_TILE(log=log, **tile._asdict())
    for bundle in growth.bundles:
        yield store.PUT_BUNDLE(log=log, **bundle._asdict())


def put_back(state: State, leaves: Sequence[PendingLeaf]) -> Work[State]:
    """Append leaves that stood in the log already, in the order of their ids, and return the head; no lease is asked.

    For recovery, in one write transaction, while nobody else writes. :class:`IntegrityBroken` when the log's edge is
    not that of ``state``, :class:`Conflict` when the head is another.
    """
    edge = yield from _edge(state)
    growth = grow_in_order(state, edge, leaves)
    planted = (store.PLANT(log=state.log, root=EMPTY_ROOT),) if state.size == 0 else ()
    answers = yield Round(data=(*planted, _swap(growth), *_writes(growth)))
    if not answers[len(planted)]:
        raise Conflict(f"log {state.log} moved meanwhile", code="log_moved")
    return growth.after


def heads() -> Work[tuple[State, ...]]:
    """All committed heads."""
    (rows,) = yield Round(data=(store.TREES(),))
    return tuple(State(log, size, bytes(root), last_us) for log, size, root, last_us in rows)


def has_pending(without: Mapping[str, str]) -> Work[bool]:
    """Tell whether a leaf waits, except of the logs named ``without``."""
    (rows,) = yield Round(data=(store.ANY_PENDING(without=[*without, ""]),))
    return bool(rows)


def newest_leaf_us() -> Work[int]:
    """Time of the newest committed leaf of all logs, the lower bound of every clock (SPINE 24); 0 if none.

    Asked inside a write transaction, it is what a leaf of this transaction must not lie before: then no log that the
    leaf goes to holds a later one, and the sequencer never has to lift it.
    """
    return (yield from moment()).newest_us


class Moment(NamedTuple):
    """What every clock of the house has to know: the newest leaf, the last tick, and a step nobody has confirmed."""

    newest_us: int
    tick_us: int
    stepped_us: int
    by_s: int

    @property
    def sure_until_us(self) -> int:
        """Until when the time was sure: shortly before the step; for ever when none is known."""
        if not self.stepped_us:
            return ALWAYS_SURE_US
        return sure_before(self.stepped_us, self.by_s * SECOND_US)


def sure_before(seen_us: int, by_us: int) -> int:
    """Until when the time was sure, where a step by so much was seen at ``seen_us``."""
    return seen_us - max(0, by_us) - _BEFORE_US


def sure_us(now_us: int) -> Work[int]:
    """Return the time by which a restriction may end: now, or while the clock is in doubt when it last was not."""
    return min(now_us, (yield from moment()).sure_until_us)


def moment() -> Work[Moment]:
    """Read it; see :func:`newest_leaf_us`."""
    (rows,) = yield Round(data=(store.NEWEST(),))
    placed, pending, ticked, stepped, by_s = rows[0]
    return Moment(max(placed or 0, pending or 0), ticked or 0, stepped or 0, by_s or 0)
