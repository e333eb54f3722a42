"""The house's time across processes and restarts: its ticks, a wall clock that was set, and what must wait for it.

A clock that was set is told in the house's log and in each client's, because it may explain a refusal there. From then
on whatever depends on age is unknown, and nothing that destroys is begun, until an operator confirms the time
(SPINE 24). What destroys is begun only when it was due at two checks a day apart, by the time of leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import DAY_US, SECOND_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.kit.ids import new_id
from holdfast.spine.administration.scene import administer
from holdfast.spine.decision.store import CLIENTS
from holdfast.spine.ledger import store
from holdfast.spine.ledger.recorder import append, append_signal
from holdfast.spine.ledger.sequencer import moment
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House

APART_US: Final = DAY_US
_NEXT: Final = "horizon next"
_REACHED: Final = "horizon"


class Standing(NamedTuple):
    """How the house's time stands. ``stepped_us`` is when a step was seen that nobody has confirmed, or 0."""

    now_us: int
    newest_us: int
    tick_us: int
    stepped_us: int
    by_s: int


def standing(house: House) -> Work[Standing]:
    """Say how the time stands."""
    seen = yield from moment()
    return Standing(house.clock.now_us(), *seen)


def tick(house: House) -> Work[None]:
    """Keep the present time, so that no process of this house begins before it."""
    now_us, (boot, up_us) = house.clock.now_us(), house.clock.uptime()
    yield Round(data=(store.TICK(tick_us=now_us, boot=boot, boot_us=up_us),))


def begin(house: House) -> None:
    """Begin not before what is written, and tell of a clock that was set while nothing ran; before anything is served.

    A process that only looks may call :meth:`House.floor_clock` instead.
    """
    by_us = house.floor_clock()
    if by_us:
        house.transact(report_step(house, by_us))


def report_step(house: House, by_us: int) -> Work[bool]:
    """Tell that the wall clock was set by so much; False when a step is known that nobody has confirmed yet."""
    now_us = house.clock.now_us()
    by_s = round(by_us / SECOND_US)
    (rows,) = yield Round(data=(store.STEPPED(now_us=now_us, by_s=by_s),))
    if not rows:
        return False
    logs = yield from all_logs()
    way = "ahead" if by_us > 0 else "back"
    name = Signal.CLOCK_STEPPED
    told = [append_signal(log, name, now_us, subject=way, count=abs(by_s)) for log in logs]
    yield Round(data=tuple(told))
    yield from house.keep_time()  # from here on in this transaction, too
    return True


def confirm(house: House) -> Work[Standing]:
    """Confirm that the clock is right now; ages count again.

    Raises what :func:`administer` raises, and :class:`Conflict` when there is nothing to confirm.
    """
    scene = yield from administer(house, Act.CLOCK_CONFIRM)
    before = yield from standing(house)
    (rows,) = yield Round(data=(store.CONFIRMED(),))
    if not rows:
        raise Conflict("the clock was not set, or somebody has confirmed it", code="clock_is_sure")
    logs = yield from all_logs()
    for log in logs:
        by = yield from scene.acting.reference(log)
        body = {"by": by, "stepped": rfc3339(before.stepped_us)}
        leaf = Leaf(LeafType.CLOCK_CONFIRMED, new_id(LEAF, scene.now_us), scene.now_us, body)
        yield Round(data=(append(log, leaf),))
    return before


def all_logs() -> Work[list[str]]:
    """Return the house's log and every client's, for what concerns them all."""
    (rows,) = yield Round(data=(CLIENTS(),))
    return [HOUSE_LOG, *(client_log(row[0]) for row in rows)]


def may_destroy(house: House, what: str, due_us: int) -> Work[bool]:
    """Say whether something that is due may be destroyed now: it was due a day ago, too, by the time of leaves.

    ``what`` names the thing and when it became due, so that a later date begins anew. Never while the clock is in
    doubt, and not before a leaf says that it is due: a clock that jumped while nothing ran is not believed by itself.
    The first question is remembered; call :func:`destroyed` when it is done.
    """
    seen = yield from moment()
    if not house.time_is_sure or seen.newest_us < due_us:
        return False
    yield Round(data=(store.ADD_DUE(what=what, at_us=seen.newest_us),))
    (rows,) = yield Round(data=(store.DUE_SINCE(what=what),))
    return seen.newest_us - int(rows[0][0]) >= APART_US


def horizon(house: House) -> Work[int]:
    """Return the time before which whatever is over may be forgotten; 0 while the clock is in doubt.

    It was the time of the newest leaf at one check, and a later check found a leaf that is a day younger. So it lies
    one day or two behind, and a jump ahead, noticed or not, brings it no further than the last leaf before the jump.
    """
    if not house.time_is_sure:
        return 0
    seen = yield from moment()
    yield Round(data=(store.ADD_DUE(what=_NEXT, at_us=seen.newest_us),))
    following, reached = yield Round(
        data=(store.DUE_SINCE(what=_NEXT), store.DUE_SINCE(what=_REACHED))
    )
    first_us = int(following[0][0])
    if seen.newest_us - first_us < APART_US:
        return int(reached[0][0]) if reached else 0
    yield Round(
        data=(
            store.DROP_DUE(what=_REACHED),
            store.ADD_DUE(what=_REACHED, at_us=first_us),
            store.DROP_DUE(what=_NEXT),
            store.ADD_DUE(what=_NEXT, at_us=seen.newest_us),
        )
    )
    return first_us


def destroyed(what: str) -> Work[None]:
    """Forget that ``what`` was due."""
    yield Round(data=(store.DROP_DUE(what=what),))
