"""Why, and what would have to be otherwise: an explanation that is proven, not told (DESIGN §5).

The rules that fired give the candidates. Each is a condition that can be supposed to hold; the engine is then asked
again. An explanation is

* *sufficient*: with all its conditions supposed, it is allowed;
* *necessary* in each part: with any one of them left as it is, it is not.

Rules whose condition follows from another's (a key in the hand is also a step-up) drop out, so what is left is the
least that has to change. When no grant matches, the grant itself is one of the conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec.structs

from holdfast.spine.decision.judge import GRANT_TIER, nearest_grant
from holdfast.spine.decision.policies import waiver
from holdfast.spine.decision.question import NO_FIELDS, Question, look_of, sets_of
from holdfast.spine.decision.reasons import (
    clause_of_reason,
    fact_values,
    for_audience,
    reasons_of,
)
from holdfast.spine.decision.rules import Effect, Rule
from holdfast.spine.decision.verdict import Permit
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import Audience, DataClass, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.spine.decision.engine import Slice
    from holdfast.spine.decision.judge import Judgement
    from holdfast.spine.decision.policies import ClientPolicies, RuleSet
    from holdfast.spine.decision.question import Group, Look
    from holdfast.spine.decision.verdict import RuleReason

_MOST_ROUNDS: Final = 8
_CONTRACT: Final = "contract."


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one group of fields is not shown as asked: the least that would have to be otherwise.

    ``sufficient`` and ``necessary`` are what the engine said of it; a part of an explanation that is neither is not
    given. ``told`` is what the reader may know of the parts.
    """

    fields: tuple[str, ...]
    visible: bool
    parts: tuple[RuleReason, ...]
    sufficient: bool
    necessary: bool


class _Case(NamedTuple):
    """One group under explanation: whom to ask, what about, and with which grant."""

    rules: RuleSet
    question: Question
    look: Look
    held: Slice
    granted: Slice  # with the grant that is missing, or the same

    def allowed(self, supposed: Iterable[Rule], *, grant: bool) -> bool:
        held = self.granted if grant else self.held
        return self.rules.ask(self.question.operation.value, held, self.with_(supposed)).allowed

    def with_(self, supposed: Iterable[Rule]) -> Look:
        look = self.look
        for rule in supposed:
            look = suppose(look, rule, self.question.operation)
        return look


def explain(judgement: Judgement) -> tuple[Explanation, ...]:
    """Explain each group that is not permitted as asked. What could not be evaluated has no explanation."""
    if judgement.errors:
        return ()
    found = []
    pairs = zip(judgement.groups, judgement.verdicts, judgement.limits, strict=True)
    for group, verdict, limits in pairs:
        if not isinstance(verdict, Permit) or limits:
            found.append(_explained(judgement, group))
    return tuple(found)


def _explained(judgement: Judgement, group: Group) -> Explanation:
    policies, question = judgement.policies, judgement.question
    case, grant = _case(policies, question, group, visible=judgement.visible)
    causes = _causes(case, grant=grant is not None)
    least = _least(case, causes, grant=grant is not None)
    needed = grant is None or not case.allowed(least, grant=False)
    clause = clause_of_reason(policies.contract, question)
    parts = reasons_of(least, fact_values(question, group), clause=clause)
    return Explanation(
        fields=group.fields,
        visible=judgement.visible,
        parts=(grant, *parts) if grant is not None and needed else parts,
        sufficient=case.allowed(least, grant=grant is not None),
        necessary=needed
        and not any(
            case.allowed([r for r in least if r is not rule], grant=grant is not None)
            for rule in least
        ),
    )


def _case(
    policies: ClientPolicies, question: Question, group: Group, *, visible: bool
) -> tuple[_Case, RuleReason | None]:
    look = look_of(question, group if visible else NO_FIELDS, sets_of(question.facts))
    grant = nearest_grant(policies, question)
    held = question.held
    granted = held
    if grant is not None:
        contract = policies.contract
        missing = next(g for g in contract.grants if g.id == question.programme)
        roles = contract.roles_for(missing, question.operation)
        granted = held._replace(
            roles=tuple(sorted({*held.roles, roles[0]})),
            programmes=tuple(sorted({*held.programmes, question.programme})),
        )
    rules = policies.whole if visible else policies.visibility
    return _Case(rules, question, look, held, granted), grant


def _causes(case: _Case, *, grant: bool) -> list[Rule]:
    """All rules that fire, also those that only fire once others are supposed to hold."""
    causes: list[Rule] = []
    held = case.granted if grant else case.held
    for _ in range(_MOST_ROUNDS):
        answer = case.rules.ask(case.question.operation.value, held, case.with_(causes))
        more = [rule for rule in case.rules.fired(answer) if rule not in causes]
        if answer.allowed or not more:
            break
        causes += more
    return causes


def _least(case: _Case, causes: list[Rule], *, grant: bool) -> list[Rule]:
    """Leave out every rule whose condition follows from the others'; weaker effects go first."""
    weakest_first = sorted(causes, key=lambda rule: (rule.effect is Effect.DENY, rule.level))
    least = list(causes)
    for rule in weakest_first:
        rest = [other for other in least if other is not rule]
        if case.allowed(rest, grant=grant):
            least = rest
    return least


#: Conditions of the fields, and how the context would be if they held.
_OTHERWISE: Final[dict[FactId, dict[str, bool]]] = {
    FactId.HANDLING: {"verify_only": False, "masked_only": False, "reference": False},
    FactId.REASON_MASK: {"mask_by_reason": False},
    FactId.APPROVAL: {"approved": True},
    FactId.CHANGE: {"by_action": False},
}


def suppose(look: Look, rule: Rule, operation: Operation) -> Look:
    """The same context, but for the condition of one rule, which holds."""
    change = msgspec.structs.replace
    if rule.fact is FactId.CONTRACT_RULE:
        return _met(look, waiver(rule.id.removeprefix(_CONTRACT)))
    if rule.fact is FactId.AUTH_LEVEL:
        return change(look, level=max(look.level, int(rule.level)))
    if rule.fact is FactId.HANDLING and operation is Operation.SEARCH and not look.verify_only:
        return change(look, data_class=min(look.data_class, int(DataClass.C1)), clear=False)
    if rule.fact is FactId.HANDLING and operation is Operation.APPROVE and not look.verify_only:
        return change(look, clear=False)
    if rule.fact in _OTHERWISE:
        return change(look, **_OTHERWISE[rule.fact])
    return _met(look, rule.fact.value)


def _met(look: Look, fact: str) -> Look:
    return msgspec.structs.replace(
        look,
        met=tuple(sorted({*look.met, fact})),
        unknown=tuple(name for name in look.unknown if name != fact),
    )


def told(
    explanation: Explanation, policies: ClientPolicies, audience: Audience
) -> tuple[RuleReason, ...]:
    """The parts as ``audience`` may know them. Of what may not be seen, a reader is told the lowest tier only."""
    parts = explanation.parts
    if not explanation.visible and audience is Audience.SELF:
        tiers = [_tier(part, policies) for part in parts]
        lowest = min(tiers, default=0)
        parts = tuple(part for part, tier in zip(parts, tiers, strict=True) if tier == lowest)
    return for_audience(parts, audience, policies.by_id)


def _tier(part: RuleReason, policies: ClientPolicies) -> int:
    rule = policies.by_id.get(part.rule)
    return rule.tier if rule is not None else GRANT_TIER
