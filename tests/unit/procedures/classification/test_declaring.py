"""A collection is declared by an administrator, told to the client, and changed only as its records can follow."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT, COLLECTION, SCHEMA
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.procedures.classification.services import declaring
from holdfast.procedures.classification.services.declaring import declare, list_collections
from support.customers import plain_rows, write_csv
from support.stores import raw


def fence(imports):
    with imports.house.stores() as stores:
        return raw(stores.data, "SELECT fence FROM decision_client")[0][0]


def test_a_new_collection_is_version_one_with_a_leaf_and_a_new_fence(imports):
    before = fence(imports)
    done = declare(imports.house, CLIENT, "loans", SCHEMA)
    assert (done.schema.version, done.same, done.before) == (1, False, None)
    (leaf,) = imports.leaves("collection.added")
    assert (leaf["collection"], leaf["schema"]) == ("loans", done.schema.digest)
    assert fence(imports) == before + 1


def test_the_same_schema_again_changes_nothing(imports):
    assert declare(imports.house, CLIENT, COLLECTION, SCHEMA).same
    assert declare(imports.house, CLIENT, COLLECTION, f"# a comment\n{SCHEMA}").same
    assert imports.leaves("collection.added") == []


def test_a_changed_schema_is_the_next_version(imports):
    changed = SCHEMA + '[fields.nickname]\ntype = "name"\nclass = "C1"\nhandling = "clear"\n'
    done = declare(imports.house, CLIENT, COLLECTION, changed)
    assert done.schema.version == 2
    assert [s.version for s in imports.house.read(list_collections(imports.house, CLIENT))] == [2]


@pytest.fixture
def filled(imports, tmp_path):
    imports.run(write_csv(tmp_path / "a.csv", plain_rows(2)))
    return imports


def without(name):
    return "\n\n".join(part for part in SCHEMA.split("\n\n") if f"[fields.{name}]" not in part)


def changed(name, old, new):
    parts = SCHEMA.split("\n\n")
    return "\n\n".join(p.replace(old, new) if f"[fields.{name}]" in p else p for p in parts)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (without("segment"), "fields.segment"),
        (changed("email", '"C1"', '"C2"'), "fields.email.class"),
        (changed("postcode", '"text"', '"name"'), "fields.postcode.type"),
        (SCHEMA.replace('record_key = "customer_no"', 'record_key = "acct"'), "record_key"),
    ],
)
def test_what_records_cannot_follow_is_refused_with_the_key(filled, text, field):
    with pytest.raises(InvalidInput) as refused:
        declare(filled.house, CLIENT, COLLECTION, text)
    assert refused.value.field == field
    assert refused.value.remedy
    assert filled.leaves("collection.added") == []


def test_without_records_anything_may_change(imports):
    done = declare(imports.house, CLIENT, COLLECTION, changed("email", '"C1"', '"C2"'))
    assert done.schema.version == 2


def test_a_new_index_says_when_it_finds_records(filled, tmp_path):
    text = changed("email", 'handling = "clear"', 'handling = "clear"\nindex = "search"')
    done = declare(filled.house, CLIENT, COLLECTION, text)
    assert done.notes == ("records are not found by email until they are imported again",)
    again = filled.run(write_csv(tmp_path / "a.csv", plain_rows(2)))
    assert again.changed == 2, "and an import of the same file brings the index"


def test_a_field_keeps_its_number_through_all_versions(filled):
    text = SCHEMA + '[fields.nickname]\ntype = "name"\nclass = "C1"\nhandling = "clear"\n'
    before = declare(filled.house, CLIENT, COLLECTION, text).before
    parts = text.split("\n\n")
    after = declare(filled.house, CLIENT, COLLECTION, "\n\n".join([parts[0], *parts[:0:-1]])).schema
    assert all(after.by_name[spec.name].number == spec.number for spec in before.fields)


def test_only_an_administrator_declares(imports):
    imports.act_as_agent()
    with pytest.raises(Denied):
        declare(imports.house, CLIENT, "loans", SCHEMA)
    with pytest.raises(Denied):
        imports.house.read(list_collections(imports.house, CLIENT))


def test_an_unknown_client_is_said(imports):
    with pytest.raises(NotFound, match="no client bank-99"):
        declare(imports.house, "bank-99", "loans", SCHEMA)


def test_two_changes_at_once_do_not_overwrite_each_other(imports):
    house = imports.house
    older = declaring._compiled(
        COLLECTION, SCHEMA.replace("retail", "x") + "# y\n", None, holds=False
    )
    with pytest.raises(Conflict, match="somebody else"):
        house.transact(declaring._put(house, CLIENT, older, SCHEMA))


@pytest.mark.parametrize("name", ["cvv", "card_pin", "security_code"])
def test_a_security_code_or_pin_is_refused_with_the_reason(imports, name):
    text = SCHEMA + f'[fields.{name}]\ntype = "text"\nclass = "C4"\nhandling = "verify_only"\n'
    with pytest.raises(InvalidInput, match="never kept"):
        declare(imports.house, CLIENT, "cards", text)


def test_a_schema_that_the_contract_in_force_cannot_use_is_told(imports):
    done = declare(imports.house, CLIENT, COLLECTION, without("balance"))
    (note,) = done.notes
    assert "contract" in note
    assert "balance" in note
