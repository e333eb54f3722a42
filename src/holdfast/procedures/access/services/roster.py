"""The list of people, and what is known of one of them: for those who run the house, and for leads of their line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.procedures.access.services import store
from holdfast.procedures.access.services.tokens import live_tokens
from holdfast.spine.administration.facts import LINE, works_for
from holdfast.spine.administration.scene import administer
from holdfast.spine.identity import people, sessions
from holdfast.spine.identity.people import Member, member_of
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.requester import roles_of, words
from holdfast.spine.identity.store import ASSIGNMENTS_OF_PERSON, ASSIGNMENTS_OF_PERSONS
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from holdfast.kit.db import Row, Work
    from holdfast.spine.identity.acting import Acting, HasSettings
    from holdfast.spine.identity.sessions import SignedIn

PAGE: Final = 50
#: These see everybody; a lead sees agents and leads of the clients that they work for themselves.
EVERYBODY: Final = frozenset({Role.ADMIN, Role.SECURITY, Role.DPO, Role.AUDITOR})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which people, in which order, and after whom. ``newest`` sorts by who joined last, else it is by staff id."""

    text: str = ""
    state: str = ""
    role: str = ""
    employer: str = ""
    client: str = ""
    newest: bool = False
    after: str = ""
    after_id: str = ""


class OnList(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the list shows them."""

    member: Member
    lines: tuple[str, ...]


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """One line that a person works on, worked on, or is yet to."""

    client: str
    programme: str
    queues: tuple[str, ...]
    roles: frozenset[Role]
    starts_us: int
    ends_us: int | None
    current: bool


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page of one person shows, but what happened."""

    member: Member
    lead: Member | None
    lines: tuple[Assigned, ...]
    sessions: tuple[SignedIn, ...]
    tokens: int
    factors: dict[str, int]
    reference: str  # by which the house's own log names them


def roster(house: HasSettings, wanted: Wanted) -> Work[tuple[list[OnList], OnList | None]]:
    """Return a page of people, and the last of it when there are more."""
    scene = yield from administer(house, Act.PERSON_LIST)
    clients = yield from works_for(scene.acting.person, scene.now_us)
    given = {
        "text": wanted.text,
        "like": f"%{_literal(wanted.text)}%",
        "upper": f"%{_literal(wanted.text.upper())}%",
        "state": wanted.state,
        "role": wanted.role,
        "employer": wanted.employer,
        "client": wanted.client,
        "mine": int(not _sees_everybody(scene.acting)),
        "clients": sorted(clients) or [""],
        "now": scene.now_us,
        "limit": PAGE + 1,
    }
    asked = (
        store.ROSTER_NEWEST(after_id=wanted.after_id, **given)
        if wanted.newest
        else store.ROSTER(after=wanted.after, after_id=wanted.after_id, **given)
    )
    (rows,) = yield Round(data=(asked,))
    members = [member_of(row) for row in rows[:PAGE]]
    whose = None if _sees_everybody(scene.acting) else clients
    lines = yield from _lines([one.id for one in members], whose, scene.now_us)
    found = [OnList(member=one, lines=tuple(lines.get(one.id, ()))) for one in members]
    return found, found[-1] if len(rows) > PAGE else None


def _lines(
    persons: list[str], whose: frozenset[str] | None, now_us: int
) -> Work[dict[str, list[str]]]:
    if not persons:
        return {}
    (rows,) = yield Round(data=(ASSIGNMENTS_OF_PERSONS(persons=persons, now=now_us),))
    lines: dict[str, list[str]] = {}
    for person, _, client, programme, *_ in rows:
        if whose is None or client in whose:
            lines.setdefault(person, []).append(f"{client}/{programme}")
    return lines


def dossier(house: HasSettings, ident: str) -> Work[Dossier]:
    """Return what is known of a person; :class:`NotFound`, in the same words, for one whom the reader may not see."""
    scene = yield from administer(house, Act.PERSON_LIST)
    member = yield from seen(scene.acting, ident, scene.now_us)
    assignments, factors = yield Round(
        data=(ASSIGNMENTS_OF_PERSON(person=member.id), store.FACTORS(person=member.id))
    )
    mine = yield from works_for(scene.acting.person, scene.now_us)
    shown = [row for row in assignments if _sees_everybody(scene.acting) or row[1] in mine]
    return Dossier(
        member=member,
        lead=(yield from people.find_person(member.lead)) if member.lead else None,
        lines=tuple(_assigned(row, scene.now_us) for row in reversed(shown)),
        sessions=tuple((yield from sessions.sessions(member.id, scene.now_us))),
        tokens=len((yield from live_tokens(member.id, scene.now_us))),
        factors=dict(factors),
        reference=(yield from reference_of(member.id, HOUSE_LOG)),
    )


def seen(acting: Acting, ident: str, now_us: int) -> Work[Member]:
    """Return the person of an id if who acts sees them; else :class:`NotFound`, as for nobody."""
    missing = NotFound("there is no such person")
    if not ident.startswith("per_"):
        raise missing
    try:
        member = yield from people.find_person(ident)
    except NotFound:
        raise missing from None
    if _sees_everybody(acting) or member.id == acting.person:
        return member
    mine = yield from works_for(acting.person, now_us)
    theirs = yield from works_for(member.id, now_us)
    if not member.roles <= LINE or mine.isdisjoint(theirs):
        raise missing
    return member


def _sees_everybody(acting: Acting) -> bool:
    return bool(acting.roles & EVERYBODY)


def _assigned(row: Row, now_us: int) -> Assigned:
    ends_us = row[6]
    return Assigned(
        client=row[1],
        programme=row[2],
        queues=words(row[3]),
        roles=roles_of(row[4]),
        starts_us=row[5],
        ends_us=ends_us,
        current=ends_us is None or ends_us > now_us,
    )


def _literal(text: str) -> str:
    """What LIKE takes as it stands, but for what means something else to it: that stands for any one character."""
    return text.replace("%", "_").replace("\\", "_")
