"""Appending a leaf: the one thing that an operation does to a log.

The query goes into the Round that writes the operation's own rows, so leaf and operation commit together or not at
all; the shell groups the commits of a turn. Take the leaf's time *inside* the transaction: leaves of one log must not
go back in time, and the sequencer lifts one that would to the time of the leaf before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.errors import TooLarge
from holdfast.kit.ids import new_id
from holdfast.spine.ledger.names import checked_log
from holdfast.spine.ledger.store import APPEND, NO_LANE
from holdfast.spine.ledger.tiles import MOST_ENTRY_BYTES
from holdfast.spine.ledger.tree import leaf_hash
from holdfast.vocabulary.ids import LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from holdfast.kit.db import Query


def append(log: str, leaf: Leaf) -> Query:
    """Return the write that appends ``leaf`` to ``log`` (``house`` or ``client-…``).

    Raises ``ValueError`` when the leaf's fields are not the declared ones, :class:`TooLarge` when its entry is longer
    than 65,535 bytes, and :class:`InvalidInput` for a name that no log can have.
    """
    return append_entry(log, leaf.id, leaf.at_us, leaf.entry())


def hash_of(written: Query) -> bytes:
    """Return the leaf hash (RFC 6962) of what :func:`append` is going to write."""
    return leaf_hash(written.params["entry"])


def append_signal(log: str, name: str, now_us: int, *, subject: str = "", count: int = 1) -> Query:
    """Return the write that tells ``log`` that something odd was seen."""
    body = {"signal": name, "subject": subject, "count": count}
    return append(log, Leaf(LeafType.SIGNAL_RAISED, new_id(LEAF, now_us), now_us, body))


def append_entry(log: str, leaf_id: str, at_us: int, entry: bytes) -> Query:
    """Return the write for bytes that are already a leaf's entry; the time in them is ``at_us``."""
    if len(entry) > MOST_ENTRY_BYTES:
        raise TooLarge(
            "a leaf's entry has at most 65,535 bytes",
            field="leaf",
            remedy="Store larger evidence beside the log and its commitment in the leaf.",
        )
    return APPEND(log=checked_log(log), leaf=leaf_id, at_us=at_us, entry=entry, lane=NO_LANE)
