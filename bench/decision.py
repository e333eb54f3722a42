"""What a judgement costs: ``python -m bench.decision [RUNS]``. CPU microseconds of one thread, the best of many runs.

*Cold* is the engine asked anew; *remembered* is the same question again, as most are at a desk (docs/decisions/0013).
Both begin with the facts and end with the verdict. The layouts are the three ways in which facts could reach Cedar.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import cedarpy

from bench.measure import best_us
from bench.result import Cpu, Line, Measured, Target
from bench.storage import NONE
from bench.workload import Workload, command
from holdfast.drills.bank.build import CONTRACT
from holdfast.kit.secret import Secret
from holdfast.spine.decision import records
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.explain import explain
from holdfast.spine.decision.judge import Judgement, judge
from holdfast.spine.decision.narrow import narrow
from holdfast.spine.decision.policies import (
    ALL_WORK,
    ClientPolicies,
    RuleSet,
    compile_policies,
)
from holdfast.spine.decision.question import joined, sets_of
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import DataClass
from support.judging import ALL_MET, facts, group, question

if TYPE_CHECKING:
    from bench.workload import Run

ASKED = replace(
    question(group("name"), group("acct", data_class=DataClass.C2), reason="dispute"),
    programme="cards-in",
    programmes=frozenset({"cards-in"}),
    collection="customers",
)
REFUSED = replace(
    ASKED,
    groups=(*ASKED.groups, group("dob", data_class=DataClass.C3), group("x", in_field_set=False)),
)
HIDDEN = replace(ASKED, facts=facts(unmet=(FactId.CONTACT_YOURS,)))


def forget(policies: ClientPolicies) -> None:
    """Empty the engines' memory of answers; parsed policies and entities stay, as in a running process."""
    for rules in (policies.whole, policies.visibility):
        rules.forget()


Cost = Callable[[Callable[[], Any]], float]


def judgements(policies: ClientPolicies, cost: Cost) -> dict[str, Any]:
    """What the ways to judge cost, and what is made of a judgement."""

    def cold(asked: Any) -> Judgement:
        forget(policies)
        return judge(policies, asked)

    made = judge(policies, ASKED)
    compiling = best_us(lambda: compile_policies(compile_contract(CONTRACT)), runs=5, each=1)
    return {
        "policies": len(policies),
        "policies_that_can_apply_to_a_reveal": len(
            narrow(policies.whole.policies, "reveal", group=ALL_WORK).policies["staticPolicies"]
        ),
        "facts": len(ALL_MET),
        "allow_cold_us": cost(lambda: cold(ASKED)),
        "allow_remembered_us": cost(lambda: judge(policies, ASKED)),
        "four_groups_two_withheld_cold_us": cost(lambda: cold(REFUSED)),
        "four_groups_two_withheld_remembered_us": cost(lambda: judge(policies, REFUSED)),
        "hidden_cold_us": cost(lambda: cold(HIDDEN)),
        "explanation_us": cost(lambda: explain(judge(policies, REFUSED))),
        "record_sealed_us": cost(lambda: _sealed(made)),
        "record_bytes": len(_sealed(made).sealed),
        "compile_contract_ms": round(compiling / 1000, 1),
    }


def _sealed(made: Judgement) -> records.Stored:
    content = records.content(
        made,
        decision="dec_1",
        at_us=1,
        person="p_1",
        contact="ct_1",
        customers=("c_1",),
        outcome=made.outcome,
        fields={},
    )
    return records.seal(content, Secret(b"k" * 32), client="bank-01", record="dec_1")


def thirty(policies: ClientPolicies, cost: Cost) -> float:
    """One evaluation with exactly 30 policies: the grants, and the first guards."""
    parts = policies.text.split("@id(")
    grants = [part for part in parts if '"grant.' in part[:20]]
    guards = [part for part in parts[1:] if '"grant.' not in part[:20]][: 30 - len(grants)]
    rules = RuleSet("".join("@id(" + _without_comment(part) for part in grants + guards), {})
    assert len(rules) == 30
    look = _look()

    def once() -> None:
        rules.forget()
        assert rules.ask("reveal", ASKED.held, look).allowed

    return cost(once)


def _without_comment(part: str) -> str:
    return "\n".join(line for line in part.splitlines() if not line.startswith("//")) + "\n"


def _look() -> Any:
    return joined(ASKED, ASKED.groups, sets_of(ASKED.facts))


# ── how facts could reach Cedar ─────────────────────────────────────────────────────────────────────────────────
NAMES = [fact.value for fact in ALL_MET][:20]
LAYOUTS: dict[str, tuple[str, Callable[[str], str], dict[str, Any]]] = {
    "records": (
        "facts: {" + ", ".join(f"{n}: {{state: String, met: Bool}}" for n in NAMES) + "}",
        lambda n: f'!(context.facts.{n}.state == "known" && context.facts.{n}.met)',
        {"facts": {n: {"state": "known", "met": True} for n in NAMES}},
    ),
    "words": (
        ", ".join(f"{n}: String" for n in NAMES),
        lambda n: f'context.{n} != "met"',
        dict.fromkeys(NAMES, "met"),
    ),
    "sets": (
        "met: Set<String>, unknown: Set<String>",
        lambda n: f'!context.met.contains("{n}")',
        {"met": NAMES, "unknown": []},
    ),
}


def layouts(cost: Cost) -> dict[str, float]:
    """What one evaluation costs by the way in which facts reach Cedar."""
    return {name: cost(_layout(*parts)) for name, parts in LAYOUTS.items()}


def _layout(
    attributes: str, unmet: Callable[[str], str], context: dict[str, Any]
) -> Callable[[], None]:
    schema = cedarpy.Schema.from_str(
        "entity Role; entity Programme; entity Person in [Role, Programme];\n"
        "action reveal appliesTo { principal: Person, resource: Programme, "
        f"context: {{ {attributes}, level: Long }} }};"
    )
    text = "permit (principal, action, resource) when { principal in resource };\n"
    text += "".join(f"forbid (principal, action, resource) when {{ {unmet(n)} }};\n" for n in NAMES)
    text += "forbid (principal, action, resource) when { context.level > 8 };\n" * 9
    policies = cedarpy.PolicySet.from_str(text)
    parent = {"type": "Programme", "id": "p"}
    person = {"type": "Person", "id": "x"}
    entities = cedarpy.Entities.from_json_str(
        json.dumps(
            [
                {"uid": person, "attrs": {}, "parents": [parent]},
                {"uid": parent, "attrs": {}, "parents": []},
            ]
        ),
        schema,
    )
    given = json.dumps({**context, "level": 1})
    request = {
        "principal": person,
        "action": {"type": "Action", "id": "reveal"},
        "resource": parent,
        "context": given,
    }

    def once() -> None:
        assert cedarpy.is_authorized(request, policies, entities, schema).allowed

    return once


def measure(run: Run) -> Measured:
    """Measure judgements in this process."""
    policies = compile_policies(compile_contract(CONTRACT))
    cost = partial(best_us, runs=run.count)
    found = judgements(policies, cost)
    details = {
        **found,
        "one_evaluation_with_30_policies_us": thirty(policies, cost),
        "one_evaluation_by_layout_of_20_facts_and_30_policies_us": layouts(cost),
    }
    lines = (
        _line("a decision, evaluated anew", found["allow_cold_us"]),
        _line("a decision, remembered", found["allow_remembered_us"]),
    )
    return Measured(lines=lines, details=details)


def _line(what: str, cost_us: float) -> Line:
    """The best of many runs, as if there had been a thousand of them."""
    seconds = cost_us / 1e6 * 1000
    return Line(
        what=what,
        operations=1000,
        wall_s=seconds,
        cpu_s=Cpu(ours=seconds),
        targets=(Target("ours_us", 300),),
    )


WORKLOAD = Workload(
    module="decision",
    title="one decision with all facts",
    measure=measure,
    amount=40,
    quick=3,
    unit="runs",
    storages=NONE,
)

if __name__ == "__main__":
    command(WORKLOAD)
