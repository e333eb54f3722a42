"""Issuing and revoking credentials: secrets of 256 random bits, shown once, stored as a hash.

A plain hash is enough because nobody can guess such a secret; a slow one would only slow each request. The hash is
not itself a secret that the house accepts. A revocation counts from the next request on: nothing is cached.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US
from holdfast.kit.crypto.mac import sha256
from holdfast.kit.db import Round
from holdfast.kit.errors import InvalidInput
from holdfast.kit.ids import new_id, new_secret_text
from holdfast.kit.secret import Secret
from holdfast.spine.identity.requester import FIRST, SECOND, joined
from holdfast.spine.identity.store import ADD_CREDENTIAL, REVOKE, REVOKE_ALL
from holdfast.vocabulary.ids import CREDENTIAL
from holdfast.vocabulary.levels import AuthLevel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Work

PERSON_LIFE_US: Final = 12 * HOUR_US  # a shift
PERSON_LONGEST_US: Final = 30 * DAY_US
SERVICE_LIFE_US: Final = 90 * DAY_US
SERVICE_LONGEST_US: Final = 366 * DAY_US
STEP_UP_LIFE_US: Final = 5 * MINUTE_US
MOST_NETWORKS: Final = 32

FIRST_PREFIX: Final = "hft"
SECOND_PREFIX: Final = "hfs"
_DOMAIN: Final = b"holdfast credential\x00"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A credential just issued. ``secret`` exists only here; it cannot be shown again."""

    id: str
    secret: Secret[str]
    expires_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a token is bound to; an empty bound does not limit."""

    networks: tuple[str, ...] = ()
    device: str = ""
    client: str = ""
    scopes: tuple[str, ...] = field(default=())
    jkt: str = ""  # thumbprint of the holder's key
    x5t: str = ""  # thumbprint of the holder's certificate
    via: str = ""  # service that alone may send it

    @property
    def level(self) -> AuthLevel:
        """How strongly the holder stands behind a request that this token comes with."""
        return AuthLevel.POSSESSION if self.jkt or self.x5t else AuthLevel.BEARER


def hash_secret(text: str) -> bytes:
    """Return what is stored, and looked up, in place of the secret ``text``: 32 bytes."""
    return sha256(_DOMAIN + text.encode())


def issue(
    *,
    person: str = "",
    service: str = "",
    life_us: int,
    now_us: int,
    bounds: Bounds | None = None,
    issued_by: str = "",
) -> Work[IssuedToken]:
    """Issue a token to a person or to a service; exactly one of the two is named.

    ``issued_by`` are the persons who may see its secret now, joined by commas; "" when nobody does but the holder.

    Raises :class:`InvalidInput` when ``life_us`` is longer than the house allows.
    """
    if bool(person) is bool(service):
        raise InvalidInput("a token is a person's or a service's", field="person")
    longest = PERSON_LONGEST_US if person else SERVICE_LONGEST_US
    if not 0 < life_us <= longest:
        raise InvalidInput(
            f"a token of a {'person' if person else 'service'} lasts at most {longest // DAY_US} days",
            field="expires",
            remedy="Ask for less, e.g. 12h or 7d.",
        )
    bounds = bounds or Bounds()
    return (
        yield from _add(
            _prefix=FIRST_PREFIX,
            kind=FIRST,
            person=person or None,
            service=service,
            scope=joined(bounds.scopes),
            level=int(bounds.level),
            networks=",".join(bounds.networks),
            device=bounds.device,
            client=bounds.client,
            jkt=bounds.jkt,
            x5t=bounds.x5t,
            via=bounds.via,
            challenge="",
            contact="",
            issued_by=issued_by,
            created_us=now_us,
            expires_us=now_us + life_us,
        )
    )


def issue_step_up(
    *, person: str, client: str, contact: str, challenge: str, now_us: int, issued_by: str = ""
) -> Work[IssuedToken]:
    """Issue a second token for one challenge: good for five minutes, this person, client and contact."""
    return (
        yield from _add(
            _prefix=SECOND_PREFIX,
            kind=SECOND,
            person=person,
            service="",
            scope="",
            level=int(AuthLevel.STEP_UP),
            networks="",
            device="",
            client=client,
            jkt="",
            x5t="",
            via="",
            challenge=challenge,
            contact=contact,
            issued_by=issued_by,
            created_us=now_us,
            expires_us=now_us + STEP_UP_LIFE_US,
        )
    )


def _add(*, _prefix: str, created_us: int, expires_us: int, **columns: object) -> Work[IssuedToken]:
    secret = new_secret_text(_prefix)
    ident = new_id(CREDENTIAL, created_us)
    yield Round(
        data=(
            ADD_CREDENTIAL(
                id=ident,
                secret_hash=hash_secret(secret),
                created_us=created_us,
                expires_us=expires_us,
                **columns,
            ),
        )
    )
    return IssuedToken(ident, Secret(secret), expires_us)


def revoke(credential: str, now_us: int) -> Work[bool]:
    """Revoke one credential; False when it was revoked before or does not exist."""
    (rows,) = yield Round(data=(REVOKE(id=credential, now=now_us),))
    return bool(rows)


def revoke_all(person: str, now_us: int) -> Work[list[str]]:
    """Revoke every live credential of a person, second tokens too; return their ids."""
    (rows,) = yield Round(data=(REVOKE_ALL(person=person, now=now_us),))
    return [row[0] for row in rows]


def checked_networks(ranges: Iterable[str]) -> tuple[str, ...]:
    """Return the ranges in their canonical form; :class:`InvalidInput` names the one that is none."""
    found = []
    for text in ranges:
        try:
            found.append(str(ip_network(text.strip())))
        except ValueError as error:
            raise InvalidInput(
                f"{text.strip()!r} is not a network range: {error}",
                field="networks",
                remedy="Write ranges in CIDR form, e.g. 192.0.2.0/24,2001:db8::/32.",
            ) from None
    if len(found) > MOST_NETWORKS:
        raise InvalidInput(f"at most {MOST_NETWORKS} network ranges", field="networks")
    return tuple(dict.fromkeys(found))
