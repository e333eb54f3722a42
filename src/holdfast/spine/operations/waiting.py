"""What waits for somebody as an approver, and what they asked for themselves (SPINE 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.spine.approvals import store
from holdfast.spine.approvals.requests import request_of
from holdfast.spine.approvals.rules import on_call
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.identity.place import within
from holdfast.spine.identity.store import ASSIGNMENTS_OF_PERSON, PERSON
from holdfast.spine.operations.asking import shown
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.turn.answers import Approvals
from holdfast.vocabulary.levels import ApprovalKind, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Row, Work
    from holdfast.spine.house import House
    from holdfast.spine.identity.requester import Requester
    from holdfast.spine.turn.answers import Asked
    from holdfast.vocabulary.contract import Contract

MOST_LISTED: Final = 100
#: Kinds that are approved at the client's side of the house; administration is approved by its own people.
HERE: Final = frozenset(
    {ApprovalKind.LOOK, ApprovalKind.ACT, ApprovalKind.ATTEMPT, ApprovalKind.GLASS}
)


def no_such_approval() -> NotFound:
    """The one answer for a request that does not exist, and for one that is none of the reader's business."""
    return NotFound(
        "there is no such request for approval", remedy="Look at what waits for you: the list."
    )


def list_approvals(house: House, asked: Asked, *, after: str, limit: int) -> Work[Approvals]:
    """List one's own requests of the last day, and what waits for one as an approver; nothing of customers."""
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    lines = yield from _lines(house, reader, asked.peer, now_us)
    (rows,) = yield Round(
        data=(
            store.LIST(
                after=after,
                kinds=sorted(HERE),
                person=reader.person,
                bound=reader.client,
                since_us=now_us - DAY_US,
                now_us=now_us,
                lines=lines.approving,
                on_call=lines.on_call,
                limit=limit + 1,
            ),
        )
    )
    found = [shown(request_of(row), reader.person, now_us) for row in rows[:limit]]
    return Approvals(tuple(found), next=found[-1].approval if len(rows) > limit else "")


class _Lines(NamedTuple):
    """Lines of work, ``client/programme``, and ``client/`` for what is of no programme."""

    approving: list[str]  # where the reader may approve
    on_call: list[str]  # where they may approve a break-glass only


def _lines(house: House, reader: Requester, peer: str, now_us: int) -> Work[_Lines]:
    if not reader.is_person:
        raise no_such_approval()
    of = {"person": reader.person}
    rows, persons = yield Round(data=(ASSIGNMENTS_OF_PERSON(**of), PERSON(id=reader.person)))
    found = _Lines([], [])
    for client in sorted({row[1] for row in rows if reader.client in {"", row[1]}}):
        held = assigned_at([row for row in rows if row[1] == client], now_us).roles
        contract = (yield from current_policies(house.policies, client)).contract
        if contract.networks and not within(peer, contract.networks):
            continue
        if contract.employers and reader.employer not in contract.employers:
            continue
        roles = frozenset(map(Role, contract.approval.roles))
        here = [name for name in held if held[name] & roles]
        found.approving.extend(f"{client}/{name}" for name in (*here, *([""] if here else [])))
        if called(contract, held, persons[0]):
            found.on_call.extend(f"{client}/{name}" for name in held)
    return found


def called(contract: Contract, held: Mapping[str, frozenset[Role]], person: Row) -> bool:
    """Tell whether the contract names a person with these roles at the client as on call; ``person`` is their row."""
    roles = frozenset[Role]().union(*held.values())
    return on_call(contract.approval.on_call, staff_id=person[1], employer=person[2], roles=roles)
