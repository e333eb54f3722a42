"""The permit that a target system checks before it acts: a compact JWS (RFC 7515) of type ``holdfast-act+jwt``.

``PermitKey.sign(claims)`` makes one, ``PermitKey.read(text)`` checks that it is one of that key's; which key signs when
is in :mod:`holdfast.spine.actions.permit_keys`. Its claims (RFC 7519): ``iss`` the house's origin, ``aud`` the target,
``jti`` the act, ``iat`` and ``exp`` in seconds, ``client``, ``action``, ``sub`` the reference of the customer in the
log of the client, ``customer_number_sha256`` and ``salt``, ``decision``.

The target knows its account by the client's customer number, which the permit does not name: it hashes salt (as bytes,
from hexadecimal) and number, and compares. The signature is Ed25519 (RFC 8037, ``EdDSA``) by a key that signs nothing
else.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import MINUTE_US, SECOND_US
from holdfast.kit.crypto.signing import Ed25519Key, ed25519_verifies
from holdfast.kit.errors import NotFound

if TYPE_CHECKING:
    from holdfast.kit.secret import Secret

TYPE: Final = "holdfast-act+jwt"
LIFE_US: Final = 60 * SECOND_US
TOLD_WITHIN_US: Final = 10 * MINUTE_US  # of its claim: until then a target says what became of it
SALT_BYTES: Final = 16
MOST_CHARACTERS: Final = 4096


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a permit says."""

    iss: str
    aud: str
    jti: str
    iat: int
    exp: int
    client: str
    action: str
    sub: str
    customer_number_sha256: str
    salt: str
    decision: str


class PermitKey:
    """The key that signs permits. ``id`` is its thumbprint (RFC 7638)."""

    def __init__(self, seed: Secret[bytes]) -> None:
        self._key = Ed25519Key(seed)
        self._jwk = {"crv": "Ed25519", "kty": "OKP", "x": encoded(self._key.public)}
        self.id = encoded(sha256(canonical_json(self._jwk)).digest())
        self._header = encoded(
            canonical_json({"alg": "EdDSA", "kid": self.id, "typ": TYPE})
        ).encode()

    def __repr__(self) -> str:
        return f"PermitKey({self.id})"

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as a JWK (RFC 7517)."""
        return {**self._jwk, "alg": "EdDSA", "kid": self.id, "use": "sig"}

    def sign(self, claims: Claims) -> str:
        """Return the permit."""
        payload = encoded(msgspec.json.encode(claims)).encode()
        signed = self._header + b"." + payload
        return (signed + b"." + encoded(self._key.sign(signed)).encode()).decode()

    def read(self, text: str) -> Claims:
        """Return the claims of a permit by this key; :class:`NotFound` for anything else, always in the same words.

        The header must be, byte for byte, the one that we write: no other algorithm and no other type is considered.
        """
        header, _, rest = text.encode("ascii", "replace").partition(b".")
        payload, _, signature = rest.partition(b".")
        try:
            raw = decoded(payload)
            good = header == self._header and ed25519_verifies(
                self._key.public, decoded(signature), header + b"." + payload
            )
            claims = msgspec.json.decode(raw, type=Claims) if good else None
        except (ValueError, msgspec.MsgspecError):
            claims = None
        if claims is None or len(text) > MOST_CHARACTERS:
            raise no_such_permit()
        return claims


def digest_of(permit: str) -> str:
    """Return what is kept of a permit: SHA-256, hexadecimal. The salt in its claims is random."""
    return sha256(permit.encode()).hexdigest()


def no_such_permit() -> NotFound:
    """What whoever brings something else than one of our permits is told."""
    return NotFound(
        "there is no such permit",
        remedy="Send the permit as it came, to the address of its own act.",
        code="no_such_permit",
    )


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: bytes) -> bytes:
    """Read base64url without padding, in its one canonical form; ``ValueError`` otherwise."""
    if b"=" in text:
        raise ValueError("padding")
    data = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encoded(data).encode() != text:
        raise ValueError("not canonical")
    return data
