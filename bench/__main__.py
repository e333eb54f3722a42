"""All workloads, one after another, and a table: ``make bench``. Keep the machine quiet; it takes some minutes."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.measure import RESULTS

WORKLOADS = (
    "reveal",
    "beside",
    "decision",
    "vault",
    "import_records",
    "ledger",
    "feeds",
    "policy_diff",
)


def main() -> None:
    """Run each workload as its own command; a failure is told and does not end the rest."""
    failed = []
    for name in WORKLOADS:
        sys.stderr.write(f"bench.{name} …\n")
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"], stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            failed.append(name)
            continue
        found = json.loads((RESULTS / f"{name}.json").read_text())
        for key, value in found.items():
            if key not in {"workload", "machine"}:
                sys.stdout.write(f"{name:<16} {key:<28} {json.dumps(value)}\n")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
