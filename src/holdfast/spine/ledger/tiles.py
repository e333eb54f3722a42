"""C2SP tlog-tiles: how a log is cut into static files (height 8, 256 hashes or entries each).

Level ``L`` tile ``n`` holds the roots of the complete subtrees of ``256^L`` leaves number ``256·n …``. A tile at the
right edge is *partial*; it is never hashed upward. An entry bundle holds the entries under one level-0 tile.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.tree import HASH_BYTES, Node, fold, leaf_hash, subtree_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WIDTH: Final = 256
HEIGHT: Final = 8
MOST_ENTRY_BYTES: Final = 0xFFFF
ENTRIES: Final = -1  # the "level" of entry bundles

_PATH: Final = re.compile(
    r"tile/(?P<level>0|[1-9]|[1-5][0-9]|6[0-3]|entries)/(?P<n>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class Tile(NamedTuple):
    """Which tile, and how wide. ``level`` is :data:`ENTRIES` for a bundle."""

    level: int
    n: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path under the log's prefix, e.g. ``tile/0/x001/x234/067`` or ``tile/entries/000.p/7``."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{_spell(self.n)}{partial}"

    @property
    def full(self) -> Tile:
        """The same tile when nothing is missing any more."""
        return self._replace(width=WIDTH)


def _spell(n: int) -> str:
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.append(f"x{n % 1000:03d}")
    return "/".join(reversed(groups))


def parse_path(path: str) -> Tile:
    """Read a tile's path; ``ValueError`` for anything that :attr:`Tile.path` does not write."""
    found = _PATH.fullmatch(path)
    if found is not None:
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        n = int(found["n"].replace("x", "").replace("/", ""))
        tile = Tile(level, n, int(found["width"] or WIDTH))
        if tile.path == path:
            return tile
    msg = "no path of a tile"
    raise ValueError(msg)


def width_at(level: int, n: int, size: int) -> int:
    """How many hashes tile ``n`` of ``level`` has in a tree of ``size``: 0 … 256."""
    hashes = size >> (HEIGHT * max(level, 0))
    return max(0, min(WIDTH, hashes - n * WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """All hash tiles of a tree of ``size``, and its bundles: what a copy of the log consists of."""
    yield from _level(ENTRIES, size)
    level = 0
    while size >> (HEIGHT * level):
        yield from _level(level, size >> (HEIGHT * level))
        level += 1


def _level(level: int, hashes: int) -> Iterator[Tile]:
    full, rest = divmod(hashes, WIDTH)
    for n in range(full):
        yield Tile(level, n)
    if rest:
        yield Tile(level, full, rest)


def edge_of(size: int) -> tuple[Tile, ...]:
    """The partial hash tiles of a tree of ``size``, lowest level first: all that its root needs."""
    edge = []
    level = 0
    while hashes := size >> (HEIGHT * level):
        if hashes % WIDTH:
            edge.append(Tile(level, hashes // WIDTH, hashes % WIDTH))
        level += 1
    return tuple(edge)


def root_from_edge(bodies: Sequence[Sequence[bytes]]) -> bytes:
    """Root of the tree whose partial tiles, lowest level first, hold these hashes; at least one hash."""
    roots: list[bytes] = []
    for hashes in reversed(bodies):
        begin = 0
        for bit in range(HEIGHT - 1, -1, -1):
            if len(hashes) & (1 << bit):
                roots.append(subtree_root(hashes[begin : begin + (1 << bit)]))
                begin += 1 << bit
    return fold(roots)


def split_hashes(body: bytes) -> list[bytes]:
    """Cut a tile into its hashes; :class:`IntegrityBroken` when it is not a whole number of them."""
    if len(body) % HASH_BYTES or len(body) > WIDTH * HASH_BYTES:
        raise IntegrityBroken("a tile does not hold whole hashes")
    return [body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES)]


def tile_of(node: Node, size: int) -> Tile:
    """The tile of a tree of ``size`` that tells the hash of ``node``."""
    level, index = node
    tile_level, inside = divmod(level, HEIGHT)
    n = index >> (HEIGHT - inside)
    return Tile(tile_level, n, width_at(tile_level, n, size))


def node_reader(size: int, body_of: Callable[[Tile], bytes]) -> Callable[[Node], bytes]:
    """Return a function from a node to its hash that takes tiles of a tree of ``size`` from ``body_of``."""

    def read(node: Node) -> bytes:
        level, index = node
        inside = level % HEIGHT
        tile = tile_of(node, size)
        body = body_of(tile)
        first = (index & ((1 << (HEIGHT - inside)) - 1)) << inside
        part = body[first * HASH_BYTES : (first + (1 << inside)) * HASH_BYTES]
        if len(part) != HASH_BYTES << inside:
            raise IntegrityBroken(f"{tile.path} is too short")
        return subtree_root(split_hashes(part))

    return read


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write entries with their big-endian uint16 lengths; ``ValueError`` when one is longer than 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > MOST_ENTRY_BYTES:
            msg = (
                f"an entry has at most {MOST_ENTRY_BYTES} bytes; store larger evidence by its hash"
            )
            raise ValueError(msg)
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(body: bytes) -> list[bytes]:
    """Read a bundle's entries; :class:`IntegrityBroken` when it ends inside one."""
    entries = []
    at, end = 0, len(body)
    while at < end:
        if at + 2 > end:
            raise IntegrityBroken("an entry bundle is cut off")
        length = (body[at] << 8) | body[at + 1]
        at += 2
        if at + length > end:
            raise IntegrityBroken("an entry bundle is cut off")
        entries.append(body[at : at + length])
        at += length
    return entries


def cut_bundle(body: bytes, width: int) -> bytes:
    """The first ``width`` entries of a bundle."""
    entries = decode_bundle(body)
    if len(entries) < width:
        raise IntegrityBroken("an entry bundle is too short")
    if len(entries) == width:
        return body
    lengths = list(accumulate(2 + len(entry) for entry in entries[:width]))
    return body[: lengths[-1] if lengths else 0]


def cut(tile: Tile, body: bytes) -> bytes:
    """Return ``body``, which may be a later and wider state of the tile, at ``tile.width``."""
    if tile.level == ENTRIES:
        return cut_bundle(body, tile.width)
    if len(body) < tile.width * HASH_BYTES:
        raise IntegrityBroken(f"{tile.path} is too short")
    return body[: tile.width * HASH_BYTES]


def hashes_of(entries: Sequence[bytes]) -> list[bytes]:
    """Leaf hashes of entries."""
    return [leaf_hash(entry) for entry in entries]
