"""The judgement of one question (SPINE 1–4). Pure: policies and facts in, verdicts out.

    >>> judgement = judge(policies, question)            # doctest: +SKIP
    >>> match judgement.verdicts[0]:                     # doctest: +SKIP
    ...     case Permit() as permit: open_fields(permit, …)

How it goes:

1. The strictest group that contains all groups asked for in clear is judged first, and the one that contains all
   others. The guards are monotone, so their *Allow* settles all: two evaluations on the way that nearly every request
   takes.
2. After a *Deny*: is the customer visible at all? The rules of the visibility stage are asked alone, with the same
   grants. If that is not allowed, all is refused with one fixed answer: reasons about the requester only, those of the
   lowest tier.
3. Else each group is judged apart. Its rules that fired say what is left. A soft outcome (masked, step-up, approval)
   is given only if a further evaluation with exactly these conditions met is *Allow*: a denial alone never tells
   whether a grant matched. The strongest wins: deny, approve, step-up, mask.

Whatever the engine cannot evaluate refuses everything and sets ``errors``; the path makes that a signal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec.structs

from holdfast.spine.decision.engine import Slice
from holdfast.spine.decision.exporting import find_export, shown
from holdfast.spine.decision.question import (
    NO_FIELDS,
    Group,
    Look,
    Question,
    Sets,
    joined,
    look_of,
    sets_of,
)
from holdfast.spine.decision.reasons import (
    NOT_EVALUATED,
    UNMET,
    clause_of_reason,
    fact_values,
    for_audience,
    lowest_tier,
    reasons_of,
)
from holdfast.spine.decision.rules import Effect, Rule
from holdfast.spine.decision.verdict import (
    Denial,
    NeedsApproval,
    Permit,
    RuleReason,
    StepUp,
    Verdict,
    make_permit,
)
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import Audience, AuthLevel, Operation, Outcome, Presentation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from holdfast.spine.decision.engine import Answer
    from holdfast.spine.decision.exporting import Order
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

__all__ = ["Group", "Judgement", "Question", "judge", "outcome_of", "whole_of"]

GRANT_TIER: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of a question. ``verdicts`` stand in the order of its groups, one at least.

    ``limits`` has, per group, the rules because of which a permitted group is shown less than asked. ``errors`` says
    what the engine could not evaluate: the verdicts are denials then, and the path raises a signal.
    """

    question: Question
    policies: ClientPolicies
    visible: bool
    verdicts: tuple[Verdict, ...]
    limits: tuple[tuple[RuleReason, ...], ...]
    errors: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups judged; one without fields when the question had none."""
        return self.question.groups or (NO_FIELDS,)

    @property
    def outcome(self) -> Outcome:
        """All of it, some of it, or what would help: a step-up, an approval, nothing."""
        return outcome_of({_OUTCOMES[kind] for kind in set(map(type, self.verdicts))})

    @property
    def as_asked(self) -> bool:
        """Whether everything is permitted just as it was asked for."""
        return self.outcome is _PERMIT and not any(self.limits)

    @property
    def whole(self) -> Outcome:
        """The same where all or nothing is done: what would help must help every group (deny > approve > step up)."""
        return whole_of([_OUTCOMES[type(verdict)] for verdict in self.verdicts])

    @property
    def permit(self) -> Permit | None:
        """One permit for all that is permitted; None when nothing is."""
        permits = [verdict for verdict in self.verdicts if isinstance(verdict, Permit)]
        if len(permits) <= 1:
            return permits[0] if permits else None
        fields = {name: how for permit in permits for name, how in permit.fields.items()}
        return _permit(self.question, fields)

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that refused or limited anything, each once; for the leaf."""
        return tuple(dict.fromkeys(reason.rule for reason in self._all_reasons()))

    def reasons(self, audience: Audience = Audience.SELF) -> tuple[RuleReason, ...]:
        """All reasons, each once, as ``audience`` may know them."""
        return for_audience(self._all_reasons(), audience, self.policies.by_id)

    def told(
        self, reasons: tuple[RuleReason, ...], audience: Audience = Audience.SELF
    ) -> tuple[RuleReason, ...]:
        """Some of the reasons (of one verdict) as ``audience`` may know them."""
        return for_audience(reasons, audience, self.policies.by_id)

    def _all_reasons(self) -> list[RuleReason]:
        found: dict[RuleReason, None] = {}
        for verdict, limits in zip(self.verdicts, self.limits, strict=True):
            given = limits if isinstance(verdict, Permit) else verdict.reasons
            found.update(dict.fromkeys(given))
        return list(found)


_PERMIT: Final = Outcome.PERMIT
_OUTCOMES: Final[dict[type[Verdict], Outcome]] = {
    Permit: Outcome.PERMIT,
    StepUp: Outcome.STEP_UP,
    NeedsApproval: Outcome.APPROVAL,
    Denial: Outcome.DENY,
}


def outcome_of(apart: Collection[Outcome]) -> Outcome:
    """What several groups come to, each permitted, to be stepped up for, to be approved or denied."""
    if _PERMIT in apart:
        return _PERMIT if len(set(apart)) == 1 else Outcome.PARTIAL
    return next((one for one in (Outcome.STEP_UP, Outcome.APPROVAL) if one in apart), Outcome.DENY)


def whole_of(apart: Sequence[Outcome]) -> Outcome:
    """What they come to where all or nothing is done."""
    for one in (Outcome.DENY, Outcome.APPROVAL, Outcome.STEP_UP):
        if one in apart:
            return one
    return Outcome.PERMIT


def judge(policies: ClientPolicies, question: Question) -> Judgement:
    """Judge ``question`` by ``policies``, which must be those of its client."""
    return _Bench(policies, question).judge()


@lru_cache(maxsize=4096)
def _by_presentation(groups: tuple[Group, ...]) -> tuple[tuple[Group, ...], ...]:
    """Split groups into those asked for in clear and the others.

    Joined over both, a masked field of a high class would be judged as if it were asked for in clear.
    """
    clear = tuple(group for group in groups if group.presentation is Presentation.CLEAR)
    rest = tuple(group for group in groups if group.presentation is not Presentation.CLEAR)
    return tuple(part for part in (clear, rest) if part)


class _Weighed(NamedTuple):
    """One group's verdict, what limits a permit, and what could not be evaluated."""

    verdict: Verdict
    limits: tuple[RuleReason, ...] = ()
    errors: tuple[str, ...] = ()


class _Bench:
    """One judgement under way."""

    def __init__(self, policies: ClientPolicies, question: Question) -> None:
        self._policies = policies
        self._question = question
        self._groups = question.groups or (NO_FIELDS,)
        self._sets = sets_of(question.facts)
        self._held = question.held
        self._clause = clause_of_reason(policies.contract, question)

    def judge(self) -> Judgement:
        question = self._question
        if self._policies.contract.client not in {"", question.client}:
            return self._all_denied((NOT_EVALUATED,), errors=("policies of another client",))
        parts = _by_presentation(self._groups)
        answers = [self._ask(joined(question, part, self._sets)) for part in parts]
        errors = tuple([error for answer in answers for error in answer.errors])
        if errors:
            return self._all_denied((NOT_EVALUATED,), errors=errors)
        if all(answer.allowed for answer in answers):
            verdicts: tuple[Verdict, ...] = tuple([self._as_asked(one) for one in self._groups])
            return self._judgement(verdicts, ((),) * len(verdicts))
        first = self._policies.visibility.ask(
            question.operation.value, self._held, look_of(question, NO_FIELDS, self._sets)
        )
        if first.errors:
            return self._all_denied((NOT_EVALUATED,), errors=first.errors)
        if not first.allowed:
            return self._all_denied(self._why_hidden(first))
        settled = {g: answer for part, answer in zip(parts, answers, strict=True) for g in part}
        return self._apart(settled)

    def _apart(self, settled: Mapping[Group, Answer]) -> Judgement:
        """Judge those groups on their own that the joint evaluation of their part did not settle."""
        weighed = []
        for group in self._groups:
            look = look_of(self._question, group, self._sets)
            answer = settled[group]
            weighed.append(self._weigh(group, look, answer if answer.allowed else self._ask(look)))
        errors = tuple(error for one in weighed for error in one.errors)
        if errors:
            return self._all_denied((NOT_EVALUATED,), errors=errors, visible=True)
        return self._judgement(
            tuple(one.verdict for one in weighed), tuple(one.limits for one in weighed)
        )

    def _weigh(self, group: Group, look: Look, answer: Answer) -> _Weighed:
        """Return the verdict on one group after its own evaluation."""
        if answer.allowed:
            return _Weighed(self._as_asked(group))
        fired = self._fired(answer)
        reasons = reasons_of(fired, fact_values(self._question, group), clause=self._clause)
        effects = {rule.effect for rule in fired}
        if answer.errors or not fired or Effect.DENY in effects:
            return _Weighed(Denial(reasons), errors=answer.errors)
        if Effect.MASK in effects:
            look = msgspec.structs.replace(look, clear=False)
            masked = self._ask(look)
            if masked.allowed:
                return _Weighed(self._as_asked(group, masked=True), limits=reasons)
            fired = self._fired(masked)
            if masked.errors or not fired:
                return _Weighed(Denial(reasons), errors=masked.errors)
        return self._helped(look, fired, reasons)

    def _helped(self, look: Look, fired: list[Rule], reasons: tuple[RuleReason, ...]) -> _Weighed:
        """Judge again as if step-up and approval, where they were asked for, had been given."""
        effects = {rule.effect for rule in fired}
        level = max((r.level for r in fired if r.effect is Effect.STEP_UP), default=AuthLevel.NONE)
        approves = Effect.APPROVE in effects
        if effects - {Effect.APPROVE, Effect.STEP_UP}:
            return _Weighed(Denial(reasons))
        helped = self._ask(
            msgspec.structs.replace(
                look, level=max(look.level, int(level)), approved=look.approved or approves
            )
        )
        if not helped.allowed:
            return _Weighed(Denial(reasons), errors=helped.errors)
        return _Weighed(NeedsApproval(reasons) if approves else StepUp(reasons, level))

    def _why_hidden(self, first: Answer) -> tuple[RuleReason, ...]:
        """Reasons of the requester only: the lowest tier that fired, and the nearest grant when none matches."""
        fired = self._policies.visibility.fired(first)
        told = reasons_of(lowest_tier(fired), fact_values(self._question))
        if fired and min(rule.tier for rule in fired) < GRANT_TIER:
            return told
        grant = nearest_grant(self._policies, self._question)
        return (grant, *told) if grant is not None else told

    def _ask(self, look: Look) -> Answer:
        return self._policies.whole.ask(self._question.operation._value_, self._held, look)

    def _fired(self, answer: Answer) -> list[Rule]:
        return self._policies.whole.fired(answer)

    def _as_asked(self, group: Group, *, masked: bool = False) -> Permit:
        return _permit(self._question, _presented(group, masked))

    def _judgement(
        self, verdicts: tuple[Verdict, ...], limits: tuple[tuple[RuleReason, ...], ...]
    ) -> Judgement:
        return Judgement(
            question=self._question,
            policies=self._policies,
            visible=True,
            verdicts=verdicts,
            limits=limits,
        )

    def _all_denied(
        self,
        reasons: tuple[RuleReason, ...],
        *,
        errors: tuple[str, ...] = (),
        visible: bool = False,
    ) -> Judgement:
        denied = self._judgement(
            tuple(Denial(reasons) for _ in self._groups), tuple(() for _ in self._groups)
        )
        return replace(denied, visible=visible, errors=errors)


@lru_cache(maxsize=4096)
def _presented(group: Group, masked: bool) -> Mapping[str, Presentation]:  # noqa: FBT001  a key
    shown = Presentation.MASKED if masked else group.presentation
    return MappingProxyType(dict.fromkeys(group.fields, shown))


def _permit(question: Question, fields: Mapping[str, Presentation]) -> Permit:
    return make_permit(
        question.client,
        question.customer,
        question.collection,
        operation=question.operation,
        fields=fields,
    )


def permit_export(
    contract: Contract, schema: CollectionSchema, order: Order, customer: str
) -> Permit | Denial:
    """Judge what of one customer goes into an export, by the contract as it stands now (SPINE 16)."""
    export, against = find_export(contract, schema, order)
    if export is None:
        return Denial(against)
    return make_permit(
        contract.client,
        customer,
        order.collection,
        operation=Operation.EXPORT,
        fields=shown(export, schema, order),
    )


def nearest_grant(policies: ClientPolicies, question: Question) -> RuleReason | None:
    """Name the grant of the contact's programme if it is what the person lacks; None if a grant matches already."""
    rules = [rule for rule in policies.visibility.rules if rule is not None]
    all_met = Sets(frozenset(rule.fact.value for rule in rules))
    look = look_of(question, NO_FIELDS, all_met)
    action = question.operation.value
    if policies.visibility.ask(action, question.held, look).allowed:
        return None
    for grant in policies.contract.grants:
        roles = policies.contract.roles_for(grant, question.operation)
        if grant.id != question.programme or not roles:
            continue
        held = Slice(question.client, grant.id, (roles[0],), (grant.id,))
        if policies.visibility.ask(action, held, look).allowed:
            return RuleReason(
                rule=f"grant.{grant.id}",
                state=UNMET,
                fact=FactId.ASSIGNED.value,
                value=f"not assigned as {' or '.join(roles)}",
                remedy_text=(
                    f"Ask your lead to assign you to {grant.label or grant.id}. An administrator does it "
                    f"with `holdfast person assign`."
                ),
                clause=grant.clause,
                label="The contract lets you work this programme.",
            )
    return None
