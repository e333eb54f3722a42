"""What an operation asks: groups of fields, the question put to the judge, what an approval is bound to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec.structs

from holdfast.kit.canonical import canonical_json
from holdfast.kit.errors import InvalidInput
from holdfast.spine.approvals.covering import Sought, uncovered
from holdfast.spine.approvals.subject import KINDS, RECORD, VALUES
from holdfast.spine.decision.groups import groups_of
from holdfast.spine.decision.judge import Group, Question
from holdfast.vocabulary.levels import ApprovalKind, DataClass, Operation, Presentation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.spine.turn.arrival import Arrival
    from holdfast.vocabulary.facts import FactId, FactValue

MOST_REMEMBERED: Final = 2048
_SENSITIVE: Final = DataClass.C3


def asked_groups(arrival: Arrival, names: Sequence[str], operation: Operation) -> tuple[Group, ...]:
    """Sort the fields asked for into the groups in which they are judged.

    A pure function of contract, schema, reason and names, which agents at the same work repeat: remembered beside the
    compiled contract.
    """
    reason = arrival.reason.id if arrival.reason else ""
    schema = arrival.schema if arrival.collection_known else None
    key = (operation, schema.digest if schema else "", reason, tuple(names))
    known = arrival.policies.groups
    found = known.get(key)
    if found is None:
        if len(known) >= MOST_REMEMBERED:
            known.clear()
        found = groups_of(operation, arrival.contract, schema, names, reason=reason)
        known[key] = found
    return found


def behind_masks(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Ask for less of the same: what is of class C2 or above behind its mask, the rest as it was asked for."""
    return tuple(
        [
            msgspec.structs.replace(group, presentation=Presentation.MASKED)
            if group.data_class >= DataClass.C2 and group.presentation is Presentation.CLEAR
            else group
            for group in groups
        ]
    )


def question_of(
    arrival: Arrival,
    operation: Operation,
    groups: tuple[Group, ...],
    facts: Mapping[FactId, FactValue],
    *,
    customer: str = "",
    about: Mapping[str, str] | None = None,
) -> Question:
    """Put the question. What belongs to a contact of somebody else stays out of it.

    ``about`` says what is asked beside fields, by names that no field can have: ``:action``, ``:target``, and what
    :func:`bound_to` adds.
    """
    contact = arrival.contact if arrival.yours else None
    approval = ""
    if arrival.asked.approval:
        sought = _sought(arrival, operation, groups, about or {}, customer=customer)
        approval = uncovered(arrival.approval, sought, arrival.now_us)
    programme = contact.programme if contact else ""
    return Question(
        operation=operation,
        client=arrival.asked.client,
        programme=programme,
        roles=frozenset([role._value_ for role in arrival.assigned.roles_in(programme)]),
        programmes=arrival.assigned.programmes,
        level=arrival.level,
        facts=facts,
        groups=groups,
        collection=arrival.asked.collection,
        customer=customer,
        reason=arrival.reason.id if arrival.reason else "",
        approved=bool(arrival.asked.approval) and not approval,
        approval=approval,
        about=about or {},
    )


def bound_to(
    arrival: Arrival, *, values: Mapping[str, str] | None = None, record: str | None = None
) -> dict[str, str]:
    """What an approval is bound to beside fields: exactly these new values, as a keyed hash, and this record."""
    bound = {RECORD: record} if record is not None else {}
    if values:
        text = canonical_json(dict(values))
        bound[VALUES] = arrival.keys.mac(
            "approved", text, collection=arrival.asked.collection
        ).hex()
    return bound


def _sought(
    arrival: Arrival,
    operation: Operation,
    groups: tuple[Group, ...],
    about: Mapping[str, str],
    *,
    customer: str,
) -> Sought:
    """What an approval that came with the request would have to be for."""
    return Sought(
        kind=KINDS.get(operation, ApprovalKind.LOOK),
        operation=operation.value,
        requester=arrival.requester.person,
        client=arrival.asked.client,
        contact=arrival.contact_ref,
        customer=customer,
        reason=arrival.reason.id if arrival.reason else "",
        collection=arrival.asked.collection,
        policies=arrival.policies.bound,
        fields={name: group.presentation for group in groups for name in group.fields},
        about=about,
    )


def count_sensitive(arrival: Arrival, names: Iterable[str]) -> int:
    """Return how many of the fields are of class C3 or C4: what the budget of sensitive fields counts."""
    by_name = arrival.schema.by_name
    return sum([name in by_name and by_name[name].data_class >= _SENSITIVE for name in names])


def check_fields(arrival: Arrival, names: Iterable[str], where: str) -> None:
    """Refuse what the client does not have; asked only after the judge has said that the requester may know it."""
    if not arrival.collection_known:
        raise InvalidInput("the client has no such collection", field="collection")
    known = arrival.schema.by_name
    for number, name in enumerate(names):
        if name not in known:
            part = f"{where}[{number}]" if where == "fields" else f"{where}.{name}"
            raise InvalidInput("the collection has no such field", field=part)
