"""What the signer remembers: the last head that it signed in each log.

It stands beside the key and outside every database and its backups, so that a database that was rolled back or
rewritten does not get a second, contradicting history signed (SPINE 25). It is on disk before a signature leaves.
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


class Remembered(NamedTuple):
    """A head that was signed, and when."""

    size: int
    root: bytes
    at_us: int


class Memory:
    """The signer's memory in ``folder``."""

    def __init__(self, folder: Path, heads: Mapping[str, Remembered]) -> None:
        self._path = folder / FILE
        self._heads = dict(heads)

    @classmethod
    def create(cls, folder: Path) -> Memory:
        """Begin to remember; overwrites what was there."""
        memory = cls(folder, {})
        memory.remember({})
        return memory

    @classmethod
    def open(cls, folder: Path) -> Memory:
        """Read the memory. :class:`IntegrityBroken` when it is missing or damaged: without it nothing is signed."""
        path = folder / FILE
        try:
            document = json.loads(path.read_bytes())
            heads = {
                origin: Remembered(
                    int(head["size"]), bytes.fromhex(head["root"]), int(head["at_us"])
                )
                for origin, head in document["heads"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise IntegrityBroken(
                f"the signer's memory {path} cannot be read; nothing is signed without it",
                remedy="Restore it from the machine's own backup, together with the signing keys.",
                code="signer_memory_lost",
            ) from None
        return cls(folder, heads)

    def last(self, origin: str) -> Remembered | None:
        """The last head signed in that log."""
        return self._heads.get(origin)

    def origins(self) -> tuple[str, ...]:
        """All logs that were ever signed."""
        return tuple(self._heads)

    def remember(self, heads: Mapping[str, Remembered]) -> None:
        """Remember ``heads`` by origin; on return they are on disk."""
        after = {**self._heads, **heads}
        document = {
            "v": 1,
            "heads": {
                origin: {"size": head.size, "root": head.root.hex(), "at_us": head.at_us}
                for origin, head in sorted(after.items())
            },
        }
        write_durably(self._path, json.dumps(document, indent=1).encode(), mode=0o600)
        self._heads = after
