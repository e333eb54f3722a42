"""In whose name the command line works (SPINE 12): administration is done by a named person with a role.

``HOLDFAST_TOKEN`` (or a file that ``HOLDFAST_TOKEN_FILE`` names) counts if it is set, else the operating-system user,
if a person is bound to it. The user is the one that the process runs as; ``USER`` or ``LOGNAME`` are not asked,
because everybody can set them.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from holdfast.kit.db import Round
from holdfast.kit.errors import Denied, NotAuthenticated
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.identity.people import person_of_os_user
from holdfast.spine.identity.place import within
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.requester import requester_of
from holdfast.spine.identity.store import CREDENTIAL
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work

HERE: Final = "127.0.0.1"  # where the command line is: on the house's own machine


class HasSettings(Protocol):
    """The part of a house that this module asks for."""

    @property
    def settings(self) -> Settings:
        """Settings, with the token if one is set."""
        ...

    @property
    def clock(self) -> Clock:
        """The house's clock."""
        ...


@dataclass(frozen=True, slots=True)
class Acting:
    """A person who administers. ``credential`` is the token's id, or "" for an operating-system user."""

    person: str
    roles: frozenset[Role]
    credential: str = ""

    def reference(self, log: str) -> Work[str]:
        """Return the acting person's reference in ``log``: what stands as ``by`` in a leaf."""
        return reference_of(self.person, log)


def acting_person(house: HasSettings, *, bound_to: str = "") -> Work[Acting]:
    """Return in whose name this process administers.

    ``bound_to`` names the one client whose bound tokens are accepted as well: a client's own user has no other, and
    may freeze the client with it. Everything else is administered with a token that is bound to no client.

    Raises :class:`NotAuthenticated` when nobody is named, and :class:`Denied` when the person is suspended or left.
    """
    if house.settings.token is not None:
        now_us = house.clock.now_us()
        return (yield from _by_token(house.settings.token.reveal(), now_us, bound_to=bound_to))
    user = os_user()
    member = yield from person_of_os_user(user)
    if member is None:
        raise NotAuthenticated(
            f"no person is bound to the operating-system user {user}",
            remedy="Set HOLDFAST_TOKEN, or let an administrator run `holdfast person add … --os-user`.",
        )
    _refuse_inactive(member.state)
    return Acting(member.id, member.roles)


def _by_token(text: str, now_us: int, *, bound_to: str) -> Work[Acting]:
    (rows,) = yield Round(data=(CREDENTIAL(secret_hash=hash_secret(text)),))
    try:
        requester = requester_of(rows[0] if rows else None, now_us)
    except NotAuthenticated:
        raise NotAuthenticated(
            "the token in HOLDFAST_TOKEN is not accepted: unknown, expired or revoked",
            remedy="Set it to a current token, or leave it out to act as the person of this account.",
        ) from None
    if not requester.is_person:
        raise Denied(
            "a service does not administer; a named person does",
            remedy="Set HOLDFAST_TOKEN to a token of a person.",
            code="service_token",
        )
    if requester.networks and not within(HERE, requester.networks):
        raise Denied(
            "this token is bound to networks that this machine's own address is not in",
            remedy="Use it from there, or use a token without --networks.",
            code="other_network",
        )
    if requester.device or requester.client not in {"", bound_to}:
        raise Denied(
            "this token is bound to one device or client, so it does not administer",
            remedy="Use a token without --device and --client.",
            code="bound_token",
        )
    _refuse_inactive(requester.person_state)
    return Acting(requester.person, requester.roles, requester.credential)


def _refuse_inactive(state: PersonState) -> None:
    if state is not PersonState.ACTIVE:
        raise Denied(
            f"the acting person is {'suspended' if state is PersonState.SUSPENDED else 'no longer here'}",
            remedy="Ask an administrator.",
            code="not_active",
        )


def require(acting: Acting, *roles: Role) -> None:
    """Raise :class:`Denied` unless the acting person has one of ``roles``."""
    if acting.roles.isdisjoint(roles):
        names = [role.value for role in roles]
        wanted = (
            f"the role {names[0]}" if len(names) == 1 else f"one of the roles {', '.join(names)}"
        )
        have = ", ".join(sorted(acting.roles)) or "none"
        raise Denied(
            f"this needs {wanted}; the acting person has {have}",
            remedy="Ask somebody who has it, or set HOLDFAST_TOKEN to their token.",
            code="role_missing",
        )


def os_user() -> str:
    """Return the name of the account that this process runs as, as the system knows it."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid-{number}"
