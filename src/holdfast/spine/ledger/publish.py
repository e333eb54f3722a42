"""Publication: the log as static files that the client can mirror and any C2SP tool reads.

All tiles and bundles of a head are on disk before ``checkpoint`` names it, and ``checkpoint`` is replaced in one step.
Doing it again writes the same bytes, so a kill at any point is mended by the next round. The published checkpoint is
its own record of how far publication came.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.files import fsync_folder
from holdfast.kit.ids import new_reference
from holdfast.spine.ledger import store
from holdfast.spine.ledger.tiles import ENTRIES, HEIGHT, WIDTH, Tile, cut, width_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from holdfast.kit.db import Query, Work

CHECKPOINT: Final = "checkpoint"
_AT_ONCE: Final = 64

Bodies = list[tuple[Tile, bytes]]


class Disk(Protocol):
    """Where files are put; a test may have it die half-way."""

    def place(self, path: Path, content: bytes) -> None:
        """Put ``content`` at ``path`` in one step; it is durable after :meth:`settle`."""
        ...

    def settle(self) -> None:
        """Make all that was placed durable, names included."""
        ...


class DurableDisk:
    """The file system, with every file flushed before it gets its name."""

    def __init__(self) -> None:
        self._folders: dict[Path, None] = {}
        self._own = new_reference("new")  # process ids of two machines may be one

    def place(self, path: Path, content: bytes) -> None:
        """See :class:`Disk`."""
        self._make_folder(path.parent)
        beside = path.with_name(f".{path.name}.{self._own}")
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        beside.replace(path)
        self._folders[path.parent] = None

    def settle(self) -> None:
        """See :class:`Disk`."""
        for folder in self._folders:
            fsync_folder(folder)
        self._folders.clear()

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            with suppress(FileExistsError):
                new.mkdir()
            self._folders[new.parent] = None


class Stamp(NamedTuple):
    """What of a file changes when another is placed over it."""

    inode: int
    at_ns: int
    size: int


def stamp(folder: Path) -> Stamp | None:
    """The published checkpoint's, or None."""
    try:
        found = (folder / CHECKPOINT).stat()
    except FileNotFoundError:
        return None
    return Stamp(found.st_ino, found.st_mtime_ns, found.st_size)


def published(folder: Path) -> bytes:
    """The published checkpoint, or nothing."""
    try:
        return (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return b""


def changed_tiles(old: int, new: int) -> Iterator[Tile]:
    """Tiles and bundles of the tree of ``new`` leaves that the one of ``old`` had not, bundles first."""
    level = ENTRIES
    while (hashes := new >> (HEIGHT * max(level, 0))) or level == ENTRIES:
        first = (old >> (HEIGHT * max(level, 0))) // WIDTH
        last = -(-hashes // WIDTH)
        for n in range(first, last):
            width = width_at(level, n, new)
            if width_at(level, n, old) < width:
                yield Tile(level, n, width)
        level += 1


class Publication(NamedTuple):
    """What is to be published: ``log`` stands published up to ``old`` and is signed, in ``note``, up to ``new``."""

    log: str
    folder: Path
    note: bytes
    old: int
    new: int


def publish(
    wanted: Publication,
    disk: Disk,
    bodies: Callable[[Work[Bodies]], Bodies],
    require_turn: Callable[[], None],
) -> int:
    """Write the files of a log; returns how many tiles and bundles. ``bodies`` runs a Work outside a transaction.

    ``require_turn`` raises when another keeps the logs by now. :class:`IntegrityBroken` when a tile is missing or too
    narrow. In both cases the published checkpoint is the one that it was.
    """
    tiles = tuple(changed_tiles(wanted.old, wanted.new))
    for at in range(0, len(tiles), _AT_ONCE):
        for tile, body in bodies(bodies_of(wanted.log, tiles[at : at + _AT_ONCE])):
            disk.place(wanted.folder / tile.path, body)
    disk.settle()
    require_turn()
    disk.place(wanted.folder / CHECKPOINT, wanted.note)
    disk.settle()
    for tile in tiles:
        if tile.width == WIDTH:
            _drop_partials(wanted.folder, tile)
    return len(tiles)


def bodies_of(log: str, tiles: Sequence[Tile]) -> Work[Bodies]:
    """Read tiles and bundles from the store; :class:`IntegrityBroken` when one is missing or too narrow."""
    answers = yield Round(data=tuple(row_of(log, tile) for tile in tiles))
    bodies = []
    for tile, rows in zip(tiles, answers, strict=True):
        if not rows:
            raise IntegrityBroken(f"log {log}: {tile.path} is missing")
        bodies.append((tile, cut(tile, bytes(rows[0][1]))))
    return bodies


def row_of(log: str, tile: Tile) -> Query:
    """Ask for width and body of a tile or bundle at its widest."""
    if tile.level == ENTRIES:
        return store.BUNDLE(log=log, n=tile.n)
    return store.TILE(log=log, level=tile.level, n=tile.n)


def _drop_partials(folder: Path, tile: Tile) -> None:
    """Remove the narrower states of a tile that is now full, as the specification allows."""
    partials = (folder / tile._replace(width=1).path).parent
    if partials.is_dir():
        with suppress(OSError):  # another may be about it, too
            for partial in partials.iterdir():
                partial.unlink(missing_ok=True)
            partials.rmdir()
