"""Assignments: which programme of which client a person works on, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput
from holdfast.kit.ids import new_id
from holdfast.procedures.access.services.tokens import live_tokens, token_body
from holdfast.spine.administration.scene import (
    Scene,
    administer,
    clients_of,
    digest_of,
    enter,
    tell,
    tell_in,
)
from holdfast.spine.decision.budgets import inherits
from holdfast.spine.identity import people
from holdfast.spine.identity.requester import joined
from holdfast.spine.identity.store import (
    ADD_ASSIGNMENT,
    ASSIGNMENTS_OF_PERSON,
    END_ALL_ASSIGNMENTS,
    END_ASSIGNMENTS,
)
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from holdfast.kit.db import Query, Work
    from holdfast.spine.identity.acting import HasSettings
    from holdfast.spine.identity.people import Member


@dataclass(frozen=True, slots=True)
class Line:
    """A programme of a client, with the queues that its contract has for it."""

    client: str
    programme: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when; None is now, and open."""

    starts_us: int | None = None
    ends_us: int | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An assignment as it is to be; as a second person, where one is needed, and the client's log are told."""

    member: Member
    line: Line
    queues: tuple[str, ...]
    roles: tuple[Role, ...]
    term: Term

    @property
    def digest(self) -> bytes:
        line, term = self.line, self.term
        ends = (str(term.starts_us), str(term.ends_us))
        return digest_of(
            line.client, line.programme, ",".join(self.queues), ",".join(self.roles), *ends
        )

    def body(self, starts_us: int) -> dict[str, Any]:
        ends_us = self.term.ends_us
        return {
            "client": self.line.client,
            "programme": self.line.programme,
            "queues": list(self.queues),
            "roles": list(self.roles),
            "employer": self.member.employer,
            "starts": rfc3339(starts_us),
            "ends": "" if ends_us is None else rfc3339(ends_us),
        }


def assign(
    house: HasSettings,
    text: str,
    line: Line,
    *,
    queues: Iterable[str] = (),
    roles: Iterable[Role] = (),
    term: Term | None = None,
) -> Work[Member]:
    """Assign a person to a line; what they had on it before ends with it. No ``roles``: the person's own.

    The client's log also gets a leaf for each live token that can reach its data now.
    """
    entered = yield from enter(house, Act.PERSON_ASSIGN)
    member, now_us = (yield from people.find_person(text)), house.clock.now_us()
    if member.state is PersonState.LEFT:
        raise Conflict(f"{member.staff_id} has left and cannot be assigned", code="wrong_state")
    term = term or Term()
    starts_us = now_us if term.starts_us is None else max(term.starts_us, now_us)
    if term.ends_us is not None and term.ends_us <= starts_us:
        raise InvalidInput("an assignment ends after it starts", field="ends")
    chosen = tuple(sorted(frozenset(roles) or member.roles))
    wanted = _Wanted(member, line, tuple(sorted(set(queues))), chosen, term)
    scene = yield from entered.judge(
        on=member.id,
        clients=(line.client,),
        digest=wanted.digest,
        summary=wanted.body(starts_us),
    )
    reached = yield from clients_of(member.id, scene.now_us)
    yield Round(data=inherits(line.client, member.id))  # before the log has a name for them
    yield from _write(scene, wanted, starts_us)
    yield from tell(
        scene,
        LeafType.PERSON_ASSIGNED,
        (line.client,),
        person=member.id,
        **wanted.body(starts_us),
    )
    if line.client not in reached:
        yield from _introduce_tokens(scene, member, line.client)
    return member


def _write(scene: Scene, wanted: _Wanted, starts_us: int) -> Work[None]:
    """Store the assignment; one that begins now takes the place of what the person had on the line."""
    writes = [
        ADD_ASSIGNMENT(
            id=new_id("asg", scene.now_us),
            person=wanted.member.id,
            client=wanted.line.client,
            programme=wanted.line.programme,
            queues=joined(wanted.queues),
            roles=joined(wanted.roles),
            starts_us=starts_us,
            ends_us=wanted.term.ends_us,
        )
    ]
    if starts_us == scene.now_us:
        writes.insert(0, _end(scene, wanted.member, wanted.line))
    yield Round(data=tuple(writes))


def _introduce_tokens(scene: Scene, member: Member, client: str) -> Work[None]:
    for token in (yield from live_tokens(member.id, scene.now_us)):
        if token.client in {"", client}:
            yield from tell_in(
                scene,
                LeafType.TOKEN_CREATED,
                (client_log(client),),
                person=member.id,
                **token_body(token),
            )


def move(
    house: HasSettings,
    text: str,
    line: Line,
    *,
    queues: Iterable[str] = (),
    roles: Iterable[Role] = (),
) -> Work[tuple[Member, list[tuple[str, str]]]]:
    """Let a person work on ``line`` and on nothing else: what they had ends before it begins, in one transaction.

    Returns the person, and client and programme of each line that ended. If the new line is refused, or wants a second
    person first, the old ones stay.
    """
    scene = yield from administer(house, Act.PERSON_UNASSIGN, clients=None, on=text)
    member = scene.member
    (rows,) = yield Round(data=(ASSIGNMENTS_OF_PERSON(person=member.id),))
    left = sorted({(row[1], row[2]) for row in rows if row[6] is None or row[6] > scene.now_us})
    yield Round(data=(END_ALL_ASSIGNMENTS(person=member.id, now=scene.now_us),))
    for client, programme in left:
        yield from tell(
            scene,
            LeafType.PERSON_UNASSIGNED,
            (client,),
            person=member.id,
            client=client,
            programme=programme,
        )
    yield from assign(house, member.id, line, queues=queues, roles=roles)
    return member, left


def unassign(house: HasSettings, text: str, line: Line) -> Work[Member]:
    """End a person's assignment to a line; :class:`Conflict` when there is none."""
    scene = yield from administer(house, Act.PERSON_UNASSIGN, clients=(line.client,), on=text)
    member = scene.member
    (ended,) = yield Round(data=(_end(scene, member, line),))
    if not ended:
        raise Conflict(
            f"{member.staff_id} is not assigned to {line.client}/{line.programme}",
            remedy="`holdfast person list` shows the assignments.",
            code="not_assigned",
        )
    yield from tell(
        scene,
        LeafType.PERSON_UNASSIGNED,
        (line.client,),
        person=member.id,
        client=line.client,
        programme=line.programme,
    )
    return member


def _end(scene: Scene, member: Member, line: Line) -> Query:
    return END_ASSIGNMENTS(
        person=member.id, client=line.client, programme=line.programme, now=scene.now_us
    )
