from __future__ import annotations

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.spine.vault.schema import compile_schema, decode_schema, encode_schema
from holdfast.spine.vault.schema_rules import forbidden
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import Index, Mask
from support.vault import SCHEMA_TOML

HEAD = 'owner = "DPO"\ncustomer_ref = "no"\nrecord_key = "no"\n'
NO = '[fields.no]\ntype = "account"\nclass = "C1"\nhandling = "clear"\n'


def field(name: str, **keys: str) -> str:
    given = {"type": "text", "class": "C2", "handling": "clear"} | keys
    lines = [f'{key.rstrip("_")} = "{value}"' for key, value in given.items() if value]
    return "\n".join([f"[fields.{name}]", *lines, ""])


def compiled(*fields: str, head: str = HEAD):
    return compile_schema(head + NO + "".join(fields), name="things")


def refused(*fields: str, head: str = HEAD) -> InvalidInput:
    with pytest.raises(InvalidInput) as error:
        compiled(*fields, head=head)
    return error.value


def test_a_schema_says_for_each_field_what_may_happen_with_it():
    schema = compile_schema(SCHEMA_TOML, name="accounts")
    phone = schema.by_name["phone"]
    assert (phone.data_class, phone.handling, phone.index, phone.mask) == (
        DataClass.C1,
        Handling.MASKED,
        Index.SEARCH,
        Mask.PHONE,
    )
    assert (phone.region, phone.index_bits, phone.label, phone.owner) == (
        "PH",
        128,
        "Phone",
        schema.owner,
    )
    assert [spec.number for spec in schema.fields] == list(range(1, len(schema.fields) + 1))
    assert schema.by_name["customer_no"].required


def test_the_stored_form_is_the_schema():
    schema = compile_schema(SCHEMA_TOML, name="accounts")
    assert decode_schema(encode_schema(schema)) == schema


def test_numbers_follow_names_through_all_versions_and_are_not_used_again():
    first = compiled(field("a"), field("b"))
    second = compile_schema(HEAD + NO + field("b") + field("c"), name="things", previous=first)
    assert second.version == 2
    assert second.by_name["b"].number == first.by_name["b"].number
    assert second.by_name["c"].number not in {spec.number for spec in first.fields}


def test_the_digest_is_of_what_is_said_not_of_the_version():
    first = compiled(field("a"))
    text = HEAD + NO + field("a")
    assert (
        compile_schema("# a remark\n" + text, name="things", previous=first).digest == first.digest
    )
    assert compile_schema(text.replace("C2", "C3"), name="things").digest != first.digest


@pytest.mark.parametrize(
    "name",
    [
        "cvv",
        "cvv2",
        "card_cvv",
        "cardcvv2",
        "cvc",
        "csc",
        "card_security_code",
        "security_code",
        "card_verification_value",
        "pin",
        "atm_pin",
        "pin_code",
        "card_pin",
        "pincode",
        "pin_no",
        "account_pin",
        "track2",
        "cav2",
    ],
)
def test_a_card_security_code_or_pin_is_refused_with_the_reason(name):
    error = refused(field(name))
    assert error.code == "never_kept"
    assert "nobody may store it" in error.message


@pytest.mark.parametrize(
    "name",
    ["shipping", "opinion", "postal_pin_code", "spinner", "pinned_note", "tracking_no", "covenant"],
)
def test_names_that_only_look_like_one_are_not(name):
    assert forbidden(name) == ""


def test_it_is_refused_under_an_innocent_name_by_type_label_or_column():
    assert refused(field("code", type="cvv")).field == "fields.code.type"
    assert refused(field("code", label="Card security code")).field == "fields.code.label"
    assert refused(field("code") + 'columns = ["CVV2"]\n').field == "fields.code.columns"


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"class": ""}, "fields.x.class"),
        ({"type": ""}, "fields.x.type"),
        ({"handling": ""}, "fields.x.handling"),
        ({"class": "C9"}, "fields.x.class"),
        ({"type": "phon"}, "fields.x.type"),
        ({"mask": "card"}, "fields.x.mask"),
        ({"change": "whatever"}, "fields.x.change"),
        ({"region": "PH"}, "fields.x.region"),
        ({"type": "phone", "region": "Philippines"}, "fields.x.region"),
        ({"type": "date", "date_format": "%d/%m/%y"}, "fields.x.date_format"),
        ({"type": "date", "date_format": "%d/%Y"}, "fields.x.date_format"),
        ({"handling": "reference"}, "fields.x.handling"),
        ({"type": "card", "class": "C3"}, "fields.x.handling"),
        ({"type": "card", "class": "C2", "handling": "reference"}, "fields.x.class"),
        ({"type": "card", "class": "C4", "handling": "masked"}, "fields.x.handling"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(keys, where):
    assert refused(field("x", **keys)).field == where


def test_an_unknown_key_names_its_neighbour():
    error = refused(field("x") + 'handeling = "clear"\n')
    assert (error.field, error.remedy) == ("fields.x.handeling", "Did you mean handling?")


@pytest.mark.parametrize(
    ("head", "where"),
    [
        ('customer_ref = "no"\nrecord_key = "no"\n', "owner"),
        ('owner = "DPO"\nrecord_key = "no"\n', "customer_ref"),
        ('owner = "DPO"\ncustomer_ref = "number"\nrecord_key = "no"\n', "customer_ref"),
        ('owner = "DPO"\ncustomer_ref = "no"\nrecord_key = "no"\nregon = "PH"\n', "regon"),
        ("owner = [", "schema"),
    ],
)
def test_what_a_collection_needs_is_asked_for(head, where):
    assert refused(head=head).field == where


def test_a_card_number_itself_is_kept_only_where_the_contract_says_so():
    kept = compiled(field("card", type="card", **{"class": "C4"}, handling="masked", clause="7.2"))
    assert kept.by_name["card"].handling is Handling.MASKED


@pytest.mark.parametrize(
    "keys",
    [
        {"handling": "verify_only", "type": "account"},
        {"class": "C4", "type": "account", "handling": "masked"},
        {"type": "date_of_birth"},
        {"type": "boolean"},
        {"type": "integer"},
    ],
)
def test_what_may_not_be_searched_is_not_indexed_for_search(keys):
    assert refused(field("x", index="search", **keys)).field == "fields.x.index"


@pytest.mark.parametrize("name", ["sex", "marital_status", "country", "plan"])
def test_a_field_of_few_values_is_not_indexed(name):
    assert refused(field(name, index="bind")).field == f"fields.{name}.index"


def test_verify_only_and_c4_fields_may_still_bind_a_contact():
    schema = compiled(
        field("ssn", type="national_id", **{"class": "C4"}, handling="verify_only", index="bind")
    )
    assert schema.by_name["ssn"].index is Index.BIND


def test_an_index_of_medium_variety_is_truncated():
    assert compiled(field("x", type="name", index="search")).by_name["x"].index_bits == 16
    assert (
        refused(field("x", type="name", index="search") + "index_bits = 128\n").field
        == "fields.x.index_bits"
    )
    assert (
        refused(field("x", type="phone", index="search") + "index_bits = 16\n").field
        == "fields.x.index_bits"
    )


@pytest.mark.parametrize(
    ("answer", "other", "where"),
    [
        ({"type": "national_id"}, {"type": "national_id", "handling": "masked"}, "mask"),
        ({"type": "date_of_birth"}, {"type": "date_of_birth", "handling": "masked"}, "mask"),
        ({"type": "date_of_birth"}, {"type": "date_of_birth", "handling": "clear"}, "handling"),
        ({"type": "account"}, {"type": "account", "handling": "masked"}, "mask"),
        ({"type": "phone"}, {"type": "phone", "handling": "masked"}, "mask"),
    ],
)
def test_no_mask_shows_a_character_of_an_answer(answer, other, where):
    secret = field("secret", handling="verify_only", **answer)
    assert refused(secret, field("shown", **other)).field == f"fields.shown.{where}"
    if where == "mask":
        assert compiled(secret, field("shown", mask="full", **other))


def test_the_last_four_as_an_answer_are_not_shown_by_the_mask_of_the_whole():
    answer = field("ssn_last4", handling="verify_only")
    assert (
        refused(answer, field("national_id", type="national_id", handling="masked")).field
        == "fields.national_id.mask"
    )
    card = field("card", type="card", **{"class": "C4"}, handling="reference")
    assert (
        refused(field("card_last_four", handling="verify_only"), card).field == "fields.card.mask"
    )


def test_another_document_or_another_question_is_no_leak():
    assert compiled(
        field("ssn", type="national_id", handling="verify_only"),
        field("passport", type="national_id", handling="masked"),
        field("mother_maiden_name", type="name", handling="verify_only"),
        field("birth_place", type="text"),
    )


def test_a_new_version_never_makes_sealed_rows_unreadable():
    first = compiled(field("x", type="account"))
    for text, where in [
        (HEAD + NO + field("x", type="text"), "fields.x.type"),
        (HEAD + NO + field("x", type="account", handling="reference"), "fields.x.handling"),
        (
            HEAD.replace('record_key = "no"', 'record_key = "x"') + NO + field("x", type="account"),
            "record_key",
        ),
    ]:
        with pytest.raises(InvalidInput) as error:
            compile_schema(text, name="things", previous=first)
        assert error.value.field == where
