"""Leaves as they stand in a log, each compared with the tree: what was altered since goes to nobody (DESIGN §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger import store as ledger
from holdfast.spine.ledger.tiles import WIDTH, decode_bundle
from holdfast.spine.ledger.tree import HASH_BYTES, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    row = _hashes(tile, end)
    if position and (row[begin - 1] if begin else _hashes(before, WIDTH)[-1]) != last:
        raise IntegrityBroken(f"log {log} is another than the one that was read", code=SET_BACK)
    entries = decode_bundle(bytes(bundle[0][1])) if bundle else []
    found = tuple(_intact(entries[begin:end], row[begin:end]))
    if not found and begin < end:
        raise IntegrityBroken(f"leaf {position} of log {log} was altered", code=ALTERED)
    return Verified(position, found, tuple(row[begin : begin + len(found)]))


def leaf_at(log: str, index: int) -> Work[bytes]:
    """Return one leaf's entry, compared with the tree; :class:`IntegrityBroken` when it was altered or is missing."""
    ((_, entry),) = yield from leaves_in(log, index // WIDTH, [index])
    return entry


def leaves_in(log: str, n: int, indexes: Sequence[int]) -> Work[list[tuple[int, bytes]]]:
    """Return leaves of one bundle, each compared with the tree; :class:`IntegrityBroken` when one was altered."""
    tile, bundle = yield Round(
        data=(ledger.TILE(log=log, level=0, n=n), ledger.BUNDLE(log=log, n=n))
    )
    hashes = bytes(tile[0][1]) if tile else b""
    entries = decode_bundle(bytes(bundle[0][1])) if bundle else []
    found = []
    for index in indexes:
        at = index % WIDTH
        expected = hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]
        if at >= len(entries) or leaf_hash(entries[at]) != expected:
            raise IntegrityBroken(f"leaf {index} of log {log} was altered", code=ALTERED)
        found.append((index, entries[at]))
    return found


def _intact(entries: list[bytes], hashes: list[bytes]) -> list[bytes]:
    """Return the entries up to the first that does not have its hash."""
    for at, (entry, expected) in enumerate(zip(entries, hashes, strict=False)):
        if leaf_hash(entry) != expected:
            return entries[:at]
    return entries


def _hashes(tile: Rows, width: int) -> list[bytes]:
    body = bytes(tile[0][1]) if tile else b""
    if len(body) < width * HASH_BYTES:
        raise IntegrityBroken("a tile of the log is too short", code=ALTERED)
    return [body[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]
