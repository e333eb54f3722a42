"""A client who signs its contracts, as openssl would do it."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Signer:
    """An Ed25519 key pair; ``line`` is the middle line of its public PEM file."""

    def __init__(self, seed: int = 1) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes((seed,)) * 32)
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.line = base64.b64encode(der).decode()

    def sign(self, text: str) -> bytes:
        return self._key.sign(text.encode())

    def contract(self, text: str, version: int) -> str:
        """The same contract, naming this key and a version."""
        named = f'[client]\ncontract_version = {version}\nsigning_key = "{self.line}"'
        return text.replace("[client]", named, 1)
