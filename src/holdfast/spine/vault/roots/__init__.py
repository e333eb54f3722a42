"""Roots of the key hierarchy: whatever holds the one key that is never in a database.

``open_root(home, passphrase) -> Root``; ``Root.wrap(key, aad) -> bytes`` and ``Root.unwrap(wrapped, aad) -> bytes``
seal small secrets (client keys, feed secrets) under it. ``file`` is the default; others implement the same protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from holdfast.spine.vault.roots.file import ROOT_FILE, FileRoot

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.secret import Secret

__all__ = ["ROOT_FILE", "FileRoot", "Root", "open_root"]


class Root(Protocol):
    """Seals and opens small secrets under a key that does not leave it."""

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Seal ``secret``; ``aad`` says what it is and must be given again to open it."""
        ...

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Open what :meth:`wrap` sealed; :class:`IntegrityBroken` for another root, another ``aad`` or an edit."""
        ...


def open_root(home: Path, passphrase: Secret[str] | None = None) -> Root:
    """Open the root of the house in ``home``; see :meth:`FileRoot.open` for what is refused."""
    return FileRoot.open(home / ROOT_FILE, passphrase)
