"""What the vault costs without HTTP or policy: ``python -m bench.vault [BATCHES]``.

A record of twelve fields in three classes with three blind indexes. *Plain* has no card; *card* has one by reference.
Opening and sealing are CPU microseconds, the best of many short runs. Erasing is W3's (``bench.shred``).
"""

# ruff: noqa: SLF001  the steps of a writer are timed one by one

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.house import new_house
from bench.measure import best_us
from bench.result import Cpu, Line, Measured, Target
from bench.workload import Workload, command
from holdfast.spine.vault.drafting import draft
from holdfast.spine.vault.hierarchy import ensure_client_keys
from holdfast.spine.vault.normalise import Normal
from holdfast.spine.vault.packing import Place
from holdfast.spine.vault.records import dummy_open, match_answers, open_fields
from holdfast.spine.vault.schema import compile_schema
from holdfast.spine.vault.sealing import Whole, plan_of, seal_records
from holdfast.vocabulary.levels import Operation
from support.stores import FakeClock
from support.vault import CLIENT, Vault

if TYPE_CHECKING:
    from bench.workload import Run
    from holdfast.spine.vault.writer import BatchWriter

STEPS = ("read", "look_up", "seal", "keys", "data")
PER_BATCH = 250
OPEN_11 = "open_11_of_3_classes_us"

SCHEMA = """
owner = "DPO"
customer_ref = "customer_no"
record_key = "customer_no"
"""
FIELDS = [
    ("customer_no", "account", "C2", "clear", ""),
    ("name", "name", "C1", "clear", ""),
    ("phone", "phone", "C1", "clear", "search"),
    ("email", "email", "C1", "clear", "search"),
    ("address", "address", "C1", "clear", ""),
    ("dob", "date_of_birth", "C3", "verify_only", ""),
    ("national_id", "national_id", "C3", "masked", "bind"),
    ("account_no", "account", "C3", "masked", ""),
    ("balance", "decimal", "C2", "clear", ""),
    ("plan", "text", "C1", "clear", ""),
    ("opened", "date", "C2", "clear", ""),
    ("note", "text", "C2", "clear", ""),
]


def new_vault(run: Run, *, card: bool) -> Vault:
    """A vault in an empty house, with a clock that stands still."""
    house = new_house(run)
    house.found_signing_keys()
    house.read(ensure_client_keys(house.root, CLIENT))
    now_us = house.clock.now_us()
    house.close()
    vault = Vault(house.home, FakeClock(now_us))
    vault.schema = compile_schema(schema_text(card=card), name="accounts")
    return vault


def schema_text(*, card: bool) -> str:
    """The collection's schema."""
    parts = [SCHEMA]
    for field in FIELDS:
        name, kind, data_class, handling, index = field
        if card and name == "account_no":
            name, kind, handling = "card", "card", "reference"
        parts.append(
            f'[fields.{name}]\ntype = "{kind}"\nclass = "{data_class}"\nhandling = "{handling}"'
        )
        parts += [f'index = "{index}"'] if index else []
    return "\n".join(parts)


def luhn(body: str) -> str:
    """A card number: ``body`` and its check digit."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    total = sum(int(d) if place % 2 else doubled[int(d)] for place, d in enumerate(body))
    return body + str(-total % 10)


def row(number: int) -> dict[str, str]:
    """A row of the client's file."""
    return {
        "customer_no": f"C-{number:07d}",
        "name": f"Ana María Cruz {number}",
        "phone": f"+1202555{number % 10_000:04d}",
        "email": f"ana{number}@example.com",
        "address": "12 Sampaguita St, Quezon City, Manila",
        "dob": "1990-02-03",
        "national_id": f"9{number % 100:02d}-12-{number % 10_000:04d}",
        "account_no": f"ACC{number:09d}",
        "card": luhn(f"41111111{number:07d}"),
        "balance": f"{number}.50",
        "plan": "gold",
        "opened": "2020-01-05",
        "note": "prefers e-mail",
    }


def one_record(vault: Vault, runs: int) -> dict[str, float]:
    """Open, match, seal: without any store."""
    cost = partial(best_us, runs=runs, each=20)
    customer = vault.sql("SELECT id FROM vault_customer WHERE state = 'live' LIMIT 1")[0][0]
    (loaded,) = vault.load(customer)
    keys, schema, plan = vault.keys, vault.schema, plan_of(vault.schema)
    shown = vault.showable()
    assert len(shown) == 11
    every = vault.permit(customer, *shown)
    clear = [name for name in shown if schema.by_name[name].handling == "clear"]
    several, single = vault.permit(customer, *clear), vault.permit(customer, "name")
    verify = vault.permit(customer, "dob", operation=Operation.VERIFY)
    made = {int(c): keys.new_class_key(customer, int(c))[0] for c in schema.classes}
    where = Place(schema.name, customer, "rec_bench", 1)
    normals = [Normal("twenty-four bytes of text", "x") for _ in schema.fields]
    return {
        OPEN_11: cost(lambda: open_fields(every, loaded, schema)),
        f"open_{len(clear)}_clear_us": cost(lambda: open_fields(several, loaded, schema)),
        "open_1_us": cost(lambda: open_fields(single, loaded, schema)),
        "decoy_us": cost(lambda: dummy_open(keys, schema, shown)),
        "match_1_us": cost(lambda: match_answers(verify, loaded, schema, {"dob": "1990-02-03"})),
        "seal_12_us": cost(lambda: seal_records(keys, [Whole(made, where, normals)], plan=plan)),
        "bytes_per_row_body": len(loaded.row.body),
    }


def ingest(run: Run, vault: Vault) -> tuple[Line, Line, dict[str, float]]:
    """Batches of new records, each step by itself; then the same rows again."""
    before = stored(vault)
    best: dict[str, float] = {}
    with run.metered(here=True) as spent, vault.writer() as writer:
        for batch in range(run.count):
            laps = _laps(vault, writer, batch)
            pairs = zip(STEPS, itertools.pairwise(laps), strict=True)
            for step, (start, end) in pairs:
                best[step] = min(best.get(step, 9e9), (end - start) / PER_BATCH * 1e6)
    with run.metered(here=True) as again, vault.writer() as writer:
        for batch in range(run.count):
            assert writer.write(rows_of(batch)).unchanged == PER_BATCH
    count = run.count * PER_BATCH
    grown = (stored(vault) - before) / count
    first = Line(
        what="writing new records",
        operations=count,
        wall_s=spent.wall_s,
        cpu_s=spent.cpu,
        bytes_per_record=grown,
    )
    same = Line(
        what="writing what is there", operations=count, wall_s=again.wall_s, cpu_s=again.cpu
    )
    return first, same, {step: round(value, 1) for step, value in best.items()}


def rows_of(batch: int) -> list[dict[str, str]]:
    """The rows of one batch."""
    return [row(batch * PER_BATCH + number) for number in range(PER_BATCH)]


def _laps(vault: Vault, writer: BatchWriter, batch: int) -> list[float]:
    """Write a batch, step by step; return the thread's CPU time between the steps."""
    rows = rows_of(batch)
    laps = [time.thread_time()]
    read, rejected = writer._read(rows)
    assert not rejected, rejected
    laps.append(time.thread_time())
    known = writer._known(read)
    laps.append(time.thread_time())
    made = draft(writer._tools, read, known, now_us=vault.clock.now_us())
    laps.append(time.thread_time())
    assert writer._add_keys(made)
    laps.append(time.thread_time())
    assert writer._commit(made)
    laps.append(time.thread_time())
    writer._owe(made)
    return laps


def stored(vault: Vault) -> int:
    """Bytes of both stores."""
    with vault.house.stores() as stores:
        total: int = stores.data.size_bytes() + stores.keys.size_bytes()
        return total


def measure(run: Run) -> Measured:
    """Measure with and without a card."""
    lines: list[Line] = []
    details: dict[str, Any] = {}
    for name, card in (("plain", False), ("card", True)):
        vault = new_vault(run, card=card)
        first, same, steps = ingest(run, vault)
        found = one_record(vault, 3 if run.quick else 60)
        vault.close()
        opening = found[OPEN_11] / 1e6 * 1000
        lines += [
            Line(
                what=f"open 11 fields of 3 classes, {name}",
                operations=1000,
                wall_s=opening,
                cpu_s=Cpu(ours=opening),
                targets=(Target("ours_us", 40),),
            ),
            *(_named(line, name) for line in (first, same)),
        ]
        details[name] = {**found, "best_steps_us_per_record": steps}
    return Measured(lines=tuple(lines), details=details)


def _named(line: Line, name: str) -> Line:
    return replace(line, what=f"{line.what}, {name}")


WORKLOAD = Workload(
    module="vault",
    title="the vault alone: opening, sealing, writing in batches of 250",
    measure=measure,
    amount=24,
    quick=1,
    unit="batches",
)

if __name__ == "__main__":
    command(WORKLOAD)
