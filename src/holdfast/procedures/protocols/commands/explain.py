"""``holdfast explain``: the denial card in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit, json_option, paint, say

if TYPE_CHECKING:
    from holdfast.procedures.protocols.services.decisions import Condition, Explained, Why
    from holdfast.spine.decision.verdict import RuleReason

_MARKS: Final = {"met": ("✓", "green"), "unmet": ("✗", "red"), "unknown": ("?", "yellow")}


@click.command()
@click.argument("decision")
@json_option
def explain(decision: str, as_json: bool) -> None:
    """Say why a decision came out as it did, and the least that would have to be otherwise.

    The decision is judged again by the contract of its time. What is given as the reason is proven: with it otherwise
    the engine permits, and with any part of it left as it was the engine refuses. You are told what your role may know;
    reading another person's decision leaves a line in the client's log.

    \b
    Examples:
      holdfast explain dec_01k8x7c2v4m0r5t9w3y6z8a1b2
      holdfast explain dec_01k8x7c2v4m0r5t9w3y6z8a1b2 --json
    """
    from holdfast.kit.config import load_settings
    from holdfast.procedures.protocols.services import decisions
    from holdfast.spine.house import open_house

    house = open_house(load_settings())
    try:
        found = house.read(decisions.find(house, decision))
        told = decisions.explained(found)
        if not found.own:
            house.transact(decisions.tell_reading(house, found))
    finally:
        house.close()
    emit(_data(told), as_json=as_json, text=card(told))
    if not told.same_policies:
        say("The house's own rules have changed since; it was judged again by today's.")


def _data(told: Explained) -> dict[str, Any]:
    content = told.found.content
    visible = content.visible
    return {
        "decision": content.decision,
        "client": content.client,
        "at": rfc3339(content.at_us),
        "operation": content.operation,
        "outcome": content.outcome,
        "collection": content.asked.collection if visible else "",
        "reason": content.asked.reason,
        "fields": content.fields if visible else {},
        "why": [_why_data(why) for why in told.whys],
        "later_rules": list(content.extra_rules),
        "conditions": [
            {"fact": c.fact, "label": c.label, "state": c.state, "value": c.value}
            for c in told.conditions
        ],
        "contract_version": content.contract_version,
        "policies": content.policies,
        "same_policies": told.same_policies,
        "same_result": told.same,
        "leaf": told.found.leaf,
        "audience": told.found.audience.value,
    }


def _why_data(why: Why) -> dict[str, Any]:
    return {
        "fields": list(why.fields),
        "reasons": [
            {
                "rule": reason.rule,
                "state": reason.state,
                "fact": reason.fact,
                "label": reason.label,
                "value": reason.value,
                "clause": reason.clause,
                "remedy": {"text": reason.remedy_text, "href": reason.remedy_href},
            }
            for reason in why.reasons
        ],
        "proven": why.proven,
        "complete": why.complete,
    }


def card(told: Explained) -> str:
    """Lay the decision out as a card."""
    content = told.found.content
    what = (
        f"{content.operation} {content.asked.collection}".rstrip()
        if content.visible
        else content.operation
    )
    lines = [
        f"{paint(content.decision, 'bold')}  {rfc3339(content.at_us)}",
        f"{what} for {content.client}: {paint(content.outcome, 'bold')}",
    ]
    if content.visible and content.fields:
        width = max(len(name) for name in content.fields)
        lines += ["", *(f"  {name.ljust(width)}  {how}" for name, how in content.fields.items())]
    for why in told.whys:
        lines += ["", *_why_lines(why)]
    if content.extra_rules:
        lines += ["", f"Permitted by the rules, then refused: {', '.join(content.extra_rules)}"]
    if told.conditions:
        # several facts about the contact may read the same; once is enough for a reader
        lines += [
            "",
            "Conditions as they stood",
            *dict.fromkeys(map(_condition_line, told.conditions)),
        ]
    verdict = "the same result" if told.same else "ANOTHER RESULT"
    lines += ["", f"Judged again by version {content.contract_version} of the contract: {verdict}."]
    return "\n".join(lines)


def _why_lines(why: Why) -> list[str]:
    subject = ", ".join(why.fields)
    lines = [f"Why {subject}" if subject else "Why"]
    for reason in why.reasons:
        lines += _reason_lines(reason)
    if why.proven and why.complete:
        least = "With this otherwise it would be permitted"
        if len(why.reasons) > 1:
            least = "With all of this otherwise it would be permitted, with any part as it was it would not"
        lines.append(f"  {paint(least + '.', 'dim')}")
    return lines


def _reason_lines(reason: RuleReason) -> list[str]:
    mark, colour = _MARKS[reason.state]
    beside = ", ".join(part for part in (reason.value, reason.clause) if part)
    line = f"  {paint(mark, colour)} {reason.label}" + (f"  ({beside})" if beside else "")
    return [line, f"    → {reason.remedy_text}"]


def _condition_line(condition: Condition) -> str:
    mark, colour = _MARKS[condition.state]
    value = f": {condition.value}" if condition.value else ""
    return f"  {paint(mark, colour)} {condition.label}{value}"
