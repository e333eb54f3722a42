"""Running a contract's own test cases: situations that its author wrote down, and how each must be judged.

In a case everything holds but what it names under ``unmet`` and ``unknown``; so a case says one thing. It is judged by
the compiled policies, exactly as a request would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.spine.decision.facts import OF_GROUPS
from holdfast.spine.decision.groups import act_groups, groups_of
from holdfast.spine.decision.judge import Question, judge
from holdfast.spine.decision.proving import action_facts
from holdfast.spine.decision.verdict import Denial, NeedsApproval, Permit, StepUp
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import Audience, AuthLevel, Operation, Presentation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.spine.decision.verdict import Verdict
    from holdfast.vocabulary.contract import Case
    from holdfast.vocabulary.schema import CollectionSchema

PERMIT: Final = "permit"
MASKED: Final = "masked"
HIDDEN: Final = "hidden"


class Result(NamedTuple):
    """What became of a case. ``skipped`` says why it could not be judged; it counts neither way."""

    case: Case
    found: str
    rules: tuple[str, ...]
    passed: bool
    skipped: str = ""


def run_cases(
    policies: ClientPolicies, schemas: Mapping[str, CollectionSchema]
) -> tuple[Result, ...]:
    """Judge every ``[[test]]`` of the contract."""
    return tuple(_run(policies, schemas, case) for case in policies.contract.cases)


def _run(policies: ClientPolicies, schemas: Mapping[str, CollectionSchema], case: Case) -> Result:
    if case.collection and case.collection not in schemas:
        return Result(case, "", (), passed=False, skipped=f"no collection {case.collection} yet")
    judgement = judge(policies, question_of(policies, schemas.get(case.collection), case))
    rules = tuple(reason.rule for reason in judgement.reasons(Audience.SECURITY))
    found = _found(judgement)
    because = not case.because or case.because in rules
    return Result(case, found, rules, passed=found == case.expect and because)


def question_of(policies: ClientPolicies, schema: CollectionSchema | None, case: Case) -> Question:
    """The question that a case asks."""
    contract = policies.contract
    queue = contract.queues[case.queue]
    reason = case.reason or queue.reasons[0]
    operation = Operation(case.operation)
    facts = {fact: _value(fact, case) for fact in FactId if fact not in OF_GROUPS}
    if operation is Operation.ACT:
        action = contract.actions[case.action]
        groups = act_groups(action, contract.reasons.get(reason), schema, case.fields)
        facts |= action_facts(action, reason)
    else:
        groups = (
            groups_of(operation, contract, schema, case.fields, reason=reason)
            if case.fields
            else ()
        )
    return Question(
        operation=operation,
        client=contract.client,
        programme=queue.programme,
        roles=frozenset(case.roles),
        programmes=frozenset({queue.programme}),
        level=AuthLevel[case.level.upper()],
        facts=facts,
        groups=groups,
        collection=case.collection,
        customer="" if operation is Operation.SEARCH else "cus_case",
        reason=reason,
    )


def _value(fact: FactId, case: Case) -> FactValue:
    if fact.value in case.unknown:
        return FactValue(FactState.UNKNOWN, met=False)
    return FactValue(FactState.KNOWN, met=fact.value not in case.unmet)


def _found(judgement: Judgement) -> str:
    if not judgement.visible:
        return HIDDEN
    words = {_word(verdict) for verdict in judgement.verdicts}
    return words.pop() if len(words) == 1 else " and ".join(sorted(words))


def _word(verdict: Verdict) -> str:
    match verdict:
        case Permit(operation=Operation.REVEAL, fields=fields):
            masked = bool(fields) and set(fields.values()) == {Presentation.MASKED}
            return MASKED if masked else PERMIT
        case Permit():
            return PERMIT
        case StepUp():
            return "step_up"
        case NeedsApproval():
            return "approval"
        case Denial():
            return "deny"
