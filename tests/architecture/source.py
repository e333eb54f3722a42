"""Reading our own source for the lints in this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "holdfast"


class Module(NamedTuple):
    """One module of the package."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    def line(self, number: int) -> str:
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def excused(self, node: ast.AST, mark: str) -> bool:
        """Whether a comment ``# <mark>: <reason>`` stands on the node's first line or on the one above."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return any(
            f"# {mark}: " in line and line.partition(f"# {mark}: ")[2].strip()
            for line in (self.line(first), self.line(first - 1))
        )


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """All modules that people write: migrations are written by Django."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            text = path.read_text()
            found.append(Module(path, text, ast.parse(text)))
    return tuple(found)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
