"""What a credential says about who asks, at this moment.

Pure: the row comes from :data:`holdfast.spine.identity.store.CREDENTIAL`, read in the transaction of the request, so
that a revocation or suspension that has committed before counts (nothing is cached).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity.presented import UNPROVED
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role

if TYPE_CHECKING:
    from holdfast.kit.db import Row
    from holdfast.spine.identity.presented import Proved

FIRST: Final = "token"
SECOND: Final = "step_up"
_SESSION_FROM: Final = 20  # columns that a session has beside those of every credential
_ROLES: Final = {role.value: role for role in Role}


class Requester(msgspec.Struct, frozen=True, kw_only=True):
    """The holder of an accepted token: a person, or a service that is nobody's.

    ``networks`` and ``device`` are what the token is bound to (empty: not bound), ``client`` the one client that it is
    good for ("" for any), ``via`` the service that alone may send it. ``seen_by`` are the persons who may know the
    token beside its holder, and so act as they; nobody where a key has to be shown as well. Of a service, ``person``
    and ``employer`` are "", ``roles`` are empty and ``scopes`` say what it may do.
    """

    credential: str
    kind: str  # person | service
    person: str
    service: str
    scopes: frozenset[str]
    level: AuthLevel
    networks: tuple[str, ...]
    device: str
    client: str
    via: str
    seen_by: tuple[str, ...] = ()
    expires_us: int
    revoked_us: int | None
    person_state: PersonState
    employer: str
    roles: frozenset[Role]
    method: str = ""  # how the person signed in, if it is a session

    @property
    def is_person(self) -> bool:
        """Whether a person holds the token; only a person ever sees a customer's value."""
        return self.kind == "person"

    @property
    def is_active(self) -> bool:
        """Whether the person works here and is not suspended; true of a service."""
        return self.person_state is PersonState.ACTIVE


class StepUp(msgspec.Struct, frozen=True, kw_only=True):
    """What a second token was issued for."""

    credential: str
    person: str
    client: str
    contact: str  # the contact's reference in the client's log
    challenge: str
    expires_us: int
    level: AuthLevel = AuthLevel.STEP_UP


def requester_of(row: Row | None, now_us: int, proved: Proved = UNPROVED) -> Requester:
    """Read a ``CREDENTIAL`` row. ``proved`` are the keys whose possession came with the request.

    Raises :class:`NotAuthenticated`, always with the same words, for a secret that is unknown, expired or revoked, that
    is not a first token, or that is bound to a key whose possession was not shown: it may be stolen. A suspended
    person's token is accepted here: that the person is suspended is a fact, and the decision refuses it with a leaf
    that the client sees.
    """
    if row is None:
        raise not_accepted()
    (ident, kind, person, service, scope, level, networks, device, client) = row[:9]
    expires_us, revoked_us, state, employer, roles, jkt, x5t, via, issued_by = row[11:20]
    if kind != FIRST or revoked_us is not None or expires_us <= now_us:
        raise not_accepted()
    if jkt not in {"", proved.jkt} or x5t not in {"", proved.x5t}:
        raise not_accepted()
    return Requester(
        credential=ident,
        kind="service" if person is None else "person",
        person=person or "",
        service=service,
        scopes=frozenset(words(scope)),
        level=AuthLevel(level),
        networks=words(networks),
        device=device,
        client=client,
        via=via,
        seen_by=() if jkt or x5t else words(issued_by),
        expires_us=expires_us,
        revoked_us=revoked_us,
        person_state=PersonState.ACTIVE if person is None else PersonState(state),
        employer=employer or "",
        roles=roles_of(roles or ""),
        method=row[20] if len(row) > _SESSION_FROM else "",
    )


def step_up_of(row: Row | None, now_us: int) -> StepUp | None:
    """Read a ``CREDENTIAL`` row as a second token; None when it is unknown, expired, revoked or no second token."""
    if row is None or row[1] != SECOND:
        return None
    expires_us, revoked_us = row[11], row[12]
    if revoked_us is not None or expires_us <= now_us:
        return None
    return StepUp(
        credential=row[0],
        person=row[2],
        client=row[8],
        challenge=row[9],
        contact=row[10],
        expires_us=expires_us,
    )


def lift_of(row: Row, now_us: int) -> StepUp | None:
    """Read of a ``SESSION`` row what its person confirmed there; None when that was nothing, or is over."""
    level, client, contact, challenge, until_us = row[21:26]
    if until_us <= now_us:
        return None
    return StepUp(
        credential=row[0],
        person=row[2],
        client=client,
        contact=contact,
        challenge=challenge,
        expires_us=until_us,
        level=AuthLevel(level),
    )


def level_of(
    requester: Requester, step_up: StepUp | None, *, client: str, contact: str
) -> AuthLevel:
    """Return how strongly the requester stands behind a request about ``contact`` (its reference) of ``client``.

    A second token, or a session's own confirmation, raises the level only for the person, client and contact whose
    challenge it answers; anything else that comes with a request is as if it had not come.
    """
    if (
        step_up is not None
        and contact
        and step_up.person == requester.person
        and step_up.client == client
        and step_up.contact == contact
    ):
        return max(requester.level, step_up.level)
    return requester.level


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """Split a stored list ("a,b") into its words."""
    return tuple(text.split(",")) if text else ()


@lru_cache(maxsize=1024)
def roles_of(text: str) -> frozenset[Role]:
    """Read stored roles; a word that is no role (any more) gives nothing."""
    return frozenset(_ROLES[word] for word in words(text) if word in _ROLES)


def not_accepted() -> NotAuthenticated:
    """Return the one refusal of a credential, whatever is wrong with it."""
    return NotAuthenticated(
        "no valid credential came with the request",
        remedy="Send `Authorization: Bearer <token>` with a current token; `holdfast token create` issues one.",
    )


def joined(items: Any) -> str:
    """Write a list as it is stored: sorted, without repetition."""
    return ",".join(sorted({str(item) for item in items}))
