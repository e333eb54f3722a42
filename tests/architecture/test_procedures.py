"""Every procedure has the same few files, says what it does, and takes part through its manifest alone."""

from __future__ import annotations

import importlib
import re

import pytest

from architecture.source import PACKAGE, ROOT
from holdfast import manifests
from holdfast.edges.checks.catalogue import CHECKS
from holdfast.vocabulary.manifest import Manifest

FOLDERS = [
    "classification",
    "risk",
    "access",
    "encryption",
    "training",
    "network",
    "surveillance",
    "incidents",
    "physical",
    "disposal",
    "compliance",
    "culture",
    "vendors",
    "protocols",
]
FILES = {
    "__init__.py",
    "manifest.py",
    "apps.py",
    "models",
    "rules",
    "services",
    "facts",
    "evidence",
    "forms",
    "views",
    "urls.py",
    "api",
    "commands",
    "jobs",
    "templates",
    "templatetags",
    "static",
    "locale",
    "migrations",
}


def test_all_fourteen_folders_are_there_and_no_other():
    found = {p.name for p in (PACKAGE / "procedures").iterdir() if p.is_dir() and p.name[0] != "_"}
    assert found == set(FOLDERS)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_procedure_has_only_the_known_files(name):
    strays = {
        entry.name
        for entry in (PACKAGE / "procedures" / name).iterdir()
        if entry.name != "__pycache__"
        and entry.name not in FILES
        and entry.name.removesuffix(".py") not in FILES
    }
    assert not strays


@pytest.mark.parametrize("name", FOLDERS)
def test_a_procedure_says_what_it_enforces_or_that_it_does_nothing_yet(name):
    text = importlib.import_module(f"holdfast.procedures.{name}").__doc__ or ""
    assert re.match(r"Procedure \d+[ab]?, ", text)
    assert "Enforces:" in text or "does nothing" in text


@pytest.mark.parametrize("name", FOLDERS)
def test_a_procedure_takes_part_through_its_manifest(name):
    manifest = importlib.import_module(f"holdfast.procedures.{name}.manifest").MANIFEST
    assert isinstance(manifest, Manifest)
    assert manifest.name == name
    assert manifest in manifests.PROCEDURES
    assert all(control.id.startswith(f"{name}.") for control in manifest.controls)


def test_the_procedures_stand_in_the_order_of_the_brief():
    assert [manifest.name for manifest in manifests.PROCEDURES] == FOLDERS
    numbers = [manifest.procedure for manifest in manifests.PROCEDURES]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 14))


def test_every_check_can_be_run_and_its_id_is_stable_in_form():
    for check in manifests.checks(CHECKS).values():
        module, _, name = check.run.partition(":")
        assert callable(getattr(importlib.import_module(module), name)), check.id
        assert re.fullmatch(r"[a-z]+\.[EW]\d{3}", check.id)
        assert check.statement


def test_the_table_of_procedures_names_every_folder_and_every_control():
    text = (ROOT / "docs" / "procedures.md").read_text()
    for manifest in manifests.PROCEDURES:
        assert f"`{manifest.name}`" in text
    for control in manifests.controls():
        assert f"`{control}`" in text, control


def test_two_declarations_of_one_id_are_refused():
    with pytest.raises(ValueError, match="two declarations"):
        manifests.checks((*CHECKS, CHECKS[0]))
