"""The signature of a batch of events: ``Holdfast-Signature: t=<unix>,kid=<id>,v1=<hex>``. Pure.

``v1`` is the HMAC-SHA-256 (RFC 2104), in lower-case hexadecimal, of the bytes ``kid.name.t.body`` under the feed's
secret as it was printed. ``kid`` and ``name`` hold no full stop, so no two tuples sign the same bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import SECOND_US
from holdfast.kit.crypto.mac import equal, hmac_sha256
from holdfast.kit.errors import InvalidInput, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.secret import Secret

HEADER: Final = "Holdfast-Signature"
WINDOW_S: Final = 300
_MOST_CHARACTERS: Final = 512
_PARTS: Final = {
    "t": re.compile(r"[1-9][0-9]{0,11}\Z"),
    "kid": re.compile(r"[A-Za-z0-9_-]{1,64}\Z"),
    "v1": re.compile(r"[0-9a-f]{64}\Z"),
}


class FeedKey(NamedTuple):
    """A key that may sign for a feed now."""

    kid: str
    secret: Secret[bytes]


class Signature(NamedTuple):
    """A header, taken apart; nothing of it is believed yet."""

    t: str
    kid: str
    v1: str


def parse_header(header: str) -> Signature:
    """Take the header apart; :class:`InvalidInput` says which part is missing, doubled or malformed."""
    if not header:
        raise NotAuthenticated(f"the {HEADER} header is missing", remedy=_REMEDY)
    if len(header) > _MOST_CHARACTERS:
        raise InvalidInput(f"the header is over {_MOST_CHARACTERS} characters", field=HEADER)
    found: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip(" ").partition("=")
        if name not in _PARTS or name in found:
            raise InvalidInput("it has parts other than one t, kid and v1", field=HEADER)
        if not _PARTS[name].match(value):
            raise InvalidInput(f"{name} is malformed", field=f"{HEADER}.{name}", remedy=_REMEDY)
        found[name] = value
    for name in _PARTS:
        if name not in found:
            raise InvalidInput(f"{name} is missing", field=f"{HEADER}.{name}", remedy=_REMEDY)
    return Signature(**found)


_REMEDY: Final = f"Send `{HEADER}: t=<unix seconds>,kid=<key id>,v1=<64 hex digits>`."


def sign(key: FeedKey, feed: str, t: int, body: bytes) -> str:
    """Return the header's value for ``body`` sent at ``t`` (Unix seconds)."""
    mac = hmac_sha256(key.secret.reveal(), _signed_bytes(key.kid, feed, str(t), body))
    return f"t={t},kid={key.kid},v1={mac.hex()}"


def verify(
    given: Signature, feed: str, body: bytes, *, keys: Sequence[FeedKey], now_us: int
) -> str:
    """Return the id of the key that signed; :class:`NotAuthenticated` if none did, or not within ±300 s of now.

    All keys are tried, each in constant time; with no keys at all the same work is done for one that never matches.
    """
    message = _signed_bytes(given.kid, feed, given.t, body)
    sent = bytes.fromhex(given.v1)
    by = ""
    for kid, secret in keys:
        if equal(hmac_sha256(secret.reveal(), message), sent):
            by = kid
    if not keys:
        equal(hmac_sha256(bytes(32), message), sent)
    if not by:
        raise NotAuthenticated(
            "no current key of this feed made the signature",
            remedy="Check the feed's name, the key id and the secret; sign the exact bytes of the body.",
        )
    if abs(now_us - int(given.t) * SECOND_US) > WINDOW_S * SECOND_US:
        raise NotAuthenticated(
            f"{HEADER}.t is more than {WINDOW_S} s from now",
            remedy="Check the sender's clock; sign each sending anew.",
            code="stale_signature",
        )
    return by


def _signed_bytes(kid: str, feed: str, t: str, body: bytes) -> bytes:
    return b".".join((kid.encode(), feed.encode(), t.encode(), body))
