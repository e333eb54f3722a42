"""The root key in a file: bare in a 0600 file, or sealed under a passphrase (Argon2id, RFC 9106).

The file is JSON: ``{"v": 1, "kind": "plain", "key": …}`` or ``{"v": 1, "kind": "passphrase", "salt": …, "memory_kib":
…, "passes": …, "lanes": …, "sealed": …}``, bytes as hexadecimal. Whoever has the file (and the passphrase) and a copy
of the ``keys`` store can read everything; without the file nothing can be read, ever.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final, Literal, Self

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.aead import (
    GCM_SIV,
    KEY_BYTES,
    NONCE_BYTES,
    aead,
    open_with,
    seal,
    seal_with,
    unseal,
)
from holdfast.kit.errors import (
    Conflict,
    HoldfastError,
    IntegrityBroken,
    InvalidInput,
    NotFound,
    Unavailable,
)
from holdfast.kit.files import write_durably
from holdfast.kit.ids import random_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.secret import Secret

ROOT_FILE: Final = "root.key"
_MODE: Final = 0o600
_MEMORY_KIB: Final = 64 * 1024
_PASSES: Final = 3
_LANES: Final = 4
_MOST_MEMORY_KIB: Final = 1024 * 1024
_SEALED_AS: Final = length_prefixed(b"holdfast/root-file/v1")
_LABEL: Final = b"holdfast/root/v1"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    v: Literal[1]
    kind: Literal["plain", "passphrase"]
    key: str = ""
    salt: str = ""
    memory_kib: int = 0
    passes: int = 0
    lanes: int = 0
    sealed: str = ""


class FileRoot:
    """A root whose key stands in a file of this house."""

    def __init__(self, key: bytes) -> None:
        self._cipher = aead(GCM_SIV, key)

    def __repr__(self) -> str:
        return "FileRoot(…)"

    @classmethod
    def create(cls, path: Path, passphrase: Secret[str] | None = None) -> Self:
        """Write a new root to ``path``; :class:`Conflict` if there is one, for without it nothing could be read."""
        if path.exists():
            raise Conflict(
                f"{path.name} exists already", remedy="Keep it: it opens everything in this house."
            )
        key = random_bytes(KEY_BYTES)
        content = _sealed(key, passphrase) if passphrase else _File(1, "plain", key=key.hex())
        write_durably(path, msgspec.json.encode(content), mode=_MODE)
        return cls(key)

    @classmethod
    def open(cls, path: Path, passphrase: Secret[str] | None = None) -> Self:
        """Read the root from ``path``.

        Refused: no file (:class:`NotFound`), a file that others may read (:class:`Unavailable`), no or a wrong
        passphrase (:class:`InvalidInput`), a file that is damaged (:class:`IntegrityBroken`).
        """
        try:
            mode = path.stat().st_mode
            raw = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"there is no {path.name}", remedy=_LOST, code="no_root") from None
        if stat.S_IMODE(mode) & 0o077:
            raise Unavailable(
                f"{path.name} can be read by others (mode {stat.S_IMODE(mode):04o})",
                remedy=f"chmod 600 {path}",
            )
        try:
            content = msgspec.json.decode(raw, type=_File)
            key = (
                bytes.fromhex(content.key)
                if content.kind == "plain"
                else _opened(content, passphrase)
            )
        except (msgspec.DecodeError, ValueError):
            raise _damaged(path) from None
        if len(key) != KEY_BYTES:
            raise _damaged(path)
        return cls(key)

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Seal ``secret`` under the root."""
        return seal_with(
            self._cipher, GCM_SIV, random_bytes(NONCE_BYTES), secret, length_prefixed(_LABEL, aad)
        )

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Open what :meth:`wrap` sealed."""
        if wrapped[:1] != bytes((GCM_SIV,)):
            raise IntegrityBroken("a wrapped key has an unknown suite")
        return open_with(self._cipher, wrapped, length_prefixed(_LABEL, aad))


_LOST: Final = (
    "Put the file back from its safe copy. Without it, nothing in this house can be read."
)


def _damaged(path: Path) -> HoldfastError:
    return IntegrityBroken(f"{path.name} is damaged", remedy=_LOST)


def _sealed(key: bytes, passphrase: Secret[str]) -> _File:
    salt = random_bytes(16)
    content = _File(
        1, "passphrase", salt=salt.hex(), memory_kib=_MEMORY_KIB, passes=_PASSES, lanes=_LANES
    )
    sealed = seal(_stretched(content, passphrase), random_bytes(NONCE_BYTES), key, _SEALED_AS)
    return msgspec.structs.replace(content, sealed=sealed.hex())


def _opened(content: _File, passphrase: Secret[str] | None) -> bytes:
    if passphrase is None:
        raise InvalidInput(
            "the root key is sealed under a passphrase",
            field="root.passphrase",
            remedy="Set HOLDFAST_ROOT_PASSPHRASE_FILE to a file that holds it.",
        )
    sealed = bytes.fromhex(content.sealed)
    try:
        return unseal(_stretched(content, passphrase), sealed, _SEALED_AS)
    except IntegrityBroken:
        raise InvalidInput(
            "the passphrase does not open the root key", field="root.passphrase"
        ) from None


def _stretched(content: _File, passphrase: Secret[str]) -> bytes:
    if not 8 <= content.memory_kib <= _MOST_MEMORY_KIB:
        raise ValueError("memory_kib")
    return Argon2id(
        salt=bytes.fromhex(content.salt),
        length=KEY_BYTES,
        iterations=content.passes,
        lanes=content.lanes,
        memory_cost=content.memory_kib,
    ).derive(passphrase.reveal().encode())
