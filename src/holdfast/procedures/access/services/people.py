"""Persons: joining, roles, suspension, restoration, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.spine.administration.scene import (
    Scene,
    administer,
    clients_of,
    digest_of,
    tell,
    tell_in,
)
from holdfast.spine.approvals.store import CLOSE_GLASS_OF_PERSON, END_OF_PERSON
from holdfast.spine.identity import people, sessions
from holdfast.spine.identity.credentials import revoke_all
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.requester import joined, words
from holdfast.spine.identity.store import (
    ADD_DEPARTURE,
    ADD_EMPLOYER,
    ASSIGNMENTS_OF_PERSONS,
    BADGE_BACK,
    BADGES_OUT,
    EMPLOYERS,
    END_ALL_ASSIGNMENTS,
    END_ENROLMENTS,
    OVERRULE_DIRECTORY,
    SET_ROLES,
    TAKE_OVER,
    UNBIND_OS_USER,
)
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import HOUSE_LOG, client_log
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.levels import PersonState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.kit.db import Rows, Work
    from holdfast.spine.identity.acting import HasSettings
    from holdfast.spine.identity.people import Member
    from holdfast.vocabulary.levels import Role

MOST_LISTED = 1000


def add_employer(house: HasSettings, employer: str, name: str) -> Work[None]:
    """Add an employer; :class:`Conflict` when there is one of this id."""
    scene = yield from administer(house, Act.EMPLOYER_ADD)
    if not (yield from _employ(scene, employer, name)):
        raise Conflict(f"there is an employer {employer} already", code="employer_exists")


def _employ(scene: Scene, employer: str, name: str) -> Work[bool]:
    people.check_employer(employer)
    (added,) = yield Round(data=(ADD_EMPLOYER(id=employer, name=name or employer),))
    if added:
        yield from tell_in(scene, LeafType.EMPLOYER_ADDED, (HOUSE_LOG,), employer=employer)
    return bool(added)


def employers(house: HasSettings) -> Work[list[dict[str, str]]]:
    """List employers."""
    yield from administer(house, Act.EMPLOYER_LIST)
    (rows,) = yield Round(data=(EMPLOYERS(),))
    return [{"employer": row[0], "name": row[1]} for row in rows]


def add_person(
    house: HasSettings,
    staff_id: str,
    *,
    employer: str,
    roles: Iterable[Role],
    os_user: str | None = None,
    label: str = "",
    lead: str = "",
    first: Callable[[str], Work[object] | None] | None = None,
) -> Work[tuple[Member, bool]]:
    """Add a person; return them, and whether their employer was new and was added with them.

    ``lead`` is to whom they report; ``first`` what is done with the new person's id in the same transaction: a first
    assignment.
    """
    scene = yield from administer(house, Act.PERSON_ADD, employer=employer)
    new_employer = yield from _employ(scene, employer, "")
    chosen = frozenset(roles)
    person = yield from people.add_person(
        staff_id=staff_id,
        employer=employer,
        roles=chosen,
        now_us=scene.now_us,
        os_user=os_user,
        label=label,
    )
    yield from tell_in(
        scene,
        LeafType.PERSON_ADDED,
        (HOUSE_LOG,),
        person=person,
        employer=employer,
        roles=sorted(chosen),
    )
    if lead:
        yield from _report_to(scene, person, (yield from people.find_person(lead)).id)
    then = first(person) if first else None
    if then is not None:
        yield from then
    return (yield from people.find_person(person)), new_employer


def set_roles(house: HasSettings, text: str, roles: Iterable[Role]) -> Work[Member]:
    """Give a person exactly ``roles`` of the house; those of assignments stay as they are."""
    chosen = frozenset(roles)
    scene = yield from administer(
        house,
        Act.PERSON_ROLES,
        clients=None,
        on=text,
        digest=digest_of(text, joined(chosen)),
        summary={"roles": sorted(chosen)},
    )
    member = scene.member
    (rows,) = yield Round(data=(SET_ROLES(person=member.id, roles=joined(chosen)),))
    if not rows:
        raise _not_now(member, "be given roles")
    clients = yield from clients_of(member.id, scene.now_us)
    yield from tell(
        scene, LeafType.PERSON_ROLES_CHANGED, clients, person=member.id, roles=sorted(chosen)
    )
    return (yield from people.find_person(member.id))


def set_lead(house: HasSettings, text: str, lead: str) -> Work[Member]:
    """Let a person report to ``lead``, or to nobody when it is empty. Nobody changes their own line.

    Raises :class:`Conflict` when the lead reports to the person, or one of them has left.
    """
    scene = yield from administer(house, Act.PERSON_LINE, clients=None, on=text)
    member = scene.member
    above = (yield from people.find_person(lead)) if lead else None
    for one in filter(None, (member, above)):
        if one.state is PersonState.LEFT:
            raise _not_now(one, "stand in a line")
    yield from _report_to(scene, member.id, above.id if above else "")
    return (yield from people.find_person(member.id))


def _report_to(scene: Scene, person: str, lead: str) -> Work[None]:
    yield from people.change_lead(person, lead or None)
    clients = yield from clients_of(person, scene.now_us)
    logs = (HOUSE_LOG, *map(client_log, clients))
    for log in logs:
        above = (yield from reference_of(lead, log)) if lead else ""
        yield from tell_in(scene, LeafType.PERSON_LINE_CHANGED, (log,), person=person, lead=above)


def suspend(house: HasSettings, text: str) -> Work[Member]:
    """Suspend a person: from the next request on every look of theirs is refused, and so is every command."""
    scene = yield from administer(house, Act.PERSON_SUSPEND, clients=None, on=text)
    member = scene.member
    if not (yield from people.change_state(member.id, PersonState.ACTIVE, PersonState.SUSPENDED)):
        taken: Rows = []
        if not scene.acting.employer:  # from here on the directory does not end it
            (taken,) = yield Round(data=(TAKE_OVER(person=member.id),))
        if not taken:
            raise _not_now(member, "be suspended")
    yield from _tell_state(scene, LeafType.PERSON_SUSPENDED, member)
    return (yield from people.find_person(member.id))


def restore(house: HasSettings, text: str) -> Work[Member]:
    """End a suspension; tokens that are still valid work again."""
    scene = yield from administer(
        house, Act.PERSON_RESTORE, clients=None, on=text, digest=digest_of(text)
    )
    member = scene.member
    if not (yield from people.change_state(member.id, PersonState.SUSPENDED, PersonState.ACTIVE)):
        raise _not_now(member, "be restored")
    yield Round(data=(OVERRULE_DIRECTORY(person=member.id),))
    yield from _tell_state(scene, LeafType.PERSON_RESTORED, member)
    return (yield from people.find_person(member.id))


def leave(house: HasSettings, text: str) -> Work[tuple[Member, int, int]]:
    """Let a person go, in one transaction: all by which they could act, or get in, ends, and their badge is to be had.

    That is: state, assignments, tokens, sessions, links to enrol by, the bound account, what they asked a second person
    for, and a break-glass of theirs. Returns the person, the number of assignments ended, and of tokens and sessions.
    It cannot be undone: who comes back is added anew under another staff id.
    """
    scene = yield from administer(house, Act.PERSON_LEAVE, clients=None, on=text)
    member = scene.member
    clients = yield from clients_of(member.id, scene.now_us)
    left = PersonState.LEFT
    if member.state is left or not (yield from people.change_state(member.id, member.state, left)):
        raise _not_now(member, "leave")
    ended, *_ = yield Round(
        data=(
            END_ALL_ASSIGNMENTS(person=member.id, now=scene.now_us),
            UNBIND_OS_USER(person=member.id),
            END_ENROLMENTS(person=member.id, now=scene.now_us),
            END_OF_PERSON(person=member.id, now_us=scene.now_us),
            CLOSE_GLASS_OF_PERSON(person=member.id, now_us=scene.now_us),
            ADD_DEPARTURE(person=member.id, now=scene.now_us),
        )
    )
    revoked = yield from revoke_all(member.id, scene.now_us)
    revoked += yield from sessions.end_all(member.id, scene.now_us)
    yield from tell(scene, LeafType.PERSON_LEFT, clients, person=member.id)
    return (yield from people.find_person(member.id)), len(ended), len(revoked)


def badges_out(house: HasSettings) -> Work[list[dict[str, str | int]]]:
    """List those who left and still have a badge, the longest gone first."""
    yield from administer(house, Act.PERSON_BADGE)
    (rows,) = yield Round(data=(BADGES_OUT(limit=MOST_LISTED),))
    names = ("person", "staff_id", "employer", "label", "left_us")
    return [dict(zip(names, row, strict=True)) for row in rows]


def badge_returned(house: HasSettings, text: str) -> Work[Member]:
    """Say that a leaver's badge was taken back; :class:`Conflict` when none was waited for."""
    scene = yield from administer(house, Act.PERSON_BADGE, on=text)
    member = scene.member
    (rows,) = yield Round(
        data=(BADGE_BACK(person=member.id, now=scene.now_us, by=scene.acting.person),)
    )
    if not rows:
        raise Conflict(f"no badge of {member.staff_id} is waited for", code="no_badge")
    yield from tell_in(scene, LeafType.PERSON_BADGE_RETURNED, (HOUSE_LOG,), person=member.id)
    return member


def list_people(house: HasSettings) -> Work[list[tuple[Member, tuple[str, ...]]]]:
    """List persons, each with ``client/programme`` (and queues in brackets) of their assignments."""
    scene = yield from administer(house, Act.PERSON_LIST)
    members = yield from people.persons(limit=MOST_LISTED)
    ids = [member.id for member in members]
    (rows,) = yield Round(data=(ASSIGNMENTS_OF_PERSONS(persons=ids, now=scene.now_us),))
    lines: dict[str, list[str]] = {}
    for person, _, client, programme, queues, *_ in rows:
        listed = f" ({', '.join(words(queues))})" if queues else ""
        lines.setdefault(person, []).append(f"{client}/{programme}{listed}")
    return [(member, tuple(lines.get(member.id, ()))) for member in members]


def _tell_state(scene: Scene, kind: LeafType, member: Member) -> Work[None]:
    clients = yield from clients_of(member.id, scene.now_us)
    yield from tell(scene, kind, clients, person=member.id)


def _not_now(member: Member, what: str) -> Conflict:
    return Conflict(f"{member.staff_id} is {member.state}, so cannot {what}", code="wrong_state")
