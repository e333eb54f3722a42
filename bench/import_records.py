"""What an import costs: ``python -m bench.import_records [ROWS]``.

The demo's bank: twelve fields in five classes, a card by reference, three blind indexes. *whole* is ``holdfast
import`` as a process, start-up taken off; *reading* is this side of the vault alone: parsing, columns, doubled
keys. Customers' data keys (five of them) are made on the way, so the first import is the dearest; *again* is the
same file once more. Beside all stands ``aead_us``, one AES-256-GCM-SIV opening of 24 bytes: divide by it to compare
machines.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bench.measure import fsync_p50_us, report
from holdfast.drills.bank.build import CLIENT, COLLECTION, SCHEMA, found_bank
from holdfast.drills.demo_data import HEADER, as_row, customers, table
from holdfast.edges.cli.house import found
from holdfast.kit.clock import DAY_US
from holdfast.kit.config import load_settings
from holdfast.procedures.classification.services.fields import Columns
from holdfast.procedures.classification.services.reading import inspect
from holdfast.procedures.classification.services.rows import open_rows
from holdfast.procedures.classification.services.seen import Seen
from holdfast.spine.house import open_house
from holdfast.spine.identity.credentials import issue
from holdfast.spine.vault.normalise import normalise
from holdfast.spine.vault.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 30_000
# The command, and at its end the greatest memory that it ever held, in KiB.
COMMAND = """
import sys
from pathlib import Path
from holdfast.edges.cli.main import run
code = run(sys.argv[1:])
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
sys.exit(code)
"""
SCHEMA_COMPILED = compile_schema(SCHEMA, name=COLLECTION)


def write_files(folder: Path, rows: int) -> dict[str, Path]:
    """The same customers as a plain file, as the bank's ugly one, and as NDJSON."""
    plain = [as_row(one, excel=False) for one in customers(rows)]
    for row in plain:
        row[4] = row[4].replace("\n", ", ")
    keys = [name.strip().lower().replace(".", "") or "x" for name in HEADER]
    texts = {
        "plain.csv": table(HEADER, plain, delimiter=",").encode(),
        "ugly.csv": table(HEADER, map(as_row, customers(rows))).encode("cp1252"),
        "plain.ndjson": "".join(
            json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in plain
        ).encode(),
    }
    for name, content in texts.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in texts}


def best(measured: Callable[[], float], times: int = 3) -> float:
    """The least of a few runs: what the machine can do when nobody disturbs it."""
    return min(measured() for _ in range(times))


def reading_us(path: Path, rows: int) -> dict[str, float]:
    """CPU microseconds per record on this side of the vault, step by step."""

    def looked_at() -> float:
        begun = time.process_time()
        inspect(path)
        return time.process_time() - begun

    source = inspect(path)

    def read(*, keys: bool) -> float:
        columns, seen = Columns(source, SCHEMA_COMPILED), Seen()
        spec = SCHEMA_COMPILED.by_name[SCHEMA_COMPILED.record_key]
        begun = time.process_time()
        with open_rows(source) as batches:
            for batch in batches:
                found = columns.rows(batch)
                if keys:
                    seen.doubles(
                        [
                            seen.mark(normalise(spec, row[spec.name]).kept, tuple(row.values()), n)
                            for row, n in zip(found, batch.lines, strict=True)
                        ]
                    )
        spent = time.process_time() - begun
        seen.close()
        return spent

    per = 1e6 / rows
    look, parse = best(looked_at) * per, best(lambda: read(keys=False)) * per
    with_keys = best(lambda: read(keys=True)) * per
    return {
        "look": round(look, 2),
        "parse": round(parse, 2),
        "doubled_keys": round(with_keys - parse, 2),
        "all": round(look + with_keys, 2),
    }


def bank(home: Path) -> str:
    """Found the bank's house; return a token of its administrator."""
    settings = load_settings(home, {})
    found(settings)
    house = open_house(settings)
    admin = found_bank(house)["admin"]
    token = house.transact(issue(person=admin, life_us=DAY_US, now_us=house.clock.now_us()))
    house.close()
    return token.secret.reveal()


def run(home: Path, token: str, file: Path) -> dict[str, float]:
    """Import a file in a process of its own: wall and CPU seconds, and the greatest memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "import", f"{CLIENT}/{COLLECTION}", str(file), "--json"],
        env={**os.environ, "HOLDFAST_HOME": str(home), "HOLDFAST_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, told = process.communicate()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise SystemExit(f"the import failed: {told}")
    assert json.loads(said)["rejected"] == 0
    return {
        "wall": time.perf_counter() - begun,
        "cpu": spent,
        "mib": int(told.split()[-1]) / 1024,
    }


def whole(file: Path, rows: int) -> dict[str, Any]:
    """``holdfast import`` of all customers, the same again, and what they take on disk."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        token = bank(home)
        one = Path(folder) / "one.csv"
        one.write_bytes(table(HEADER, [as_row(c) for c in customers(1)]).encode())
        idle = run(home, token, one)
        before = sizes(home)
        first, again = run(home, token, file), run(home, token, file)
        after = sizes(home)
    return {
        "first": figures(first, idle, rows),
        "again": figures(again, idle, rows),
        "peak_mib_over_one_row": round(first["mib"] - idle["mib"], 1),
        "bytes_per_record": {name: round((after[name] - before[name]) / rows) for name in after},
    }


def figures(spent: dict[str, float], idle: dict[str, float], rows: int) -> dict[str, float]:
    """Per record, start-up taken off."""
    cpu, wall = spent["cpu"] - idle["cpu"], spent["wall"] - idle["wall"]
    return {
        "cpu_us": round(cpu / rows * 1e6, 1),
        "records_per_cpu_second": round(rows / cpu),
        "records_per_second": round(rows / wall),
    }


def sizes(home: Path) -> dict[str, int]:
    """Bytes of the two stores; their logs have been taken in when the last connection closed."""
    return {name: (home / f"{name}.sqlite3").stat().st_size for name in ("data", "keys")}


def aead_us() -> float:
    """One opening of 24 bytes."""
    key = AESGCMSIV(bytes(32))
    sealed = key.encrypt(bytes(12), bytes(24), bytes(64))

    def once() -> float:
        begun = time.process_time()
        for _ in range(20_000):
            key.decrypt(bytes(12), sealed, bytes(64))
        return (time.process_time() - begun) / 20_000 * 1e6

    return round(best(once), 2)


def main() -> None:
    """Measure and report."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), rows)
        result = {
            "rows": rows,
            "aead_us": aead_us(),
            "reading_cpu_us": {name: reading_us(path, rows) for name, path in files.items()},
            "whole": whole(files["ugly.csv"], rows),
            "fsync_p50_us": fsync_p50_us(Path(folder)),
        }
    report("import_records", result)


if __name__ == "__main__":
    main()
