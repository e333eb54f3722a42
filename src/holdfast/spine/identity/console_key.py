"""The key under which the console keeps what it must be able to read again: its browsers' state, and factors' secrets.

It stands in a file beside the signing keys, sealed under the house's root, and in no database: with a copy of the data
store alone nobody opens a session, and nobody computes a code.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.aead import KEY_BYTES, NONCE_BYTES, seal, unseal
from holdfast.kit.crypto.mac import hkdf_sha256
from holdfast.kit.files import write_once
from holdfast.kit.ids import random_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE: Final = "console-key"
_LABEL: Final = b"holdfast/console/v1"


class ConsoleKey:
    """Seals small things for the console, each kind under a key of its own."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def read_or_make(
        cls, folder: Path, *, wrap: Callable[[bytes], bytes], unwrap: Callable[[bytes], bytes]
    ) -> ConsoleKey:
        """Return the house's key; on first use make one, and whoever makes it first wins.

        Raises :class:`IntegrityBroken` for a file that the root does not open.
        """
        path = folder / FILE
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # another process was faster; its key is the house's
                write_once(path, wrap(random_bytes(KEY_BYTES)), mode=0o600)
        return cls(unwrap(path.read_bytes()))

    def derived(self, kind: str) -> bytes:
        """Return the 32-byte key of one kind of thing."""
        return hkdf_sha256(self._secret, info=length_prefixed(_LABEL, kind.encode()))

    def seal(self, kind: str, plaintext: bytes, *, about: bytes = b"") -> bytes:
        """Seal ``plaintext``; ``about`` says what it belongs to and must be given again to open it."""
        return seal(self.derived(kind), random_bytes(NONCE_BYTES), plaintext, about)

    def unseal(self, kind: str, sealed: bytes, *, about: bytes = b"") -> bytes:
        """Open what :meth:`seal` sealed; :class:`IntegrityBroken` for another kind, another ``about`` or an edit."""
        return unseal(self.derived(kind), sealed, about)
