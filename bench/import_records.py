"""W2: bulk import of records of twelve fields with three indexes: ``python -m bench.import_records [ROWS]``.

The demo's bank: twelve fields in five classes, a card by reference, three blind indexes. Measured is ``holdfast
import`` as a process, start-up taken off. Customers' data keys (five of them) are made on the way, so the first
import is the dearest; *again* is the same file once more. ``reading_cpu_us`` is this side of the vault alone: parsing,
columns, doubled keys.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.house import new_house
from bench.result import Cpu, Line, Measured, Target
from bench.workload import Workload, command
from holdfast.drills.bank.build import CLIENT, COLLECTION, SCHEMA, found_bank
from holdfast.drills.demo_data import HEADER, as_row, customers, table, write_customers
from holdfast.kit.clock import DAY_US
from holdfast.procedures.classification.services.fields import Columns
from holdfast.procedures.classification.services.reading import inspect
from holdfast.procedures.classification.services.rows import open_rows
from holdfast.procedures.classification.services.seen import Seen
from holdfast.spine.identity.credentials import issue
from holdfast.spine.vault.normalise import normalise
from holdfast.spine.vault.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.workload import Run
    from holdfast.spine.house import House

READ_AT_MOST = 30_000  # rows on which reading alone is measured, in three formats
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


class Took(NamedTuple):
    """What one run of the command took."""

    wall_s: float
    cpu: Cpu
    mib: float

    def without(self, start: Took) -> Took:
        """The same without what it takes to start."""
        pairs = zip(self.cpu, start.cpu, strict=True)
        cpu = Cpu(*(None if a is None or b is None else a - b for a, b in pairs))
        return Took(self.wall_s - start.wall_s, cpu, self.mib - start.mib)


def bank(run: Run) -> tuple[House, str]:
    """Found the bank's house; also a token of its administrator."""
    house = new_house(run)
    admin = found_bank(house)["admin"]
    token = house.transact(issue(person=admin, life_us=DAY_US, now_us=house.clock.now_us()))
    return house, token.secret.reveal()


def imported(run: Run, home: Path, token: str, file: Path) -> Took:
    """Import a file in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with run.metered() as spent:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                COMMAND,
                "import",
                f"{CLIENT}/{COLLECTION}",
                str(file),
                "--json",
            ],
            env={**os.environ, "HOLDFAST_HOME": str(home), "HOLDFAST_TOKEN": token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said, told = process.communicate()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise SystemExit(f"the import failed: {told}")
    assert json.loads(said)["rejected"] == 0
    cpu = spent.cpu._replace(ours=ours)
    return Took(spent.wall_s, cpu, int(told.split()[-1]) / 1024)


def measure(run: Run) -> Measured:
    """Import one row, then all, then the same again."""
    delivered = run.folder / "delivered.csv"
    write_customers(delivered, run.count)
    house, token = bank(run)
    one = run.folder / "one.csv"
    one.write_bytes(table(HEADER, [as_row(c) for c in customers(1)]).encode())
    start = imported(run, house.home, token, one)
    before = sizes(house)
    first, again = (imported(run, house.home, token, delivered).without(start) for _ in range(2))
    grown = {name: (size - before[name]) / run.count for name, size in sizes(house).items()}
    house.close()
    lines = (
        _line("import of records", first, run.count, grown=sum(grown.values())),
        _line("the same file again", again, run.count),
    )
    read = min(run.count, READ_AT_MOST)
    details = {
        "peak_mib_over_one_row": round(first.mib, 1),
        "bytes_per_record": {name: round(size) for name, size in grown.items()},
        "reading_cpu_us": {
            name: reading_us(path, read) for name, path in write_files(run.folder, read).items()
        },
    }
    return Measured(lines=lines, details=details)


def _line(what: str, took: Took, rows: int, *, grown: float | None = None) -> Line:
    return Line(
        what=what,
        operations=rows,
        wall_s=took.wall_s,
        cpu_s=took.cpu,
        bytes_per_record=grown,
        targets=(Target("per_cpu_second", 15_000),) if grown is not None else (),
    )


def sizes(house: House) -> dict[str, int]:
    """Bytes of the two stores."""
    with house.stores() as stores:
        return {"data": stores.data.size_bytes(), "keys": stores.keys.size_bytes()}


WORKLOAD = Workload(
    module="import_records",
    title="bulk import of records of 12 fields with 3 indexes, through the command line",
    measure=measure,
    amount=100_000,
    quick=300,
    unit="rows",
)

if __name__ == "__main__":
    command(WORKLOAD)
