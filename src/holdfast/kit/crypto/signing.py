"""Digital signatures: Ed25519 (RFC 8032) and ML-DSA-44 (FIPS 204, category 2, empty context).

Private keys are made from 32-byte seeds, so that one kind of secret is stored for both.
"""

from __future__ import annotations

from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from holdfast.kit.secret import Secret

SEED_BYTES: Final = 32
ED25519_PUBLIC_BYTES: Final = 32
ED25519_SIGNATURE_BYTES: Final = 64
MLDSA44_PUBLIC_BYTES: Final = 1312
MLDSA44_SIGNATURE_BYTES: Final = 2420


class SigningKey(Protocol):
    """A private key that signs and tells its public half."""

    @property
    def public(self) -> bytes:
        """The public key, raw."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``."""
        ...


class Ed25519Key:
    """An Ed25519 private key. ``ValueError`` unless the seed has 32 bytes."""

    def __init__(self, seed: Secret[bytes]) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed.reveal())
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes; the same for the same message."""
        return self._key.sign(message)


class MlDsa44Key:
    """An ML-DSA-44 private key. ``ValueError`` unless the seed has 32 bytes."""

    def __init__(self, seed: Secret[bytes]) -> None:
        self._key = MLDSA44PrivateKey.from_seed_bytes(seed.reveal())
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return 2,420 bytes; hedged, so they differ from call to call."""
        return self._key.sign(message)


def ed25519_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether ``signature`` is good; False for a malformed key or signature too."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def mldsa44_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether ``signature`` is good; False for a malformed key or signature too."""
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
