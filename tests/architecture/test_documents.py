"""What the documents say is so: links lead somewhere, generated pages are current, named tests exist."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from architecture.source import ROOT

PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "node_modules" not in path.parts
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    missing = [
        target
        for target in targets
        if "://" not in target
        and not target.startswith("nnnn")
        and not (page.parent / target).exists()
    ]
    assert not missing


def test_generated_pages_are_current():
    # In a process of its own: click keeps the help option of a command that another test has called by itself.
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_decision_is_listed_and_has_all_its_parts():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for record in sorted(folder.glob("[0-9]*.md")):
        text = record.read_text()
        assert record.name in index
        for heading in ("## Context", "## Decision\n\n> ", "## Consequences", "## Enforced by"):
            assert heading in text, f"{record.name} lacks {heading!r}"


def test_the_readme_names_targets_that_exist():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"^\$ make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE)
        assert named
        assert set(named) <= set(targets)


def test_tests_that_documents_name_exist():
    missing = {
        f"{page.name}: {name}"
        for page in PAGES
        for name in re.findall(r"`(tests/[\w/]+\.py)", page.read_text())
        if not (ROOT / name).exists()
    }
    assert not missing
