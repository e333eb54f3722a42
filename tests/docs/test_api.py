"""The HTTP interface's page: each operation has an example, and each example is what the application answers today."""

from __future__ import annotations

import json

from holdfast.edges.dataplane.openapi import document
from support.api_examples import FILE, examples

BY_THEMSELVES = {"/metrics", "/openapi.json", "/logs/{log}/tile/{level}/{index}"}


def test_the_examples_are_what_the_application_answers(tmp_path):
    assert json.loads(FILE.read_text()) == examples(tmp_path / "house"), (
        "run `python tests/support/api_examples.py`, then `make reference`"
    )


def test_every_operation_has_an_example_and_every_look_a_refusal():
    shown = json.loads(FILE.read_text())
    paths = json.loads(document())["paths"]
    assert set(shown) == set(paths) - BY_THEMSELVES
    for path, methods in paths.items():
        if "post" in methods:
            statuses = {one["status"] for one in shown[path]}
            assert 200 in statuses
            assert statuses & {403, 404, 409, 422}, path


def test_no_example_shows_a_whole_id_or_secret():
    text = FILE.read_text()
    assert "hft_…" in text
    assert not any(f"{prefix}_0" in text for prefix in ("dec", "cus", "rec", "stp", "fk"))


def test_wherever_a_credential_is_wanted_its_refusals_are_named():
    """The door and whoever reads a credential refuse alike at each address: 401, another place, elsewhere, too fast."""
    for path, methods in json.loads(document())["paths"].items():
        for operation in methods.values():
            if operation.get("security") != []:
                assert {"401", "403", "421", "429", "503"} <= set(operation["responses"]), path
