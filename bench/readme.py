"""The figures in README.md are written by a program: nobody types them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.table import markdown_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- figures: written by `python -m bench --write-readme` -->", "<!-- figures end -->"


def with_figures(text: str, results: Sequence[Mapping[str, Any]]) -> str:
    """Return the text with the figures between its marks replaced by those of ``results``."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{figures(results)}\n\n{END}{after}"


def figures(results: Sequence[Mapping[str, Any]]) -> str:
    """Where the figures come from, the table, and what workloads say in words."""
    said = [_findings(result) for result in results if result["details"].get("findings")]
    return "\n\n".join([_taken(results), markdown_of(results), *said])


def _taken(results: Sequence[Mapping[str, Any]]) -> str:
    commits = sorted({result["commit"] for result in results} - {""})
    opened = [result["machine"]["aead_open_us"] for result in results]
    busy = [result["machine"]["load_average"][0] for result in results]
    loud = sum(not result["machine"]["disk_was_quiet"] for result in results)
    cores = results[0]["machine"]["cores"] if results else 0
    return (
        f"Taken at {', '.join(commits) or 'no commit'} on {cores} cores; `aead_open_us` was"
        f" {min(opened, default=0)} to {max(opened, default=0)}, the load average when a workload began"
        f" {min(busy, default=0)} to {max(busy, default=0)}; before {loud} of {len(results)} of them the disk did not"
        " become quiet in time."
    )


def _findings(result: Mapping[str, Any]) -> str:
    head = f"**{result['name']}** ({result['storage']}): {result['title']}"
    return "\n".join([head, "", *(f"- {one}" for one in result["details"]["findings"])])


def write_readme(results: Sequence[Mapping[str, Any]]) -> None:
    """Write the figures into README.md."""
    README.write_text(with_figures(README.read_text(), results))
