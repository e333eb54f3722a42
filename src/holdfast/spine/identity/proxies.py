"""What a trusted proxy says of the connection that it ended: the client's address, and its certificate.

Both are believed only if the socket's other end is a trusted proxy. Such a header from anybody else is as if it had
not come.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from holdfast.kit.crypto.holder import b64url
from holdfast.kit.crypto.mac import sha256
from holdfast.kit.errors import InvalidInput
from holdfast.spine.identity.place import is_address, within

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOR: Final = re.compile(
    r'(?:^|;)\s*for=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))\s*(?=;|$)', re.IGNORECASE
)
_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::\d{1,5})?\Z")
_CERTIFICATE: Final = re.compile(r":([A-Za-z0-9+/]{4,}={0,2}):\Z")  # a byte sequence (RFC 9651)
MOST_HEADER: Final = 16 * 1024


def client_address(
    peer: str, trusted: tuple[str, ...], *, forwarded: str | None, x_forwarded_for: str | None
) -> str:
    """Return the address of who sent the request, or "" if a trusted proxy does not say.

    ``peer`` is the socket's other end. Behind a trusted proxy it is the rightmost address that is no trusted proxy's:
    what stands left of it was written by whoever sent the request. Where ``Forwarded`` (RFC 7239) and
    ``X-Forwarded-For`` both come and differ, one of them is not the proxy's own, and the address is unknown.
    """
    if not trusted or not within(peer, trusted):
        return peer
    said = {
        _rightmost(hops, trusted)
        for hops in (_forwarded(forwarded), _x_forwarded_for(x_forwarded_for))
        if hops is not None
    }
    if not said:
        return peer  # the proxy asks on its own account
    return said.pop() if len(said) == 1 else ""


def client_certificate(header: str) -> str:
    """Return the thumbprint (RFC 8705) of the certificate in a ``Client-Cert`` header (RFC 9440).

    Raises :class:`InvalidInput` for what is none: the proxy is trusted, so this is a fault in its setting.
    """
    found = _CERTIFICATE.match(header) if len(header) <= MOST_HEADER else None
    try:
        return b64url(sha256(base64.b64decode(found[1], validate=True))) if found else _odd()
    except ValueError:
        return _odd()


def _odd() -> str:
    raise InvalidInput("not a certificate as RFC 9440 writes it", field="Client-Cert")


def _rightmost(hops: Iterable[str], trusted: tuple[str, ...]) -> str:
    last = ""
    for hop in hops:
        if not is_address(hop):
            return ""  # "unknown", "_hidden", or nothing that this proxy should say
        if not within(hop, trusted):
            return hop
        last = hop
    return last


def _forwarded(header: str | None) -> list[str] | None:
    """Addresses of a ``Forwarded`` header from right to left; what is quoted may hold no comma in an address."""
    if header is None:
        return None
    hops = []
    for element in reversed(header.split(",")):
        found = _FOR.search(element.strip())
        hops.append(_without_port((found[1] or found[2] or "") if found else ""))
    return hops


def _x_forwarded_for(header: str | None) -> list[str] | None:
    if header is None:
        return None
    return [_without_port(hop.strip()) for hop in reversed(header.split(","))]


def _without_port(text: str) -> str:
    found = _PORT.match(text)
    return (found[1] or found[2]) if found else text
