"""The one path, from a request to values or a denial. Read this first.

::

    arrive      who asks, how strongly, from where; the contact; facts of the requester      spine/turn/arrival.py
    approach    the customer's rows, or a decoy's when the requester may not know of them    spine/turn/target.py
    ask         the fields asked for in groups that stand and fall together                  spine/turn/questions.py
    judge       Cedar: Permit | StepUp | NeedsApproval | Denial, each with reasons           spine/decision/judge.py
    open        only the permitted fields, against the Permit                                spine/vault/records.py
    record      the leaf, the sealed decision record, the budgets: one round of writes       spine/turn/steps.py
    answer      values with how each is shown and until when, or the denial                  spine/turn/answers.py

All of it runs inside one write transaction that the shell began before the first load; the answer leaves only after
that transaction is durable. A record that does not verify is a refusal and a signal, never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec.structs

from holdfast.kit.db import PAUSE
from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.decision import budgets
from holdfast.spine.decision.facts import restriction_facts
from holdfast.spine.decision.judge import Judgement, judge
from holdfast.spine.decision.verdict import Permit
from holdfast.spine.turn.answers import Ambiguous, Choice, LeafPointer, Refused, Revealed, Shown
from holdfast.spine.turn.arrival import Arrival, arrive
from holdfast.spine.turn.questions import (
    asked_groups,
    behind_masks,
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
    shown_fields,
    shown_until,
    told,
    withheld,
    write_line,
)
from holdfast.spine.turn.target import Target, approach
from holdfast.spine.vault.records import LoadedRecord, dummy_open, open_fields
from holdfast.vocabulary.levels import DataClass, Operation, Presentation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked, ReasonGiven
    from holdfast.vocabulary.facts import FactId, FactValue

MOST_CHOICES = 20


def reveal(
    house: House,
    asked: Asked,
    customer: str,
    fields: Sequence[str],
    *,
    record: str | None = None,
    card: bool = False,
) -> Work[Revealed | Ambiguous | Refused]:
    """Show ``fields`` of the customer's record, as far as they are permitted.

    With ``card``, what is more than basic (C2 and above) is asked for behind its mask only: the first sight of a
    caller, from which single fields are then asked for in clear.

    Raises :class:`NotAuthenticated` without an accepted token, :class:`InvalidInput` for a collection, field or record
    that does not exist (told only to those who may know), :class:`Conflict` for a misused idempotency key.
    """
    arrival = yield from arrive(house, asked, customer=customer)
    target = yield from approach(arrival, customer)
    yield PAUSE
    judgement = _judged(arrival, target, fields, record, card=card)
    yield PAUSE
    if not judgement.visible:
        dummy_open(arrival.keys, arrival.schema, fields)
        return (yield from _refused(arrival, target, judgement))
    check_fields(arrival, fields, "fields")
    permit = judgement.permit
    if permit is None:
        return (yield from _refused(arrival, target, judgement))
    if target.broken:
        return (yield from refuse_broken(arrival, Operation.REVEAL, judgement, target=target))
    chosen = _chosen(target, record)
    try:
        if len(chosen) != 1:
            return (yield from _ambiguous(arrival, target, judgement, permit))
        values = open_fields(permit, chosen[0], arrival.schema)
    except IntegrityBroken:
        return (yield from refuse_broken(arrival, Operation.REVEAL, judgement, target=target))
    yield PAUSE
    shown = shown_fields(values, permit.fields, shown_until(arrival))
    return (yield from _revealed(arrival, target, judgement, shown=shown, record=chosen[0].row.id))


def _judged(
    arrival: Arrival, target: Target, fields: Sequence[str], record: str | None, *, card: bool
) -> Judgement:
    groups = asked_groups(arrival, fields, Operation.REVEAL)
    if card:
        groups = behind_masks(groups)
    facts = _facts(arrival, target, sensitive=count_sensitive(arrival, fields))
    about = bound_to(arrival, record=record)
    question = question_of(
        arrival, Operation.REVEAL, groups, facts, customer=target.customer, about=about
    )
    return judge(arrival.policies, question)


def _facts(arrival: Arrival, target: Target, *, sensitive: int) -> Mapping[FactId, FactValue]:
    budget = budgets.look_facts(arrival.budgets, arrival.spent, sensitive=sensitive)
    restrictions = restriction_facts(customer_state=target.state)
    return {**restrictions, **arrival.facts, **budget}


def _chosen(target: Target, record: str | None) -> list[LoadedRecord]:
    if record is None:
        return list(target.records)
    named = [one for one in target.records if one.row.id == record]
    if not named:
        raise InvalidInput("the customer has no such record here", field="record")
    return named


def _references(target: Target) -> tuple[str, ...]:
    return (target.reference,) if target.approached and target.reference else ()


def _refused(arrival: Arrival, target: Target, judgement: Judgement) -> Work[Refused]:
    seen = judgement.visible
    return refuse(
        arrival,
        Line(
            Operation.REVEAL,
            judgement.outcome,
            judgement,
            customers=_references(target) if seen else (),
            fields=dict.fromkeys(_names(judgement), Presentation.WITHHELD.value) if seen else {},
            charges=charges(arrival, judgement, customer=target.customer),
        ),
    )


def _names(judgement: Judgement) -> list[str]:
    return [name for group in judgement.groups for name in group.fields]


def _revealed(
    arrival: Arrival, target: Target, judgement: Judgement, *, shown: dict[str, Shown], record: str
) -> Work[Revealed]:
    fields = shown if judgement.as_asked else _laid_out(judgement, shown)
    how = {name: one.shown for name, one in fields.items()}
    sensitive = count_sensitive(arrival, [name for name in fields if name in shown])
    leaf = yield from _write(arrival, target, judgement, how=how, sensitive=sensitive)
    return Revealed(
        decision=arrival.decision,
        outcome=judgement.outcome.value,
        customer=target.customer,
        record=record,
        fields=fields,
        leaf=leaf,
    )


def _laid_out(judgement: Judgement, shown: Mapping[str, Shown]) -> dict[str, Shown]:
    """Lay out what is shown beside what is withheld, each group with its reasons."""
    fields: dict[str, Shown] = {}
    for group, verdict, limits in zip(
        judgement.groups, judgement.verdicts, judgement.limits, strict=True
    ):
        if isinstance(verdict, Permit):
            reasons = told(judgement.told(limits)) if limits else ()
            fields.update({name: _one(shown[name], reasons) for name in group.fields})
        else:
            fields.update(dict.fromkeys(group.fields, withheld(judgement, verdict)))
    return fields


def _one(shown: Shown, reasons: tuple[ReasonGiven, ...]) -> Shown:
    return msgspec.structs.replace(shown, reasons=reasons) if reasons else shown


def _write(
    arrival: Arrival,
    target: Target,
    judgement: Judgement,
    *,
    how: dict[str, str],
    sensitive: int = 0,
    spares: bool = False,
) -> Work[LeafPointer]:
    return write_line(
        arrival,
        Line(
            Operation.REVEAL,
            judgement.outcome,
            judgement,
            customers=_references(target),
            fields=how,
            charges=charges(arrival, judgement, customer=target.customer, sensitive=sensitive),
            spares=spares,
        ),
    )


def _ambiguous(
    arrival: Arrival, target: Target, judgement: Judgement, permit: Permit
) -> Work[Ambiguous]:
    """Several records: name them with their basic fields masked, so that the agent can choose.

    What is shown only with an approval is not among them, and the approval is not used.
    """
    free = {name for one in judgement.groups if not one.approval_required for name in one.fields}
    basic = [
        name
        for name in permit.fields
        if name in free and arrival.schema.by_name[name].data_class <= DataClass.C1
    ]
    narrow = permit.masked(basic)
    until = shown_until(arrival)
    choices = tuple(
        Choice(
            one.row.id, shown_fields(open_fields(narrow, one, arrival.schema), narrow.fields, until)
        )
        for one in target.records[:MOST_CHOICES]
    )
    how = dict.fromkeys(basic, Presentation.MASKED.value) if choices else {}
    leaf = yield from _write(arrival, target, judgement, how=how, spares=True)
    return Ambiguous(decision=arrival.decision, choices=choices, leaf=leaf)
