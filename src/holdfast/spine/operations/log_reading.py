"""Reading what a log says of one reference, and how much it says of what: judged as the log's files are (SPINE 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.clock import DAY_US, rfc3339
from holdfast.spine.ledger.names import checked_log
from holdfast.spine.operations.decisions import may_read_log
from holdfast.spine.stream.tally import tally
from holdfast.spine.stream.timeline import timeline

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.identity.presented import Caller

MOST_LEAVES: Final = 50
MOST_DAYS: Final = 400


class TimelineLeaf(msgspec.Struct, frozen=True):
    """A leaf and its place in the log."""

    index: int
    leaf: dict[str, Any]


class Timeline(msgspec.Struct, frozen=True):
    """Leaves that name a reference, newest first.

    ``before`` is what the parameter of that name is to be for older ones, or null. ``unread`` is how many of the log's
    newest leaves the index has not read yet.
    """

    log: str
    reference: str
    leaves: tuple[TimelineLeaf, ...]
    before: int | None
    unread: int


class TallyLine(msgspec.Struct, frozen=True):
    """So many of a kind on one day (UTC). ``rule`` is empty where each leaf counts once."""

    day: str
    type: str
    what: str
    outcome: str
    rule: str
    count: int


class Tally(msgspec.Struct, frozen=True):
    """How much a log says of what, by day."""

    log: str
    lines: tuple[TallyLine, ...]


def read_timeline(
    house: House, caller: Caller, log: str, reference: str, *, before: int | None, most: int
) -> Work[Timeline]:
    """Return leaves that name ``reference``; :class:`NotFound` to who may not read the log."""
    yield from may_read_log(house, caller, log)
    page = yield from timeline(checked_log(log), reference, before=before, most=most)
    return Timeline(
        log=log,
        reference=reference,
        leaves=tuple(TimelineLeaf(one.index, dict(one.leaf)) for one in page.leaves),
        before=page.before,
        unread=max(0, page.size - page.indexed),
    )


def read_tally(house: House, caller: Caller, log: str, *, days: int) -> Work[Tally]:
    """Return the counts of the last days, today included; :class:`NotFound` to who may not read the log."""
    yield from may_read_log(house, caller, log)
    since_day = house.clock.now_us() // DAY_US - days + 1
    counted = yield from tally(checked_log(log), since_day=since_day)
    lines = (
        TallyLine(
            rfc3339(one.day * DAY_US)[:10], one.type, one.what, one.outcome, one.rule, one.count
        )
        for one in counted
    )
    return Tally(log, tuple(lines))
