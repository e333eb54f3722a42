"""Approving what somebody else asks for: the preview, and the decision (SPINE 15).

The approver is judged like everybody else, by the operation ``approve``: at work, at an approved place, assigned to the
programme in a role that the contract lets approve, while the contact is still with the requester. What they see of the
customer is masked, costs their own budget and leaves a line. To whom a request is none of their business it does not
exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken
from holdfast.spine.approvals import store
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.glass import open_glass
from holdfast.spine.approvals.requests import load
from holdfast.spine.approvals.rules import Limits, Party
from holdfast.spine.approvals.subject import RECORD, fields_of
from holdfast.spine.decision import budgets
from holdfast.spine.decision.facts import restriction_facts
from holdfast.spine.decision.groups import groups_of, hit_fields
from holdfast.spine.decision.judge import Judgement, Question, judge
from holdfast.spine.decision.verdict import Denial, NeedsApproval, Permit, StepUp
from holdfast.spine.identity.store import PERSON
from holdfast.spine.operations.asking import once_more, party_of, shown
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.operations.waiting import HERE, called, no_such_approval
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import OF_NO_CONTACT, contact_facts
from holdfast.spine.turn.answers import Refused
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
from holdfast.vocabulary.levels import ApprovalKind, Operation, Outcome, Presentation, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.kit.db import Work
    from holdfast.spine.approvals.requests import Request
    from holdfast.spine.decision.verdict import RuleReason
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import ApprovalShown, Asked, Shown
    from holdfast.vocabulary.facts import FactValue
    from holdfast.vocabulary.schema import CollectionSchema


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
    permit, hindered = judgement.permit, _hindered(judgement, grant=False)
    if hindered is not None:
        return (yield from _refused(bench, hindered))
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


class _Hindrance(NamedTuple):
    """Why the reader may not see or do this: what would help, if anything, and the reasons."""

    outcome: Outcome
    reasons: tuple[RuleReason, ...]


def _hindered(judgement: Judgement, *, grant: bool) -> _Hindrance | None:
    """Say what keeps the reader from this request, if anything does.

    Who sees some of its fields sees it, and may refuse it. To grant it they have to be one who may look, masked, at
    each field asked for: nobody approves what they may not see. What is shown to nobody, or is none of the reason's
    business, hinders nobody; no approval lifts that for the requester.
    """
    against = [one for one in judgement.verdicts if not isinstance(one, Permit)]
    against = [one for one in against if not {r.fact for r in one.reasons} <= _OF_NOBODY]
    if not against or (judgement.permit is not None and not grant):
        return None
    kinds = {type(one) for one in against}
    outcome = next(found for kind, found in _WHAT_HELPS.items() if kind in kinds)
    reasons = dict.fromkeys(reason for one in against for reason in one.reasons)
    return _Hindrance(outcome, judgement.told(tuple(reasons)))


_OF_NOBODY: Final = frozenset({FactId.HANDLING.value, FactId.FIELD_SET.value})
_WHAT_HELPS: Final[dict[type, Outcome]] = {
    Denial: Outcome.DENY,
    NeedsApproval: Outcome.APPROVAL,
    StepUp: Outcome.STEP_UP,
}


def _refused(bench: _Bench, hindered: _Hindrance) -> Work[Refused]:
    line = _line(bench)._replace(outcome=hindered.outcome)
    return refuse(bench.arrival, line, reasons=hindered.reasons)


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
    hindered = _hindered(bench.judgement, grant=grant)
    if hindered is not None:
        return (yield from _refused(bench, hindered))
    if grant and bench.request.policies != arrival.policies.bound:
        raise Conflict(
            "the contract was changed since this was asked for",
            remedy="It is to be asked for anew.",
            code="approval_closed",
        )
    rule = arrival.contract.approval
    limits = Limits(rule.per_pair, rule.per_approver, rule.other_line)
    by = party_of(arrival.requester, asked)
    request = yield from decide(
        bench.request, by, grant=grant, now_us=now_us, sure_us=arrival.sure_us, limits=limits
    )
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


def _on_call(arrival: Arrival, request: Request) -> Work[bool]:
    """Whether the reader may approve this because they are on call; that counts for a break-glass only."""
    if request.kind is not ApprovalKind.GLASS:
        return False
    (rows,) = yield Round(data=(PERSON(id=arrival.requester.person),))
    return called(arrival.contract, arrival.assigned.roles, rows[0])


def _bench(arrival: Arrival, request: Request) -> Work[_Bench]:
    """Judge the reader as an approver of this request, with its contact as it is with the requester."""
    target = yield from fetch(arrival, request.customer)
    facts = {
        **restriction_facts(customer_state=target.state),
        **arrival.facts,
        **(yield from _purpose(arrival, request)),
    }
    schema = arrival.schema if arrival.collection_known else None
    names = _previewed(arrival, schema, request)
    facts |= budgets.look_facts(
        arrival.contract.budgets, arrival.spent, sensitive=count_sensitive(arrival, names)
    )
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


def _previewed(
    arrival: Arrival, schema: CollectionSchema | None, request: Request
) -> Sequence[str]:
    """The fields of a preview: those asked for; of an action those that it changes, and who the customer is.

    Of an attempt to verify there are none: its fields are compared, and shown to nobody.
    """
    named = fields_of(request.subject)
    if request.kind is ApprovalKind.ATTEMPT:
        return ()
    if request.kind is not ApprovalKind.ACT or schema is None:
        return named
    known = hit_fields(arrival.contract, schema, reason=request.reason)
    return tuple(dict.fromkeys((*known, *named)))


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
        free = known(True, OF_NO_CONTACT)
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


def _masked(bench: _Bench, permit: Permit | None) -> dict[str, Shown]:
    """The fields asked for, masked: of the record that was named, else of the first that the customer has here."""
    arrival, judgement = bench.arrival, bench.judgement
    fields: dict[str, Shown] = {}
    record = bench.request.subject.get(RECORD, "")
    named = [one for one in bench.target.records if record in {"", one.row.id}]
    opened: Mapping[str, Shown] = {}
    if permit is not None and permit.fields and named:
        values = open_fields(permit, named[0], arrival.schema)
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
