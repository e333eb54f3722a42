"""Steps that every operation shares after judging: laying out, refusing, and the ledger's line.

Pure, but for :func:`write_line`, which yields the one round of writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.clock import MINUTE_US, rfc3339
from holdfast.kit.db import PAUSE, Round
from holdfast.kit.errors import Conflict, Unavailable
from holdfast.kit.ids import new_id
from holdfast.kit.secret import Secret
from holdfast.spine.approvals.glass import take_glass
from holdfast.spine.approvals.requests import take
from holdfast.spine.decision import budgets, records
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.freezing import EXEMPT_RULE, by_exemption
from holdfast.spine.decision.verdict import RuleReason
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.references import credential_reference
from holdfast.spine.ledger import folding
from holdfast.spine.ledger.checkpoint import base64_text
from holdfast.spine.ledger.recorder import append, hash_of
from holdfast.spine.purpose.contact import closes_us
from holdfast.spine.turn.answers import LeafPointer, ReasonGiven, Refused, Remedy, Shown
from holdfast.spine.turn.repeats import fold_key, folded, remember
from holdfast.spine.vault.hierarchy import record_key
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Operation, Outcome, Presentation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.verdict import Verdict
    from holdfast.spine.turn.arrival import Arrival
    from holdfast.spine.turn.target import Target

SHOWN_FOR_US = 5 * MINUTE_US
CHALLENGE_LIFE_US = 5 * MINUTE_US
INTEGRITY = RuleReason(
    rule="vault.integrity",
    state="unknown",
    fact="record",
    value="does not verify",
    remedy_text="This is not your fault. The security team has been told; ask your lead.",
    label="The stored record is the one that was last written.",
)
_CODES = {
    Outcome.STEP_UP: "step_up_required",
    Outcome.APPROVAL: "approval_required",
    Outcome.DENY: "denied",
}


# ── what is answered ────────────────────────────────────────────────────────────────────────────────────────────


def told(reasons: Iterable[RuleReason]) -> tuple[ReasonGiven, ...]:
    """Write reasons, already filtered for their reader, as they stand in an answer."""
    return tuple(
        ReasonGiven(
            rule=reason.rule,
            label=reason.label,
            state=reason.state,
            fact=reason.fact,
            value=reason.value,
            remedy=Remedy(reason.remedy_text, reason.remedy_href),
        )
        for reason in reasons
    )


def shown_until(arrival: Arrival) -> str:
    """Say when a value is to be hidden again: after five minutes, or when the contact closes if that is sooner."""
    until_us = arrival.now_us + SHOWN_FOR_US
    if arrival.contact is not None:
        until_us = min(until_us, closes_us(arrival.contact, arrival.queue))
    return rfc3339(until_us)


def shown_fields(
    values: Mapping[str, Secret[str]], how: Mapping[str, Presentation], until: str
) -> dict[str, Shown]:
    """Lay opened values out for the answer: the one place of the path where they leave their boxes."""
    return {name: Shown(how[name]._value_, value.reveal(), until) for name, value in values.items()}


def withheld(judgement: Judgement, verdict: Verdict) -> Shown:
    """Lay out a field that is not shown."""
    assert verdict is not None
    return Shown(
        shown=Presentation.WITHHELD.value,
        reasons=told(judgement.told(getattr(verdict, "reasons", ()))),
    )


# ── what is written ─────────────────────────────────────────────────────────────────────────────────────────────


class Line(NamedTuple):
    """What an operation has to say to the ledger. ``fields`` maps each field to how it was shown."""

    operation: Operation
    outcome: Outcome
    judgement: Judgement
    customers: tuple[str, ...] = ()  # references in the client's log
    fields: Mapping[str, str] = {}
    extra_rules: tuple[str, ...] = ()
    writes: tuple[Query, ...] = ()
    charges: tuple[Query, ...] = ()
    approval: str = ""  # what somebody looked at, who may approve it; what an attempt used
    spares: bool = False  # nothing is shown for which an approval in the hand was given
    fold: bytes = b""  # what makes refusals equal; empty: each has its own leaf
    asks_on: bool = False  # the operation asks something after it


def write_line(arrival: Arrival, line: Line) -> Work[LeafPointer]:
    """Write the leaf, the sealed decision record, what was used of the budgets, and the operation's own rows.

    Raises :class:`Unavailable`, and nothing is written or shown, when another request took the last of a budget since
    this one was judged, and :class:`Conflict` when another used up its approval.
    """
    if line.outcome in _SHOWS:
        arrival.house.require_room()
    month = records.month_of(arrival.now_us)
    key = yield from _record_key(arrival, month)
    yield PAUSE
    stored = records.seal(
        _content(arrival, line), key, client=arrival.asked.client, record=arrival.leaf
    )
    yield PAUSE
    charges = () if arrival.paid else line.charges  # a repeat of what was refused was not paid for
    taken = _takes(arrival, line)
    written = append(arrival.log, _leaf(arrival, line, stored))
    leaf_hash = hash_of(written)
    rest = _rows(arrival, line, stored, month=month, leaf_hash=leaf_hash)
    if line.fold:
        rest = (*rest, folding.opens(line.fold, arrival.decision, written))
    answers = yield Round(
        data=(*charges, *taken, written, *line.writes, *rest), last=not line.asks_on
    )
    check_taken(answers[len(charges) : len(charges) + len(taken)])
    if _must_take(arrival, line) and not all(answers[: len(charges)]):
        raise Unavailable("a budget was used up at this very moment", remedy="Ask again.")
    return _pointer(arrival, arrival.leaf, leaf_hash)


def _pointer(arrival: Arrival, leaf: str, leaf_hash: bytes) -> LeafPointer:
    # To whom the client is none of their business, the log's name would tell that it exists.
    if not arrival.facts[FactId.ASSIGNED].met:
        return LeafPointer("", leaf)
    return LeafPointer(arrival.log, leaf, base64_text(leaf_hash))


def check_taken(rows: Sequence[Rows]) -> None:
    """Raise :class:`Conflict` unless each of the writes that use something up answered a row."""
    if not all(rows):
        raise Conflict(
            "the approval, or the break-glass, was used up at this very moment",
            remedy="Ask for another.",
            code="approval_closed",
        )


def used_approval(arrival: Arrival, judgement: Judgement) -> str:
    """Return the id of the approval that counted; empty when none came along, or none that covers what is asked."""
    return arrival.asked.approval if judgement.question.approved else ""


def taken_approval(arrival: Arrival, judgement: Judgement) -> tuple[Query, ...]:
    """Return the write that uses up the approval that counted, if one did; :func:`check_taken` reads its answer."""
    if arrival.approval is None or not judgement.question.approved:
        return ()
    return (take(arrival.approval, now_us=arrival.now_us),)


def _used_by_showing(arrival: Arrival, line: Line) -> str:
    shows = line.outcome in _SHOWS and not line.spares
    return used_approval(arrival, line.judgement) if shows else ""


def _takes(arrival: Arrival, line: Line) -> tuple[Query, ...]:
    """What is used up by showing or changing anything: the approval in the hand, one customer of a break-glass."""
    question, now_us = line.judgement.question, arrival.now_us
    if line.outcome not in _SHOWS:
        return ()
    taken: tuple[Query, ...] = ()
    # An attempt took its approval before it compared.
    if line.operation is not Operation.VERIFY and not line.spares:
        taken += taken_approval(arrival, line.judgement)
    if arrival.glass and question.customer and not arrival.glass.seen:
        client, customer = arrival.asked.client, question.customer
        taken += (take_glass(arrival.glass, client=client, customer=customer, now_us=now_us),)
    return taken


_SHOWS: Final = frozenset({Outcome.PERMIT, Outcome.PARTIAL})


def _must_take(arrival: Arrival, line: Line) -> bool:
    """Whether something is shown that costs budget: then all that it costs must be taken."""
    return line.outcome in _SHOWS and not arrival.paid


def _content(arrival: Arrival, line: Line) -> records.Content:
    return records.content(
        line.judgement,
        decision=arrival.decision,
        at_us=arrival.now_us,
        person=arrival.person_ref,
        contact=arrival.contact_ref,
        customers=line.customers,
        outcome=line.outcome,
        fields=dict(line.fields),
        extra_rules=line.extra_rules,
    )


def _leaf(arrival: Arrival, line: Line, stored: records.Stored) -> Leaf:
    body = {**_said(arrival, line), "record": stored.commitment.hex()}
    return Leaf(LeafType.DECISION_MADE, arrival.leaf, arrival.now_us, body)


def _said(arrival: Arrival, line: Line) -> dict[str, Any]:
    judgement = line.judgement
    return {
        "decision": arrival.decision,
        "op": line.operation._value_,
        "outcome": line.outcome._value_,
        "person": arrival.person_ref,
        "token": credential_reference(arrival.requester.credential, arrival.log),
        "service": credential_reference(arrival.service, arrival.log),
        "level": arrival.level.name.lower(),
        "contact": "" if arrival.glass else arrival.contact_ref,
        "basis": arrival.basis,
        "customers": list(line.customers),
        "collection": arrival.asked.collection if judgement.visible else "",
        "fields": dict(line.fields) if judgement.visible else {},
        "rules": [*judgement.rules, *line.extra_rules, *_exempted(arrival, judgement)],
        "policies": judgement.policies.digest,
        "count": 1,
        "approval": line.approval or _used_by_showing(arrival, line),
        "glass": arrival.glass.id if arrival.glass else "",
    }


def _fold_of(arrival: Arrival, line: Line) -> bytes:
    """By what a refusal is folded into equal ones; only plain denials are."""
    if line.outcome is not Outcome.DENY or line.judgement.errors:
        return b""
    return b"" if INTEGRITY.rule in line.extra_rules else fold_key(arrival, _said(arrival, line))


def _exempted(arrival: Arrival, judgement: Judgement) -> tuple[str, ...]:
    """Say in the leaf that a look went on while the client was frozen."""
    goes_on = judgement.visible and by_exemption(arrival.facts[FactId.CLIENT_OPEN])
    return (EXEMPT_RULE,) if goes_on else ()


def _rows(
    arrival: Arrival, line: Line, stored: records.Stored, *, month: str, leaf_hash: bytes
) -> tuple[Query, ...]:
    """What stands beside the leaf: the sealed record, a new reference, a remembered key, a signal."""
    rows: list[Query] = []
    person = arrival.requester.person
    if arrival.known_client:
        rows.append(
            decisions.ADD_RECORD(
                client=arrival.asked.client,
                id=arrival.leaf,
                at_us=arrival.now_us,
                month=month,
                person=person,
                leaf=arrival.leaf,
                leaf_hash=leaf_hash,
                salt=stored.salt,
                sealed=stored.sealed,
            )
        )
    if arrival.fresh_ref:
        rows.append(identity.ADD_REFERENCE(person=person, log=arrival.log, ref=arrival.person_ref))
    if not arrival.paid:
        rows.extend(remember(arrival, paid=line.outcome is Outcome.PERMIT))
    if line.judgement.errors:
        rows.append(signal(arrival, "decision.not_evaluated", len(line.judgement.errors)))
    return tuple(rows)


def _record_key(arrival: Arrival, month: str) -> Work[Secret[bytes]]:
    """The client's record key; for a client that does not exist, a key of nobody for a record that is not kept."""
    if not arrival.known_client:
        return Secret(arrival.keys.index_key("", "record"))
    return (yield from record_key(arrival.keys, month))


def signal(arrival: Arrival, name: str, count: int = 1, *, subject: str = "") -> Query:
    """Return the leaf that tells the client that something odd was seen."""
    return append(
        arrival.log,
        Leaf(
            LeafType.SIGNAL_RAISED,
            new_id(ids.LEAF, arrival.now_us),
            arrival.now_us,
            {"signal": name, "subject": subject or arrival.person_ref, "count": count},
        ),
    )


def refuse(
    arrival: Arrival,
    line: Line,
    *,
    reasons: tuple[RuleReason, ...] | None = None,
) -> Work[Refused]:
    """Write a refusal and answer it. A step-up that would help comes with a challenge; without a contact none can."""
    judgement = line.judgement
    code = _CODES.get(line.outcome, "denied")
    challenge = None
    if line.outcome is Outcome.STEP_UP and not arrival.contact_ref:
        code = _CODES[Outcome.DENY]
    elif line.outcome is Outcome.STEP_UP:
        challenge = new_id(ids.CHALLENGE, arrival.now_us)
        line = line._replace(writes=(*line.writes, _challenge(arrival, challenge)))
    line = line._replace(fold=_fold_of(arrival, line))
    paid_for = (*(() if arrival.paid else line.charges), *line.writes)
    first = (yield from folded(arrival, line.fold, paid_for)) if line.fold else None
    if first is None:
        if line.fold:
            counted = yield from folding.closing(arrival.log, line.fold, arrival.now_us)
            line = line._replace(writes=(*line.writes, *counted))
        leaf = yield from write_line(arrival, line)
    else:
        leaf = _pointer(arrival, first.leaf, first.hash)
    given = judgement.reasons() if reasons is None else reasons
    return Refused(
        code=code,
        decision=first.decision if first else arrival.decision,
        leaf=leaf,
        reasons=told(given),
        challenge=challenge,
    )


def refuse_broken(
    arrival: Arrival,
    operation: Operation,
    judgement: Judgement,
    *,
    target: Target | None = None,
    approval: str = "",
) -> Work[Refused]:
    """Refuse because a stored record does not verify, and tell the client so: it is a signal, never a value.

    ``approval`` was used up although nothing came of it.
    """
    reference = target.reference if target else ""
    names = [name for group in judgement.groups for name in group.fields]
    line = Line(
        operation,
        Outcome.DENY,
        judgement,
        customers=(reference,) if reference else (),
        fields=dict.fromkeys(names, Presentation.WITHHELD.value),
        extra_rules=(INTEGRITY.rule,),
        writes=(signal(arrival, INTEGRITY.rule, subject=reference),),
        charges=charges(arrival, judgement, customer=target.customer if target else ""),
        approval=approval,
    )
    return refuse(arrival, line, reasons=(INTEGRITY,))


def _challenge(arrival: Arrival, challenge: str) -> Query:
    return decisions.ADD_CHALLENGE(
        id=challenge,
        client=arrival.asked.client,
        person=arrival.requester.person,
        contact=arrival.contact_ref,
        level=2,
        decision=arrival.decision,
        created_us=arrival.now_us,
        expires_us=arrival.now_us + CHALLENGE_LIFE_US,
    )


def charges(
    arrival: Arrival,
    judgement: Judgement,
    *,
    customer: str = "",
    sensitive: int = 0,
    searches: int = 0,
) -> tuple[Query, ...]:
    """Return what an operation uses of the budgets; nothing when a used-up budget alone refused it (SPINE 6)."""
    person, now_us = arrival.requester.person, arrival.now_us
    if not arrival.known_client or not budgets.is_charged(judgement):
        return ()
    taken: tuple[Query, ...] = ()
    if customer:
        taken += budgets.charges_for_customer(
            arrival.keys,
            person,
            customer,
            now_us=now_us,
            sure_us=arrival.sure_us,
            sensitive=sensitive,
            budgets=arrival.budgets,
            counted=arrival.spent.has_customer,
        )
    if searches:
        client = arrival.asked.client
        taken += budgets.charges_for_search(client, person, units=searches, now_us=now_us)
    return taken
