"""Recovery from wherever it stands to its end: the states that the package describes, one after the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken, Unavailable
from holdfast.kit.files import fsync_folder
from holdfast.kit.ids import new_id
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.store import PERSON
from holdfast.spine.ledger import lease as leases
from holdfast.spine.ledger import store as ledger
from holdfast.spine.ledger.entries import leaf_id_of
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.growth import State
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.memory import Memory, Remembered
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.sequencer import heads, put_back, take_away
from holdfast.spine.recovery import store
from holdfast.spine.recovery.erasures import finish, unsettled
from holdfast.spine.recovery.leaves import is_listed
from holdfast.spine.recovery.redo import Gap, leaves_of, redo, told
from holdfast.spine.recovery.sources import BUNDLE, NONE, missing
from holdfast.spine.recovery.swap import end_swap, finish_swap, swap_under_way
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, RECOVERY, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from holdfast.kit.db import Query, Work
    from holdfast.spine.house import House
    from holdfast.spine.recovery.sources import Missing
    from holdfast.spine.recovery.swap import Swap

_HOLDER: Final = "recovery"


class Listed(NamedTuple):
    """A leaf that was not redone, for the operator to look at."""

    log: str
    at: int  # its index
    type: str
    says: str


class Consent(Protocol):
    """Asks for a second person's approval of exactly ``what``; returns who gave it, and raises where nobody has yet."""

    def __call__(self, house: House, what: Sequence[str], summary: dict[str, Any]) -> str:
        """Return the id of the second person."""
        ...


class _Asked(NamedTuple):
    """Who asked for the recovery, who approved it, and whether somebody has to before it ends."""

    by: str
    second: str
    asks: bool


class Recovered(NamedTuple):
    """What a recovery did. Without gaps there was nothing to do."""

    gaps: tuple[Gap, ...]
    listed: tuple[Listed, ...]


def recover(
    house: House,
    *,
    by: Callable[[House], str] = lambda _house: "",
    bundles: Sequence[Path] = (),
    losing: Sequence[str] = (),
    consent: Consent | None = None,
) -> Recovered:
    """Carry recovery to its end; the caller holds the house alone, and has not opened its stores yet.

    ``by`` says who asks for it, where no restore says so: the id of a person, or nothing. ``losing`` names
    logs whose signed end is given up if nobody has it. ``consent`` asks for a second person: for that, and at the end
    of a restore that could not ask one before, because the stores were lost.

    Raises :class:`IntegrityBroken` and :class:`InvalidInput` as :func:`missing` does, and then nothing was written;
    :class:`Conflict` when a worker elsewhere keeps the logs and leaves wait for their place, and then nothing was put
    back; :class:`Unavailable` when a reader holds up an erasure. Until it has ended, no check lets the house serve.
    """
    swap = swap_under_way(house.home)
    if swap is not None:
        finish_swap(house.settings, swap)
    house.floor_clock()
    _give_up(house)
    gaps = missing(house, bundles, losing=losing)
    second = swap.second if swap else ""
    second = second or _consent_to_loss(house, gaps, consent)
    asks = swap is not None and swap.asks and not second
    asked = _Asked(swap.by if swap else by(house), second, asks)
    house.transact(_put_back(house, swap, gaps, asked))
    _give_up(house)
    if swap is not None:
        end_swap(house.home)
    rows = house.read(_unfinished())
    for gap in rows:
        if gap.state == "put_back":
            house.transact(redo(house, gap))
    finish(house)
    for gap in rows:
        _set_aside(house, gap)
    _consent_to_end(house, consent)
    house.transact(_tell(house))
    return house.read(_recovered(rows[0].id)) if rows else Recovered((), ())


def _give_up(house: House) -> None:
    """Let the signer go on from what could be reached, where a longer head that it signed is given up for good.

    It stands written that this was decided; the memory follows, and after a crash in between, at the next run.
    """
    memory = Memory.open(house.home / FOLDER)
    states = {state.log: state for state in house.read(heads())}
    lowered: dict[str, Remembered] = {}
    for gap in house.read(_unfinished()):
        if not gap.lost:
            continue
        origin, state = house.signing_keys.origin(gap.log), states.get(gap.log, State.new(gap.log))
        given_up = Remembered(gap.lost_size, bytes(gap.lost_root), 0)
        known = memory.last(origin)
        if known is not None and known[:2] == given_up[:2]:
            lowered[origin] = Remembered(state.size, state.root, 0)
    if lowered:
        memory.set_back(lowered)


def _consent_to_loss(house: House, gaps: Sequence[Missing], consent: Consent | None) -> str:
    lost = [(gap, gap.lost) for gap in gaps if gap.lost is not None]
    if not lost:
        return ""
    what = [f"{gap.log} {head.size} {head.root.hex()}" for gap, head in lost]
    summary = {gap.log: f"leaves {gap.end.size} to {head.size}" for gap, head in lost}
    return _consented(house, consent, what, {"lost": summary})


def _consent_to_end(house: House, consent: Consent | None) -> None:
    """Let a second person agree, where the stores were lost that could have asked one before.

    What was narrowed in the gap is narrow again by now: whoever was suspended since the copy does not agree to it.
    """
    asking = [gap for gap in house.read(_unfinished()) if gap.asks]
    if not asking:
        return
    ident, by = asking[0].id, asking[0].by
    (others,) = house.read(_ask(store.OTHER_ADMINS(person=by)))
    summary = {"restored": {gap.log: f"to leaf {gap.to_size}" for gap in asking}}
    second = _consented(house, consent, [ident], summary) if others else ""
    house.transact(_ask(store.AGREED(id=ident, second=second)))


def _consented(
    house: House, consent: Consent | None, what: Sequence[str], summary: dict[str, Any]
) -> str:
    if consent is None:
        raise Unavailable("a second person has to agree to this recovery")
    return consent(house, what, summary)


def unfinished_recovery(house: House) -> str:
    """Say what of a recovery is unfinished, or nothing."""
    if swap_under_way(house.home) is not None:
        return "a copy is being put in the place of the stores"
    rows = house.read(_unfinished())
    if any(gap.asks and gap.state == "redone" for gap in rows):
        return "a second person has to approve it"
    return f"the gap of log {rows[0].log} is not worked through" if rows else ""


def last_recovery(house: House) -> Recovered:
    """Return what the newest recovery did."""
    (rows,) = house.read(_ask(store.NEWEST()))
    return house.read(_recovered(rows[0][0] or ""))


def _put_back(
    house: House, swap: Swap | None, gaps: Sequence[Missing], asked: _Asked
) -> Work[None]:
    """Write the missing leaves of all logs and note the gaps, in one transaction."""
    now_us = house.clock.now_us()
    states = {state.log: state for state in (yield from heads())}
    concerned = {gap.log: gap for gap in gaps}
    others = {client_log(one.client) for one in unsettled(house)}
    if swap is not None:
        others.add(HOUSE_LOG)
    (known,) = yield Round(data=(store.GAPS(id=swap.id if swap else ""),))
    unfinished = yield from _unfinished()
    if known or (not concerned and (unfinished or not others)):
        return
    ident = swap.id if swap else new_id(RECOVERY, now_us)
    if concerned:
        yield from _close_open_ends(now_us)
    for log in sorted({*concerned, *others}):
        before = states.get(log, State.new(log))
        gap = concerned.get(log)
        after, ids = (yield from _grown(house, gap)) if gap else (before, [])
        row = store.ADD_GAP(
            id=ident,
            log=log,
            source=gap.source if gap else NONE,
            person=asked.by,
            second=asked.second,
            asks=int(asked.asks),
            from_size=before.size,
            to_size=after.size,
            from_us=before.last_us,
            to_us=after.last_us,
            known=json.dumps(ids),
            lost_size=gap.lost.size if gap and gap.lost else 0,
            lost_root=gap.lost.root if gap and gap.lost else b"",
            at_us=now_us,
        )
        yield Round(data=(row,))


def _close_open_ends(now_us: int) -> Work[None]:
    yield Round(
        data=(
            store.END_CONTACTS(),
            store.END_ON_WORD(now_us=now_us),
            store.CLOSE_CHALLENGES(now_us=now_us),
            store.END_STEP_UPS(now_us=now_us),
            store.END_APPROVALS(now_us=now_us),
            store.END_GLASSES(now_us=now_us),
        )
    )


def _grown(house: House, gap: Missing) -> Work[tuple[State, list[str]]]:
    """Append the missing leaves; return the head, and the ids of those that had waited in the store for their place."""
    state = gap.before
    (waiting,) = yield Round(data=(store.PENDING_OF(log=gap.log),))
    rows = {leaf: row_id for row_id, leaf in waiting}
    placed: list[str] = []
    for leaves in gap.leaves():
        if leaves:
            state = yield from put_back(state, leaves)
        if rows:
            placed += [found for leaf in leaves if (found := leaf_id_of(leaf.entry)) in rows]
    if (state.size, state.root) != (gap.end.size, gap.end.root):
        raise IntegrityBroken(f"log {gap.log}: what was put back has another root")
    yield from _unqueue(house, [rows[leaf] for leaf in placed])
    return state, placed


def _unqueue(house: House, ids: Sequence[int]) -> Work[None]:
    """Take leaves that have their place out of the queue, and say that they were claimed: they did not vanish."""
    if not ids:
        return
    lease = yield from _lease(house)
    yield from take_away(ids)
    yield Round(data=(ledger.CLAIMED(name=leases.SEQUENCER, claimed=max(ids)),))
    yield from lease.released()


def _lease(house: House) -> Work[leases.Lease]:
    """Take the lease of who keeps the logs: what it has claimed must not be claimed again."""
    now_us, place = house.clock.now_us(), house.signing_keys.name
    try:
        return (yield from leases.take(leases.SEQUENCER, _HOLDER, place, now_us=now_us))
    except Conflict:
        raise Conflict(
            "a worker keeps the logs of this house, or did until a moment ago",
            remedy="Stop the workers on every host; one that was killed is given up after worker.lease_seconds."
            " Then: holdfast restore --repair",
            code=leases.LEASE_HELD,
        ) from None


def _set_aside(house: House, gap: Gap) -> None:
    """Published files that could not give the leaves are kept, and published anew from the store."""
    folder = log_folder(house.home, gap.log)
    if gap.source != BUNDLE or not folder.exists():
        return
    kept = house.home / f"replaced-{gap.id}"
    kept.mkdir(mode=0o700, exist_ok=True)
    if not (kept / folder.name).exists():
        folder.replace(kept / folder.name)
        fsync_folder(kept)


def _tell(house: House) -> Work[None]:
    """Write the leaves that state the gaps: from the commit of this transaction on, the house may serve."""
    now_us = house.clock.now_us()
    for gap in (yield from _unfinished()):
        if gap.state != "redone":
            raise Unavailable(f"the gap of log {gap.log} is not worked through")
        leaf = Leaf(
            LeafType.LOG_RESTORED,
            new_id(LEAF, now_us),
            now_us,
            {
                "by": (yield from reference_of_known(gap.by, gap.log)),
                "second": (yield from reference_of_known(gap.second, gap.log)),
                "from_size": gap.from_size,
                "to_size": gap.to_size,
                "from_time": rfc3339(gap.from_us) if gap.from_us else "",
                "to_time": rfc3339(gap.to_us) if gap.to_us else "",
                "source": gap.source,
                "erased": gap.erased,
                "narrowed": gap.narrowed,
                "not_redone": gap.not_redone,
                "lost": gap.lost,
                "lost_root": bytes(gap.lost_root).hex() if gap.lost else "",
            },
        )
        yield Round(data=(append(gap.log, leaf), store.TOLD(id=gap.id, log=gap.log, leaf=leaf.id)))


def reference_of_known(person: str, log: str) -> Work[str]:
    """What a log calls a person; empty for nobody, and for one whom the store does not know."""
    (rows,) = yield Round(data=(PERSON(id=person),))
    return (yield from reference_of(person, log)) if rows else ""


def _unfinished() -> Work[list[Gap]]:
    (rows,) = yield Round(data=(store.UNFINISHED(),))
    return [Gap(*row) for row in rows]


def _recovered(ident: str) -> Work[Recovered]:
    (rows,) = yield Round(data=(store.GAPS(id=ident),))
    gaps = [Gap(*row) for row in rows]
    listed: list[Listed] = []
    for gap in gaps:
        leaves = yield from leaves_of(gap)
        listed += [
            Listed(gap.log, index, leaf["type"], " ".join(told(leaf)))
            for index, leaf in leaves
            if is_listed(leaf)
        ]
    return Recovered(tuple(gaps), tuple(listed))


def _ask(*queries: Query) -> Work[Iterable[list[tuple[str]]]]:
    return (yield Round(data=queries))
