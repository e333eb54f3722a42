"""In whose name the command line and the console work (SPINE 12): a named person with a role administers.

In the console it is whoever signed in. An employer's directory (SCIM) is no person: it works under its token's own
name, and may do to that employer's people what ``administration.cedar`` grants a directory. On the command line:

``HOLDFAST_TOKEN`` (or a file that ``HOLDFAST_TOKEN_FILE`` names) counts if it is set, else the operating-system user,
if a person is bound to it. The user is the one that the process runs as; ``USER`` or ``LOGNAME`` are not asked,
because everybody can set them. A token that is bound to a key counts only with that key, in ``HOLDFAST_TOKEN_KEY`` (or
a file that ``HOLDFAST_TOKEN_KEY_FILE`` names). No proof is made of it: nothing is sent, this process has the key.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from holdfast.kit.db import Round
from holdfast.kit.errors import Denied, NotAuthenticated
from holdfast.spine.identity.bindings import thumbprint_of_private_key
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.identity.people import person_of_os_user
from holdfast.spine.identity.place import within
from holdfast.spine.identity.presented import UNPROVED, Proved
from holdfast.spine.identity.references import credential_reference, reference_of
from holdfast.spine.identity.requester import not_accepted, requester_of
from holdfast.spine.identity.store import CREDENTIAL, SESSION
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role

if TYPE_CHECKING:
    from holdfast.kit.clock import Clock
    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.spine.identity.presented import Caller

DIRECTORY: Final = "scim:"  # a service's scope, followed by the employer
DIRECTORY_LEAVE: Final = (
    "scim_leave:"  # beside it: who is inactive in the directory leaves, and does not only pause
)
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

    @property
    def directory(self) -> Caller | None:
        """The employer's directory that works now, in the console's process; None when none does."""
        ...

    @property
    def session(self) -> bytes | None:
        """Hash of the cookie in whose person's name the console works; None on the command line, b"" for nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Acting:
    """A person who administers. ``credential`` is the token's id, or "" for an operating-system user.

    ``device`` and ``client`` are what the token is bound to, ``elsewhere`` says that its networks are not here,
    ``seen_by`` who may know it beside its holder, ``key`` the thumbprint of the key that is held here. An employer's
    directory is no person: ``person`` is "" and ``employer`` says whose people it may touch.
    """

    person: str
    roles: frozenset[Role]
    credential: str = ""
    state: PersonState = PersonState.ACTIVE
    level: AuthLevel = AuthLevel.BEARER
    device: str = ""
    client: str = ""
    elsewhere: bool = False
    seen_by: tuple[str, ...] = ()
    key: str = ""
    employer: str = ""
    scopes: frozenset[str] = frozenset()

    @property
    def hands(self) -> frozenset[str]:
        """Everybody who may be the one who acts here, as far as credentials tell: they see what is shown now."""
        return frozenset((self.person, *self.seen_by))

    def reference(self, log: str) -> Work[str]:
        """Return what stands as ``by`` in a leaf of ``log``: the person's reference, or that of a directory's token."""
        if self.employer:
            return credential_reference(self.credential, log)
        return (yield from reference_of(self.person, log))


def acting_person(house: HasSettings, *, bound_to: str = "") -> Work[Acting]:
    """Return in whose name this process works, for what is judged otherwise than as an administrative act.

    ``bound_to`` names the one client whose bound tokens are accepted as well: a client's own user has no other, and
    may freeze the client with it.

    Raises :class:`NotAuthenticated` when nobody is named, and :class:`Denied` when the person is suspended or left, or
    the token is not good here.
    """
    acting = yield from named_person(house)
    _refuse_inactive(acting, bound_to)
    return acting


def named_person(house: HasSettings) -> Work[Acting]:
    """Return who is named, active or not: an administrative act is judged (``holdfast.spine.administration``).

    Raises :class:`NotAuthenticated` when nobody is named, and :class:`Denied` for a service, which is nobody.
    """
    if house.directory is not None:
        return (yield from _by_directory(house.directory, house.clock.now_us()))
    if house.session is not None:
        return (yield from _by_session(house.session, house.clock.now_us()))
    if house.settings.token is not None:
        return (yield from _by_token(house, house.settings.token.reveal()))
    user = os_user()
    member = yield from person_of_os_user(user)
    if member is None:
        raise NotAuthenticated(
            f"no person is bound to the operating-system user {user}",
            remedy="Set HOLDFAST_TOKEN, or let an administrator run `holdfast person add … --os-user`.",
        )
    return Acting(member.id, member.roles, state=member.state)


def _by_session(secret_hash: bytes, now_us: int) -> Work[Acting]:
    (rows,) = yield Round(data=(SESSION(secret_hash=secret_hash),))
    try:
        requester = requester_of(rows[0] if rows else None, now_us)
    except NotAuthenticated:
        raise NotAuthenticated(
            "nobody is signed in here any more", remedy="Sign in again; you come back to this page."
        ) from None
    return Acting(
        requester.person,
        requester.roles,
        requester.credential,
        state=requester.person_state,
        level=requester.level,
        seen_by=requester.seen_by,
    )


def _by_directory(shown: Caller, now_us: int) -> Work[Acting]:
    (rows,) = yield Round(data=(CREDENTIAL(secret_hash=shown.secret_hash),))
    requester = requester_of(rows[0] if rows else None, now_us)
    employers = [
        one.removeprefix(DIRECTORY) for one in requester.scopes if one.startswith(DIRECTORY)
    ]
    there = not requester.networks or within(shown.peer, requester.networks)
    if requester.is_person or len(employers) != 1 or not there:
        raise not_accepted()
    return Acting(
        "",
        frozenset(),
        requester.credential,
        employer=employers[0],
        scopes=requester.scopes,
    )


def proved_here(settings: Settings) -> Proved:
    """Return what this process proves: that it has the key in ``HOLDFAST_TOKEN_KEY``, if one is set.

    Raises :class:`InvalidInput` for what is no private key.
    """
    key = settings.token_key
    if key is None:
        return UNPROVED
    return Proved(jkt=thumbprint_of_private_key(key.reveal().encode(), "token_key"))


def _by_token(house: HasSettings, text: str) -> Work[Acting]:
    proved = proved_here(house.settings)
    (rows,) = yield Round(data=(CREDENTIAL(secret_hash=hash_secret(text)),))
    try:
        requester = requester_of(rows[0] if rows else None, house.clock.now_us(), proved)
        if requester.via:
            raise not_accepted()  # it counts only as sent by that service
    except NotAuthenticated:
        raise NotAuthenticated(
            "the token in HOLDFAST_TOKEN is not accepted: unknown, expired, revoked, or bound to what is not here",
            remedy="Set it to a current token, and HOLDFAST_TOKEN_KEY_FILE to the file of the key that it is bound to; "
            "or leave it out to act as the person of this account.",
        ) from None
    if not requester.is_person:
        raise Denied(
            "a service does not administer; a named person does",
            remedy="Set HOLDFAST_TOKEN to a token of a person.",
            code="service_token",
        )
    return Acting(
        requester.person,
        requester.roles,
        requester.credential,
        state=requester.person_state,
        level=requester.level,
        device=requester.device,
        client=requester.client,
        elsewhere=bool(requester.networks) and not within(HERE, requester.networks),
        seen_by=requester.seen_by,
        key=proved.jkt,
    )


def _refuse_inactive(acting: Acting, bound_to: str) -> None:
    if acting.elsewhere:
        raise Denied(
            "this token is bound to networks that this machine's own address is not in",
            remedy="Use it from there, or use a token without --networks.",
            code="other_network",
        )
    if acting.device or acting.client not in {"", bound_to}:
        raise Denied(
            "this token is bound to one device or client, so it does not act here",
            remedy="Use a token without --device and --client.",
            code="bound_token",
        )
    if acting.state is not PersonState.ACTIVE:
        raise Denied(
            f"the acting person is {'suspended' if acting.state is PersonState.SUSPENDED else 'no longer here'}",
            remedy="Ask an administrator.",
            code="not_active",
        )


def os_user() -> str:
    """Return the name of the account that this process runs as, as the system knows it."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid-{number}"
