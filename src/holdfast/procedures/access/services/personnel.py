"""Following an export of a personnel system: who joins is added, who is gone leaves, and the rest is told.

Looked at first (:func:`plan`), then done (:func:`follow`), a person at a time: one that is refused stops no other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from holdfast.kit.clock import SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.procedures.access.services import people
from holdfast.spine.administration.scene import administer
from holdfast.spine.identity.people import check_employer, member_of
from holdfast.spine.identity.store import PERSONS_BY_STAFF
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from holdfast.kit.db import Work
    from holdfast.procedures.access.rules import Said
    from holdfast.spine.house import House
    from holdfast.spine.identity.people import Member

JOINS, LEAVES, STAYS, TOLD, WRONG = "joins", "leaves", "stays", "told", "wrong"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of one line: who ``joins``, ``leaves``, ``stays``; what is ``told`` only; what is ``wrong``."""

    line: int
    staff_id: str
    what: str
    note: str = ""
    label: str = ""
    lead: str = ""
    person: str = ""


def plan(house: House, said: Iterable[Said], employer: str) -> Work[list[Step]]:
    """Say what would be done, and write nothing."""
    check_employer(employer)
    yield from administer(house, Act.PERSON_LIST)
    today = datetime.fromtimestamp(house.clock.now_us() / SECOND_US, UTC).date()
    steps: list[Step] = []
    for one in said:
        if one.wrong:
            steps.append(Step(line=one.line, staff_id=one.staff_id, what=WRONG, note=one.wrong))
            continue
        (rows,) = yield Round(data=(PERSONS_BY_STAFF(staff_id=one.staff_id),))
        member = next((member_of(row) for row in rows if row[2] == employer), None)
        what, note = _judged(one, member, today)
        if one.contractor:
            note = f"contractor; {note}" if note else "contractor"
        steps.append(
            Step(
                line=one.line,
                staff_id=one.staff_id,
                what=what,
                note=note,
                label=one.label,
                lead=one.lead,
                person=member.id if member else "",
            )
        )
    return steps


def _judged(one: Said, member: Member | None, today: date) -> tuple[str, str]:
    """What a line means for somebody who is, or is not, here. The last day counts as one on which they work."""
    gone = one.exit is not None and one.exit < today
    later = f"leaves after {one.exit}; import again then" if one.exit and not gone else ""
    if member is None:
        return (TOLD, f"left on {one.exit} and never was here") if gone else (JOINS, later)
    if member.state is PersonState.LEFT:
        if gone:
            return STAYS, "has left"
        return TOLD, "back after having left: add them by hand, under another staff id"
    if gone:
        return LEAVES, f"last day was {one.exit}"
    if member.state is PersonState.SUSPENDED:
        return STAYS, f"is suspended; {later}" if later else "is suspended"
    return (TOLD, later) if later else (STAYS, "")


def follow(house: House, steps: Iterable[Step], employer: str) -> list[Step]:
    """Do what was planned, each in a transaction of its own; return what came of it, refusals as ``wrong``."""
    done = [_followed(house, step, employer) for step in steps]
    return [_led(house, step, employer) for step in done]


def _followed(house: House, step: Step, employer: str) -> Step:
    try:
        if step.what == JOINS:
            work = people.add_person(
                house, step.staff_id, employer=employer, roles=(Role.AGENT,), label=step.label
            )
            member, _ = house.transact(work)
            return msgspec.structs.replace(step, person=member.id)
        if step.what == LEAVES:
            house.transact(people.leave(house, step.person))
    except (Denied, NotFound, Conflict, InvalidInput) as error:
        return msgspec.structs.replace(step, what=WRONG, note=f"{error.message}. {error.remedy}")
    return step


def _led(house: House, step: Step, employer: str) -> Step:
    """Enter to whom a newcomer reports, once all newcomers are here."""
    if step.what != JOINS or not step.lead:
        return step
    try:
        house.transact(people.set_lead(house, step.person, f"{employer}/{step.lead}"))
    except (Denied, NotFound, Conflict) as error:
        note = f"reports to nobody yet: {error.message}"
        return msgspec.structs.replace(step, note=f"{step.note}; {note}" if step.note else note)
    return step
