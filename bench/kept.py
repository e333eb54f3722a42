"""Results that are kept: one file per workload and storage, and the same figures in README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.catalogue import NAMES
from bench.readme import write_readme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RESULTS = Path(__file__).parent / "results"
_ORDER = ("sqlite", "postgresql", "none")


def file_name(module: str, storage_name: str) -> str:
    """The result file's name."""
    return f"{module}.json" if storage_name == "none" else f"{module}-{storage_name}.json"


def keep(result: Mapping[str, Any]) -> None:
    """Write a whole result, and the README's figures with it: what stands there is what is kept."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (RESULTS / file_name(result["workload"], result["storage"])).write_text(text + "\n")
    write_readme(kept())


def kept(modules: Iterable[str] = tuple(NAMES)) -> list[dict[str, Any]]:
    """Return the results that are kept, in the order of the table."""
    paths = [RESULTS / file_name(module, storage) for module in modules for storage in _ORDER]
    return [json.loads(path.read_text()) for path in paths if path.exists()]
