"""The commands: data on standard output, talk on standard error, exit codes as documented."""

from __future__ import annotations

import json

import pytest

from holdfast.drills.bank.build import SCHEMA
from holdfast.drills.demo_data import write_customers
from support.customers import plain_rows, write_csv
from support.server import holdfast


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bank.csv"
    write_customers(path, 12)
    return path


def test_propose_needs_no_house_and_prints_a_schema_that_a_collection_takes(
    imports, file, tmp_path
):
    done = holdfast(tmp_path / "nowhere", "collection", "propose", str(file))
    assert done.returncode == 0
    schema = tmp_path / "schema.toml"
    schema.write_text(done.stdout)
    assert "card security code" in done.stderr
    added = imports.command("collection", "add", "bank-01", "proposed", "--schema", str(schema))
    assert added.returncode == 0, added.stderr
    assert "bank-01/proposed version 1" in added.stdout
    done = imports.command("import", "bank-01/proposed", str(file))
    assert done.returncode == 0, done.stderr


def test_propose_as_json_is_one_document(file, tmp_path):
    done = holdfast(tmp_path / "nowhere", "collection", "propose", str(file), "--json")
    assert json.loads(done.stdout)["customer_ref"] == "customer_no"


def test_an_import_says_its_counts_and_exits_by_them(imports, file, tmp_path):
    done = imports.command("import", "bank-01/customers", str(file), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["new"], told["rejected"], told["rejects_file"]) == (12, 0, None)
    write_customers(file, 12, spoilt=2)
    dry = imports.command("import", "bank-01/customers", str(file), "--dry-run")
    assert dry.returncode == 3
    assert "unchanged 12" in dry.stdout
    done = imports.command("import", "bank-01/customers", str(file), "--json")
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert (told["unchanged"], told["rejected"]) == (12, 2)
    assert told["rejects_file"] in done.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["import", "bank-01/customers", "/nonexistent.csv"], "no file"),
        (["import", "bank-01/customers", "/"], "is a folder"),
        (["import", "bank-01", "x.csv"], "CLIENT/NAME"),
        (["import", "bank-99/customers", __file__], "no client bank-99"),
        (["import", "bank-01/loans", __file__], "no collection loans"),
        (["import", "bank-01/customers", __file__], "no column for"),
        (["collection", "propose", "/nonexistent.csv"], "no file"),
        (["collection", "add", "bank-01", "x", "--schema", "/nonexistent.toml"], "cannot be read"),
        (["collection", "add", "bank-01", "x", "--schema", __file__], "not TOML"),
        (["collection", "add", "bank-01", "Bad Name", "--schema", __file__], "lower-case letters"),
    ],
)
def test_what_cannot_be_done_is_said_and_exits_with_2(imports, arguments, what):
    done = imports.command(*arguments)
    assert done.returncode == 2, done.stderr
    assert what in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_list_shows_versions(imports, tmp_path):
    schema = tmp_path / "schema.toml"
    schema.write_text(SCHEMA)
    imports.command("collection", "add", "bank-01", "loans", "--schema", str(schema))
    done = imports.command("collection", "list", "bank-01", "--json")
    assert [(one["collection"], one["version"]) for one in json.loads(done.stdout)] == [
        ("customers", 1),
        ("loans", 1),
    ]


def test_an_empty_file_is_refused(imports, tmp_path):
    file = tmp_path / "empty.csv"
    file.touch()
    done = imports.command("import", "bank-01/customers", str(file))
    assert (done.returncode, "empty" in done.stderr) == (2, True)


def test_a_dry_run_can_list_rejects_where_it_is_told(imports, tmp_path):
    rows = list(plain_rows(3))
    rows[1]["dob"] = "soon"
    file = write_csv(tmp_path / "a.csv", rows)
    listed = tmp_path / "rejects.csv"
    done = imports.command(
        "import", "bank-01/customers", str(file), "--dry-run", "--rejects", str(listed)
    )
    assert done.returncode == 3
    assert listed.read_text().splitlines()[1].startswith("3,dob,")
    assert imports.records() == {}
