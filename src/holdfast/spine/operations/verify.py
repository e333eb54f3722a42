"""Verify: the agent types what the caller says, the system says match or no match; the value is never shown (SPINE 11).

For the customer to whom the contact is bound, one field or several; before binding, one combined verdict over as many
questions as the contract asks, and if they match the contact is bound. Attempts are counted per customer and field over
all persons and contacts, and taken before anything is compared. Once they are used up, a second person's approval gives
one more, for exactly these fields; it is used whether the answers match or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.kit.ids import new_id
from holdfast.spine.actions.quarantine import quarantined, quarantined_query, settled_fact
from holdfast.spine.decision import budgets
from holdfast.spine.decision.attempts import (
    Attempts,
    attempt_facts,
    attempts_of,
    attempts_query,
    take_attempts,
)
from holdfast.spine.decision.facts import restriction_facts
from holdfast.spine.decision.judge import Judgement, judge
from holdfast.spine.decision.verdict import Permit, RuleReason
from holdfast.spine.ledger.recorder import append
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import Bind, decide_binding
from holdfast.spine.turn.answers import Refused, Verified
from holdfast.spine.turn.arrival import Arrival, arrive
from holdfast.spine.turn.questions import (
    asked_groups,
    bound_to,
    check_fields,
    question_of,
)
from holdfast.spine.turn.steps import (
    Line,
    charges,
    check_taken,
    refuse,
    refuse_broken,
    signal,
    taken_approval,
    used_approval,
    write_line,
)
from holdfast.spine.turn.target import DECOY, Target, approach
from holdfast.spine.vault.records import dummy_match, match_answers
from holdfast.vocabulary import ids
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import Operation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Query, Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked
    from holdfast.vocabulary.facts import FactValue

MOST_REBINDS = 1
COMBINED = RuleReason(
    rule="verify.combined",
    state="unmet",
    fact="questions",
    value="too few answers",
    remedy_text="The caller is not verified yet: ask enough questions and send all answers together.",
    label="Enough answers are compared at once.",
)


def verify(
    house: House,
    asked: Asked,
    customer: str,
    answers: Mapping[str, str],
    *,
    record: str | None = None,
) -> Work[Verified | Refused]:
    """Compare ``answers`` (field → what the caller said) with the customer's record.

    Raises :class:`InvalidInput` for a collection, field or record that does not exist, told only to those who may know,
    and what :func:`arrive` raises.
    """
    arrival = yield from arrive(house, asked, customer=customer)
    target = yield from approach(arrival, customer)
    attempts = yield from _attempts(arrival, target, answers)
    settled = yield from _settled(arrival, target, answers)
    judgement = _judged(
        arrival, target, answers, {**attempt_facts(attempts), **settled}, record=record
    )
    if not judgement.visible:
        dummy_match(arrival.keys, arrival.schema, answers)
        return (yield from _refused(arrival, target, judgement))
    check_fields(arrival, answers, "answers")
    bound = arrival.facts[FactId.CUSTOMER_BOUND].met
    few = not bound and len(answers) < arrival.contract.verification.needed
    if (
        few and judgement.whole is not Outcome.DENY
    ):  # no second person is asked for what would be refused anyway
        return (yield from _refused(arrival, target, judgement, why=COMBINED))
    permit = judgement.permit
    if permit is None or judgement.whole is not Outcome.PERMIT:
        return (yield from _refused(arrival, target, judgement))
    if not (yield from _take(arrival, target, judgement, answers)):
        return (yield from _refused(arrival, target, judgement, why=_USED_UP))
    one = _Comparison(arrival, target, judgement, permit, answers)
    return (yield from _compared(one, record))


_USED_UP = RuleReason(
    rule="budget.verify_day",
    state="unmet",
    fact="attempts",
    value="used up",
    remedy_text="Ask the caller something else, or end the call by your client's script.",
    label="There are attempts left.",
)


def _attempts(arrival: Arrival, target: Target, answers: Mapping[str, str]) -> Work[Attempts]:
    query = attempts_query(
        arrival.asked.client,
        target.customer if target.approached else DECOY,
        answers,
        contact=arrival.contact_ref,
        sure_us=arrival.sure_us,
    )
    (rows,) = yield Round(data=(query,))
    return attempts_of(rows, arrival.contract.verification)


def _settled(
    arrival: Arrival, target: Target, answers: Mapping[str, str]
) -> Work[dict[FactId, FactValue]]:
    """Whether the values to be compared have stood for long enough to prove something (SPINE 16)."""
    customer = target.customer if target.approached else DECOY
    query = quarantined_query(
        arrival.asked.client, customer, arrival.asked.collection, arrival.sure_us
    )
    (rows,) = yield Round(data=(query,))
    return {FactId.ANSWER_SETTLED: settled_fact(quarantined(rows), answers)}


def _judged(
    arrival: Arrival,
    target: Target,
    answers: Mapping[str, str],
    own: Mapping[FactId, FactValue],
    *,
    record: str | None,
) -> Judgement:
    facts = {
        **restriction_facts(customer_state=target.state),
        **arrival.facts,
        **budgets.look_facts(arrival.budgets, arrival.spent),
        **own,
    }
    groups = asked_groups(arrival, tuple(answers), Operation.VERIFY)
    about = bound_to(arrival, record=record)
    question = question_of(
        arrival, Operation.VERIFY, groups, facts, customer=target.customer, about=about
    )
    return judge(arrival.policies, question)


def _take(
    arrival: Arrival, target: Target, judgement: Judgement, answers: Mapping[str, str]
) -> Work[bool]:
    """Take one attempt per field, before anything is compared; False when one was used up meanwhile.

    With an approval it is the approval that is taken, and the attempts are counted beyond what the contract allows.
    Raises :class:`Conflict` when another request used it meanwhile.
    """
    approved = taken_approval(arrival, judgement)
    attempts = take_attempts(
        arrival.asked.client,
        target.customer,
        answers,
        contact=arrival.contact_ref,
        limits=None if approved else arrival.contract.verification,
        now_us=arrival.now_us,
        sure_us=arrival.sure_us,
    )
    taken = yield Round(data=(*approved, *attempts))
    check_taken(taken[: len(approved)])
    return all(taken)


class _Comparison(NamedTuple):
    """What is compared, and under which judgement."""

    arrival: Arrival
    target: Target
    judgement: Judgement
    permit: Permit
    answers: Mapping[str, str]


def _compared(one: _Comparison, record: str | None) -> Work[Verified | Refused]:
    arrival, target, judgement, permit, answers = one
    candidates = [loaded for loaded in target.records if record in {None, loaded.row.id}]
    if record is not None and not candidates:
        raise InvalidInput("the customer has no such record here", field="record")
    try:
        target.check()
        matches = [match_answers(permit, loaded, arrival.schema, answers) for loaded in candidates]
    except IntegrityBroken:
        used = used_approval(arrival, judgement)
        return (
            yield from refuse_broken(
                arrival, Operation.VERIFY, judgement, target=target, approval=used
            )
        )
    match = any(matches)
    writes, bound = yield from _bind(arrival, target, proven=match, answers=answers)
    line = Line(
        Operation.VERIFY,
        judgement.outcome,
        judgement,
        customers=(target.reference,),
        fields=dict.fromkeys(answers, "match" if match else "no_match"),
        writes=writes,
        charges=charges(arrival, judgement, customer=target.customer),
        approval=used_approval(arrival, judgement),
        asks_on=True,
    )
    leaf = yield from write_line(arrival, line)
    after = yield from _attempts(arrival, target, answers)
    return Verified(
        decision=arrival.decision,
        match=match,
        attempts_left=after.left,
        bound=bound,
        leaf=leaf,
    )


def _bind(
    arrival: Arrival, target: Target, *, proven: bool, answers: Mapping[str, str]
) -> Work[tuple[tuple[Query, ...], bool]]:
    """Bind the contact to the customer if the answers prove it; returns further writes, and whether it is bound now."""
    contact = arrival.contact
    assert contact is not None
    enough = proven and len(answers) >= arrival.contract.verification.needed
    decided = decide_binding(
        contact,
        arrival.queue,
        customer=target.customer,
        candidates=arrival.candidates,
        proven=enough,
        now_us=arrival.now_us,
    )
    if decided not in {Bind.BIND, Bind.REBIND}:
        return (), decided is Bind.ALREADY
    if arrival.provisional is not None:
        return (yield from _bind_on_word(arrival, arrival.provisional.id, target))
    client, ref = arrival.asked.client, arrival.contact_ref
    where = {"client": client, "ref": ref, "version": contact.version}
    at = {"customer": target.customer, "at_us": arrival.now_us}
    again = decided is Bind.REBIND
    change = (
        purpose.REBIND(**where, **at, most=MOST_REBINDS) if again else purpose.BIND(**where, **at)
    )
    (rows,) = yield Round(data=(change,))
    if not rows:
        return (), False
    body = {"contact": ref, "customer": target.reference, "decision": arrival.decision}
    odd: tuple[Query, ...] = ()
    if again:
        kind = LeafType.CONTACT_REBOUND
        odd = (signal(arrival, "contact.rebound", subject=ref),)
    else:
        kind = LeafType.CONTACT_BOUND
        body["how"] = "verified"
    leaf = Leaf(kind, new_id(ids.LEAF, arrival.now_us), arrival.now_us, body)
    return (append(arrival.log, leaf), *odd), True


def _bind_on_word(
    arrival: Arrival, provisional: str, target: Target
) -> Work[tuple[tuple[Query, ...], bool]]:
    """Bind a contact that no feed has told yet; it carries over when one tells it."""
    mark = purpose.MARK_VERIFIED(
        client=arrival.asked.client,
        id=provisional,
        customer=target.customer,
        at_us=arrival.now_us,
    )
    (rows,) = yield Round(data=(mark,))
    if not rows:
        return (), False
    body = {
        "contact": arrival.contact_ref,
        "customer": target.reference,
        "how": arrival.basis,
        "decision": arrival.decision,
    }
    leaf = Leaf(LeafType.CONTACT_BOUND, new_id(ids.LEAF, arrival.now_us), arrival.now_us, body)
    return (append(arrival.log, leaf),), True


def _refused(
    arrival: Arrival, target: Target, judgement: Judgement, *, why: RuleReason | None = None
) -> Work[Refused]:
    seen = judgement.visible and target.approached
    line = Line(
        Operation.VERIFY,
        Outcome.DENY if why else judgement.whole,
        judgement,
        customers=(target.reference,) if seen and target.reference else (),
        extra_rules=(why.rule,) if why else (),
        charges=charges(arrival, judgement, customer=target.customer),
    )
    return refuse(arrival, line, reasons=(why,) if why else None)
