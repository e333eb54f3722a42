"""What a batch of leaves does to a log: pure, so that all hashing happens outside the write transaction (SPINE 20).

A log grows from its *edge*: the partial tiles and the partial bundle at its right side. Before anything is added, the
edge must give the root that the head promises, and the bundle's entries the hashes of the tile over them: a log that
was edited at its edge does not grow any further.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.entries import MOST_LATE_US
from holdfast.spine.ledger.tiles import (
    HEIGHT,
    WIDTH,
    decode_bundle,
    edge_of,
    encode_bundle,
    hashes_of,
    root_from_edge,
    split_hashes,
)
from holdfast.spine.ledger.tree import EMPTY_ROOT, subtree_root

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class State(NamedTuple):
    """The committed head of a log; ``last_us`` is the latest time of its leaves."""

    log: str
    size: int
    root: bytes
    last_us: int

    @classmethod
    def new(cls, log: str) -> State:
        """The empty log."""
        return cls(log, 0, EMPTY_ROOT, 0)


class Edge(NamedTuple):
    """The right side of a log: partial tiles by level, and the partial bundle."""

    tiles: Mapping[int, bytes]
    bundle: bytes = b""


class PendingLeaf(NamedTuple):
    """A leaf without an index."""

    id: int
    at_us: int
    entry: bytes


class GrownTile(NamedTuple):
    """A hash tile to write."""

    level: int
    n: int
    width: int
    body: bytes


class GrownBundle(NamedTuple):
    """An entry bundle to write."""

    n: int
    width: int
    body: bytes
    last_us: int


class Growth(NamedTuple):
    """A log before and after a batch, and what has to be written for it."""

    before: State
    after: State
    claimed: tuple[int, ...]
    tiles: tuple[GrownTile, ...]
    bundles: tuple[GrownBundle, ...]
    lifted: int  # leaves whose time was lifted to the latest before


def grow(state: State, edge: Edge, leaves: Sequence[PendingLeaf]) -> Growth:
    """Add ``leaves``, in the order of their times; :class:`IntegrityBroken` when the edge is not that of ``state``."""
    return grow_in_order(state, edge, sorted(leaves, key=lambda leaf: (leaf.at_us, leaf.id)))


def grow_in_order(state: State, edge: Edge, ordered: Sequence[PendingLeaf]) -> Growth:
    """Add leaves as they come; else as :func:`grow`."""
    levels = _checked_edge(state, edge)
    entries, times, lifted = _in_time(ordered, state.last_us)
    tiles = _grow_tiles(state.size, levels, hashes_of(entries))
    size = state.size + len(entries)
    root = root_from_edge([levels[tile.level] for tile in edge_of(size)])
    return Growth(
        before=state,
        after=State(state.log, size, root, times[-1] if times else state.last_us),
        claimed=tuple(leaf.id for leaf in ordered),
        tiles=tiles,
        bundles=_grow_bundles(state.size, edge, entries, times),
        lifted=lifted,
    )


def _checked_edge(state: State, edge: Edge) -> dict[int, list[bytes]]:
    """The hashes of the partial tiles by level, once they are known to be what ``state`` says."""
    expected = edge_of(state.size)
    levels = {tile.level: split_hashes(edge.tiles.get(tile.level, b"")) for tile in expected}
    if any(len(levels[tile.level]) != tile.width for tile in expected):
        raise IntegrityBroken(f"log {state.log}: its last tiles do not fit its size")
    root = root_from_edge([levels[tile.level] for tile in expected]) if expected else EMPTY_ROOT
    if root != state.root:
        raise IntegrityBroken(f"log {state.log}: its last tiles do not give its root")
    under = levels.get(0, [])
    if hashes_of(decode_bundle(edge.bundle)) != under:
        raise IntegrityBroken(f"log {state.log}: its last entries are not those under its tiles")
    return levels


def _in_time(ordered: Sequence[PendingLeaf], last_us: int) -> tuple[list[bytes], list[int], int]:
    """Entries, and the latest time up to each: a leaf that is too late is lifted to the latest before it (SPINE 24)."""
    entries, times = [], []
    lifted = 0
    for leaf in ordered:
        if leaf.at_us < last_us - MOST_LATE_US:
            entries.append(_lifted(leaf.entry, last_us))
            lifted += 1
        else:
            last_us = max(last_us, leaf.at_us)
            entries.append(leaf.entry)
        times.append(last_us)
    return entries, times, lifted


def _lifted(entry: bytes, at_us: int) -> bytes:
    try:
        return canonical_json({**json.loads(entry), "time": rfc3339(at_us)})
    except (ValueError, TypeError):
        raise IntegrityBroken("a pending leaf is not JSON") from None


def _grow_tiles(
    size: int, levels: dict[int, list[bytes]], hashes: list[bytes]
) -> tuple[GrownTile, ...]:
    """Add leaf hashes; ``levels`` is left as the new edge."""
    grown: list[GrownTile] = []
    level = 0
    while hashes:
        row = levels.get(level, []) + hashes
        n = (size >> (HEIGHT * level)) // WIDTH
        hashes = []
        while len(row) >= WIDTH:
            full, row = row[:WIDTH], row[WIDTH:]
            grown.append(GrownTile(level, n, WIDTH, b"".join(full)))
            hashes.append(subtree_root(full))
            n += 1
        if row:
            grown.append(GrownTile(level, n, len(row), b"".join(row)))
        levels[level] = row
        level += 1
    return tuple(grown)


def _grow_bundles(
    size: int, edge: Edge, entries: Sequence[bytes], times: Sequence[int]
) -> tuple[GrownBundle, ...]:
    grown = []
    at = 0
    while at < len(entries):
        n, width = divmod(size + at, WIDTH)
        taken = min(WIDTH - width, len(entries) - at)
        added = encode_bundle(entries[at : at + taken])
        body = edge.bundle + added if width else added
        grown.append(GrownBundle(n, width + taken, body, times[at + taken - 1]))
        at += taken
    return tuple(grown)
