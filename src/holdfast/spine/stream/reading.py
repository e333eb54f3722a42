"""Leaves as they stand in a log, each compared with the tree: what was altered since goes to nobody (DESIGN §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger import store as ledger
from holdfast.spine.ledger.tiles import WIDTH, decode_bundle
from holdfast.spine.ledger.tree import HASH_BYTES, leaf_hash

if TYPE_CHECKING:
    from holdfast.kit.db import Rows, Work

ALTERED: Final = "leaf_altered"
SET_BACK: Final = "log_set_back"
NOTHING: Final = b""  # the hash of the leaf before the first


class Verified(NamedTuple):
    """Leaves from ``first`` on, and their hashes."""

    first: int
    entries: tuple[bytes, ...]
    hashes: tuple[bytes, ...]


def leaves_after(log: str, position: int, size: int, *, last: bytes) -> Work[Verified]:
    """Return the leaves of one bundle from ``position`` on, each as the tree of ``size`` has it.

    They end before one that was altered; :class:`IntegrityBroken` if that is the first of them, if the log is shorter
    than ``position``, or if ``last`` is not the hash of the leaf before it.
    """
    if position > size:
        raise IntegrityBroken(f"log {log} has fewer leaves than were read of it", code=SET_BACK)
    n = position // WIDTH
    asked = (
        ledger.TILE(log=log, level=0, n=n),
        ledger.BUNDLE(log=log, n=n),
        ledger.TILE(log=log, level=0, n=max(0, n - 1)),
    )
    tile, bundle, before = yield Round(data=asked)
    begin, end = position % WIDTH, min(WIDTH, size - n * WIDTH)
    row = hashes_of(tile, end)
    if position and (row[begin - 1] if begin else hashes_of(before, WIDTH)[-1]) != last:
        raise IntegrityBroken(f"log {log} is another than the one that was read", code=SET_BACK)
    entries = decode_bundle(bytes(bundle[0][1])) if bundle else []
    found = tuple(_intact(entries[begin:end], row[begin:end]))
    if not found and begin < end:
        raise IntegrityBroken(f"leaf {position} of log {log} was altered", code=ALTERED)
    return Verified(position, found, tuple(row[begin : begin + len(found)]))


def leaf_at(log: str, index: int) -> Work[bytes]:
    """Return one leaf's entry, compared with the tree; :class:`IntegrityBroken` when it was altered or is missing."""
    n, at = divmod(index, WIDTH)
    tile, bundle = yield Round(
        data=(ledger.TILE(log=log, level=0, n=n), ledger.BUNDLE(log=log, n=n))
    )
    return entry_in(log, index, tile=hashes_of(tile, at + 1), bundle=bundle)


def entry_in(log: str, index: int, *, tile: list[bytes], bundle: Rows) -> bytes:
    """Return the entry of a leaf from its bundle, compared with its hash in the tile."""
    at = index % WIDTH
    entries = decode_bundle(bytes(bundle[0][1])) if bundle else []
    if at >= min(len(entries), len(tile)) or leaf_hash(entries[at]) != tile[at]:
        raise IntegrityBroken(f"leaf {index} of log {log} was altered", code=ALTERED)
    return entries[at]


def _intact(entries: list[bytes], hashes: list[bytes]) -> list[bytes]:
    """Return the entries up to the first that does not have its hash."""
    for at, (entry, expected) in enumerate(zip(entries, hashes, strict=False)):
        if leaf_hash(entry) != expected:
            return entries[:at]
    return entries


def hashes_of(tile: Rows, width: int) -> list[bytes]:
    """Return the first hashes of a tile; :class:`IntegrityBroken` if it has fewer."""
    body = bytes(tile[0][1]) if tile else b""
    if len(body) < width * HASH_BYTES:
        raise IntegrityBroken("a tile of the log is too short", code=ALTERED)
    return [body[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]
