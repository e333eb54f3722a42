"""From rules that fired to reasons that a person can act on."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from holdfast.spine.decision.facts import DECLARATIONS
from holdfast.spine.decision.rules import Effect, Rule, Stage
from holdfast.spine.decision.verdict import RuleReason
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import Audience, AuthLevel, Handling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.spine.decision.question import Group, Question
    from holdfast.vocabulary.contract import Contract

MET: Final = "met"
UNMET: Final = "unmet"
UNKNOWN: Final = "unknown"
_STRENGTH: Final = {Effect.DENY: 0, Effect.APPROVE: 1, Effect.STEP_UP: 2, Effect.MASK: 3}
_AUDIENCES: Final = {Audience.SELF: 0, Audience.LEAD: 1, Audience.SECURITY: 2}
_HANDLING_WORDS: Final = {
    Handling.CLEAR: "shown",
    Handling.MASKED: "only ever masked",
    Handling.VERIFY_ONLY: "compared, never shown",
    Handling.REFERENCE: "kept as a reference",
}
#: What is told about a customer who is not on the contact, erased or never there: always the same words.
NO_SUCH_CUSTOMER: Final = "not the customer of this contact"
_OF_THE_REASON: Final = frozenset({FactId.FIELD_SET, FactId.REASON_MASK, FactId.APPROVAL})
_ABOUT_THE_CUSTOMER: Final = frozenset({FactId.CUSTOMER_BOUND, FactId.CUSTOMER_OPEN})


def fact_values(question: Question, group: Group | None = None) -> dict[FactId, FactValue]:
    """All facts of a question, with those that follow from one group of fields."""
    values = dict(question.facts)
    level = AuthLevel(question.level)
    values.setdefault(
        FactId.AUTH_LEVEL,
        FactValue(FactState.KNOWN, level >= AuthLevel.STEP_UP, level.name.lower()),
    )
    if group is not None:
        values |= {
            FactId.FIELD_SET: _known(
                group.in_field_set, "needed" if group.in_field_set else "not needed for this reason"
            ),
            FactId.HANDLING: _known(
                group.handling is Handling.CLEAR, _HANDLING_WORDS[group.handling]
            ),
            FactId.REASON_MASK: _known(
                not group.mask_required, "masked" if group.mask_required else "in clear"
            ),
            FactId.APPROVAL: _known(
                question.approved or not group.approval_required,
                "given" if question.approved else question.approval or "not given",
            ),
            FactId.CHANGE: _known(not group.by_action, group.by_action or "by update"),
        }
    return values


@lru_cache(maxsize=1024)
def _known(met: bool, value: str) -> FactValue:  # noqa: FBT001  the one thing that it says
    return FactValue(FactState.KNOWN, met, value)


def reason_of(rule: Rule, values: Mapping[FactId, FactValue]) -> RuleReason:
    """Tell a rule that fired."""
    value = values.get(rule.fact)
    unknown = value is not None and value.state is not FactState.KNOWN and not value.met
    hidden = rule.stage is Stage.VISIBILITY and rule.fact in _ABOUT_THE_CUSTOMER
    said = NO_SUCH_CUSTOMER if hidden else "" if value is None else value.value
    approval = values.get(FactId.APPROVAL)
    if rule.effect is Effect.APPROVE and rule.fact is not FactId.APPROVAL and approval is not None:
        said = "; ".join(filter(None, (said, f"approval: {approval.value}")))
    return RuleReason(
        rule=rule.id,
        state=UNKNOWN if unknown else UNMET,
        fact=rule.fact.value,
        value=said,
        remedy_text=rule.remedy,
        remedy_href=rule.href,
        audience=DECLARATIONS[rule.fact].audience,
        clause=rule.clause,
        label=rule.label,
        effect=rule.effect.value,
    )


def clause_of_reason(contract: Contract, question: Question) -> str:
    """The contract's clause about the reason of the question's contact."""
    reason = contract.reasons.get(question.reason)
    return reason.clause if reason is not None else ""


def reasons_of(
    rules: Iterable[Rule], values: Mapping[FactId, FactValue], *, clause: str = ""
) -> tuple[RuleReason, ...]:
    """Tell the rules that fired, strongest effect first.

    ``clause`` is that of the contact's reason in the contract: it stands behind what is said of the fields.
    """
    ordered = sorted(rules, key=lambda rule: (_STRENGTH[rule.effect], rule.tier))
    told = (reason_of(rule, values) for rule in ordered)
    return tuple(
        reason._replace(clause=clause) if clause and reason.fact in _OF_THE_REASON else reason
        for reason in told
    )


def lowest_tier(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Those of the rules that fired in the lowest tier: what is above it is not told (SPINE 2)."""
    if not rules:
        return ()
    lowest = min(rule.tier for rule in rules)
    return tuple(rule for rule in rules if rule.tier == lowest)


def may_know(least: Audience, reader: Audience) -> bool:
    """Tell whether ``reader`` may be told what is meant for ``least`` and above."""
    return _AUDIENCES[reader] >= _AUDIENCES[least]


def for_audience(
    reasons: Iterable[RuleReason],
    audience: Audience,
    rules: Mapping[str, Rule],
) -> tuple[RuleReason, ...]:
    """Keep what ``audience`` may know. A reason above it is replaced by the one that its rule names as cover."""
    told: dict[str, RuleReason] = {}
    for reason in reasons:
        shown: RuleReason | None = reason
        if not may_know(reason.audience, audience):
            shown = _cover(reason, rules)
        if shown is not None:
            told.setdefault(shown.rule, shown)
    return tuple(told.values())


def _cover(reason: RuleReason, rules: Mapping[str, Rule]) -> RuleReason | None:
    rule = rules.get(reason.rule)
    cover = rules.get(rule.cover) if rule is not None and rule.cover else None
    if cover is None:
        return ASK_YOUR_LEAD
    return reason_of(cover, {cover.fact: FactValue(FactState.KNOWN, met=False)})


#: All that is told of a rule whose fact its reader may not know, where nothing else covers it.
ASK_YOUR_LEAD: Final = RuleReason(
    rule="house",
    state=UNMET,
    fact="",
    value="",
    remedy_text="Ask your lead.",
    label="The house's other rules allow it.",
)
#: Told when the engine could not evaluate a rule: that is never a permission.
NOT_EVALUATED: Final = RuleReason(
    rule="engine",
    state=UNKNOWN,
    fact="",
    value="a rule could not be evaluated",
    remedy_text="This is not your fault. The security team has been told; ask your lead.",
    label="Every rule could be evaluated.",
)
