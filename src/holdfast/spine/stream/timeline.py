"""Where a log names somebody or something: one person's, one customer's, one decision's leaves without reading all.

The index holds references, places and times, nothing else. What a leaf says is read from the log, compared with the
tree, when it is asked for: a row that somebody slipped in shows by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger import store as ledger
from holdfast.spine.ledger.tiles import WIDTH
from holdfast.spine.stream import store
from holdfast.spine.stream.reading import ALTERED, leaves_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.stream.follower import Place

NAME: Final = "timeline"
VERSION: Final = 1
CLEARS: Final = store.CLEARS_TIMELINE
NEWEST: Final = 2**62
#: Fields that name persons, credentials, customers, contacts, decisions and what else has an id of its own.
FIELDS: Final = (
    *("by", "second", "person", "requester", "lead", "token", "service"),
    *("customer", "customers", "contact", "decision", "proof"),
    *(
        "approval",
        "glass",
        "act",
        "export",
        "hold",
        "provisional",
        "outage",
        "operation",
        "challenge",
        "subject",
    ),
)
#: Prefixes of references and ids; a service's name or the code of an operation is neither.
_PREFIXES: Final = frozenset(
    (
        "p",
        "t",
        "c",
        "ct",
        "crd",
        "dec",
        "apr",
        "gls",
        "act",
        "exp",
        "hld",
        "prv",
        "out",
        "op",
        "stp",
    )
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One leaf of a timeline, newest first."""

    index: int
    leaf: Mapping[str, Any]


class Page(NamedTuple):
    """Some leaves, the index to go on ``before`` (None: there are no more), and how far the index has read the log."""

    leaves: tuple[Shown, ...]
    before: int | None
    indexed: int
    size: int


def fold(leaf: Mapping[str, Any], place: Place) -> Iterator[Query]:
    """Note each reference that the leaf names."""
    at_us, kind = parse_rfc3339(leaf["time"]), leaf["type"]
    for ref in references(leaf):
        yield store.ADD_TO_TIMELINE(log=place.log, ref=ref, idx=place.index, at_us=at_us, type=kind)


def merge(queries: Sequence[Query]) -> tuple[Query, ...]:
    """Write many rows of one log by one statement."""
    whole = len(queries) // store.ROWS * store.ROWS
    many = (queries[at : at + store.ROWS] for at in range(0, whole, store.ROWS))
    return (*map(_many, many), *queries[whole:])


def _many(queries: Sequence[Query]) -> Query:
    params: dict[str, Any] = {"log": queries[0].params["log"]}
    for number, query in enumerate(queries):
        params |= {
            f"{name}_{number}": value for name, value in query.params.items() if name != "log"
        }
    return store.ADD_MANY_TO_TIMELINE(**params)


def references(leaf: Mapping[str, Any]) -> dict[str, None]:
    """Return what the leaf names, each once, in the order of its fields."""
    found: dict[str, None] = {}
    for field in FIELDS:
        value = leaf.get(field)
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str) and one.partition("_")[0] in _PREFIXES and "_" in one:
                found[one] = None
    return found


def timeline(
    log: str, ref: str, *, before: int | None = None, since_us: int = 0, most: int = 50
) -> Work[Page]:
    """Return the newest leaves of ``log`` that name ``ref``, those before index ``before`` if it is given.

    :class:`IntegrityBroken` when one of them is not as the tree has it, or does not name ``ref``.
    """
    asked = store.TIMELINE(
        log=log, ref=ref, before=NEWEST if before is None else before, since_us=since_us, most=most
    )
    rows, trees, positions = yield Round(
        data=(asked, ledger.TREE(log=log), store.POSITIONS(subscriber=NAME))
    )
    at = next((row[2] for row in positions if row[0] == log and not row[4]), 0)
    leaves = yield from _leaves(log, ref, [row[0] for row in rows])
    further = rows[-1][0] if len(rows) == most else None
    return Page(leaves, further, at, trees[0][0] if trees else 0)


def _leaves(log: str, ref: str, indexes: list[int]) -> Work[tuple[Shown, ...]]:
    """Read the leaves, each bundle once."""
    shown: list[Shown] = []
    for n, few in groupby(indexes, lambda index: index // WIDTH):
        for index, entry in (yield from leaves_in(log, n, list(few))):
            leaf = msgspec.json.decode(entry, type=dict[str, Any])
            if ref not in references(leaf):
                raise IntegrityBroken(
                    f"the timeline names leaf {index} of log {log}, which does not name {ref}",
                    remedy="holdfast stream rebuild timeline",
                    code=ALTERED,
                )
            shown.append(Shown(index, leaf))
    return tuple(shown)
