"""How far the subscribers are: for figures, for doctor, and for whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.db import Round
from holdfast.spine.ledger import store as ledger
from holdfast.spine.ledger.tiles import WIDTH, decode_bundle
from holdfast.spine.ledger.tree import HASH_BYTES
from holdfast.spine.stream import store
from holdfast.spine.stream.following import behind
from holdfast.spine.stream.reading import ALTERED, SET_BACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.db import Row, Work
    from holdfast.spine.stream.follower import Follower
    from holdfast.spine.stream.following import Behind

_MOST_TIMES: Final = (
    16  # logs whose oldest unread leaf is looked up, those that stand still longest
)


class Standing(NamedTuple):
    """How far one subscriber is: leaves unread in all logs and in the worst, and since when the oldest waits.

    ``stopped`` names logs that are not the ones it has followed.
    """

    name: str
    logs: int
    behind: int
    most_behind: int
    oldest_us: int  # time of the oldest unread leaf; 0 if there is none
    parked: int
    stopped: tuple[str, ...]

    def lag_us(self, now_us: int) -> int:
        """How old the oldest unread leaf is."""
        return max(0, now_us - self.oldest_us) if self.oldest_us else 0


def standings(followers: Sequence[Follower]) -> Work[tuple[Standing, ...]]:
    """Return how far each subscriber is."""
    todo = yield from behind(followers)
    trees, counts = yield Round(data=(ledger.TREES(), store.COUNT_PARKED()))
    parked: dict[str, int] = dict(counts)
    found = []
    for one in followers:
        own = [each for each in todo if each.follower is one]
        gaps = [_gap(each) for each in own]
        found.append(
            Standing(
                name=one.name,
                logs=sum(one.follows(row[0]) for row in trees),
                behind=sum(gaps),
                most_behind=max(gaps, default=0),
                oldest_us=(yield from _oldest(own)),
                parked=parked.get(one.name, 0),
                stopped=tuple(each.log for each in own if each.code in {SET_BACK, ALTERED}),
            )
        )
    return tuple(found)


def disagreements(followers: Sequence[Follower]) -> Work[tuple[tuple[str, str, str], ...]]:
    """Return subscriber, log and why, where a position does not stand in the log as it is."""
    found = []
    for one in followers:
        (rows,) = yield Round(data=(store.POSITIONS(subscriber=one.name),))
        for log, _version, at, last, _clearing, _code, size in rows:
            if at > size:
                found.append((one.name, log, f"was read up to {at}, and has {size} leaves"))
            elif at and not (yield from _stands(log, at - 1, bytes(last))):
                found.append(
                    (one.name, log, f"has another leaf {at - 1} than the one that was read")
                )
    return tuple(found)


def _gap(one: Behind) -> int:
    return max(0, one.size - one.next)


def _oldest(given: Sequence[Behind]) -> Work[int]:
    """Return the time of the oldest leaf that is unread."""
    waiting = sorted((one for one in given if _gap(one)), key=lambda one: one.moved_us)
    chosen = waiting[:_MOST_TIMES]
    answers = yield Round(
        data=tuple(ledger.BUNDLE(log=one.log, n=one.next // WIDTH) for one in chosen)
    )
    times = (_time(one, rows) for one, rows in zip(chosen, answers, strict=True))
    return min(filter(None, times), default=0)


def _time(one: Behind, rows: Sequence[Row]) -> int:
    """Return the time of the next leaf; 0 when it cannot be read, which is somebody else's finding."""
    try:
        entry = decode_bundle(bytes(rows[0][1]))[one.next % WIDTH]
        return parse_rfc3339(msgspec.json.decode(entry, type=dict[str, Any])["time"])
    except Exception:  # noqa: BLE001
        return 0


def _stands(log: str, index: int, expected: bytes) -> Work[bool]:
    n, at = divmod(index, WIDTH)
    (rows,) = yield Round(data=(ledger.TILE(log=log, level=0, n=n),))
    body = bytes(rows[0][1]) if rows else b""
    return body[at * HASH_BYTES : (at + 1) * HASH_BYTES] == expected
