"""An import: all in or said why not, the same the second time, going on where it was stopped."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest

from holdfast.drills.bank.build import CLIENT, COLLECTION, SCHEMA
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.procedures.classification.services import importing, rejects
from holdfast.procedures.classification.services.declaring import declare
from support.customers import (
    HEADER,
    as_row,
    customer,
    customers,
    plain_rows,
    spoil,
    table,
    write_csv,
    write_ndjson,
)
from support.stores import raw


def counts(outcome):
    return (
        outcome.new,
        outcome.changed,
        outcome.unchanged,
        outcome.suppressed,
        outcome.rejected,
    )


def rejected(path):
    with Path(path).open(newline="") as file:
        return [(int(row["line"]), row["field"], row["reason"]) for row in csv.DictReader(file)]


def delivery(path, count, *, spoilt=0, encoding="cp1252"):
    rows = [as_row(one) for one in customers(count)]
    rows += [spoil(as_row(customer(count + n)), n) for n in range(spoilt)]
    path.write_bytes(table(HEADER, rows).encode(encoding))
    return path


# ── what goes in ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_customer_of_an_ugly_file_is_in_with_its_values(imports, tmp_path, encoding):
    outcome = imports.run(delivery(tmp_path / "bank.csv", 40, encoding=encoding))
    assert counts(outcome) == (40, 0, 0, 0, 0)
    records = imports.records()
    assert len(records) == 40
    for one in customers(40):
        found = records[one.customer_no]
        assert found["name"].casefold() == one.name.casefold()
        assert found["phone"] == one.phone
        assert found["dob"] == one.date_of_birth
        assert found["address"] == one.address.replace("\n", " ")


def test_ndjson_goes_in_like_csv(imports, tmp_path):
    rows = [{**row, "balance": float(row["balance"])} for row in plain_rows(5)]
    outcome = imports.run(write_ndjson(tmp_path / "bank.ndjson", rows))
    assert counts(outcome) == (5, 0, 0, 0, 0)
    assert imports.records().keys() == {row["customer_no"] for row in rows}


def test_a_second_run_changes_nothing(imports, tmp_path):
    file = delivery(tmp_path / "bank.csv", 30)
    imports.run(file)
    before = imports.records()
    assert counts(imports.run(file)) == (0, 0, 30, 0, 0)
    assert imports.records() == before
    assert imports.versions() == {1: 30}


def test_the_same_rows_in_another_layout_are_unchanged(imports, tmp_path):
    rows = list(plain_rows(10))
    imports.run(write_csv(tmp_path / "a.csv", rows))
    again = imports.run(write_ndjson(tmp_path / "a.ndjson", rows))
    assert counts(again) == (0, 0, 10, 0, 0)


def test_a_changed_row_makes_a_new_version_of_that_record_alone(imports, tmp_path):
    rows = list(plain_rows(10))
    imports.run(write_csv(tmp_path / "a.csv", rows))
    rows[3] = {**rows[3], "segment": "private"}
    assert counts(imports.run(write_csv(tmp_path / "b.csv", rows))) == (0, 1, 9, 0, 0)
    assert imports.versions() == {1: 9, 2: 1}
    assert imports.records()[rows[3]["customer_no"]]["segment"] == "private"


def test_the_client_s_log_tells_of_each_import_with_counts(imports, tmp_path):
    imports.run(delivery(tmp_path / "bank.csv", 7, spoilt=2))
    (leaf,) = imports.leaves("import.finished")
    assert (leaf["new"], leaf["rejected"], leaf["collection"]) == (7, 2, "customers")
    (batch,) = imports.leaves("records.imported")
    assert batch["new"] == 7
    assert batch["operation"] == leaf["operation"]


def test_only_an_administrator_imports(imports, tmp_path):
    imports.act_as_agent()
    with pytest.raises(Denied, match=r"admin\.role"):
        imports.run(delivery(tmp_path / "bank.csv", 1))
    assert imports.records() == {}


# ── what stays out ──────────────────────────────────────────────────────────────────────────────────────────────
def test_bad_rows_are_listed_by_line_field_and_reason_and_the_rest_goes_in(imports, tmp_path):
    good = list(plain_rows(6))
    good[1]["dob"] = "1990-02-31"
    good[3]["phone"] = "call me"
    good[4]["customer_no"] = " "
    outcome = imports.run(write_csv(tmp_path / "a.csv", good))
    assert counts(outcome) == (3, 0, 0, 0, 3)
    assert [(line, field) for line, field, _ in rejected(outcome.rejects)] == [
        (3, "dob"),
        (5, "phone"),
        (6, "customer_no"),
    ]


def test_a_list_of_rejects_is_for_its_owner_alone_and_holds_no_value(imports, tmp_path):
    rows = [{**row, "dob": f"{row['dob']} or so"} for row in plain_rows(3)]
    outcome = imports.run(write_csv(tmp_path / "a.csv", rows))
    assert stat.S_IMODE(outcome.rejects.stat().st_mode) == 0o600
    text = outcome.rejects.read_text()
    for row in rows:
        assert not [value for value in row.values() if value and value in text]


def test_no_list_is_made_when_nothing_is_rejected(imports, tmp_path):
    outcome = imports.run(delivery(tmp_path / "a.csv", 2), rejects=tmp_path / "rejects.csv")
    assert outcome.rejects is None
    assert not (tmp_path / "rejects.csv").exists()


def test_a_list_of_rejects_never_overwrites_another_file(imports, tmp_path):
    file = delivery(tmp_path / "a.csv", 1, spoilt=1)
    before = file.read_bytes()
    with pytest.raises(InvalidInput, match="something else"):
        imports.run(file, rejects=file)
    assert file.read_bytes() == before


def test_rows_that_contradict_each_other_leave_the_first(imports, tmp_path):
    first = next(plain_rows(1))
    other = {**first, "segment": "private"}
    outcome = imports.run(write_csv(tmp_path / "a.csv", [first, first, other]))
    assert (outcome.new, outcome.unchanged, outcome.rejected) == (1, 1, 1)
    assert rejected(outcome.rejects) == [
        (4, "customer_no", "has the record key of line 2 and other values")
    ]
    again = imports.run(write_csv(tmp_path / "a.csv", [first, first, other]))
    assert (again.new, again.changed) == (0, 0)


def test_uneven_rows_and_stray_quotes_cost_only_themselves(imports, tmp_path):
    lines = csv_lines(6)
    lines[2] = lines[2].rsplit(",", 1)[0] + "\r\n"  # line 3: a column short
    lines[4] = lines[4].replace(",", ',"', 1)  # line 5: a quote that nobody closes
    file = tmp_path / "a.csv"
    file.write_text("".join(lines), newline="")
    outcome = imports.run(file)
    assert counts(outcome) == (4, 0, 0, 0, 2)
    assert [line for line, _, _ in rejected(outcome.rejects)] == [3, 5]


def csv_lines(count):
    from support.customers import csv_text

    rows = [{**row, "address": row["address"].replace(",", "")} for row in plain_rows(count)]
    return csv_text(rows).splitlines(keepends=True)


def test_a_file_that_was_cut_off_loses_its_last_row_only(imports, tmp_path):
    whole = delivery(tmp_path / "whole.csv", 5, encoding="utf-8").read_bytes()
    file = tmp_path / "a.csv"
    file.write_bytes(whole[:-40])
    outcome = imports.run(file)
    assert outcome.new == 4
    assert outcome.rejected == 1


def test_a_missing_column_refuses_the_file_before_anything_is_read(imports, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("customer_no,name\r\n1,Ana\r\n")
    with pytest.raises(InvalidInput, match="no column for: phone, email") as refused:
        imports.run(file)
    assert refused.value.code == "column_missing"
    assert imports.records() == {}


def test_a_doubled_column_refuses_the_file(imports, tmp_path):
    text = write_csv(tmp_path / "a.csv", plain_rows(1)).read_text()
    (tmp_path / "a.csv").write_text(text.replace("segment", "E-Mail"))
    with pytest.raises(InvalidInput) as refused:
        imports.run(tmp_path / "a.csv")
    assert refused.value.code in {"column_doubled", "column_missing"}


def test_columns_that_the_schema_does_not_know_are_told_and_security_codes_by_name(
    imports, tmp_path
):
    outcome = imports.run(delivery(tmp_path / "a.csv", 1))
    assert outcome.left_out == ("CVV", "Notes", "#15")
    assert any("CVV, a card security code" in warning for warning in outcome.warnings)


def test_a_column_that_the_schema_ignores_is_told_only_of_a_file_that_has_it(imports, tmp_path):
    declare(imports.house, CLIENT, COLLECTION, f'ignore = ["CVV"]\n{SCHEMA}')
    told = "CVV, a card security code"
    with_it = imports.run(delivery(tmp_path / "a.csv", 1))
    assert any(told in warning for warning in with_it.warnings)
    without = imports.run(write_csv(tmp_path / "b.csv", list(plain_rows(2))))
    assert not any("security code" in warning for warning in without.warnings)


def test_an_unknown_client_or_collection_is_said_with_the_remedy(imports, tmp_path):
    file = delivery(tmp_path / "a.csv", 1)
    from holdfast.kit.terminal import Quiet

    for target, what in (
        (importing.Target("bank-99", "customers"), "client bank-99"),
        (importing.Target("bank-01", "loans"), "collection loans"),
    ):
        with pytest.raises(NotFound, match=what) as refused:
            importing.import_file(
                imports.house, target, file, options=importing.Options(), told=Quiet()
            )
        assert "holdfast" in refused.value.remedy


# ── dry run ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_dry_run_says_what_would_happen_and_writes_nothing(imports, tmp_path):
    rows = list(plain_rows(5))
    imports.run(write_csv(tmp_path / "a.csv", rows[:3]))
    rows[0] = {**rows[0], "segment": "private"}
    rows[4] = {**rows[4], "dob": "soon"}
    file = write_csv(tmp_path / "b.csv", rows)
    before = snapshot(imports)
    assert counts(imports.run(file, dry_run=True)) == (1, 1, 2, 0, 1)
    assert snapshot(imports) == before
    assert counts(imports.run(file)) == (1, 1, 2, 0, 1)


def test_a_dry_run_counts_rows_of_one_key_like_the_import(imports, tmp_path):
    first = next(plain_rows(1))
    file = write_csv(tmp_path / "a.csv", [first, {**first, "segment": "private"}])
    would = imports.run(file, dry_run=True)
    assert (would.new, would.rejected) == (1, 1)


def snapshot(imports):
    with imports.house.stores() as stores:
        data, keys = (everything(store) for store in (stores.data, stores.keys))
    files = sorted(str(path) for path in imports.home.rglob("*") if "sqlite3-" not in path.name)
    return data, keys, files


def everything(store):
    return {
        name: sorted(map(repr, raw(store, f'SELECT * FROM "{name}"'))) for name in store.tables()
    }


# ── stopped and gone on ─────────────────────────────────────────────────────────────────────────────────────────
class StopsAfter:
    """Progress that pulls the plug after so many batches."""

    def __init__(self, batches):
        self.left = batches

    def advance(self, _count):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def total(self, _count):
        pass


def stopped(imports, file, batches, **options):
    with pytest.raises(KeyboardInterrupt):
        importing.import_file(
            imports.house,
            importing.Target("bank-01", "customers"),
            file,
            options=importing.Options(**options),
            told=StopsAfter(batches),
        )


def test_an_interrupted_import_goes_on_where_it_stopped_with_the_same_end(imports, tmp_path):
    rows = list(plain_rows(2500))
    rows[10] = {**rows[10], "dob": "soon"}
    rows[2400] = {**rows[2400], "dob": "soon"}
    file = write_csv(tmp_path / "a.csv", rows)
    stopped(imports, file, 2)
    assert imports.under_way() == 1
    outcome = imports.run(file)
    assert outcome.resumed_at == 2000
    assert counts(outcome) == (2498, 0, 0, 0, 2)
    assert [line for line, _, _ in rejected(outcome.rejects)] == [12, 2402]
    assert imports.under_way() == 0
    assert imports.versions() == {1: 2498}
    batches = imports.leaves("records.imported")
    assert sum(leaf["new"] for leaf in batches) == 2498
    (finished,) = imports.leaves("import.finished")
    assert {leaf["operation"] for leaf in batches} == {finished["operation"]}
    assert outcome.reasons.total() == 2


def test_a_double_is_found_across_an_interruption(imports, tmp_path):
    rows = list(plain_rows(1500))
    rows.append({**rows[0], "segment": "private"})
    file = write_csv(tmp_path / "a.csv", rows)
    stopped(imports, file, 1)
    assert rejected(imports.run(file).rejects) == [
        (1502, "customer_no", "has the record key of line 2 and other values")
    ]


def test_another_file_begins_anew(imports, tmp_path):
    rows = list(plain_rows(1200))
    stopped(imports, write_csv(tmp_path / "a.csv", rows), 1)
    outcome = imports.run(write_csv(tmp_path / "b.csv", rows[:1100]))
    assert outcome.resumed_at == 0
    assert counts(outcome) == (100, 0, 1000, 0, 0)


def test_a_list_of_rejects_that_is_gone_makes_the_import_begin_anew(imports, tmp_path):
    rows = list(plain_rows(1200))
    rows[1] = {**rows[1], "dob": "soon"}
    file = write_csv(tmp_path / "a.csv", rows)
    listed = tmp_path / "rejects.csv"
    stopped(imports, file, 1, rejects=listed)
    listed.unlink()
    outcome = imports.run(file, rejects=listed)
    assert outcome.resumed_at == 0
    assert counts(outcome) == (200, 0, 999, 0, 1)
    assert len(rejected(listed)) == 1


def test_what_an_interrupted_run_had_listed_too_much_is_cut_off(imports, tmp_path):
    rows = list(plain_rows(1200))
    rows[1] = {**rows[1], "dob": "soon"}
    file = write_csv(tmp_path / "a.csv", rows)
    listed = tmp_path / "rejects.csv"
    stopped(imports, file, 1, rejects=listed)
    with listed.open("a") as more:
        more.write("999,dob,written before the kill and never settled\r\n")
    imports.run(file, rejects=listed)
    assert [line for line, _, _ in rejected(listed)] == [3]


def test_two_imports_into_one_collection_do_not_run_at_once(imports, tmp_path):
    file = write_csv(tmp_path / "a.csv", plain_rows(3))

    class Second(StopsAfter):
        def advance(self, _count):
            with pytest.raises(Conflict, match="is running"):
                imports.run(file)

    importing.import_file(
        imports.house,
        importing.Target("bank-01", "customers"),
        file,
        options=importing.Options(),
        told=Second(9),
    )


def test_a_file_that_changes_under_way_is_told(imports, tmp_path):
    file = write_csv(tmp_path / "a.csv", plain_rows(1500))

    class Grows(StopsAfter):
        def advance(self, _count):
            with file.open("a") as more:
                more.write("x\r\n")

    with pytest.raises(Conflict, match="changed while"):
        importing.import_file(
            imports.house,
            importing.Target("bank-01", "customers"),
            file,
            options=importing.Options(),
            told=Grows(9),
        )


def test_a_list_of_rejects_is_durable_and_not_followed_through_a_link(tmp_path):
    target = tmp_path / "somewhere"
    link = tmp_path / "rejects.csv"
    link.symlink_to(target)
    listed = rejects.RejectsFile(link)
    with pytest.raises(InvalidInput, match="cannot be written"):
        listed.write([rejects.Reject(2, "dob", "is not a date")])
    assert not os.path.lexists(target)
