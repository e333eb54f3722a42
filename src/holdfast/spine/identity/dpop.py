"""Proof of possession by DPoP (RFC 9449): a small signed statement, made anew for each request.

A proof is a JWS (RFC 7515) that names method and address of the request, the token, a time and a number used once. It
is judged here without any I/O. That it comes for the first time is settled in the operation's own transaction, by the
digest that :class:`Proved` carries: the store remembers it longer than a proof may be old.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import unquote, urlsplit

import msgspec

from holdfast.kit.clock import SECOND_US
from holdfast.kit.crypto.holder import HolderKey, b64url, from_b64url, key_of_jwk
from holdfast.kit.crypto.mac import equal, sha256
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity.presented import Proved

ALGORITHMS: Final = ("ES256", "EdDSA")
WINDOW_S: Final = 60  # a proof may be so much older or newer than the house's clock
MOST_PROOF_BYTES: Final = 4096
MOST_HEADER_BYTES: Final = 1024
MOST_JTI: Final = 128
_TYPE: Final = "dpop+jwt"
_PORTS: Final = {"http": 80, "https": 443}


class Addressed(NamedTuple):
    """What a request is: its method, its path (percent signs decoded), and the origins by which the house is known."""

    method: str
    path: str
    origins: frozenset[str]


class _Header(msgspec.Struct):
    typ: str
    alg: str
    jwk: dict[str, Any]
    crit: Any = None


class _Claims(msgspec.Struct):
    jti: str
    htm: str
    htu: str
    iat: int | float
    ath: str


_claims: Final = msgspec.json.Decoder(_Claims)
_header: Final = msgspec.json.Decoder(_Header)


def check(proof: str, token: str, request: Addressed, now_us: int) -> Proved:
    """Return what ``proof`` shows about who sends ``token`` with this request.

    Raises :class:`NotAuthenticated` that says what is wrong with the proof; nothing about the token is known yet. What
    costs little is looked at first (RFC 9449 §4.3 leaves the order open).
    """
    if len(proof) > MOST_PROOF_BYTES:
        _refuse(f"it is over {MOST_PROOF_BYTES} bytes")
    parts = proof.split(".")
    if len(parts) != 3:
        _refuse("it is no JWS in compact form")
    key = _key_of(parts[0])
    try:
        claims = _claims.decode(from_b64url(parts[1]))
        signature = from_b64url(parts[2])
    except (ValueError, RecursionError):
        _refuse("it needs jti, htm, htu, iat and ath, and a signature")
    _check_claims(claims, token, request, now_us)
    if not key.verifies(signature, f"{parts[0]}.{parts[1]}".encode()):
        _refuse("its signature is not good")
    until_us = int((claims.iat + WINDOW_S) * SECOND_US)
    use = sha256(f"{key.thumbprint}\0{claims.jti}".encode())
    return Proved(jkt=key.thumbprint, use=use, until_us=until_us)


def _check_claims(claims: _Claims, token: str, request: Addressed, now_us: int) -> None:
    if not 0 < len(claims.jti) <= MOST_JTI:
        _refuse(f"jti has 1 to {MOST_JTI} characters")
    if claims.htm != request.method:
        _refuse("htm is another method")
    origin, path = address_of(claims.htu)
    if origin not in request.origins or path != request.path:
        _refuse("htu is another address")
    if not abs(claims.iat * SECOND_US - now_us) <= WINDOW_S * SECOND_US:
        _refuse(f"iat is more than {WINDOW_S} s from the house's time")
    if not equal(claims.ath.encode(), b64url(sha256(token.encode())).encode()):
        _refuse("ath belongs to another token")


@lru_cache(maxsize=4096)
def _key_of(segment: str) -> HolderKey:
    """Read a proof's header. A holder sends the same one each time, so its key is loaded once."""
    if len(segment) > MOST_HEADER_BYTES:
        _refuse(f"its header is over {MOST_HEADER_BYTES} bytes")
    try:
        header = _header.decode(from_b64url(segment))
    except (ValueError, RecursionError):
        _refuse("its header needs typ, alg and jwk")
    if header.typ != _TYPE or header.crit is not None:
        _refuse(f"typ must be {_TYPE}, and crit must not be there")
    if header.alg not in ALGORITHMS:
        _refuse("alg must be ES256 or EdDSA")
    try:
        key = key_of_jwk(header.jwk)
    except ValueError as error:
        _refuse(f"jwk is not accepted: {error}")
    if key.algorithm != header.alg:
        _refuse("alg and jwk do not go together")
    return key


@lru_cache(maxsize=4096)
def address_of(url: str) -> tuple[str, str]:
    """Split an address into origin and decoded path, both as RFC 3986 §6.2 makes them comparable; ("", "") if none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", ""
    default = _PORTS.get(parts.scheme)
    if default is None or not parts.hostname or "@" in parts.netloc:
        return "", ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    where = "" if port in {None, default} else f":{port}"
    return f"{parts.scheme}://{host}{where}", unquote(parts.path) or "/"


def _refuse(why: str) -> NoReturn:
    raise NotAuthenticated(
        f"the DPoP proof is not accepted: {why}",
        remedy="Make a new proof for each request (RFC 9449); docs/how-to/bind-a-token-to-a-key.md shows how.",
        code="invalid_dpop_proof",
    )
