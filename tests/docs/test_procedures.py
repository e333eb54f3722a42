"""The table of procedures: every control stands in a folder and is shown by tests; the rest promises nothing."""

from __future__ import annotations

import importlib
import re

import pytest

from architecture.source import ROOT
from holdfast import manifests

TEXT = (ROOT / "docs" / "procedures.md").read_text()
ROWS = {
    row[1]: row[2]
    for row in re.finditer(r"^\| `([a-z]+\.[a-z_]+)` \|[^|]+\|([^|]+)\|$", TEXT, re.MULTILINE)
}


def test_the_tables_name_the_controls_of_the_manifests_and_no_other():
    assert set(ROWS) == set(manifests.controls())


@pytest.mark.parametrize("control", sorted(ROWS))
def test_every_control_is_shown_by_tests_that_exist(control):
    named = re.findall(r"`(tests/[\w/]+\.py)`", ROWS[control])
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("manifest", manifests.PROCEDURES, ids=lambda manifest: manifest.name)
def test_a_procedure_promises_something_or_says_that_it_does_nothing_yet(manifest):
    row = re.search(
        rf"^\| {manifest.procedure} \|.*`{manifest.name}` \| (.*) \|$", TEXT, re.MULTILINE
    )
    doc = importlib.import_module(f"holdfast.procedures.{manifest.name}").__doc__ or ""
    assert (row[1] == "none yet") is (not manifest.controls)
    assert ("It does nothing yet" in doc) is (not manifest.controls)
