"""Which test files are run on the second storage: what they import, directly or through ``support``, tells."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SUPPORT = Path(__file__).parent
STORES = frozenset({"stores", "server"})  # who has a house has it from one of these
OWN = "served"  # who has it from here stands on PostgreSQL in every run, and needs no second one


@cache
def differs_by_storage(path: Path) -> bool:
    """Tell whether the module at ``path`` has a house, on the storage that the run is for."""
    return OWN not in _imported(path) and bool(_reached(path) & STORES)


def _reached(path: Path) -> frozenset[str]:
    found: set[str] = set()
    waiting = [path]
    while waiting:
        for name in _imported(waiting.pop()) - found:
            found.add(name)
            waiting.append(SUPPORT / f"{name}.py")
    return frozenset(found)


@cache
def _imported(path: Path) -> frozenset[str]:
    """The modules of ``support`` that one names, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "support":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("support."):
            found.add(str(node.module).removeprefix("support."))
    return frozenset(found)
