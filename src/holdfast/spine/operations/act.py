"""Acting: an action on the customer's account, here or in another system, permitted once (SPINE 16).

A reset, an enrolment, a change of payout: most account takeovers are an action, not a look. So it is judged as a look
is, and more: the contract names the action for the call's reason, the caller has answered enough questions *in this
contact*, and the action was not done too often for this customer today. What a target system then gets is a signed
permit for one minute and one use (:mod:`holdfast.spine.actions.permits`); it tells the outcome to
:mod:`holdfast.spine.operations.outcome`. Fields that the action changes in the vault are changed here, all or none, and
prove nothing for two days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec.structs

from holdfast.kit.clock import DAY_US, SECOND_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput, Unavailable
from holdfast.kit.ids import new_id, random_bytes
from holdfast.spine.actions import permits
from holdfast.spine.actions.quarantine import quarantines
from holdfast.spine.actions.store import ADD_PERMIT, PERMITTED, YOUNG
from holdfast.spine.decision import budgets, records
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.facts import restriction_facts
from holdfast.spine.decision.groups import act_groups
from holdfast.spine.decision.judge import Judgement, judge
from holdfast.spine.decision.proving import Proof, action_facts, day_fact
from holdfast.spine.ledger.recorder import append
from holdfast.spine.turn.answers import Acted, Refused
from holdfast.spine.turn.arrival import Arrival, arrive
from holdfast.spine.turn.questions import (
    bound_to,
    check_fields,
    count_sensitive,
    question_of,
)
from holdfast.spine.turn.steps import (
    Line,
    charges,
    refuse,
    refuse_broken,
    write_line,
)
from holdfast.spine.turn.target import DECOY, Target, approach, chosen_record
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.hierarchy import record_key
from holdfast.spine.vault.records import customer_number_digest, dummy_open
from holdfast.spine.vault.update import Written, update_record
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Operation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Work
    from holdfast.spine.decision.verdict import Permit
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked
    from holdfast.spine.vault.packing import LoadedRecord
    from holdfast.vocabulary.contract import Action

DONE: Final = "done"


class Wanted(NamedTuple):
    """The action asked for. ``proof`` are ids of decisions, ``values`` the fields that it changes here."""

    action: str
    proof: tuple[str, ...] = ()
    values: Mapping[str, str] = {}
    target: str = ""
    record: str | None = None


class _Known(NamedTuple):
    """What was loaded for the judgement."""

    action: Action | None
    done_today: int
    young: frozenset[tuple[str, str]]
    proof: Proof


def act(house: House, asked: Asked, customer: str, wanted: Wanted) -> Work[Acted | Refused]:
    """Permit ``wanted`` for the customer, once.

    Without ``asked.collection`` the client's first one tells the customer's number. Raises :class:`InvalidInput` for a
    collection, field, value, record or target that is wrong, told only to those who may know; :class:`Conflict` for a
    repeated request, or a record that changed meanwhile; and what :func:`arrive` raises.
    """
    asked = yield from _with_collection(asked)
    arrival = yield from arrive(house, asked, customer=customer)
    target = yield from approach(arrival, customer)
    known = yield from _known(arrival, target, wanted)
    judgement = _judged(arrival, target, wanted, known)
    if not judgement.visible:
        dummy_open(arrival.keys, arrival.schema, wanted.values)
        return (yield from _refused(arrival, target, judgement))
    check_fields(arrival, wanted.values, "values")
    if judgement.permit is None or judgement.outcome is not Outcome.PERMIT:
        return (yield from _refused(arrival, target, judgement))
    if arrival.paid:
        raise Conflict(
            "this action was permitted already",
            remedy=f"It is decision {arrival.decision}. A permit is given once; ask with a new key for another one.",
            code="repeated",
        )
    assert known.action is not None
    one = _Act(arrival, target, judgement, judgement.permit, known.action, wanted)
    try:
        target.check()
        return (yield from _done(one))
    except IntegrityBroken:
        return (yield from refuse_broken(arrival, Operation.ACT, judgement, target=target))


def _with_collection(asked: Asked) -> Work[Asked]:
    """Name the client's first collection where none is named; which one says nothing about a customer."""
    if asked.collection:
        return asked
    (rows,) = yield Round(data=(vault.COLLECTIONS(client=asked.client),))
    return msgspec.structs.replace(asked, collection=rows[0][0] if rows else "")


def _known(arrival: Arrival, target: Target, wanted: Wanted) -> Work[_Known]:
    client, sure_us = arrival.asked.client, arrival.sure_us
    customer = target.customer if target.approached else DECOY
    ((permitted,),), young, *found = yield Round(
        data=(
            PERMITTED(
                client=client, customer=customer, action=wanted.action, day_ago_us=sure_us - DAY_US
            ),
            YOUNG(client=client, customer=customer, now_us=sure_us),
            *(decisions.RECORD(client=client, id=ident) for ident in wanted.proof),
        )
    )
    opened: dict[str, records.Content] = {}
    for ident, rows in zip(wanted.proof, found, strict=True):
        if rows and rows[0][2] == arrival.requester.person:
            _, month, _, _, _, sealed = rows[0]
            key = yield from record_key(arrival.keys, month)
            opened[ident] = records.open_record(bytes(sealed), key, client=client, record=ident)
    proof = Proof(
        person=arrival.person_ref,
        contact=arrival.contact_ref,
        customer=target.reference if target.approached else "",
    )
    proof.take(wanted.proof, opened)
    action = arrival.contract.actions.get(wanted.action)
    return _Known(action, permitted, frozenset((row[0], row[1]) for row in young), proof)


def _judged(arrival: Arrival, target: Target, wanted: Wanted, known: _Known) -> Judgement:
    reason = arrival.reason.id if arrival.reason else ""
    facts = {
        **restriction_facts(customer_state=target.state),
        **arrival.facts,
        **budgets.look_facts(
            arrival.budgets, arrival.spent, sensitive=count_sensitive(arrival, wanted.values)
        ),
        **action_facts(known.action, reason, target=wanted.target),
        FactId.ACTION_DAY: day_fact(known.action, known.done_today),
        FactId.ACTION_PROVEN: known.proof.fact(known.action, known.young),
    }
    schema = arrival.schema if arrival.collection_known else None
    groups = act_groups(known.action, arrival.reason, schema, tuple(wanted.values))
    about = {":action": wanted.action, ":target": wanted.target}
    about |= bound_to(arrival, values=wanted.values, record=wanted.record)
    question = question_of(
        arrival, Operation.ACT, groups, facts, customer=target.customer, about=about
    )
    return judge(arrival.policies, question)


class _Act(NamedTuple):
    """What is permitted, and under which judgement."""

    arrival: Arrival
    target: Target
    judgement: Judgement
    permit: Permit
    action: Action
    wanted: Wanted


def _done(one: _Act) -> Work[Acted]:
    arrival, target, action = one.arrival, one.target, one.action
    system, loaded = _system(one), _record(one)
    ident = new_id(ids.ACT, arrival.now_us)
    text = _permit(one, ident, system, loaded) if system else ""
    written = (yield from _changed(one, loaded)) if one.wanted.values else None
    digest = permits.digest_of(text) if text else ""
    expires_us = arrival.now_us + permits.LIFE_US
    (taken,) = yield Round(
        data=(
            ADD_PERMIT(
                id=ident,
                client=arrival.asked.client,
                decision=arrival.decision,
                action=action.id,
                target=system,
                customer=target.customer,
                digest=digest,
                issued_us=arrival.now_us,
                expires_us=expires_us,
                outcome="" if system else DONE,
                settled_us=None if system else arrival.now_us,
                day_ago_us=arrival.sure_us - DAY_US,
                most=action.per_customer_day,
            ),
        )
    )
    if not taken:
        raise Unavailable(
            "the action was done by another request at this moment", remedy="Ask again."
        )
    leaf = _leaf(
        arrival,
        LeafType.ACTION_PERMITTED,
        act=ident,
        action=action.id,
        target=system,
        customer=target.reference,
        proof=list(dict.fromkeys(one.wanted.proof)),
        permit=digest,
        expires=rfc3339(expires_us),
    )
    pointer = yield from write_line(arrival, _line(one, (leaf, *_of_change(one, written))))
    return Acted(
        decision=arrival.decision,
        act=ident,
        action=action.id,
        target=system,
        customer=target.customer,
        permit=text or None,
        expires=rfc3339(expires_us) if system else None,
        version=written.version if written else None,
        leaf=pointer,
    )


def _system(one: _Act) -> str:
    """The target system; the one of the contract where there is but one."""
    named, targets = one.wanted.target, one.action.targets
    if not targets and not one.wanted.values:
        raise InvalidInput("this action changes fields; say to what", field="values")
    if not named and len(targets) > 1:
        raise InvalidInput(
            "this action is done by one of several systems; name it",
            field="target",
            remedy=f"One of: {', '.join(targets)}.",
        )
    return named or (targets[0] if targets else "")


def _record(one: _Act) -> LoadedRecord:
    """The record that is changed; where none is, any of the customer's tells the client's number."""
    target, record = one.target, one.wanted.record
    if one.wanted.values or record is not None:
        return chosen_record(target, record)
    if not target.records:
        raise InvalidInput(
            "the customer has no record in this collection; name one in which they have",
            field="collection",
        )
    return target.records[0]


def _permit(one: _Act, ident: str, system: str, loaded: LoadedRecord) -> str:
    arrival, salt = one.arrival, random_bytes(permits.SALT_BYTES)
    issued_s = arrival.now_us // SECOND_US
    claims = permits.Claims(
        iss=arrival.house.settings.origin,
        aud=system,
        jti=ident,
        iat=issued_s,
        exp=issued_s + permits.LIFE_US // SECOND_US,
        client=arrival.asked.client,
        action=one.action.id,
        sub=one.target.reference,
        customer_number_sha256=customer_number_digest(one.permit, loaded, arrival.schema, salt),
        salt=salt.hex(),
        decision=arrival.decision,
    )
    return arrival.house.permit_keys().signing(arrival.now_us).sign(claims)


def _changed(one: _Act, loaded: LoadedRecord) -> Work[Written]:
    arrival = one.arrival
    return update_record(
        one.permit,
        loaded,
        arrival.schema,
        one.wanted.values,
        operation=new_id(ids.OPERATION, arrival.now_us),
        now_us=arrival.now_us,
        action=one.action.id,
    )


def _of_change(one: _Act, written: Written | None) -> tuple[Query, ...]:
    """What stands beside a change: its leaf, and the quarantine of the new values."""
    arrival, names = one.arrival, sorted(one.wanted.values)
    if written is None:
        return ()
    return (
        _leaf(
            arrival,
            LeafType.RECORD_UPDATED,
            customer=one.target.reference,
            collection=arrival.asked.collection,
            fields=names,
            manifests=written.manifests,
        ),
        *quarantines(
            arrival.asked.client, one.target.customer, arrival.schema, names, now_us=arrival.now_us
        ),
    )


def _leaf(arrival: Arrival, kind: LeafType, **body: object) -> Query:
    leaf = Leaf(
        kind,
        new_id(ids.LEAF, arrival.now_us),
        arrival.now_us,
        {"decision": arrival.decision, **body},
    )
    return append(arrival.log, leaf)


def _line(one: _Act, writes: tuple[Query, ...]) -> Line:
    arrival, target, judgement = one.arrival, one.target, one.judgement
    return Line(
        Operation.ACT,
        judgement.outcome,
        judgement,
        customers=(target.reference,),
        fields=dict.fromkeys(sorted(one.wanted.values), "changed"),
        writes=writes,
        charges=charges(
            arrival,
            judgement,
            customer=target.customer,
            sensitive=count_sensitive(arrival, one.wanted.values),
        ),
    )


def _refused(arrival: Arrival, target: Target, judgement: Judgement) -> Work[Refused]:
    seen = judgement.visible and target.reference
    line = Line(
        Operation.ACT,
        judgement.whole,
        judgement,
        customers=(target.reference,) if seen else (),
        charges=charges(arrival, judgement, customer=target.customer),
    )
    return refuse(arrival, line)
