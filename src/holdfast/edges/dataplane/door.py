"""What stands at the door: which token came, under which scheme, and which keys the request shows possession of.

Nothing is looked up here. A proof is verified before the turn's transaction begins, since that is mere arithmetic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from holdfast.kit.config import is_loopback
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity import dpop
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.identity.presented import UNPROVED, Caller, Proved

if TYPE_CHECKING:
    from holdfast.edges.dataplane.app import Request
    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings

_CREDENTIAL: Final = re.compile(rb"(?i:(bearer|dpop)) ([A-Za-z0-9._~+/=-]{16,256})\Z")
CHALLENGES: Final = (  # the stronger first
    (
        b"www-authenticate",
        b'DPoP realm="holdfast", algs="%s"' % " ".join(dpop.ALGORITHMS).encode(),
    ),
    (b"www-authenticate", b'Bearer realm="holdfast"'),
)


class Credential(NamedTuple):
    """A token as a header holds it."""

    scheme: str  # "bearer" or "dpop"
    token: str


def credential_of(header: bytes | None, name: str) -> Credential:
    """Read a header such as ``Bearer hft_…``; :class:`NotAuthenticated` without a token in it."""
    if header is None:
        raise NotAuthenticated(
            f"the {name} header is missing", remedy=f"Send `{name}: Bearer <token>`."
        )
    found = _CREDENTIAL.match(header)
    if found is None:
        raise NotAuthenticated(f"the {name} header is neither `Bearer <token>` nor `DPoP <token>`")
    return Credential(found[1].lower().decode(), found[2].decode())


def origins_of(settings: Settings) -> frozenset[str]:
    """Return the origins under which the data plane is known: what a proof's ``htu`` may begin with."""
    public, port = urlsplit(settings.origin), settings.data_plane_port
    names = {settings.data_plane_host, public.hostname or ""}
    if is_loopback(settings.data_plane_host):
        names |= {"localhost", "127.0.0.1", "::1"}
    hosts = (f"[{name}]" if ":" in name else name for name in names)
    given = (settings.origin, *(f"http://{host}:{port}" for host in hosts))
    return frozenset(dpop.address_of(url)[0] for url in given) - {""}


class Door:
    """Reads who asks from the headers of a request. One per process."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._origins = origins_of(settings)
        self._clock = clock

    def caller(self, request: Request) -> Caller:
        """Return who asks; :class:`NotAuthenticated` without a token, or with a proof that is not good."""
        given = credential_of(request.headers.get(b"authorization"), "Authorization")
        return Caller(
            secret_hash=hash_secret(given.token),
            proved=self._proved(request, given, request.headers.get(b"dpop")),
            peer=request.peer,
            device=request.device(),
        )

    def _proved(self, request: Request, given: Credential, proof: bytes | None) -> Proved:
        if given.scheme != "dpop":
            return UNPROVED  # a bound token that comes as a bearer's is refused, whatever else comes (RFC 9449 §7.2)
        if proof is None:
            raise NotAuthenticated(
                "the DPoP header is missing",
                remedy="Send one proof (RFC 9449) beside `Authorization: DPoP <token>`.",
                code="invalid_dpop_proof",
            )
        address = dpop.Addressed(request.method, request.path, self._origins)
        return dpop.check(proof.decode("latin-1"), given.token, address, self._clock.now_us())
