"""Authenticated encryption under a suite byte.

Suite 1 is AES-256-GCM (FIPS profile), suite 2 AES-256-GCM-SIV (RFC 8452, default: a repeated nonce after a
restored snapshot only shows that two plaintexts are equal). A sealed object is ``suite ‖ nonce(12) ‖ ciphertext ‖
tag(16)``; the suite byte also stands in the associated data that callers build.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from holdfast.kit.errors import IntegrityBroken

GCM: Final = 1
GCM_SIV: Final = 2
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
OVERHEAD_BYTES: Final = 1 + NONCE_BYTES + 16

Aead = AESGCM | AESGCMSIV
_SUITES: Final[dict[int, type[AESGCM | AESGCMSIV]]] = {GCM: AESGCM, GCM_SIV: AESGCMSIV}


def aead(suite: int, key: bytes) -> Aead:
    """Return the cipher of ``suite`` under a 32-byte ``key``; :class:`IntegrityBroken` for an unknown suite."""
    try:
        return _SUITES[suite](key)
    except KeyError:
        raise IntegrityBroken(f"unknown cipher suite {suite}") from None


def seal_with(  # noqa: PLR0917  the parts of one AEAD call, in their usual order
    cipher: Aead, suite: int, nonce: bytes, plaintext: bytes, aad: bytes
) -> bytes:
    """Seal with a ready cipher object; ``nonce`` is 12 fresh random bytes."""
    return bytes((suite,)) + nonce + cipher.encrypt(nonce, plaintext, aad)


def open_with(cipher: Aead, sealed: bytes, aad: bytes) -> bytes:
    """Open with a ready cipher object of the right suite; :class:`IntegrityBroken` if anything was changed."""
    try:
        return cipher.decrypt(sealed[1:13], sealed[13:], aad)
    except (InvalidTag, ValueError):
        raise IntegrityBroken("a sealed object does not open: wrong key, moved or edited") from None


def seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, *, suite: int = GCM_SIV) -> bytes:
    """Seal once under ``key``."""
    return seal_with(aead(suite, key), suite, nonce, plaintext, aad)


def unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Open once under ``key``; the suite is read from the first byte."""
    if len(sealed) < OVERHEAD_BYTES:
        raise IntegrityBroken("a sealed object is too short")
    return open_with(aead(sealed[0], key), sealed, aad)
