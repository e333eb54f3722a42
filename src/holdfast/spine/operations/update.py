"""Update: change fields of one record, as far as the contract lets an agent change them for the contact's reason.

All fields are changed or none. The new version is sealed and its keys are added before the transaction commits; the
leaf commits to the new manifests (SPINE 16, 18, 21).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.errors import Conflict, IntegrityBroken
from holdfast.kit.ids import new_id
from holdfast.spine.actions.quarantine import by_which_callers_are_known, quarantines
from holdfast.spine.decision import budgets
from holdfast.spine.decision.facts import restriction_facts
from holdfast.spine.decision.judge import Judgement, judge
from holdfast.spine.ledger.recorder import append
from holdfast.spine.turn.answers import Refused, Updated
from holdfast.spine.turn.arrival import Arrival, arrive
from holdfast.spine.turn.questions import (
    asked_groups,
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
from holdfast.spine.turn.target import Target, approach, chosen_record
from holdfast.spine.vault.records import dummy_open
from holdfast.spine.vault.update import Written, update_record
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Operation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked


def update(
    house: House,
    asked: Asked,
    customer: str,
    values: Mapping[str, str],
    *,
    record: str | None = None,
) -> Work[Updated | Refused]:
    """Change ``values`` (field → new text) in the customer's record.

    Raises :class:`InvalidInput` for a collection, field, record or value that is wrong, told only to those who may
    know; :class:`Conflict` when the record changed meanwhile or the customer has several and none is named; and what
    :func:`arrive` raises.
    """
    arrival = yield from arrive(house, asked, customer=customer)
    target = yield from approach(arrival, customer)
    judgement = _judged(arrival, target, values, record)
    if not judgement.visible:
        dummy_open(arrival.keys, arrival.schema, values)
        return (yield from _refused(arrival, target, judgement))
    check_fields(arrival, values, "values")
    if judgement.permit is None or judgement.outcome is not Outcome.PERMIT:
        return (yield from _refused(arrival, target, judgement))
    if arrival.paid:
        raise Conflict(
            "this change was made already",
            remedy=f"It is decision {arrival.decision}.",
            code="repeated",
        )
    loaded = chosen_record(target, record)
    operation = new_id(ids.OPERATION, arrival.now_us)
    try:
        target.check()
        written = yield from update_record(
            judgement.permit,
            loaded,
            arrival.schema,
            values,
            operation=operation,
            now_us=arrival.now_us,
        )
    except IntegrityBroken:
        return (yield from refuse_broken(arrival, Operation.UPDATE, judgement, target=target))
    return (yield from _updated(arrival, target, judgement, record=loaded.row.id, written=written))


def _judged(
    arrival: Arrival, target: Target, values: Mapping[str, str], record: str | None
) -> Judgement:
    sensitive = count_sensitive(arrival, values)
    facts = {
        **restriction_facts(customer_state=target.state),
        **arrival.facts,
        **budgets.look_facts(arrival.budgets, arrival.spent, sensitive=sensitive),
    }
    groups = asked_groups(arrival, tuple(values), Operation.UPDATE)
    about = bound_to(arrival, values=values, record=record)
    question = question_of(
        arrival, Operation.UPDATE, groups, facts, customer=target.customer, about=about
    )
    return judge(arrival.policies, question)


def _updated(
    arrival: Arrival, target: Target, judgement: Judgement, *, record: str, written: Written
) -> Work[Updated]:
    names = sorted(name for group in judgement.groups for name in group.fields)
    leaf = Leaf(
        LeafType.RECORD_UPDATED,
        new_id(ids.LEAF, arrival.now_us),
        arrival.now_us,
        {
            "decision": arrival.decision,
            "customer": target.reference,
            "collection": arrival.asked.collection,
            "fields": names,
            "manifests": written.manifests,
        },
    )
    line = Line(
        Operation.UPDATE,
        judgement.outcome,
        judgement,
        customers=(target.reference,),
        fields=dict.fromkeys(names, "changed"),
        writes=(append(arrival.log, leaf), *_young(arrival, target, names)),
        charges=charges(
            arrival,
            judgement,
            customer=target.customer,
            sensitive=count_sensitive(arrival, names),
        ),
    )
    pointer = yield from write_line(arrival, line)
    return Updated(
        decision=arrival.decision,
        customer=target.customer,
        record=record,
        version=written.version,
        leaf=pointer,
    )


def _young(arrival: Arrival, target: Target, names: list[str]) -> tuple[Query, ...]:
    """Changed values by which callers are known prove nothing for two days, also where no action guards them."""
    known = by_which_callers_are_known(arrival.contract, arrival.schema, names)
    return quarantines(
        arrival.asked.client, target.customer, arrival.schema, known, now_us=arrival.now_us
    )


def _refused(arrival: Arrival, target: Target, judgement: Judgement) -> Work[Refused]:
    seen = judgement.visible and target.reference
    line = Line(
        Operation.UPDATE,
        judgement.whole,
        judgement,
        customers=(target.reference,) if seen else (),
        charges=charges(arrival, judgement, customer=target.customer),
    )
    return refuse(arrival, line)
