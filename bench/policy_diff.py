"""How fast past decisions are judged again: ``python -m bench.policy_diff``. CPU of one process, records in SQLite.

*Equal* are a desk's decisions, which repeat; *distinct* is the worst case, in which no two ask the same.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from bench.measure import report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from holdfast.drills.bank.build import CLIENT, CONTRACT
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
from support.bank import Bank, customer, new_bank
from support.freezing import acting, person

DECISIONS = 50_000
DISTINCT = 10_000
FIELDS = tuple(customer(1))
TRIED = CONTRACT.replace('"acct", "card"', '"card"')


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

    return house.transact(opened())


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


def distinct(bank: Bank, example: records.Content) -> list[records.Content]:
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
                if len(found) == DISTINCT:
                    return found
    return found


def run(bank: Bank, reader: Any) -> dict[str, Any]:
    with acting(bank, reader):
        begun, wall = time.process_time(), time.perf_counter()
        found = difference(bank.house, CLIENT, TRIED, Asked(since_us(bank.house, 7), 7, 3))
        took, waited = time.process_time() - begun, time.perf_counter() - wall
    assert found.untold_decisions == 0
    assert found.changed
    return {
        "decisions": found.decisions,
        "situations": found.situations,
        "changed": found.changed,
        "per_cpu_second": round(found.decisions / took),
        "per_second": round(found.decisions / waited),
    }


def main() -> None:
    """Run it and write results/policy_diff.json."""
    with tempfile.TemporaryDirectory() as folder:
        bank = new_bank(Path(folder) / "bank")
        reader = person(bank, "S0001", house=(Role.SECURITY,), roles=())
        made = real(bank)
        store_all(bank, [made[n % len(made)] for n in range(DECISIONS)])
        equal = run(bank, reader)
        store_all(bank, distinct(bank, made[0]))
        worst = run(bank, reader)
        bank.close()
    report(
        "policy_diff",
        {"equal": equal, "distinct": worst, "targets": {"per_cpu_second": 5_000}},
    )


if __name__ == "__main__":
    main()
