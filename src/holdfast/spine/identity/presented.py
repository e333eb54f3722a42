"""What comes with a request to say who asks: hashes of secrets, and the keys whose possession was shown.

The edge makes these from headers; nothing here has been looked up yet.
"""

from __future__ import annotations

import msgspec


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Keys whose possession a request shows, whoever they belong to.

    ``jkt`` is the thumbprint (RFC 7638) of the key that signed a DPoP proof, ``x5t`` that of the client's certificate
    (RFC 8705); "" without one. ``use`` is the digest under which the proof is remembered until ``until_us``, so that
    it is accepted once.
    """

    jkt: str = ""
    x5t: str = ""
    use: bytes = b""
    until_us: int = 0


UNPROVED = Proved()


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """One credential as it was presented. The secret itself stays at the edge.

    ``session``: it is the cookie of somebody who signed in to the console. Only the console says so; no header does.
    """

    secret_hash: bytes
    session: bool = False
    proved: Proved = UNPROVED


class Caller(Presented, frozen=True, kw_only=True):
    """Who asks, and from where. ``peer`` is the network address, ``device`` the name that a device gives itself.

    Where a service asks on behalf of a person, the credential is the person's, and ``service`` is the service's own.
    """

    service: Presented | None = None
    peer: str = ""
    device: str = ""
