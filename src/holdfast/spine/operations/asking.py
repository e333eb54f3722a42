"""Asking for an approval: by the id of one's own decision that said that a second person has to approve (SPINE 15)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.spine.approvals.requests import Request, Wanted, ask, load, subject_digest
from holdfast.spine.approvals.rules import Party
from holdfast.spine.approvals.subject import KINDS, RECORD, fields_of, told
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.readers import is_kept_from
from holdfast.spine.operations.decisions import (
    assigned_to,
    content_of,
    no_such_decision,
    reader_of,
)
from holdfast.spine.turn.answers import ApprovalShown
from holdfast.spine.turn.arrival import Arrival, arrive
from holdfast.spine.turn.target import fetch, may_approach
from holdfast.spine.vault.keyring.store import CUSTOMER_OF_REFERENCE
from holdfast.vocabulary.levels import ApprovalKind, Operation, Outcome

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.decision.records import Content
    from holdfast.spine.house import House
    from holdfast.spine.identity.requester import Requester
    from holdfast.spine.turn.answers import Asked

OLDEST_US: Final = 15 * MINUTE_US
#: Here something is done or nothing; an approval that helps only a part of the fields helps nobody.
_WHOLE: Final = frozenset({Operation.UPDATE.value, Operation.ACT.value, Operation.VERIFY.value})


def ask_approval(house: House, asked: Asked, decision: str) -> Work[ApprovalShown]:
    """Ask for the approval that ``decision`` said is needed; of ``asked`` only who, from where, counts.

    What is approved is what was asked then: the same fields, as they were to be shown, of the same customer, under the
    same contact, reason and contract.

    Raises :class:`NotFound` for a decision that does not exist or is somebody else's, in the same words, and
    :class:`Conflict` when it needs no approval, is over 15 minutes old, is no longer what it was, or does not say which
    of several records it is about.
    """
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    (rows,) = yield Round(data=(decisions.RECORD_ANYWHERE(id=decision),))
    if not rows or not reader.is_person or rows[0][3] != reader.person:
        raise no_such_decision()
    client, at_us, month, _, leaf, _, sealed, _ = rows[0]
    if reader.client not in {"", client}:
        raise no_such_decision()
    content = yield from content_of(house, client, month, sealed=bytes(sealed), record_id=leaf)
    assigned = yield from assigned_to(reader, client, now_us)
    if is_kept_from(own=True, visible=content.visible, assigned=bool(assigned.programmes)):
        raise no_such_decision()
    _check(content, now_us - at_us)
    arrival, customer = yield from _arrive(house, asked, content)
    wanted = _wanted(arrival, content, customer)
    yield from _check_record(arrival, wanted)
    ident = yield from ask(wanted, now_us=arrival.now_us)
    request = yield from load(ident)
    assert request is not None
    return shown(request, reader.person, now_us)


def _check(content: Content, age_us: int) -> None:
    needed = any(said.verdict == Outcome.APPROVAL.value for said in content.said)
    if content.operation in _WHOLE:
        needed = content.outcome == Outcome.APPROVAL.value
    if not needed or content.operation not in KINDS:
        raise Conflict(
            "this decision does not ask for an approval",
            remedy="An approval is asked for by a decision one of whose reasons says so.",
            code="no_approval_needed",
        )
    if age_us > OLDEST_US:
        raise Conflict(
            "this decision is over 15 minutes old",
            remedy="Repeat the request, and ask by the id of its new decision.",
            code="decision_too_old",
        )


def _arrive(house: House, asked: Asked, content: Content) -> Work[tuple[Arrival, str]]:
    """Look again, as the look itself would: the contact may be over, and the contract another one."""
    references = content.customers or ("",)
    (rows,) = yield Round(keys=(CUSTOMER_OF_REFERENCE(client=content.client, ref=references[0]),))
    customer = rows[0][0] if rows else ""
    again = once_more(
        asked,
        client=content.client,
        collection=content.asked.collection,
        contact_ref=content.contact,
    )
    arrival = yield from arrive(house, again, customer=customer)
    reason = arrival.reason.id if arrival.reason else ""
    before = (content.policies, content.contract_version, content.asked.reason)
    same = before == (arrival.policies.digest, arrival.contract.version, reason)
    if not same or not customer or not may_approach(arrival):
        raise Conflict(
            "the contact is over, or its reason, its customer or the contract is another one now",
            remedy="Repeat the request; its answer says how things stand.",
            code="no_longer_so",
        )
    return arrival, customer


def _wanted(arrival: Arrival, content: Content, customer: str) -> Wanted:
    subject = {
        name: group.presentation.value for group in content.asked.groups for name in group.fields
    }
    subject |= content.asked.about
    wanted = Wanted(
        kind=KINDS[Operation(content.operation)],
        operation=content.operation,
        requester=party_of(arrival.requester, arrival.asked),
        digest=b"",
        clients=(content.client,),
        contact=content.contact,
        customer=customer,
        programme=content.asked.programme,
        reason=content.asked.reason,
        collection=content.asked.collection,
        subject=subject,
        policies=arrival.policies.bound,
        decision=content.decision,
        summary={"rules": sorted({r.rule for said in content.said for r in said.reasons})},
    )
    return replace(wanted, digest=subject_digest(wanted))


def _check_record(arrival: Arrival, wanted: Wanted) -> Work[None]:
    """Refuse what could not be used: an approval without a record is for no one of several. An attempt is for all."""
    named = RECORD in wanted.subject or not fields_of(wanted.subject)
    if named or wanted.kind is ApprovalKind.ATTEMPT:
        return
    target = yield from fetch(arrival, wanted.customer)
    if len(target.records) > 1:
        raise Conflict(
            "the customer has several records here, and the decision names none of them",
            remedy="Reveal a field that needs no approval to see which there are. Then repeat the request with one in"
            " `record`, and ask by the id of its new decision.",
            code="several_records",
        )


def party_of(reader: Requester, asked: Asked) -> Party:
    """Who asks or approves, and at which device: by the name it gives itself and by the key that it holds."""
    marks = (reader.device, asked.device, asked.proved.jkt, asked.proved.x5t)
    return Party(reader.person, " ".join(dict.fromkeys(filter(None, marks))), reader.credential)


def once_more(asked: Asked, *, client: str, collection: str, contact_ref: str) -> Asked:
    """The same caller about a contact that we know by our own reference.

    The caller was accepted in this transaction, so their proof of possession is used already.
    """
    return msgspec.structs.replace(
        asked,
        client=client,
        collection=collection,
        contact_ref=contact_ref,
        proved=msgspec.structs.replace(asked.proved, use=b""),
    )


def shown(request: Request, reader: str, now_us: int) -> ApprovalShown:
    """Lay a request out without anything of the customer."""
    return ApprovalShown(
        approval=request.id,
        state=request.standing(now_us),
        kind=request.kind.value,
        client=request.client,
        operation=request.operation,
        programme=request.programme,
        reason=request.reason,
        collection=request.collection,
        wanted=told(request.subject),
        requester=request.requester_name,
        own=request.requester.person == reader,
        decision=request.decision,
        asked_at=rfc3339(request.created_us),
        expires_at=rfc3339(request.expires_us),
    )
