"""How fast past decisions are judged again: ``python -m bench.policy_diff [DECISIONS]``, in one process.

*Equal* are a desk's decisions, which repeat; *distinct* is the worst case, in which no two ask the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from bench.house import new_house
from bench.result import Line, Measured, Target
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, CONTRACT, found_bank, import_customers
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.procedures.protocols.services.diff import Asked, difference, since_us
from holdfast.spine.decision import records, store
from holdfast.spine.decision.groups import groups_of
from holdfast.spine.decision.judge import judge
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.vault.hierarchy import client_keys, record_key
from holdfast.spine.vault.load import load_collections
from holdfast.vocabulary.levels import Operation, Outcome, Role
from support.bank import Bank, customer
from support.freezing import acting, person
from support.stores import FakeClock

if TYPE_CHECKING:
    from bench.workload import Run

DISTINCT_SHARE = 5  # a fifth as many, since they take so much longer
FIELDS = tuple(customer(1))
TRIED = CONTRACT.replace('"acct", "card"', '"card"')


def new_bank(run: Run) -> Bank:
    """The bank of the tests, on the run's storage, with a clock that stands still."""
    house = new_house(run)
    facts = found_bank(house)
    facts["customers"] = import_customers(house, facts["admin"], [customer(n) for n in range(1, 6)])
    now_us = house.clock.now_us()
    house.close()
    (house.home / "bank.json").write_text(json.dumps(facts))
    return Bank(house.home, FakeClock(now_us))


def real(bank: Bank) -> list[records.Content]:
    """Decisions as the path made them, opened again."""
    bank.connect()
    bank.reveal("C00001", ["name", "acct", "card"])
    bank.reveal("C00001", ["name", "email"])
    bank.reveal("C00002", ["name"])
    bank.search(customer(1)["phone"])
    bank.verify("C00001", {"dob": customer(1)["dob"]})
    bank.update("C00001", {"email": "new@example.com"})
    rows = bank.sql("SELECT id, month, sealed FROM decision_record")
    house = bank.house

    def opened() -> Any:
        keys = yield from client_keys(house.keks, CLIENT, 1)
        key = yield from record_key(keys, rows[0][1])
        return [
            records.open_record(bytes(sealed), key, client=CLIENT, record=ident)
            for ident, _, sealed in rows
        ]

    found: list[records.Content] = house.transact(opened())
    return found


def store_all(bank: Bank, contents: list[records.Content]) -> None:
    """Write records as the path does, ten thousand a transaction."""
    house = bank.house
    bank.sql("DELETE FROM decision_record")

    def some(part: list[records.Content]) -> Any:
        keys = yield from client_keys(house.keks, CLIENT, 1)
        month = records.month_of(bank.clock.now_us())
        key = yield from record_key(keys, month)
        rows = []
        for content in part:
            ident = new_id("dec", bank.clock.now_us())
            sealed = records.seal(content, key, client=CLIENT, record=ident)
            rows.append(
                store.ADD_RECORD(
                    client=CLIENT,
                    id=ident,
                    at_us=content.at_us,
                    month=month,
                    person="per_bench",
                    leaf=ident,
                    leaf_hash=sealed.commitment,
                    salt=sealed.salt,
                    sealed=sealed.sealed,
                )
            )
        yield Round(data=tuple(rows))

    for start in range(0, len(contents), 10_000):
        house.transact(some(contents[start : start + 10_000]))


def distinct(bank: Bank, example: records.Content, wanted: int) -> list[records.Content]:
    """Looks of which no two ask for the same fields."""
    policies = bank.house.read(current_policies(bank.house.policies, CLIENT))
    made = judge(policies, records.question_of(example))
    base = replace(made.question)
    found = []
    (schema,) = bank.house.read(load_collections(CLIENT))
    for count in range(1, len(FIELDS) + 1):
        for names in combinations(FIELDS, count):
            for level in (1, 2, 3):
                groups = groups_of(
                    Operation.REVEAL, policies.contract, schema, names, reason=base.reason
                )
                question = replace(base, groups=groups, level=type(base.level)(level))
                judgement = judge(policies, question)
                found.append(
                    records.content(
                        judgement,
                        decision=example.decision,
                        at_us=example.at_us,
                        person=example.person,
                        contact=example.contact,
                        customers=example.customers,
                        outcome=Outcome(judgement.outcome),
                        fields={},
                    )
                )
                if len(found) == wanted:
                    return found
    return found


def tried(run: Run, bank: Bank, reader: Any, *, what: str) -> tuple[Line, dict[str, Any]]:
    """Judge all that is recorded by another contract."""
    with acting(bank, reader), run.metered(here=True) as spent:
        found = difference(bank.house, CLIENT, TRIED, Asked(since_us(bank.house, 7), 7, 3))
    assert found.untold_decisions == 0
    assert found.changed
    line = Line(
        what=f"past decisions judged again, {what}",
        operations=found.decisions,
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
        targets=(Target("per_cpu_second", 5_000),),
    )
    return line, {"situations": found.situations, "changed": found.changed}


def measure(run: Run) -> Measured:
    """Judge decisions that repeat, then decisions of which no two are alike."""
    bank = new_bank(run)
    reader = person(bank, "S0001", house=(Role.SECURITY,), roles=())
    made = real(bank)
    store_all(bank, [made[n % len(made)] for n in range(run.count)])
    equal, of_equal = tried(run, bank, reader, what="as a desk's repeat")
    store_all(bank, distinct(bank, made[0], run.count // DISTINCT_SHARE))
    worst, of_worst = tried(run, bank, reader, what="no two alike")
    bank.close()
    return Measured(lines=(equal, worst), details={"equal": of_equal, "distinct": of_worst})


WORKLOAD = Workload(
    module="policy_diff",
    title="past decisions judged again by another contract",
    measure=measure,
    amount=50_000,
    quick=1_000,
    unit="decisions",
)

if __name__ == "__main__":
    command(WORKLOAD)
