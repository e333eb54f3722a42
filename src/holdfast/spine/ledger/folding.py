"""Equal refusals within a minute are one leaf, and one more that counts the rest (SPINE 23).

The first is written at once and in full. What equals it within :data:`WINDOW_US` is answered with the same decision
and leaf, and only counted; when the window is over, a leaf with the fields of the first says how many they were. The
count stands in the transaction of each refusal, so none is lost and none is counted that was not answered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.ledger import store
from holdfast.spine.ledger.recorder import append_entry, hash_of
from holdfast.vocabulary.ids import DECISION

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Work

WINDOW_US: Final = MINUTE_US
_MOST: Final = 200


class First(NamedTuple):
    """The refusal that others are folded into: its decision, its leaf and that leaf's hash."""

    decision: str
    leaf: str
    hash: bytes


def join(log: str, key: bytes, now_us: int) -> Work[First | None]:
    """Count one more refusal of this ``key`` and return the first; None when there is none in the last minute."""
    (rows,) = yield Round(data=(store.FOLD(log=log, key=key, since_us=now_us - WINDOW_US),))
    return First(rows[0][0], rows[0][1], bytes(rows[0][2])) if rows else None


def opens(key: bytes, decision: str, written: Query) -> Query:
    """Return the write that makes the leaf in ``written`` the first of its kind."""
    given = written.params
    return store.OPEN_FOLD(
        log=given["log"],
        key=key,
        opened_us=given["at_us"],
        since_us=given["at_us"] - WINDOW_US,
        decision=decision,
        leaf=given["leaf"],
        leaf_hash=hash_of(written),
        entry=given["entry"],
    )


def closing(log: str, key: bytes, now_us: int) -> Work[tuple[Query, ...]]:
    """Return the leaf that counts a window of this ``key`` that is over; nothing when there is nothing to count.

    Nobody else counts it: this transaction opens another in its place.
    """
    before_us = now_us - WINDOW_US
    (rows,) = yield Round(data=(store.FOLDED(log=log, key=key, before_us=before_us),))
    return tuple(_count(log, bytes(entry), count, now_us) for entry, count in rows if count)


def close_overdue(now_us: int) -> Work[int]:
    """Write the leaves of windows that are over, some at a time; returns how many windows were closed."""
    before_us = now_us - WINDOW_US
    (rows,) = yield Round(data=(store.CLOSE_FOLDS(before_us=before_us, most=_MOST),))
    writes = [_count(log, bytes(entry), count, now_us) for log, entry, count in rows if count]
    if writes:
        yield Round(data=tuple(writes))
    return len(rows)


def _count(log: str, entry: bytes, count: int, now_us: int) -> Query:
    leaf = new_id(DECISION, now_us)
    changed = {"id": leaf, "time": rfc3339(now_us), "count": count}
    return append_entry(log, leaf, now_us, canonical_json({**json.loads(entry), **changed}))
