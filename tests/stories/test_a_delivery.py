"""A client's file comes in by the command line: no value of classes C2 to C4 is told or left anywhere in clear."""

from __future__ import annotations

import re

import pytest

from holdfast.drills.demo_data import HEADER, as_row, customers, spoil, table
from support.customers import canaries, plain_rows, write_csv, write_ndjson
from support.imports import ImportHouse
from support.server import holdfast

CUSTOMERS = 60
SHORTEST = 8  # shorter values stand in any megabyte of random bytes


@pytest.fixture
def imports(tmp_path):
    house = ImportHouse(tmp_path / "home")
    house.house.close()
    yield house
    house.house.close()


def planted():
    """Every form in which the customers' values stand in the file, and what a bad row holds."""
    values = {value for one in customers(CUSTOMERS) for value in canaries(one)}
    values |= {row[7] for row in map(as_row, customers(CUSTOMERS))}
    return ["hunter2-in-the-notes", *sorted(value for value in values if len(value) >= SHORTEST)]


def delivery(path):
    """An ugly file: good rows, every kind of bad one, a row twice, and a secret in a column that is left out."""
    rows = [as_row(one) for one in customers(CUSTOMERS)]
    rows += [spoil(as_row(one), one.number) for one in customers(CUSTOMERS)]
    rows.append([*rows[1][:12], "private", *rows[1][13:]])
    rows[5][13] = "password: hunter2-in-the-notes"
    path.write_bytes(table(HEADER, rows).encode("cp1252"))
    return path


def texts_of(folder):
    """Every byte under ``folder``: databases, their logs, rejects, locks."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_delivery_leaves_no_value_in_clear(imports, tmp_path):
    file = delivery(tmp_path / "bank.csv")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    said = []
    for arguments in (
        ("collection", "propose", str(file)),
        ("collection", "propose", str(file), "--json"),
        ("collection", "propose", str(file), "--no-header"),
        ("import", "bank-01/customers", str(file), "--dry-run"),
        ("import", "bank-01/customers", str(file), "--json"),
        ("import", "bank-01/customers", str(file)),
        ("import", "bank-01/customers", str(file), "--no-header"),
        ("import", "bank-01/customers", str(file), "--encoding", "utf-8"),
        ("collection", "list", "bank-01", "--json"),
    ):
        done = run(imports, temporary, *arguments)
        said += [done.stdout, done.stderr]
    told = "\n".join(said)
    assert not [value for value in planted() if value in told]
    everything = texts_of(imports.home) | texts_of(temporary)
    assert any("rejects" in path.name for path in everything)
    leaked = [
        (path.name, value)
        for path, content in everything.items()
        for value in planted()
        if value.encode() in content or value.encode("utf-16-le") in content
    ]
    assert not leaked


def run(imports, temporary, *arguments):
    own = {"TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary)}
    return holdfast(
        imports.home, *arguments, HOLDFAST_TOKEN=imports.token, HOLDFAST_DEBUG="true", **own
    )


def test_from_a_file_to_a_collection_that_holds_it(imports, tmp_path):
    """The way of the tutorial: propose, read, declare, try, import, import the next delivery."""
    file = write_csv(tmp_path / "export.csv", plain_rows(40))
    proposed = imports.command("collection", "propose", str(file))
    schema = tmp_path / "schema.toml"
    schema.write_text(proposed.stdout)
    assert (
        imports.command(
            "collection", "add", "bank-01", "clients", "--schema", str(schema)
        ).returncode
        == 0
    )
    tried = imports.command("import", "bank-01/clients", str(file), "--dry-run")
    assert "new 40" in tried.stdout
    assert imports.command("import", "bank-01/clients", str(file)).returncode == 0
    rows = [{**row, "segment": "private"} if n < 5 else row for n, row in enumerate(plain_rows(45))]
    nightly = write_ndjson(tmp_path / "delta.ndjson", rows)
    done = imports.command("import", "bank-01/clients", str(nightly))
    assert re.search(r"new 5, changed 5, unchanged 35, suppressed 0, rejected 0", done.stdout)


def test_a_customer_who_was_erased_does_not_come_back_with_the_next_delivery(imports, tmp_path):
    file = write_csv(tmp_path / "export.csv", plain_rows(5))
    imports.command("import", "bank-01/customers", str(file))
    number = next(plain_rows(1))["customer_no"]
    erased = imports.command("customer", "shred", "bank-01", number)
    assert erased.returncode == 0, erased.stderr
    done = imports.command("import", "bank-01/customers", str(file), "--json")
    assert '"suppressed": 1' in done.stdout
    assert '"unchanged": 4' in done.stdout
    assert "were erased" in done.stderr
    assert number not in imports.records()
