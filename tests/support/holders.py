"""Holders of keys: DPoP proofs written by hand after RFC 9449 and RFC 7515, so that anything in them can be wrong."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


class Holder:
    """Somebody with a key. ``proof`` makes a good proof unless told otherwise."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.algorithm = algorithm
        self.key: Any = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else ed25519.Ed25519PrivateKey.generate()
        )

    @property
    def jwk(self) -> dict[str, str]:
        public = self.key.public_key()
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            x, y = (b64(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}

    @property
    def jkt(self) -> str:
        return b64(hashlib.sha256(compact(self.jwk)).digest())

    def sign(self, message: bytes) -> bytes:
        if self.algorithm != "ES256":
            return self.key.sign(message)
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def proof(
        self,
        token: str,
        now_us: int,
        *,
        header: dict[str, Any] | None = None,
        drop: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """A proof for ``POST http://localhost:8461/v1/reveal``; ``claims`` and ``header`` change members."""
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk, **(header or {})}
        body = {
            "jti": uuid4().hex,
            "htm": "POST",
            "htu": "http://localhost:8461/v1/reveal",
            "iat": now_us // 1_000_000,
            "ath": b64(hashlib.sha256(token.encode()).digest()),
            **claims,
        }
        head = {name: value for name, value in head.items() if name not in drop}
        body = {name: value for name, value in body.items() if name not in drop}
        signed = f"{b64(compact(head))}.{b64(compact(body))}"
        return f"{signed}.{b64(self.sign(signed.encode()))}"


def pem(holder: Holder, *, public: bool = False) -> str:
    """The holder's key as it stands in a file."""
    if public:
        key = holder.key.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
