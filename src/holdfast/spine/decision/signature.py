"""The client's signature over its contract: Ed25519, detached, over the bytes of the file as they are.

A client needs no tool of ours::

    openssl genpkey -algorithm ed25519 -out client.pem
    openssl pkey -in client.pem -pubout                      # the middle line is the key in the contract
    openssl pkeyutl -sign -rawin -inkey client.pem -in contract.toml -out contract.sig
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from holdfast.kit.crypto.signing import (
    ED25519_PUBLIC_BYTES,
    ED25519_SIGNATURE_BYTES,
    ed25519_verifies,
)
from holdfast.kit.errors import Denied, InvalidInput

#: SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) up to the key itself.
_SPKI: Final = bytes.fromhex("302a300506032b6570032100")


def read_key(text: str) -> bytes:
    """Return the raw public key; ``ValueError`` unless ``text`` is the line of a PEM file of an Ed25519 key."""
    try:
        der = base64.b64decode(text, validate=True)
    except binascii.Error:
        der = b""
    if len(der) != len(_SPKI) + ED25519_PUBLIC_BYTES or not der.startswith(_SPKI):
        msg = "is no Ed25519 public key; give the middle line of the PEM file"
        raise ValueError(msg)
    return der[len(_SPKI) :]


def read_signature(data: bytes) -> bytes:
    """Return a signature given as 64 bytes or as base64; :class:`InvalidInput` for anything else."""
    if len(data) == ED25519_SIGNATURE_BYTES:
        return data
    try:
        decoded = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        decoded = b""
    if len(decoded) != ED25519_SIGNATURE_BYTES:
        raise InvalidInput("the signature is neither 64 bytes nor their base64", field="signature")
    return decoded


def check_signature(key: str, signature: bytes, text: str) -> None:
    """Raise :class:`Denied` unless ``signature`` over the contract's ``text`` is good under the client's ``key``."""
    if not ed25519_verifies(read_key(key), signature, text.encode()):
        raise Denied(
            "the signature is not the client's, or not over this contract",
            remedy="Ask the client to sign exactly this file with the key that the contract in force names.",
            code="bad_signature",
        )
