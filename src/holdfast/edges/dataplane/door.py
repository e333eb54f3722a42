"""What stands at the door: which token came, under which scheme, and which keys the request shows possession of.

Nothing is looked up here. A proof is verified before the turn's transaction begins, since that is mere arithmetic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from msgspec.structs import replace

from holdfast.edges.dataplane.gate import Gate
from holdfast.kit.config import is_loopback
from holdfast.kit.errors import Denied, NotAuthenticated
from holdfast.spine.identity import dpop
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.identity.place import within
from holdfast.spine.identity.presented import UNPROVED, Caller, Presented, Proved
from holdfast.spine.identity.proxies import client_address, client_certificate

if TYPE_CHECKING:
    from holdfast.edges.dataplane.gate import Pass
    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings

_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
_CREDENTIAL: Final = re.compile(rb"(?i:(bearer|dpop)) ([A-Za-z0-9._~+/=-]{16,256})\Z")
CHALLENGES: Final = (  # the stronger first
    (
        b"www-authenticate",
        b'DPoP realm="holdfast", algs="%s"' % " ".join(dpop.ALGORITHMS).encode(),
    ),
    (b"www-authenticate", b'Bearer realm="holdfast"'),
)


class Incoming(Protocol):
    """What this module looks at of a request. ``socket`` is the address of the socket's other end.

    ``shown`` gets each credential that was read, with what was proved of it, also when the next one is not good.
    """

    method: str
    path: str
    socket: str
    headers: dict[bytes, bytes]
    entered: Pass | None
    shown: list[Presented]

    def device(self) -> str:
        """Name that the device gives itself."""
        ...


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
    scheme = "https" if settings.encrypted else "http"
    given = (settings.origin, *(f"{scheme}://{host}:{port}" for host in hosts))
    return frozenset(dpop.address_of(url)[0] for url in given) - {""}


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("latin-1")


class Door:
    """Reads who asks from the headers of a request. One per process."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._origins = origins_of(settings)
        self._clock = clock
        self._trusted = settings.trusted_proxies
        self._certificates = settings.proxy_client_cert
        self._encrypted = settings.encrypted
        self.gate = Gate(settings.flood_per_credential, settings.flood_per_client)

    def admit(self, request: Incoming) -> None:
        """Raise :class:`Denied` for a request that came in clear over a network, past the proxy that encrypts."""
        socket = request.socket
        if self._encrypted or not socket or self._is_proxy(socket) or within(socket, _LOOPBACK):
            return
        raise Denied(
            "this request came in clear, past the proxy",
            remedy="Use the house's own address, https://….",
            code="not_encrypted",
        )

    def _is_proxy(self, socket: str) -> bool:
        return bool(self._trusted) and within(socket, self._trusted)

    def peer(self, request: Incoming) -> str:
        """Return the network address of who sent the request; "" when a trusted proxy hides it."""
        if not self._trusted:
            return request.socket
        return client_address(
            request.socket,
            self._trusted,
            forwarded=_text(request.headers.get(b"forwarded")),
            x_forwarded_for=_text(request.headers.get(b"x-forwarded-for")),
        )

    def caller(self, request: Incoming) -> Caller:
        """Return who asks; :class:`NotAuthenticated` without a token, or with a proof that is not good.

        Raises :class:`TooMany` before any proof is looked at, when the credential is used too fast.

        With ``Holdfast-On-Behalf-Of`` the request is the person's whom it names, sent by the service that the
        ``Authorization`` names. The connection, and so its certificate, is the service's.
        """
        headers = request.headers
        given = credential_of(headers.get(b"authorization"), "Authorization")
        self._enter(request, given)
        certificate = self._certificate(request)
        sender = self._presented(request, given, headers.get(b"dpop"), certificate=certificate)
        person, service = sender, None
        if b"holdfast-on-behalf-of" in headers:
            named = credential_of(headers[b"holdfast-on-behalf-of"], "Holdfast-On-Behalf-Of")
            proof = headers.get(b"holdfast-on-behalf-of-proof")
            person, service = self._presented(request, named, proof, certificate=""), sender
        return Caller(
            secret_hash=person.secret_hash,
            proved=person.proved,
            service=service,
            peer=self.peer(request),
            device=request.device(),
        )

    def _enter(self, request: Incoming, given: Credential) -> None:
        """Let the request through the gate, once: under the person's credential where a service asks for a person."""
        if request.entered is None:
            named = _CREDENTIAL.match(request.headers.get(b"holdfast-on-behalf-of", b""))
            charged = named[2].decode() if named else given.token
            request.entered = self.gate.enter(hash_secret(charged), self.peer(request))

    def leave(self, request: Incoming, *, refused: bool = False, status: int = 0) -> None:
        """The request is over: its credential was refused, or it was answered with ``status`` (0: it failed)."""
        if request.entered is None:
            return
        if refused:
            self.gate.refuse(request.entered)
        self.gate.leave(request.entered, answered=status > 0, shown=status == 200)

    def _presented(
        self, request: Incoming, given: Credential, proof: bytes | None, *, certificate: str
    ) -> Presented:
        proved = self._proved(request, given, proof, certificate=certificate)
        presented = Presented(secret_hash=hash_secret(given.token), proved=proved)
        request.shown.append(presented)
        return presented

    def _proved(
        self, request: Incoming, given: Credential, proof: bytes | None, *, certificate: str
    ) -> Proved:
        """Return what the request shows; ``certificate`` is the thumbprint of the connection's, or ""."""
        if given.scheme != "dpop":
            # A token bound to a key that comes as a bearer's is refused, whatever else comes (RFC 9449 §7.2).
            return Proved(x5t=certificate) if certificate else UNPROVED
        if proof is None:
            raise NotAuthenticated(
                "a token of the scheme DPoP came without its proof: the DPoP header is missing",
                remedy="Send one proof (RFC 9449) beside `DPoP <token>`.",
                code="invalid_dpop_proof",
            )
        address = dpop.Addressed(request.method, request.path, self._origins)
        proved = dpop.check(proof.decode("latin-1"), given.token, address, self._clock.now_us())
        return replace(proved, x5t=certificate) if certificate else proved

    def _certificate(self, request: Incoming) -> str:
        """Return the thumbprint of the client's certificate, if a trusted proxy says one."""
        header = request.headers.get(b"client-cert")
        if header is None or not self._certificates or not self._is_proxy(request.socket):
            return ""
        return client_certificate(header.decode("latin-1"))
