"""Sealing to a recipient's public key: HPKE (RFC 9180) with X25519, HKDF-SHA-256 and AES-256-GCM, base mode.

Only whoever has the private key opens what is sealed. Who sealed it is not shown: anybody could have.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.ids import random_bytes
from holdfast.kit.secret import Secret

NAME: Final = "HPKE/X25519/HKDF-SHA256/AES-256-GCM"
_PRIVATE_BYTES: Final = 32
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def read_public(text: str) -> X25519PublicKey:
    """Read a public key as ``openssl pkey -pubout`` prints it, without the first and last line.

    ``ValueError`` when it is none of X25519.
    """
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(
            "no public key: what `holdfast export key` prints, or the base64 lines of `openssl pkey -pubout`"
        ) from error
    if isinstance(key, X25519PublicKey):
        return key
    raise ValueError("a key of another kind: `holdfast export key` makes one")


def read_private(pem: bytes) -> X25519PrivateKey:
    """Read a private key in PEM without a passphrase; ``ValueError`` when it is none of X25519."""
    try:
        key = load_pem_private_key(pem, None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("no private key in PEM without a passphrase") from error
    if isinstance(key, X25519PrivateKey):
        return key
    raise ValueError("a key of another kind: `holdfast export key` makes one")


def new_private() -> Secret[bytes]:
    """Make a private key, PEM (PKCS #8) without a passphrase, as ``openssl genpkey`` does."""
    key = X25519PrivateKey.from_private_bytes(random_bytes(_PRIVATE_BYTES))
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def public_text(key: X25519PrivateKey) -> str:
    """Return the public half as :func:`read_public` reads it."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


def seal_to(key: X25519PublicKey, plaintext: Secret[bytes], info: bytes) -> bytes:
    """Return ``enc ‖ ciphertext``, bound to ``info``."""
    return _SUITE.encrypt(plaintext.reveal(), key, info)


def open_sealed(key: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """Open what was sealed to the key; :class:`IntegrityBroken` for another key, other info or an edit."""
    try:
        return _SUITE.decrypt(sealed, key, info)
    except (InvalidTag, ValueError):
        raise IntegrityBroken("it was not sealed to this key, or it was changed") from None
