"""Workloads one after another, and their table: ``make bench``, or ``python -m bench [NAME …]``.

    python -m bench                  all of them on both storages, about a quarter of an hour; keep the machine quiet
    python -m bench W1 W4 ledger     some of them
    python -m bench --quick          all of them as short as they can be: whether they run, not how fast
    python -m bench --table          the table of the results that are kept
    python -m bench --write-readme   write it into README.md, as is done whenever a result is kept

A failure is told and does not end the rest.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench.catalogue import NAMES, module_of
from bench.kept import kept
from bench.readme import write_readme
from bench.table import text_of


def main() -> None:
    """Run what is named, and print the table of it."""
    given = _arguments()
    modules = [module_of(word) for word in given.names] or list(NAMES)
    if given.write_readme:
        write_readme(kept())
        return
    failed = [] if given.table else [name for name in modules if not _run(name, given)]
    if not given.quick:
        sys.stdout.write(f"{text_of(kept(modules))}\n")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The workloads.")
    parser.add_argument("names", nargs="*", help="W1, W1b, …, or a module's name")
    parser.add_argument("--storage", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--quick", action="store_true", help="only whether they run")
    parser.add_argument("--table", action="store_true", help="print the results that are kept")
    parser.add_argument("--write-readme", action="store_true", help="write them into README.md")
    return parser.parse_args()


def _run(module: str, given: argparse.Namespace) -> bool:
    sys.stderr.write(f"bench.{module} …\n")
    words = [sys.executable, "-m", f"bench.{module}"]
    words += ["--quick"] if given.quick else []
    words += ["--storage", given.storage] if given.storage != "both" else []
    output = None if given.quick else subprocess.DEVNULL
    return not subprocess.run(words, stdout=output, check=False).returncode


if __name__ == "__main__":
    main()
