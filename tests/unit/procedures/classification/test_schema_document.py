"""docs/reference/schema.md does what it says: its example compiles, its tables are the code's."""

from __future__ import annotations

import re
import tomllib

import pytest

from architecture.source import ROOT
from holdfast.procedures.classification.rules import dialect, encoding, headers
from holdfast.procedures.classification.services import proposing
from holdfast.spine.vault import masks, normalise, schema
from holdfast.spine.vault.schema import compile_schema
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import FieldType, Index, Mask
from support.imports import ImportHouse

PAGE = (ROOT / "docs" / "reference" / "schema.md").read_text()
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def section(title):
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(title):
    """The names in the first column of a section's table."""
    rows = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}


@pytest.fixture(scope="module")
def example():
    return compile_schema(EXAMPLE, name="customers")


def test_the_example_shows_every_type_class_handling_index_and_almost_every_key(example):
    assert {spec.type for spec in example.fields} == set(FieldType)
    assert {spec.data_class for spec in example.fields} == set(DataClass)
    assert {spec.handling for spec in example.fields} == set(Handling)
    assert {spec.index for spec in example.fields} == set(Index)
    read = tomllib.loads(EXAMPLE)
    used = {key for table in read["fields"].values() for key in table}
    assert set(schema.FIELD_KEYS) - used == {"clause"}, "a card number itself is not for an example"
    assert set(schema.TOP_KEYS) - set(read) == {"name"}


def test_every_key_type_handling_and_mask_stands_in_its_table():
    assert first_cells("Keys of the collection") == set(schema.TOP_KEYS)
    assert first_cells("Keys of a field") == set(schema.FIELD_KEYS)
    assert first_cells("Types") == set(FieldType)
    assert first_cells("Handling") == set(Handling)
    assert first_cells("Masks") == set(Mask)


def test_each_mask_is_as_long_as_its_example():
    rows = re.findall(r"^\| `([a-z_]+)` \|.*\| `(.+)` \|$", section("Masks"), re.MULTILINE)
    assert {name: len(shown) for name, shown in rows} == {
        kind.value: length for kind, length in masks.LENGTHS.items()
    }


def test_the_limits_are_those_of_the_code():
    files = section("Files")
    assert f"{normalise.MOST_CHARACTERS:,}" in PAGE
    assert f"{dialect.MOST_FIELD_CHARACTERS:,}" in files
    assert f"over {encoding.MOST_LINE_BYTES // 2**20} MiB" in files
    assert f"more than {headers.MOST_COLUMNS} columns" in files
    assert f"{proposing.MOST_ROWS:,} rows, samples {proposing.MOST_SAMPLED:,}" in section(
        "Proposals"
    )


def test_the_example_takes_the_file_that_it_describes(tmp_path):
    imports = ImportHouse(tmp_path / "home")
    imports.house.close()
    text = tmp_path / "schema.toml"
    text.write_text(EXAMPLE)
    file = tmp_path / "file.csv"
    file.write_text(
        "N.º de cliente;Name;Phone;E-Mail;Address;DOB;National ID;Account;Card;Balance;Opened;;Children;"
        "Paperless;Notes;CVV;agent comment\n"
        '="0012";Ana Reyes;0917 555 0101;ana@example.com;"1 Mabini St\nManila";03/02/1990;901-23-4567;'
        "1234-5678;4242 4242 4242 4242;12.50;2020-01-31;(202) 555-0101;2;yes;;123;x\n"
    )
    added = imports.command("collection", "add", "bank-01", "example", "--schema", str(text))
    assert added.returncode == 0, added.stderr
    done = imports.command("import", "bank-01/example", str(file))
    assert (done.returncode, "new 1" in done.stdout) == (0, True), done.stderr
