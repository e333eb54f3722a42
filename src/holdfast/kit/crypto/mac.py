"""Keyed hashes and key derivation."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104), 32 bytes."""
    return hmac.digest(key, message, "sha256")


def hmac_sha512(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-512 (RFC 2104), 64 bytes."""
    return hmac.digest(key, message, "sha512")


def sha256(message: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(message).digest()


def hkdf_sha256(key: bytes, *, info: bytes, salt: bytes = b"", length: int = 32) -> bytes:
    """HKDF-SHA-256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt or None, info=info).derive(key)


def equal(left: bytes, right: bytes) -> bool:
    """Compare in time that depends on the length only."""
    return hmac.compare_digest(left, right)
