"""A field's column is found however its header is spelt, and never guessed."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules.headers import (
    fold_header,
    looks_like_data,
    match_header,
    match_keys,
    shown,
)
from holdfast.spine.vault.schema import compile_schema

SCHEMA = """
owner = "DPO"
customer_ref = "customer_no"
record_key = "customer_no"
ignore = ["Agent comment", "#5"]
[fields.customer_no]
type = "account"
class = "C1"
handling = "clear"
[fields.phone]
type = "phone"
class = "C1"
handling = "clear"
columns = ["Teléfono móvil", "#3"]
"""


@pytest.fixture(scope="module")
def schema():
    return compile_schema(SCHEMA, name="customers")


@pytest.mark.parametrize(
    "header",
    [
        "customer_no",
        "Customer No.",
        "CUSTOMER-NO",
        "CustomerNo",
        "\ufeffcustomer no",
        "ｃustomer no",
    ],
)
def test_spelling_does_not_matter(header, schema):
    assert match_header([header, "phone"], schema).positions == (0, 1)


def test_a_field_is_found_under_its_other_headers_then_by_its_place(schema):
    assert match_header(["customer no", "TELEFONO_MOVIL"], schema).positions == (0, 1)
    assert match_header(["customer no", "x", ""], schema).positions == (0, 2)


def test_what_the_schema_does_not_know_is_named_and_what_it_ignores_is_not(schema):
    found = match_header(["customer no", "phone", "Salary", "agent_comment", "whatever"], schema)
    assert found.left_out == ("Salary",)


def test_a_missing_column_is_named_with_what_there_is(schema):
    with pytest.raises(InvalidInput, match="no column for: phone") as refused:
        match_header(["customer no", "mobile"], schema)
    assert "customer no, mobile" in refused.value.remedy


def test_a_first_line_that_is_a_record_is_never_shown(schema):
    row = ["900-12-3456", "maria@example.com"]
    with pytest.raises(InvalidInput) as refused:
        match_header(row, schema)
    told = refused.value.message + refused.value.remedy
    assert not [cell for cell in row if cell in told]
    assert "--no-header" in told


def test_two_columns_of_one_field_and_two_fields_of_one_column_are_refused(schema):
    with pytest.raises(InvalidInput, match="#2, #3 have the same header") as doubled:
        match_header(["customer no", "phone", "Phone"], schema)
    assert doubled.value.code == "column_doubled"
    text = SCHEMA.replace('"Teléfono móvil", "#3"', '"#1"')
    with pytest.raises(InvalidInput, match="claimed by customer_no and phone"):
        match_header(["customer no", "x"], compile_schema(text, name="customers"))


def test_keys_of_objects_are_matched_the_same_way(schema):
    assert match_keys(["CustomerNo", "telefono movil", "other"], schema) == {
        "CustomerNo": "customer_no",
        "telefono movil": "phone",
    }
    with pytest.raises(InvalidInput, match="both carry"):
        match_keys(["customer_no", "Customer No"], schema)


def test_a_header_is_shown_on_one_line_and_bounded():
    assert shown("a\x1b[31m\nb\u2028c") == "a [31m b c"
    assert len(shown("x" * 500)) == 60


def test_nul_and_too_many_columns_are_refused(schema):
    with pytest.raises(InvalidInput, match="NUL"):
        match_header(["customer_no", "pho\0ne"], schema)
    with pytest.raises(InvalidInput, match="at most 500"):
        match_header(["x"] * 501, schema)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["Customer No", "Phone 1", "Last 4 digits"], False),
        (["1", "Ana", "900-12-3456"], True),
        (["Ana", "ana@example.com"], True),
        (["Ana", "+1 202 555 0123"], True),
        (["2024", "2025"], False),
    ],
)
def test_a_header_is_told_from_a_record(header, expected):
    assert looks_like_data(header) is expected


def test_headers_in_other_scripts_are_kept_apart():
    assert fold_header("नाम") != fold_header("शहर")
    assert fold_header("Ñandú") == "nandu"
