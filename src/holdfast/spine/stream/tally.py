"""How much happened: looks, refusals by rule, signals, and what else, by day and log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.clock import DAY_US, parse_rfc3339
from holdfast.kit.db import Round
from holdfast.spine.stream import store
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.stream.follower import Place

NAME: Final = "tally"
VERSION: Final = 1
CLEARS: Final = store.CLEARS_TALLY
#: Of which a count says how many equal ones a leaf stands for. A signal's count is a figure of its own.
_FOLDED: Final = frozenset({LeafType.DECISION_MADE.value})
_WHAT: Final = ("op", "act", "signal", "action", "kind")


@dataclass(frozen=True, slots=True)
class Counted:
    """So many of a kind on one day. ``rule`` is "" where each leaf counts once, else the rule that it names."""

    day: int
    type: str
    what: str
    outcome: str
    rule: str
    count: int


def fold(leaf: Mapping[str, Any], place: Place) -> Iterator[Query]:
    """Count the leaf, and each rule that it names."""
    kind = leaf["type"]
    what = next((leaf[field] for field in _WHAT if isinstance(leaf.get(field), str)), "")
    if kind == LeafType.ACTION_REPORTED:
        what = ""  # ``act`` is the id of a permit there
    outcome = leaf.get("outcome", "")
    count = leaf["count"] if kind in _FOLDED else 1
    for rule in dict.fromkeys(("", *leaf.get("rules", ()))):
        yield store.COUNT(
            log=place.log,
            day=parse_rfc3339(leaf["time"]) // DAY_US,
            type=kind,
            what=what,
            outcome=outcome,
            rule=rule,
            count=count,
        )


def merge(queries: Sequence[Query]) -> tuple[Query, ...]:
    """Add up what counts the same: a row is written once for many leaves."""
    sums: dict[tuple[Any, ...], int] = {}
    for query in queries:
        *key, count = query.params.values()
        sums[tuple(key)] = sums.get(tuple(key), 0) + count
    names = ("log", "day", "type", "what", "outcome", "rule")
    return tuple(
        store.COUNT(**dict(zip(names, key, strict=True)), count=count)
        for key, count in sorted(sums.items())
    )


def tally(log: str, *, since_day: int) -> Work[tuple[Counted, ...]]:
    """Return what was counted in ``log`` from a day on; days are counted since the epoch."""
    (rows,) = yield Round(data=(store.TALLY(log=log, since_day=since_day),))
    return tuple(Counted(*row) for row in rows)
