"""What the vault costs: ``python -m bench.vault``. CPU microseconds, the best of many short runs.

A record of twelve fields in three classes with three blind indexes. *Plain* has no card; *card* has one by reference.
Beside all stands ``aead_us``, one AES-256-GCM-SIV opening of 24 bytes: divide by it to compare machines.
"""

# ruff: noqa: SLF001  the steps of a writer are timed one by one

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import fsync_p50_us, percentile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from holdfast.spine.vault.drafting import draft
from holdfast.spine.vault.normalise import Normal
from holdfast.spine.vault.packing import Place
from holdfast.spine.vault.records import dummy_open, match_answers, open_fields
from holdfast.spine.vault.schema import compile_schema
from holdfast.spine.vault.sealing import plan_of, seal_record
from holdfast.spine.vault.shred import complete, request_shred
from holdfast.vocabulary.levels import Operation
from support.vault import CLIENT, Vault, new_vault

if TYPE_CHECKING:
    from collections.abc import Callable

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


def schema_text(*, card: bool) -> str:
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
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    total = sum(int(d) if place % 2 else doubled[int(d)] for place, d in enumerate(body))
    return body + str(-total % 10)


def row(number: int) -> dict[str, str]:
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


def cpu_us(work: Callable[[], Any], *, runs: int = 60, each: int = 20) -> float:
    best = float("inf")
    for _ in range(runs):
        begun = time.thread_time()
        for _ in range(each):
            work()
        best = min(best, (time.thread_time() - begun) / each * 1e6)
    return round(best, 2)


def aead_us() -> float:
    cipher, nonce, aad = AESGCMSIV(b"k" * 32), b"n" * 12, b"a" * 100
    sealed = cipher.encrypt(nonce, b"x" * 24, aad)
    return cpu_us(lambda: cipher.decrypt(nonce, sealed, aad), each=500)


def one_record(vault: Vault) -> dict[str, float]:
    """Open, match, seal: without any store."""
    customer = vault.sql("SELECT id FROM vault_customer WHERE state = 'live' LIMIT 1")[0][0]
    (loaded,) = vault.load(customer)
    keys, schema, plan = vault.keys, vault.schema, plan_of(vault.schema)
    shown = vault.showable()
    every = vault.permit(customer, *shown)
    clear = [name for name in shown if schema.by_name[name].handling == "clear"]
    several, single = vault.permit(customer, *clear), vault.permit(customer, "name")
    verify = vault.permit(customer, "dob", operation=Operation.VERIFY)
    made = {int(c): keys.new_class_key(customer, int(c))[0] for c in schema.classes}
    where = Place(schema.name, customer, "rec_bench", 1)
    normals = [Normal("twenty-four bytes of text", "x") for _ in schema.fields]
    return {
        f"open_{len(shown)}_of_3_classes_us": cpu_us(lambda: open_fields(every, loaded, schema)),
        f"open_{len(clear)}_clear_us": cpu_us(lambda: open_fields(several, loaded, schema)),
        "open_1_us": cpu_us(lambda: open_fields(single, loaded, schema)),
        "decoy_us": cpu_us(lambda: dummy_open(keys, schema, shown)),
        "match_1_us": cpu_us(lambda: match_answers(verify, loaded, schema, {"dob": "1990-02-03"})),
        "seal_12_us": cpu_us(lambda: seal_record(keys, made, where, normals, plan=plan)),
        "bytes_per_row_body": len(loaded.row.body),
    }


def ingest(vault: Vault, *, batches: int = 24) -> dict[str, Any]:
    """Batches of 250 new records, each step by itself; then the same rows again."""
    best: dict[str, float] = {}
    begun = time.perf_counter()
    spent = 0.0
    with vault.writer() as writer:
        for batch in range(batches):
            rows = [row(batch * 250 + number) for number in range(250)]
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
            spent += laps[-1] - laps[0]
            for step, (start, end) in zip(
                ("read", "look_up", "seal", "keys", "data"),
                itertools.pairwise(laps),
                strict=True,
            ):
                best[step] = min(best.get(step, 9e9), (end - start) / 250 * 1e6)
    wall = time.perf_counter() - begun
    again = time.thread_time()
    with vault.writer() as writer:
        for batch in range(batches):
            assert (
                writer.write([row(batch * 250 + number) for number in range(250)]).unchanged == 250
            )
    count = batches * 250
    sizes = {
        name: round(path.stat().st_size / count)
        for name, path in (
            ("data", vault.house.settings.data_path),
            ("keys", vault.house.settings.keys_path),
        )
    }
    return {
        "steps_us_per_record": {step: round(value, 1) for step, value in best.items()},
        "best_records_per_cpu_second": round(1e6 / sum(best.values())),
        "mean_records_per_cpu_second": round(count / spent),
        "records_per_second": round(count / wall),
        "unchanged_records_per_cpu_second": round(count / (time.thread_time() - again)),
        "store_bytes_per_record": sizes,
    }


def shred(vault: Vault, *, count: int = 40) -> dict[str, Any]:
    """Erase customers one by one, from the request to the certificate."""
    customers = [
        one[0]
        for one in vault.sql(
            f"SELECT id FROM vault_customer WHERE state = 'live' ORDER BY id LIMIT {count}"
        )
    ]
    keys, refused, erased = vault.keys, [], []
    for customer in customers:
        begun = time.perf_counter()
        work = request_shred(keys, customer, by="p_bench", now_us=vault.clock.now_us())
        operation = vault.house.transact(work)
        refused.append((time.perf_counter() - begun) * 1e3)
        complete(vault.house, CLIENT, operation)
        erased.append((time.perf_counter() - begun) * 1e3)
        vault.clock.advance(1000)
    return {
        "keys_store_mb": round(vault.house.settings.keys_path.stat().st_size / 1e6, 1),
        "refused_ms_p50": round(percentile(refused, 0.5), 2),
        "certified_ms_p50": round(percentile(erased, 0.5), 2),
        "certified_ms_best": round(min(erased), 2),
    }


def measured(*, card: bool) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    vault = new_vault(home)
    vault.schema = compile_schema(schema_text(card=card), name="accounts")
    try:
        vault.write(*(row(number) for number in range(10**6, 10**6 + 50)))
        few = shred(vault, count=10)
        result = {"ingest": ingest(vault), **one_record(vault), "shred_few": few}
        return {**result, "shred_many": shred(vault), "fsync_p50_us": fsync_p50_us(home)}
    finally:
        vault.close()
        shutil.rmtree(home)


def main() -> None:
    result: dict[str, Any] = {"aead_us": aead_us()}
    for name, card in (("plain", False), ("card", True)):
        result[name] = measured(card=card)
    result["aead_us_after"] = aead_us()
    report("vault", result)


if __name__ == "__main__":
    main()
