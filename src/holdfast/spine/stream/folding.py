"""From leaves to what is to be written. Pure: it runs before the transaction begins (SPINE 20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.kit.errors import HoldfastError
from holdfast.spine.stream.follower import Place
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.kit.db import Query
    from holdfast.spine.stream.follower import Follower
    from holdfast.spine.stream.reading import Verified

NOT_JSON: Final = "not_json"
_decode: Final[Callable[[bytes], dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any]).decode


class Folded(NamedTuple):
    """What leaves come to, a list of queries for each.

    ``ends``: with the last of them, all that was kept of the log is to go. ``failed`` is the code by which the leaf
    behind them could not be taken, or "".
    """

    writes: tuple[tuple[Query, ...], ...]
    ends: bool = False
    failed: str = ""


def folded(follower: Follower, log: str, given: Verified) -> Folded:
    """Fold leaves up to the first that cannot be taken, or to the one that says that the client was erased."""
    writes: list[tuple[Query, ...]] = []
    for index, entry in enumerate(given.entries, given.first):
        try:
            leaf = _decode(entry)
            kind = leaf["type"]
            wanted = follower.wants(kind)
            writes.append(tuple(follower.fold(leaf, Place(log, index))) if wanted else ())
        except Exception as error:  # noqa: BLE001  whatever a subscriber stumbles over, the others go on
            return Folded(tuple(writes), failed=code_of(error))
        if kind == LeafType.CLIENT_SHREDDED and log != HOUSE_LOG:
            return Folded(tuple(writes), ends=True)
    return Folded(tuple(writes))


def merged(follower: Follower, writes: Iterable[Sequence[Query]]) -> tuple[Query, ...]:
    """All queries of many leaves, as few as the subscriber can do with."""
    flat = [query for one in writes for query in one]
    return tuple(follower.merge(flat)) if follower.merge else tuple(flat)


def code_of(error: Exception) -> str:
    """What is kept of an error: never its text, which could hold a value."""
    if isinstance(error, msgspec.DecodeError):
        return NOT_JSON
    return error.code if isinstance(error, HoldfastError) else type(error).__name__
