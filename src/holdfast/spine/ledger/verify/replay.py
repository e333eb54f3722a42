"""Building the whole tree anew from the entries, and comparing every tile and every root with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    decode_bundle,
    hashes_of,
    split_hashes,
    width_at,
)
from holdfast.spine.ledger.tree import CompactRange, subtree_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdfast.spine.ledger.verify.report import Report


class HasTiles(Protocol):
    """Where the tiles of a log are read from."""

    def tile(self, tile: Tile) -> bytes:
        """Return a tile or bundle at its width; :class:`IntegrityBroken` when it is not there."""
        ...


class Replay:
    """Replays one bundle of ``size`` leaves.

    ``roots`` holds the roots at the sizes asked for, and at the end; ``places`` the index of each leaf hash in
    ``wanted`` that the log has.
    """

    def __init__(
        self,
        files: HasTiles,
        size: int,
        report: Report,
        sizes: Iterable[int],
        *,
        wanted: Iterable[bytes] = (),
    ) -> None:
        self._files = files
        self._size = size
        self._report = report
        self._wanted = {at for at in sizes if 0 < at <= size} | {size}
        self._leaves = frozenset(wanted)
        self.places: dict[bytes, int] = {}
        self._tree = CompactRange()
        self._rows: list[list[bytes]] = []
        self._done: list[int] = []
        self.roots: dict[int, bytes] = {}

    def run(self, read: Callable[[int, bytes], None]) -> bool:
        """Go through all entries, handing each to ``read``.

        Returns whether all were there; if not, the report says what is missing.
        """
        if self._size == 0:
            self.roots[0] = self._tree.root()
        try:
            for n in range(-(-self._size // WIDTH)):
                self._bundle(n, read)
            for level, row in enumerate(self._rows):
                if row:
                    self._compare(level, self._done[level], row)
        except IntegrityBroken as error:
            self._report.broken(error.code, error.message)
            return False
        return True

    def _bundle(self, n: int, read: Callable[[int, bytes], None]) -> None:
        width = width_at(ENTRIES, n, self._size)
        entries = decode_bundle(self._files.tile(Tile(ENTRIES, n, width)))
        for at, entry in enumerate(entries):
            read(n * WIDTH + at, entry)
        hashes = hashes_of(entries)
        for at, leaf in enumerate(hashes):
            self._tree.append(leaf)
            if leaf in self._leaves:
                self.places.setdefault(leaf, n * WIDTH + at)
            if self._tree.size in self._wanted:
                self.roots[n * WIDTH + at + 1] = self._tree.root()
        self._grow(0, hashes)

    def _grow(self, level: int, hashes: list[bytes]) -> None:
        if len(self._rows) == level:
            self._rows.append([])
            self._done.append(0)
        row = self._rows[level]
        row.extend(hashes)
        if len(row) == WIDTH:
            self._compare(level, self._done[level], row)
            self._rows[level] = []
            self._done[level] += 1
            self._grow(level + 1, [subtree_root(row)])

    def _compare(self, level: int, n: int, computed: list[bytes]) -> None:
        tile = Tile(level, n, len(computed))
        try:
            given = split_hashes(self._files.tile(tile))
        except IntegrityBroken as error:
            self._report.broken(error.code, error.message)
            return
        for at in _differing(given, computed):
            where = n * WIDTH + at
            what = f"leaf {where}" if level == 0 else f"hash {where} of level {level}"
            self._report.broken(
                "edited_leaf" if level == 0 else "edited_tile",
                f"{what} is not what {tile.path} says: one of the two was edited",
            )


def _differing(given: list[bytes], computed: list[bytes]) -> Iterator[int]:
    for at, (one, other) in enumerate(zip(given, computed, strict=True)):
        if one != other:
            yield at
