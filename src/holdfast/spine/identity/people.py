"""Persons and their employers: adding and finding them, and changing their state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.identity.requester import joined, roles_of
from holdfast.spine.identity.store import (
    ADD_EMPLOYER,
    ADD_PERSON,
    EMPLOYER,
    LEADS,
    PERSON,
    PERSON_BY_OS_USER,
    PERSONS,
    PERSONS_BY_STAFF,
    SET_LEAD,
    SET_STATE,
)
from holdfast.vocabulary.ids import PERSON as PERSON_PREFIX
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db import Row, Work

__all__ = [
    "ADD_EMPLOYER",
    "Member",
    "add_person",
    "change_lead",
    "change_state",
    "find_person",
    "leads_of",
    "person_of_os_user",
    "person_of_staff",
    "persons",
]

_STAFF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_EMPLOYER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_LABEL: Final = 100
MOST_LEADS: Final = 16  # in one line


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the people store knows them."""

    id: str
    staff_id: str
    employer: str
    label: str
    state: PersonState
    roles: frozenset[Role]
    os_user: str
    created_us: int
    lead: str = ""  # to whom the person reports


def member_of(row: Row) -> Member:
    """Read a row of the person statements."""
    return Member(
        id=row[0],
        staff_id=row[1],
        employer=row[2],
        label=row[3],
        state=PersonState(row[4]),
        roles=roles_of(row[5]),
        os_user=row[6] or "",
        created_us=row[7],
        lead=row[8] or "",
    )


def add_person(
    *,
    staff_id: str,
    employer: str,
    roles: Iterable[Role],
    now_us: int,
    os_user: str | None = None,
    label: str = "",
) -> Work[str]:
    """Add an active person and return the id.

    Raises :class:`InvalidInput` for a malformed id, :class:`NotFound` for an unknown employer and :class:`Conflict`
    when the employer has a person of this staff id already, or the operating-system user is bound to another.
    """
    if not _STAFF.fullmatch(staff_id) or staff_id.startswith(f"{PERSON_PREFIX}_"):
        raise InvalidInput(
            "a staff id is up to 64 letters, digits and . _ @ -, and does not begin with per_",
            field="id",
        )
    check_label(label)
    chosen = set(roles)
    if not chosen:
        raise InvalidInput("a person has at least one role", field="role")
    (employers,) = yield Round(data=(EMPLOYER(id=employer),))
    if not employers:
        raise NotFound(
            f"no employer {employer}", remedy=f"Add it: holdfast employer add {employer}"
        )
    person = new_id(PERSON_PREFIX, now_us)
    (added,) = yield Round(
        data=(
            ADD_PERSON(
                id=person,
                staff_id=staff_id,
                employer=employer,
                label=label,
                roles=joined(chosen),
                os_user=os_user,
                created_us=now_us,
            ),
        )
    )
    if not added:
        raise Conflict(
            f"{employer} has a person {staff_id} already, or the operating-system user is bound to another",
            remedy="`holdfast person list` shows who is there.",
            code="person_exists",
        )
    return person


def check_label(label: str) -> None:
    """Raise :class:`InvalidInput` when lists cannot show a person so."""
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        raise InvalidInput(f"a label is up to {_LONGEST_LABEL} printable characters", field="label")


def check_employer(employer: str) -> None:
    """Raise :class:`InvalidInput` when ``employer`` cannot be the id of an employer."""
    if not _EMPLOYER.fullmatch(employer):
        raise InvalidInput(
            "an employer's id is up to 64 letters, digits and . _ -", field="employer"
        )


def find_person(text: str) -> Work[Member]:
    """Find a person by ``per_…``, by staff id, or by ``EMPLOYER/STAFF`` where two employers use the same staff id.

    Raises :class:`NotFound`, or :class:`Conflict` when several employers have this staff id.
    """
    employer, slash, staff_id = text.rpartition("/")
    if "\0" in text:  # PostgreSQL takes no such text, and nobody is called so
        found = []
    elif not slash and text.startswith(f"{PERSON_PREFIX}_"):
        (rows,) = yield Round(data=(PERSON(id=text),))
        found = rows
    else:
        (rows,) = yield Round(data=(PERSONS_BY_STAFF(staff_id=staff_id),))
        found = [row for row in rows if not slash or row[2] == employer]
    if len(found) > 1:
        choices = ", ".join(f"{row[2]}/{row[1]}" for row in found)
        raise Conflict(
            f"several employers have a person {text}",
            remedy=f"Say which: {choices}",
            code="ambiguous",
        )
    if not found:
        raise NotFound(f"no person {text}", remedy="`holdfast person list` shows who is there.")
    return member_of(found[0])


def person_of_staff(text: str) -> Work[str | None]:
    """Return the person that a feed means by a staff id or ``per_…``; None when unknown or ambiguous."""
    try:
        member = yield from find_person(text)
    except (NotFound, Conflict):
        return None
    return member.id


def person_of_os_user(os_user: str) -> Work[Member | None]:
    """Return the person that an operating-system account is bound to."""
    (rows,) = yield Round(data=(PERSON_BY_OS_USER(os_user=os_user),))
    return member_of(rows[0]) if rows else None


def persons(after: str = "", limit: int = 1000) -> Work[list[Member]]:
    """Return persons by id after ``after``."""
    (rows,) = yield Round(data=(PERSONS(after=after, limit=limit),))
    return [member_of(row) for row in rows]


def change_state(person: str, was: PersonState, state: PersonState) -> Work[bool]:
    """Change the employment state if it is ``was`` now; tell whether it was."""
    (rows,) = yield Round(data=(SET_STATE(person=person, was=was.value, state=state.value),))
    return bool(rows)


def leads_of(person: str) -> Work[frozenset[str]]:
    """Return the chain of leads above a person, :data:`MOST_LEADS` at most."""
    (rows,) = yield Round(data=(LEADS(person=person, most=MOST_LEADS),))
    return frozenset(row[0] for row in rows)


def change_lead(person: str, lead: str | None) -> Work[bool]:
    """Let a person report to ``lead``, or to nobody; tell whether it was done. It is not for who has left.

    Raises :class:`Conflict` when the lead reports to the person, directly or through others.
    """
    if lead is not None and (lead == person or person in (yield from leads_of(lead))):
        raise Conflict(
            "the lead reports to this person, directly or through others",
            remedy="Change the lead's own line first.",
            code="circle",
        )
    (rows,) = yield Round(data=(SET_LEAD(person=person, lead=lead),))
    return bool(rows)
