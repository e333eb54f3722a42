"""Changing the reason of a live contact: once, to one of the same queue; a wider field set is a step-up (SPINE 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict
from holdfast.kit.ids import new_id
from holdfast.spine.decision.judge import judge
from holdfast.spine.decision.verdict import RuleReason
from holdfast.spine.ledger.recorder import append
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import MOST_REASON_CHANGES, reason_of, widens
from holdfast.spine.turn.answers import ReasonChanged, Refused
from holdfast.spine.turn.arrival import Arrival, arrive, known
from holdfast.spine.turn.questions import (
    question_of,
)
from holdfast.spine.turn.steps import (
    Line,
    refuse,
    write_line,
)
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId, FactValue
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Operation

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked

__all__ = ["change_reason"]

NOT_YOURS: Final = RuleReason(
    rule="contact.yours",
    state="unmet",
    fact="contact_yours",
    value="not with you",
    remedy_text="Use the id of the contact that is connected to you now.",
    label="The contact is with you.",
)


def change_reason(house: House, asked: Asked, wanted: str) -> Work[ReasonChanged | Refused]:
    """Change the contact's reason to ``wanted``. ``asked.client`` may be empty: then the contact says whose it is.

    Raises what :func:`arrive` raises, and :class:`Conflict` when the contact changed meanwhile.
    """
    named = bool(asked.client)
    if not named:
        asked = msgspec.structs.replace(asked, client=(yield from _client_of(asked.contact)))
    arrival = yield from arrive(house, asked)
    facts = {**arrival.facts, **_facts(arrival, wanted)}
    judgement = judge(arrival.policies, question_of(arrival, Operation.REASON, (), facts))
    line = Line(Operation.REASON, judgement.outcome, judgement)
    if judgement.permit is None:
        told = None if named else tuple(map(_of_unnamed, judgement.reasons()))
        return (yield from refuse(arrival, line, reasons=told))
    assert arrival.contact is not None
    wider = not facts[FactId.REASON_NOT_WIDER].met
    changed = arrival.reason is None or arrival.reason.id != wanted
    if changed:
        yield from _change(arrival, wanted)
        leaf = Leaf(
            LeafType.REASON_CHANGED,
            new_id(ids.LEAF, arrival.now_us),
            arrival.now_us,
            {
                "contact": arrival.contact_ref,
                "decision": arrival.decision,
                "reason": wanted,
                "widened": wider,
            },
        )
        line = line._replace(writes=(append(arrival.log, leaf),))
    pointer = yield from write_line(arrival, line)
    return ReasonChanged(
        decision=arrival.decision,
        reason=wanted,
        changes_left=max(0, MOST_REASON_CHANGES - arrival.contact.reason_changes - changed),
        leaf=pointer,
    )


def _of_unnamed(reason: RuleReason) -> RuleReason:
    """Who named a contact only is told of the contact: one of a client that is none of theirs is as if unknown."""
    return NOT_YOURS if reason.rule == "person.assigned" else reason


def _client_of(external: str) -> Work[str]:
    """Return whose contact this is, when only one client's feed knows the id; the judge decides who may use it."""
    (rows,) = yield Round(keys=(purpose.CONTACT_REFS_ANYWHERE(external=external),))
    return rows[0][0] if len(rows) == 1 else ""


def _facts(arrival: Arrival, wanted: str) -> dict[FactId, FactValue]:
    """What the change would mean. Of somebody else's contact nothing is told."""
    contact, queue, reasons = arrival.contact, arrival.queue, arrival.contract.reasons
    if not arrival.yours or contact is None or queue is None:
        return {}
    present = reason_of(contact, queue)
    here = wanted in queue.reasons and wanted in reasons
    left = wanted == present or contact.reason_changes < MOST_REASON_CHANGES
    wider = here and widens(reasons.get(present), reasons[wanted])
    return {
        FactId.REASON_OF_QUEUE: known(here, "of this queue" if here else "not of this queue"),
        FactId.REASON_CHANGES: known(left, "unchanged" if left else "changed once already"),
        FactId.REASON_NOT_WIDER: known(not wider, "shows more" if wider else "shows no more"),
    }


def _change(arrival: Arrival, wanted: str) -> Work[None]:
    assert arrival.contact is not None
    (rows,) = yield Round(
        data=(
            purpose.SET_REASON(
                client=arrival.asked.client,
                ref=arrival.contact_ref,
                version=arrival.contact.version,
                reason=wanted,
                most=MOST_REASON_CHANGES,
            ),
        )
    )
    if not rows:
        raise Conflict("the contact changed meanwhile", remedy="Look at it again and repeat.")
