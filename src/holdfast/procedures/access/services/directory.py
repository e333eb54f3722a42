"""What an employer's directory does to its own people: it adds them, says whether they work, and lets them go.

Every act is judged as an administrative one and told, in the name of the directory's token. The directory has no say in
what else the house decided: who was suspended here stays suspended whatever the directory says, and is not told there.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.procedures.access.services import people as joining
from holdfast.spine.administration.scene import administer
from holdfast.spine.identity import people
from holdfast.spine.identity.acting import DIRECTORY_LEAVE, named_person
from holdfast.spine.identity.store import DIRECTORY, KEEP_DIRECTORY, SET_LABEL
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from holdfast.kit.db import Row, Work
    from holdfast.spine.house import House

MOST_ENTRIES: Final = 100_000
_LONGEST: Final = 200


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A person as their employer's directory sees them. Other suspensions than its own do not show."""

    id: str = ""
    staff_id: str
    external_id: str = ""
    label: str = ""
    active: bool | None = True
    state: PersonState = PersonState.ACTIVE
    held: bool = False
    created_us: int = 0
    changed_us: int = 0

    @property
    def version(self) -> str:
        """Changes whenever the entry does."""
        parts = (self.external_id, self.label, str(self.active), str(self.changed_us))
        return sha256(length_prefixed(*(part.encode() for part in parts))).hexdigest()[:16]


def _entry(row: Row) -> Entry:
    state = PersonState(row[3])
    return Entry(
        id=row[0],
        staff_id=row[1],
        label=row[2],
        state=state,
        created_us=row[4],
        external_id=row[5],
        active=_active(state, row[6]),
        held=bool(row[7]),
        changed_us=row[8],
    )


def _active(state: PersonState, said: int | None) -> bool | None:
    if state is PersonState.LEFT:
        return False
    return None if said is None else bool(said)


def entries(house: House, *, staff_id: str = "") -> Work[list[Entry]]:
    """List the employer's people whom its directory knows, or the one of a staff id."""
    acting = yield from named_person(house)
    yield from administer(house, Act.PERSON_LIST, employer=acting.employer)
    (rows,) = yield Round(
        data=(
            DIRECTORY(employer=acting.employer, person="", staff_id=staff_id, limit=MOST_ENTRIES),
        )
    )
    return [_entry(row) for row in rows]


def entry(house: House, ident: str) -> Work[Entry]:
    """Return one; :class:`NotFound`, in the same words for another employer's people and for nobody."""
    acting = yield from named_person(house)
    yield from administer(house, Act.PERSON_LIST, employer=acting.employer)
    return (yield from _found(acting.employer, ident))


def _found(employer: str, ident: str) -> Work[Entry]:
    rows: list[Row] = []
    if ident and "\0" not in ident:
        (rows,) = yield Round(
            data=(DIRECTORY(employer=employer, person=ident, staff_id="", limit=1),)
        )
    if not rows:
        raise NotFound("there is no such person of this employer")
    return _entry(rows[0])


def create(house: House, wanted: Entry) -> Work[Entry]:
    """Add a person, as an agent who works on nothing yet; :class:`Conflict` when the staff id is or was taken."""
    acting = yield from named_person(house)
    _check(wanted)
    member, _ = yield from joining.add_person(
        house,
        wanted.staff_id,
        employer=acting.employer,
        roles=(Role.AGENT,),
        label=wanted.label,
    )
    made = msgspec.structs.replace(wanted, id=member.id, active=wanted.active is not False)
    yield from _keep(house, made, held=False)
    if not made.active:
        yield from _deactivate(house, made)
    return (yield from _found(acting.employer, member.id))


def change(house: House, wanted: Entry, *, version: str | None = None) -> Work[Entry]:
    """Let the person be as the directory says. Nobody comes back from having left, and no staff id changes.

    :class:`Stale` when ``version`` is not the entry's any more.
    """
    acting = yield from named_person(house)
    yield from administer(house, Act.PERSON_LIST, employer=acting.employer)
    now = yield from _found(acting.employer, wanted.id)
    _check(wanted)
    if version is not None and version != now.version:
        raise Stale("it was changed since")
    if wanted.staff_id != now.staff_id:
        raise InvalidInput(
            "a staff id stands in feeds and logs and does not change",
            field="userName",
            remedy="Add the person anew under the other one, and delete this one.",
        )
    if wanted.active and now.state is PersonState.LEFT:
        raise Conflict(
            "who has left does not come back",
            remedy="Add them anew, under another userName.",
            code="wrong_state",
        )
    if now.state is PersonState.LEFT:
        return now
    if wanted.label != now.label:
        yield from administer(house, Act.PERSON_ADD, employer=acting.employer)
        people.check_label(wanted.label)
        yield Round(data=(SET_LABEL(person=now.id, label=wanted.label),))
    held = msgspec.structs.replace(wanted, held=now.held)
    if wanted.active is False and now.active is not False:
        yield from _deactivate(house, held)
    elif wanted.active and not now.active:
        yield from _activate(house, held)
    else:
        yield from _keep(house, held, held=now.held)
    return (yield from _found(acting.employer, wanted.id))


def remove(house: House, ident: str, *, version: str | None = None) -> Work[None]:
    """Let a person leave, and forget that the directory knew them."""
    acting = yield from named_person(house)
    yield from administer(house, Act.PERSON_LIST, employer=acting.employer)
    now = yield from _found(acting.employer, ident)
    if version is not None and version != now.version:
        raise Stale("it was changed since")
    if now.state is not PersonState.LEFT:
        yield from joining.leave(house, ident)
    yield from _keep(house, now, held=False, removed=True)


class Stale(Conflict):
    """Somebody changed it meanwhile."""

    code = "stale"


def _deactivate(house: House, one: Entry) -> Work[None]:
    """Suspend the person, or let them leave where the token's scope says so."""
    acting = yield from named_person(house)
    member = yield from people.find_person(one.id)
    held = one.held or member.state is PersonState.ACTIVE
    if f"{DIRECTORY_LEAVE}{acting.employer}" in acting.scopes:
        yield from joining.leave(house, one.id)
        held = False
    elif member.state is PersonState.ACTIVE:
        yield from joining.suspend(house, one.id)
    yield from _keep(house, one, held=held)


def _activate(house: House, one: Entry) -> Work[None]:
    """End the suspension if it was the directory's; the house's own stays."""
    if one.held:
        yield from joining.restore(house, one.id)
    yield from _keep(house, one, held=False)


def _keep(house: House, one: Entry, *, held: bool, removed: bool = False) -> Work[None]:
    now_us = house.clock.now_us()
    kept = KEEP_DIRECTORY(
        person=one.id,
        external_id=one.external_id,
        active=None if one.active is None else int(one.active),
        held=int(held),
        now=now_us,
        removed_us=now_us if removed else None,
    )
    yield Round(data=(kept,))


def _check(wanted: Entry) -> None:
    if len(wanted.external_id) > _LONGEST or "\0" in wanted.external_id:
        raise InvalidInput(f"up to {_LONGEST} characters", field="externalId")
