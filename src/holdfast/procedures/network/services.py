"""Signing in to the console: links, factors and sessions, each act judged and told in every log that it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, NotAuthenticated, NotFound
from holdfast.kit.ids import new_id, new_secret_text
from holdfast.kit.secret import Secret
from holdfast.spine.administration.scene import (
    Scene,
    administer,
    clients_of,
    digest_of,
    enter,
    may,
    tell,
)
from holdfast.spine.decision.store import CHALLENGE, USE_CHALLENGE
from holdfast.spine.identity import people, sessions, store
from holdfast.spine.identity.acting import Acting
from holdfast.spine.identity.place import within
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.requester import joined, words
from holdfast.spine.ledger.recorder import append_signal
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import ENROLMENT, HOUSE_LOG, client_log
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.levels import CONFIRMED_BY, AuthLevel, PersonState, SignIn
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.identity.acting import HasSettings
    from holdfast.spine.identity.people import Member
    from holdfast.spine.identity.sessions import Browser, SignedIn

INVITE_LIFE_US: Final = 15 * MINUTE_US
_PREFIX: Final = "hfe"


@dataclass(frozen=True, slots=True)
class Invite:
    """A link just made: its secret exists only here."""

    person: Member
    secret: Secret[str]
    expires_us: int


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a link is for, and who may have seen it."""

    id: str
    person: str
    name: str
    issued_by: str
    expires_us: int


def invite(house: HasSettings, text: str, *, networks: tuple[str, ...]) -> Work[Invite]:
    """Make the link by which a person enrols a factor to sign in with: once, within 15 minutes, from ``networks``.

    Somebody else than the person makes it. Links made before that were not used are good no more.
    """
    entered = yield from enter(house, Act.FACTOR_INVITE)
    member = yield from people.find_person(text)
    if member.state is not PersonState.ACTIVE:
        raise Conflict(f"{member.staff_id} is {member.state}", code="wrong_state")
    scene = yield from entered.judge(
        clients=None,
        on=member.id,
        digest=digest_of(",".join(networks)),
        summary={"bound": ["networks"] if networks else []},
    )
    secret = new_secret_text(_PREFIX)
    expires_us = scene.now_us + INVITE_LIFE_US
    yield Round(data=(store.END_ENROLMENTS(person=member.id, now=scene.now_us),))
    yield Round(
        data=(
            store.ADD_ENROLMENT(
                id=new_id(ENROLMENT, scene.now_us),
                secret_hash=sessions.hash_cookie(secret),
                person=member.id,
                networks=",".join(networks),
                issued_by=joined(scene.acting.hands),
                now=scene.now_us,
                expires_us=expires_us,
            ),
        )
    )
    clients = yield from clients_of(member.id, scene.now_us)
    bound = ["networks"] if networks else []
    expires = rfc3339(expires_us)
    yield from tell(
        scene, LeafType.FACTOR_INVITED, clients, person=member.id, bound=bound, expires=expires
    )
    return Invite(member, Secret(secret), expires_us)


def invited(secret: str, *, peer: str, now_us: int) -> Work[Invited]:
    """Return whom a link is for; :class:`NotFound`, always in the same words, for one that is not good here."""
    (rows,) = yield Round(
        data=(store.ENROLMENT(secret_hash=sessions.hash_cookie(secret), now=now_us),)
    )
    networks = words(rows[0][2]) if rows else ()
    state = rows[0][8] if rows else ""
    if state != PersonState.ACTIVE or (networks and not within(peer, networks)):
        raise NotFound(
            "this link is not good here",
            remedy="A link works once, for 15 minutes, and where it was made for. Ask for a new one.",
            code="no_such_link",
        )
    ident, person, _, issued_by, expires_us, staff_id, _, label = rows[0][:8]
    return Invited(
        id=ident,
        person=person,
        name=label or staff_id,
        issued_by=issued_by,
        expires_us=expires_us,
    )


def use_invite(house: House, link: Invited, method: str) -> Work[None]:
    """Use a link up for the factor that is being enrolled by it; :class:`NotFound` when somebody was quicker."""
    now_us = house.clock.now_us()
    (rows,) = yield Round(data=(store.USE_ENROLMENT(id=link.id, now=now_us),))
    if not rows:
        raise NotFound(
            "this link was used already", remedy="Ask for a new one.", code="no_such_link"
        )
    scene = yield from _oneself(link.person, now_us)
    clients = yield from clients_of(link.person, now_us)
    yield from tell(
        scene, LeafType.FACTOR_ENROLLED, clients, person=link.person, method=method, invited=True
    )


def may_enrol(house: HasSettings) -> Work[Scene]:
    """Judge whether who is signed in may enrol one more factor of their own."""
    entered = yield from enter(house, Act.FACTOR_ENROL)
    return (yield from entered.judge(on=entered.acting.person))


def tell_enrolled(house: HasSettings, method: str) -> Work[None]:
    """Write that who is signed in enrolled a further factor."""
    scene = yield from may_enrol(house)
    clients = yield from clients_of(scene.member.id, scene.now_us)
    yield from tell(
        *(scene, LeafType.FACTOR_ENROLLED, clients),
        person=scene.member.id,
        method=method,
        invited=False,
    )


def remove_factor(house: HasSettings, person: str, method: str) -> Work[None]:
    """Judge and write that a factor is removed; every session of the person but this one ends."""
    entered = yield from enter(house, Act.FACTOR_REMOVE)
    scene = yield from entered.judge(on=person)
    own = scene.acting.credential if scene.acting.person == scene.member.id else ""
    yield from _end_all(scene, scene.member.id, but=own)
    clients = yield from clients_of(scene.member.id, scene.now_us)
    yield from tell(scene, LeafType.FACTOR_REMOVED, clients, person=scene.member.id, method=method)


def sign_in(
    house: House,
    person: str,
    cookie_hash: bytes,
    *,
    method: str,
    factor: str,
    seen_by: str,
    browser: Browser,
) -> Work[str]:
    """Begin the session of somebody who has just shown a factor. Raises :class:`NotAuthenticated` if they may not."""
    now_us = house.clock.now_us()
    member = yield from people.find_person(person)
    if member.state is not PersonState.ACTIVE:
        raise NotAuthenticated(
            "this person does not sign in now", remedy="Ask your lead or an administrator."
        )
    ident = yield from sessions.open_session(
        *(person, cookie_hash),
        method=method,
        factor=factor,
        seen_by=seen_by,
        browser=browser,
        now_us=now_us,
    )
    scene = yield from _oneself(person, now_us)
    clients = yield from clients_of(person, now_us)
    ends = rfc3339(now_us + sessions.LONGEST_US)
    yield from tell(scene, LeafType.SESSION_OPENED, clients, token=ident, method=method, ends=ends)
    return ident


def confirm(house: HasSettings, challenge: str, method: SignIn) -> Work[AuthLevel]:
    """Answer a step-up challenge of who is signed in, who has just shown a factor again: in place, once.

    :class:`NotFound` for a challenge that is not this person's, :class:`Conflict` for one that was answered before.
    """
    entered = yield from enter(house, Act.SESSION_LIFT)
    scene = yield from entered.judge(on=entered.acting.person)
    (rows,) = yield Round(data=(CHALLENGE(id=challenge),))
    if not rows or rows[0][1] != scene.member.id:
        raise NotFound("no such challenge of yours", remedy="Ask for the field again.")
    client, _, contact = rows[0][:3]
    (used,) = yield Round(data=(USE_CHALLENGE(id=challenge, client=client, now_us=scene.now_us),))
    if not used:
        raise Conflict(
            "this challenge was answered before, or has lapsed",
            remedy="Ask for the field again.",
            code="challenge_closed",
        )
    level = CONFIRMED_BY[method]
    until_us = yield from sessions.lift(
        *(scene.acting.credential, level, client, contact),
        challenge=challenge,
        now_us=scene.now_us,
    )
    yield from tell(
        *(scene, LeafType.SESSION_LIFTED, (client,)),
        token=scene.acting.credential,
        method=method.value,
        client=client,
        challenge=challenge,
        expires=rfc3339(until_us),
    )
    return level


def tell_copied(house: HasSettings, person: str) -> Work[None]:
    """Raise the signal that a copy of a person's passkey is in use, in every log that it concerns."""
    now_us = house.clock.now_us()
    clients = yield from clients_of(person, now_us)
    for log in (HOUSE_LOG, *map(client_log, clients)):
        subject = yield from reference_of(person, log)
        yield Round(data=(append_signal(log, Signal.PASSKEY_COPIED, now_us, subject=subject),))


def end_session(house: HasSettings, ident: str) -> Work[None]:
    """End one session, one's own or somebody else's, from its next request on."""
    entered = yield from enter(house, Act.SESSION_END)
    (rows,) = yield Round(data=(store.SESSION_BY_ID(id=ident),))
    if not rows:
        raise NotFound(f"no session {ident}")
    scene = yield from entered.judge(on=rows[0][0], clients=None)
    if not (yield from sessions.end(ident, scene.now_us)):
        raise Conflict(f"{ident} was over before", code="ended")
    yield from _tell_ended(scene, scene.member.id, [ident])


def end_sessions(house: HasSettings, person: str, *, everywhere: bool = True) -> Work[list[str]]:
    """End all sessions of a person; without ``everywhere`` all but the one that asks. Returns their ids."""
    entered = yield from enter(house, Act.SESSION_END)
    scene = yield from entered.judge(on=person or entered.acting.person, clients=None)
    own = "" if everywhere else scene.acting.credential
    return (yield from _end_all(scene, scene.member.id, but=own))


def list_sessions(house: HasSettings, person: str = "") -> Work[list[SignedIn]]:
    """List live sessions: everybody's to whoever may see them, else one's own."""
    if person == "" and (yield from may(house, Act.SESSION_LIST)):
        scene = yield from administer(house, Act.SESSION_LIST)
        return (yield from sessions.sessions("", scene.now_us))
    entered = yield from enter(house, Act.SESSION_LIST)
    scene = yield from entered.judge(on=person or entered.acting.person)
    return (yield from sessions.sessions(scene.member.id, scene.now_us))


def _end_all(scene: Scene, person: str, *, but: str) -> Work[list[str]]:
    ended = yield from sessions.end_all(person, scene.now_us, but=but)
    yield from _tell_ended(scene, person, ended)
    return ended


def _tell_ended(scene: Scene, person: str, ended: list[str]) -> Work[None]:
    clients = yield from clients_of(person, scene.now_us)
    for ident in ended:
        yield from tell(scene, LeafType.SESSION_ENDED, clients, token=ident, person=person)


def _oneself(person: str, now_us: int) -> Work[Scene]:
    """A scene in the person's own name, of what follows from a factor that they have just shown."""
    member = yield from people.find_person(person)
    return Scene(Acting(member.id, member.roles, state=member.state), now_us, member)
