"""Keys by which a token's holder shows that the token is theirs: ECDSA on P-256 (FIPS 186-5) and Ed25519 (RFC 8032).

A public key comes as a JSON Web Key (RFC 7517, RFC 8037) and is known by its thumbprint (RFC 7638).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from holdfast.kit.crypto.mac import sha256
from holdfast.kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

ES256: Final = "ES256"
EDDSA: Final = "EdDSA"
_P256: Final = SECP256R1()
_ECDSA: Final = ECDSA(SHA256())
_COORDINATE_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64  # of both: r and s of 32 bytes (RFC 7518 §3.4), or R and S (RFC 8032)
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


def b64url(raw: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """Decode base64url without padding; ``ValueError`` for any other character."""
    if not text.isascii() or not text.replace("-", "a").replace("_", "a").isalnum():
        msg = "not base64url"
        raise ValueError(msg)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True, slots=True)
class HolderKey:
    """A public key. ``algorithm`` is the one JWS algorithm that it verifies; ``thumbprint`` is of RFC 7638."""

    algorithm: str
    thumbprint: str
    _key: EllipticCurvePublicKey | Ed25519PublicKey

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether ``signature``, as it stands in a JWS, is good; False for a malformed one too."""
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            if isinstance(self._key, Ed25519PublicKey):
                self._key.verify(signature, message)
            else:
                r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
                self._key.verify(encode_dss_signature(r, s), message, _ECDSA)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_of_jwk(jwk: Mapping[str, Any]) -> HolderKey:
    """Read a public key on P-256 or Ed25519; ``ValueError`` for anything else, and for one with private members."""
    if _PRIVATE & jwk.keys():
        msg = "a private key was sent"
        raise ValueError(msg)
    match jwk.get("kty"), jwk.get("crv"):
        case "EC", "P-256":
            x, y = (int.from_bytes(_coordinate(jwk, name), "big") for name in ("x", "y"))
            return _holder(EllipticCurvePublicNumbers(x, y, _P256).public_key())
        case "OKP", "Ed25519":
            return _holder(Ed25519PublicKey.from_public_bytes(_coordinate(jwk, "x")))
        case _:
            msg = "neither a key on P-256 nor an Ed25519 key"
            raise ValueError(msg)


def key_of_file(content: bytes) -> HolderKey:
    """Read the public half of what a file holds: a PEM key, private or public, or a JSON Web Key.

    ``ValueError`` for what is none of these, of another kind, or sealed by a passphrase.
    """
    if content.lstrip().startswith(b"{"):
        return key_of_jwk({k: v for k, v in json.loads(content).items() if k not in _PRIVATE})
    try:
        if b"PRIVATE KEY" in content:
            private = load_pem_private_key(content, password=None)
            if isinstance(private, EllipticCurvePrivateKey | Ed25519PrivateKey):
                return _holder(private.public_key())
        else:
            public = load_pem_public_key(content)
            if isinstance(public, EllipticCurvePublicKey | Ed25519PublicKey):
                return _holder(public)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None
    msg = "neither a key on P-256 nor an Ed25519 key"
    raise ValueError(msg)


def key_of_private_file(content: bytes) -> HolderKey:
    """Read a private key, PEM without a passphrase; whoever has it has the key. ``ValueError`` for anything else."""
    if b"PRIVATE KEY" not in content:
        msg = "no private key in PEM"
        raise ValueError(msg)
    return key_of_file(content)


def new_key_file() -> Secret[bytes]:
    """Make a private key on P-256, as PEM (PKCS #8) without a passphrase."""
    key = generate_private_key(_P256)
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def certificate_thumbprint(content: bytes) -> str:
    """Return ``x5t#S256`` (RFC 8705 §3.1) of an X.509 certificate in DER or PEM; ``ValueError`` for what is none."""
    load = load_pem_x509_certificate if content.startswith(b"-----") else load_der_x509_certificate
    return b64url(sha256(load(content).public_bytes(Encoding.DER)))


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    raw = from_b64url(text) if isinstance(text, str) else b""
    if len(raw) != _COORDINATE_BYTES:
        msg = f"{name} has not {_COORDINATE_BYTES} bytes"
        raise ValueError(msg)
    return raw


def _holder(key: EllipticCurvePublicKey | Ed25519PublicKey) -> HolderKey:
    if isinstance(key, Ed25519PublicKey):
        members = {"crv": "Ed25519", "kty": "OKP", "x": b64url(key.public_bytes_raw())}
        return HolderKey(EDDSA, _thumbprint(members), key)
    if not isinstance(key.curve, SECP256R1):
        msg = "a key on another curve than P-256"
        raise ValueError(msg)  # noqa: TRY004  the type is right, the curve is not
    numbers = key.public_numbers()
    x, y = (b64url(n.to_bytes(_COORDINATE_BYTES, "big")) for n in (numbers.x, numbers.y))
    return HolderKey(ES256, _thumbprint({"crv": "P-256", "kty": "EC", "x": x, "y": y}), key)


def _thumbprint(members: dict[str, str]) -> str:
    """RFC 7638 §3: the required members, in lexicographic order, without white space."""
    return b64url(sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()))
