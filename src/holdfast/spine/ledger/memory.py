"""What the signer remembers: the last head that it signed in each log.

It stands beside the key and outside every database and its backups, so that a database that was rolled back or
rewritten does not get a second, contradicting history signed (SPINE 25). It is on disk before a signature leaves.

Several keepers of one folder (PostgreSQL) write a file each, ``memory.json``, ``memory.1.json`` and so on, and each
reads all: one that was frozen and wakes late writes none but its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.files import write_durably

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE: Final = "memory.json"
_FILES: Final = "memory*.json"


class Remembered(NamedTuple):
    """A head that was signed, and when."""

    size: int
    root: bytes
    at_us: int


class Memory:
    """The signer's memory in ``folder``: for each log the longest head of all files; it writes file ``number``."""

    def __init__(self, folder: Path, heads: Mapping[str, Remembered], number: int = 0) -> None:
        self._folder = folder
        self._path = folder / (f"memory.{number}.json" if number else FILE)
        self._heads = dict(heads)
        self._split: set[str] = set()

    @classmethod
    def create(cls, folder: Path) -> Memory:
        """Begin to remember; overwrites what was there."""
        memory = cls(folder, {})
        memory.remember({})
        return memory

    @classmethod
    def open(cls, folder: Path, number: int = 0) -> Memory:
        """Read the memory. :class:`IntegrityBroken` when it is missing or damaged: without it nothing is signed."""
        memory = cls(folder, _read(folder / FILE), number)
        for path in sorted(folder.glob(_FILES)):
            for origin, head in _read(path).items():
                known = memory._heads.get(origin)
                if known is None or head.size > known.size:
                    memory._heads[origin] = head
                    memory._split.discard(origin)
                elif head.size == known.size and head.root != known.root:
                    memory._split.add(origin)
        return memory

    @property
    def content(self) -> bytes:
        """What a file holds that tells all of it."""
        return _written(self._heads)

    def last(self, origin: str) -> Remembered | None:
        """The last head signed in that log. :class:`IntegrityBroken` when two of one size were."""
        if origin in self._split:
            raise IntegrityBroken(
                f"log {origin} is not signed: two heads of one size were signed before",
                remedy="Two stores had this house's keys. Stop the house, and find out which is true.",
                code="history_broken",
            )
        return self._heads.get(origin)

    def origins(self) -> tuple[str, ...]:
        """All logs that were ever signed."""
        return tuple(self._heads)

    def remember(self, heads: Mapping[str, Remembered]) -> None:
        """Remember ``heads`` by origin, but none for a longer one; on return they are on disk."""
        known = self._heads
        longer = {
            origin: head
            for origin, head in heads.items()
            if origin not in known or head.size >= known[origin].size
        }
        self._write({**known, **longer})

    def set_back(self, heads: Mapping[str, Remembered]) -> None:
        """Give up longer heads for ``heads``, for who is alone with the house and was told to; on disk on return."""
        after = {**self._heads, **heads}
        for path in self._folder.glob(_FILES):
            if path != self._path:
                path.unlink()
        self._write(after)

    def _write(self, heads: dict[str, Remembered]) -> None:
        write_durably(self._path, _written(heads), mode=0o600)
        self._heads = heads


def _read(path: Path) -> dict[str, Remembered]:
    try:
        document = json.loads(path.read_bytes())
        return {
            origin: Remembered(int(head["size"]), bytes.fromhex(head["root"]), int(head["at_us"]))
            for origin, head in document["heads"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityBroken(
            f"the signer's memory {path} cannot be read; nothing is signed without it",
            remedy="Restore it from the machine's own backup, together with the signing keys.",
            code="signer_memory_lost",
        ) from None


def _written(heads: Mapping[str, Remembered]) -> bytes:
    document = {
        "v": 1,
        "heads": {
            origin: {"size": head.size, "root": head.root.hex(), "at_us": head.at_us}
            for origin, head in sorted(heads.items())
        },
    }
    return json.dumps(document, indent=1).encode()
