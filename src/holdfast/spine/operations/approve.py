"""Approving what somebody else asks for: the list of what waits, the preview, the decision (SPINE 15).

The approver is judged like everybody else, by the operation ``approve``: at work, at an approved place, assigned to the
programme in a role that the contract lets approve, while the contact is still with the requester. What they see of the
customer is masked, costs their own budget and leaves a line. To whom a request is none of their business it does not
exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, NotFound
from holdfast.spine.approvals import store
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.glass import open_glass
from holdfast.spine.approvals.requests import load, request_of
from holdfast.spine.approvals.rules import Limits, Party, on_call
from holdfast.spine.approvals.subject import RECORD, fields_of
from holdfast.spine.decision import budgets
from holdfast.spine.decision.facts import restriction_facts
from holdfast.spine.decision.groups import groups_of
from holdfast.spine.decision.judge import Judgement, Question, judge
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.verdict import Permit
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.identity.place import within
from holdfast.spine.identity.store import ASSIGNMENTS_OF_PERSON, PERSON
from holdfast.spine.operations.asking import once_more, party_of, shown
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import contact_facts
from holdfast.spine.turn.answers import Approvals, Refused
from holdfast.spine.turn.arrival import Arrival, arrive, known
from holdfast.spine.turn.questions import (
    count_sensitive,
)
from holdfast.spine.turn.steps import (
    Line,
    charges,
    refuse,
    refuse_broken,
    shown_fields,
    shown_until,
    withheld,
    write_line,
)
from holdfast.spine.turn.target import Target, fetch
from holdfast.spine.vault.records import open_fields
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import ApprovalKind, Operation, Presentation, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Row, Work
    from holdfast.spine.approvals.requests import Request
    from holdfast.spine.house import House
    from holdfast.spine.identity.requester import Requester
    from holdfast.spine.turn.answers import ApprovalShown, Asked, Shown
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.facts import FactValue

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


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────


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
        if _is_on_call(contract, held, persons[0]):
            found.on_call.extend(f"{client}/{name}" for name in held)
    return found


# ── one request ─────────────────────────────────────────────────────────────────────────────────────────────────


class _Bench(NamedTuple):
    """One request before one reader. ``judgement`` is None for the requester's own."""

    request: Request
    arrival: Arrival
    target: Target
    judgement: Judgement


def show_approval(house: House, asked: Asked, ident: str) -> Work[ApprovalShown | Refused]:
    """Show one request: to the requester how it stands, to an approver with the masked values of what is asked for.

    Raises :class:`NotFound` for everybody else, in the words for a request that does not exist.
    """
    request = yield from _known(house, asked, ident)
    if isinstance(request, _Own):
        one = request.request
        return (yield from _with_glass(shown(one, one.requester.person, house.clock.now_us())))
    bench = yield from _bench(*request)
    judgement, arrival = bench.judgement, bench.arrival
    permit = judgement.permit
    if permit is None:
        return (yield from refuse(arrival, _line(bench)))
    try:
        bench.target.check()
        fields = _masked(bench, permit)
    except IntegrityBroken:
        return (
            yield from refuse_broken(arrival, Operation.APPROVE, judgement, target=bench.target)
        )
    how = {name: one.shown for name, one in fields.items()}
    sensitive = count_sensitive(arrival, [n for n, o in fields.items() if o.value is not None])
    leaf = yield from write_line(arrival, _line(bench, how=how, sensitive=sensitive))
    laid_out = shown(bench.request, arrival.requester.person, arrival.now_us)
    return msgspec.structs.replace(laid_out, fields=fields, leaf=leaf)


def _with_glass(own: ApprovalShown) -> Work[ApprovalShown]:
    """Name the break-glass that was opened by the approval, to the one who may use it."""
    if own.kind != ApprovalKind.GLASS:
        return own
    (rows,) = yield Round(data=(store.GLASS_OF(client=own.client, approval=own.approval),))
    return msgspec.structs.replace(own, glass=rows[0][0]) if rows else own


def decide_approval(
    house: House, asked: Asked, ident: str, *, grant: bool
) -> Work[ApprovalShown | Refused]:
    """Grant or refuse what somebody else asks for.

    Raises :class:`NotFound` as :func:`show_approval` does, :class:`Denied` for who is not independent of the requester
    or has given as many approvals as the contract allows, and :class:`Conflict` for a request that is decided or has
    lapsed.
    """
    found = yield from _known(house, asked, ident)
    now_us = house.clock.now_us()
    if isinstance(found, _Own):
        by = found.by
        limits = Limits()
        request = yield from decide(found.request, by, grant=grant, now_us=now_us, limits=limits)
        return shown(request, by.person, now_us)
    bench = yield from _bench(*found)
    arrival = bench.arrival
    if bench.judgement.permit is None:
        return (yield from refuse(arrival, _line(bench)))
    rule = arrival.contract.approval
    limits = Limits(rule.per_pair, rule.per_approver, rule.other_line)
    by = party_of(arrival.requester, asked)
    request = yield from decide(bench.request, by, grant=grant, now_us=now_us, limits=limits)
    if grant and request.kind is ApprovalKind.GLASS:
        yield from open_glass(request, now_us)
        request = (yield from load(request.id)) or request
    return shown(request, by.person, now_us)


class _Own(NamedTuple):
    request: Request
    by: Party


def _known(house: House, asked: Asked, ident: str) -> Work[_Own | tuple[Arrival, Request]]:
    """Find a request that the reader may know of: their own, or one of a programme where they may approve."""
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    request = yield from load(ident)
    if request is not None and reader.client not in {"", request.client}:
        raise no_such_approval()
    if request is not None and request.requester.person == reader.person:
        return _Own(request, party_of(reader, asked))
    if request is None or request.kind not in HERE or not reader.is_person:
        raise no_such_approval()
    again = once_more(
        asked,
        client=request.client,
        collection=request.collection,
        contact_ref=request.contact,
    )
    arrival = yield from arrive(house, again, customer=request.customer)
    roles = frozenset(map(Role, arrival.contract.approval.roles))
    held = arrival.assigned.roles
    programmes = [name for name in sorted(held) if held[name] & roles]
    if (yield from _on_call(arrival, request)):
        programmes = sorted(held)
    if request.programme not in {"", *programmes} or not programmes:
        raise no_such_approval()
    if not arrival.facts[FactId.ASSIGNED].met:
        raise no_such_approval()
    return arrival, request


def _is_on_call(contract: Contract, held: Mapping[str, frozenset[Role]], person: Row) -> bool:
    roles = frozenset[Role]().union(*held.values())
    return on_call(contract.approval.on_call, staff_id=person[1], employer=person[2], roles=roles)


def _on_call(arrival: Arrival, request: Request) -> Work[bool]:
    """Whether the reader may approve this because they are on call; that counts for a break-glass only."""
    if request.kind is not ApprovalKind.GLASS:
        return False
    (rows,) = yield Round(data=(PERSON(id=arrival.requester.person),))
    return _is_on_call(arrival.contract, arrival.assigned.roles, rows[0])


def _bench(arrival: Arrival, request: Request) -> Work[_Bench]:
    """Judge the reader as an approver of this request, with its contact as it is with the requester."""
    target = yield from fetch(arrival, request.customer)
    facts = {
        **restriction_facts(customer_state=target.state),
        **arrival.facts,
        **(yield from _purpose(arrival, request)),
    }
    names = fields_of(request.subject) if request.kind is ApprovalKind.LOOK else []
    facts |= budgets.look_facts(
        arrival.contract.budgets, arrival.spent, sensitive=count_sensitive(arrival, names)
    )
    schema = arrival.schema if arrival.collection_known else None
    question = Question(
        operation=Operation.APPROVE,
        client=request.client,
        programme=_programme(arrival, request),
        roles=(yield from _roles(arrival, request)),
        programmes=arrival.assigned.programmes,
        level=arrival.level,
        facts=facts,
        groups=groups_of(Operation.APPROVE, arrival.contract, schema, names, reason=request.reason),
        collection=request.collection,
        customer=request.customer,
        reason=request.reason,
    )
    placed = arrival._replace(contact_ref=request.contact)
    return _Bench(request, placed, target, judge(arrival.policies, question))


def _roles(arrival: Arrival, request: Request) -> Work[frozenset[str]]:
    """The reader's roles in the programme; being on call counts as one that may approve."""
    held = {role.value for role in arrival.assigned.roles_in(_programme(arrival, request))}
    on_call = yield from _on_call(arrival, request)
    return frozenset(held | set(arrival.contract.approval.roles[:1]) if on_call else held)


def _programme(arrival: Arrival, request: Request) -> str:
    """The programme concerned; of what is of no programme, one where the reader may approve."""
    if request.programme:
        return request.programme
    roles = frozenset(map(Role, arrival.contract.approval.roles))
    held = arrival.assigned.roles
    return next(name for name in sorted(held) if held[name] & roles)


def _purpose(arrival: Arrival, request: Request) -> Work[Mapping[FactId, FactValue]]:
    """Facts of the contact as the requester has it, and of the queue as the approver works it."""
    if not request.contact:
        free = known(True, "of no contact")
        return dict.fromkeys((FactId.CONTACT_LIVE, FactId.QUEUE, FactId.CUSTOMER_BOUND), free)
    facts = contact_facts(
        arrival.contact,
        arrival.queue,
        person=request.requester.person,
        customer=request.customer,
        assigned=arrival.assigned.queues,
        now_us=arrival.now_us,
    )
    facts.pop(FactId.CONTACT_YOURS)  # it is not: what the reader does with it is approving only
    (rows,) = yield Round(
        data=(purpose.CANDIDATES(client=request.client, contact=request.contact),)
    )
    found = request.customer in {row[0] for row in rows}
    facts[FactId.CUSTOMER_FOUND] = known(found, "found" if found else "not found")
    return facts


def _masked(bench: _Bench, permit: Permit) -> dict[str, Shown]:
    """The fields asked for, masked: of the record that was named, else of the first that the customer has here."""
    arrival, judgement = bench.arrival, bench.judgement
    fields: dict[str, Shown] = {}
    record = bench.request.subject.get(RECORD, "")
    named = [one for one in bench.target.records if record in {"", one.row.id}]
    values = open_fields(permit, named[0], arrival.schema) if named and permit.fields else {}
    opened = shown_fields(values, permit.fields, shown_until(arrival))
    for group, verdict in zip(judgement.groups, judgement.verdicts, strict=True):
        for name in group.fields:
            permitted = isinstance(verdict, Permit) and name in opened
            fields[name] = opened[name] if permitted else withheld(judgement, verdict)
    return fields


def _line(bench: _Bench, *, how: Mapping[str, str] | None = None, sensitive: int = 0) -> Line:
    judgement = bench.judgement
    names = [name for group in judgement.groups for name in group.fields]
    hidden = dict.fromkeys(names, Presentation.WITHHELD.value)
    return Line(
        Operation.APPROVE,
        judgement.outcome,
        judgement,
        customers=(bench.target.reference,) if bench.target.reference else (),
        fields=hidden if how is None else how,
        charges=charges(
            bench.arrival, judgement, customer=bench.request.customer, sensitive=sensitive
        ),
        approval=bench.request.id,
    )
