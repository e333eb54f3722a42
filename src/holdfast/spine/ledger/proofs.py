"""Proofs from the committed tiles: where a leaf stands, that it is in the log, that a log continues another.

A proof is a Work: it plans which hashes it needs, asks for their tiles in one round, and puts them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import HOUR_US
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, NotFound, Unavailable
from holdfast.spine.ledger import store
from holdfast.spine.ledger.checkpoint import base64_text, from_base64, parse_head
from holdfast.spine.ledger.entries import leaf_id_of, time_of_id
from holdfast.spine.ledger.note import open_checkpoint, parse_note
from holdfast.spine.ledger.tiles import (
    WIDTH,
    cut,
    decode_bundle,
    edge_of,
    node_reader,
    root_from_edge,
    split_hashes,
    tile_of,
)
from holdfast.spine.ledger.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    Plan,
    consistency_plan,
    inclusion_holds,
    inclusion_plan,
    leaf_hash,
    proof_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.kit.db import Work
    from holdfast.spine.ledger.checkpoint import Head
    from holdfast.spine.ledger.note import VerifierKey
    from holdfast.spine.ledger.tiles import Tile

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
_NEAR: Final = 2
_AT_ONCE: Final = 16
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Located:
    """A sequenced leaf."""

    index: int
    entry: bytes


def inclusion(log: str, index: int, size: int) -> Work[tuple[bytes, ...]]:
    """Proof that leaf ``index`` is in the tree of ``size``; ``ValueError`` when it is not inside."""
    return (yield from _proof(log, size, inclusion_plan(index, size)))


def consistency(log: str, old: int, new: int) -> Work[tuple[bytes, ...]]:
    """Proof that the tree of ``new`` leaves begins with that of ``old``; ``ValueError`` unless 0 < old ≤ new."""
    return (yield from _proof(log, new, consistency_plan(old, new)))


def root_at_edge(log: str, size: int) -> Work[bytes]:
    """The root that the committed tiles give for the tree of ``size``."""
    edge = edge_of(size)
    if not edge:
        return EMPTY_ROOT
    bodies = yield from _bodies(log, edge)
    return root_from_edge([split_hashes(bodies[tile]) for tile in edge])


def _proof(log: str, size: int, plan: Plan) -> Work[tuple[bytes, ...]]:
    needed = sorted({tile_of(node, size) for nodes in plan for node in nodes})
    bodies = yield from _bodies(log, needed)
    return proof_from(plan, node_reader(size, bodies.__getitem__))


def _bodies(log: str, tiles: Sequence[Tile]) -> Work[dict[Tile, bytes]]:
    asked = tuple(store.TILE(log=log, level=tile.level, n=tile.n) for tile in tiles)
    answers = yield Round(data=asked)
    bodies = {}
    for tile, rows in zip(tiles, answers, strict=True):
        if not rows:
            raise IntegrityBroken(f"log {log}: {tile.path} is missing")
        bodies[tile] = cut(tile, bytes(rows[0][1]))
    return bodies


def locate(log: str, leaf_id: str) -> Work[Located | None]:
    """Find a sequenced leaf by its id.

    It stands where the time in its id says, or, when it was lifted, further on.
    """
    at_us = time_of_id(leaf_id)
    if at_us is None:
        return (yield from _search(log, leaf_id, 0))
    near = yield from _bundle_at(log, at_us)
    if near is not None:
        asked = store.BUNDLES_FROM(log=log, n=near, most=_NEAR)
        (rows,) = yield Round(data=(asked,))
        if found := _found_in(rows, leaf_id):
            return found
    # An id may have been made a little later than the time that its leaf states.
    first = yield from _bundle_at(log, at_us - HOUR_US)
    return None if first is None else (yield from _search(log, leaf_id, first))


def _bundle_at(log: str, at_us: int) -> Work[int | None]:
    """The first bundle that reaches ``at_us``; ``None`` when the whole log lies before."""
    (rows,) = yield Round(data=(store.BUNDLE_AT(log=log, at_us=at_us),))
    return int(rows[0][0]) if rows else None


def _search(log: str, leaf_id: str, n: int) -> Work[Located | None]:
    while True:
        (rows,) = yield Round(data=(store.BUNDLES_FROM(log=log, n=n, most=_AT_ONCE),))
        if found := _found_in(rows, leaf_id):
            return found
        if len(rows) < _AT_ONCE:
            return None
        n = rows[-1][0] + 1


def _found_in(rows: Iterable[tuple[int, int, bytes]], leaf_id: str) -> Located | None:
    needle = leaf_id.encode()
    for n, _width, body in rows:
        if needle in bytes(body):  # most bundles are not the one: looking is cheaper than parsing
            for at, entry in enumerate(decode_bundle(bytes(body))):
                if needle in entry and leaf_id_of(entry) == leaf_id:
                    return Located(n * WIDTH + at, entry)
    return None


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that shows offline that a leaf is in a signed log."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def text(self) -> str:
        """The proof as a C2SP ``.tlog-proof`` file."""
        lines = [PROOF_HEADER, f"index {self.index}", *map(base64_text, self.hashes), ""]
        return "\n".join(lines) + "\n" + self.checkpoint.decode()


def prove_leaf(log: str, leaf_id: str) -> Work[tuple[Proof, bytes]]:
    """Return the proof for a leaf under the newest signed checkpoint, and its entry.

    :class:`NotFound` for an id that is not in the log; :class:`Unavailable` when it waits for the next checkpoint.
    """
    located = yield from locate(log, leaf_id)
    (rows,) = yield Round(data=(store.CHECKPOINT(log=log),))
    if located is None:
        raise NotFound(
            "there is no such leaf in this log", remedy="A new leaf appears in a second."
        )
    if not rows or rows[0][0] <= located.index:
        raise Unavailable("the leaf waits for the next checkpoint", remedy="Try again in a second.")
    size, note, _at_us = rows[0]
    hashes = yield from inclusion(log, located.index, size)
    return Proof(located.index, hashes, bytes(note)), located.entry


def parse_proof(text: str) -> Proof:
    """Read a ``.tlog-proof`` file; :class:`IntegrityBroken` when it is malformed. ``extra`` is skipped."""
    top, gap, checkpoint = text.partition("\n\n")
    lines = top.split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    if not gap or lines[0] != PROOF_HEADER or len(lines) < 2:
        raise IntegrityBroken("this is no tlog-proof", code="malformed_proof")
    index = _INDEX.fullmatch(lines[1])
    hashes = [from_base64(line) for line in lines[2:]]
    if index is None:
        raise IntegrityBroken("a tlog-proof names an index", code="malformed_proof")
    if any(value is None or len(value) != HASH_BYTES for value in hashes) or len(hashes) > 63:
        raise IntegrityBroken("a tlog-proof holds hashes", code="malformed_proof")
    return Proof(int(index[1]), tuple(value for value in hashes if value), checkpoint.encode())


def check_proof(proof: Proof, entry: bytes, keys: Sequence[VerifierKey]) -> Head:
    """Verify that ``entry`` is in the log that one of ``keys`` signed, and return the log's head.

    :class:`IntegrityBroken` when it is not; :class:`NotAuthenticated` when none of the keys signed. Without keys only
    the proof itself is checked.
    """
    if keys:
        head, _ = open_checkpoint(proof.checkpoint, keys)
    else:
        head = parse_head(parse_note(proof.checkpoint).text)
    if not inclusion_holds(leaf_hash(entry), proof.index, head.size, proof.hashes, root=head.root):
        raise IntegrityBroken("the entry is not in this log at this index", code="not_included")
    return head
