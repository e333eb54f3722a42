"""Reading a bundle's files: bounded, and only those that a log has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.ledger.note import MOST_BYTES
from holdfast.spine.ledger.tiles import ENTRIES, MOST_ENTRY_BYTES, WIDTH, Tile, cut
from holdfast.spine.ledger.tree import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BUNDLE_BYTES: Final = WIDTH * (2 + MOST_ENTRY_BYTES)
_MOST_CERTIFICATES: Final = 10_000
_MOST_CERTIFICATE_BYTES: Final = 1_000_000


class BundleFiles:
    """The files under ``folder``: an exported bundle, or a mirror of the published log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self) -> bytes:
        """The signed checkpoint; :class:`InvalidInput` when the folder holds none."""
        try:
            return self._read("checkpoint", MOST_BYTES)
        except FileNotFoundError:
            raise InvalidInput(
                f"{self.folder} holds no log: there is no file 'checkpoint'",
                field="DIR",
                remedy="Name the folder that `holdfast log export` wrote, or a mirror of the log's files.",
                code="no_bundle",
            ) from None

    def tile(self, tile: Tile) -> bytes:
        """A tile or bundle at its width, cut from a wider state where only that is left.

        :class:`IntegrityBroken` when it is missing, too long, or no bundle of whole entries.
        """
        most = _MOST_BUNDLE_BYTES if tile.level == ENTRIES else WIDTH * HASH_BYTES
        for candidate in self._candidates(tile):
            try:
                return cut(tile, self._read(candidate.path, most))
            except (FileNotFoundError, NotADirectoryError):
                continue
        raise IntegrityBroken(f"{tile.path} is missing", code="missing_file")

    def _candidates(self, tile: Tile) -> Iterator[Tile]:
        yield tile
        if tile.width == WIDTH:
            return
        yield tile.full
        for width in range(tile.width + 1, WIDTH):
            yield tile._replace(width=width)

    def certificates(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of each file ``certificates/*.json``, in order."""
        names = sorted(self._names_in("certificates"))
        if len(names) > _MOST_CERTIFICATES:
            raise IntegrityBroken(f"more than {_MOST_CERTIFICATES} certificates")
        for name in names:
            yield name, self._read(f"certificates/{name}", _MOST_CERTIFICATE_BYTES)

    def _names_in(self, folder: str) -> list[str]:
        path = self.folder / folder
        if not path.is_dir():
            return []
        try:
            return [each.name for each in path.iterdir() if each.suffix == ".json"]
        except OSError as error:
            raise _unreadable(folder, error) from None

    def _read(self, path: str, most: int) -> bytes:
        """Read a file of the bundle; one that is there and does not open is a finding, and no crash."""
        try:
            return read_bounded(self.folder / path, most)
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            raise _unreadable(path, error) from None


def _unreadable(path: str, error: OSError) -> IntegrityBroken:
    return IntegrityBroken(f"{path} cannot be read: {error.strerror}", code="unreadable")


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of at most ``most`` bytes; a longer one, or what is no file, is :class:`IntegrityBroken`."""
    if path.exists() and not path.is_file():
        raise IntegrityBroken(f"{path.name} is not a file", code="not_a_file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise IntegrityBroken(f"{path.name} is longer than it can be", code="too_long")
    return content
