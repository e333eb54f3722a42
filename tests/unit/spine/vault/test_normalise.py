from __future__ import annotations

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.spine.vault.normalise import MOST_CHARACTERS, compared, import_key, is_luhn, normalise
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import FieldSpec, FieldType


def spec(kind: str, **more: str) -> FieldSpec:
    return FieldSpec("field", 1, FieldType(kind), DataClass.C2, Handling.CLEAR, **more)


@pytest.mark.parametrize(
    ("kind", "same"),
    [
        ("text", ["Gold  Plan", "gold plan", " GOLD\tPLAN ", "Ｇｏｌｄ plan"]),
        (
            "name",
            [
                "José O’Neil-García",
                "jose oneil garcia",
                "JOSÉ O'NEIL GARCÍA",
                "Jose\u0301 ONeil, Garcia",
            ],
        ),
        ("address", ["12 Sampaguita St., Quezon City", "12 sampaguita st quezon  city"]),
        ("email", ["Ana.Cruz@Example.COM", "ana.cruz@example.com "]),
        ("phone", ["+1 202 555 0101", "+1 (202) 555-0101", "+12025550101", "+1.202.555.0101"]),
        ("national_id", ["900-12-3456", "900 12 3456", "900123456"]),
        ("account", ["DE02 1203 0000 0000 2020 51", "de02120300000000202051"]),
        ("card", ["4111 1111 1111 1111", "4111-1111-1111-1111"]),
        ("integer", ["007", "+7", "7"]),
        ("decimal", ["7.50", "7.5", "+7.500"]),
        ("boolean", ["yes", "TRUE", "1", "t"]),
    ],
)
def test_what_means_the_same_compares_the_same(kind, same):
    assert len({compared(spec(kind), text) for text in same}) == 1


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("account", "00123", "123"),
        ("name", "Ana Cruz", "Ana Cruzado"),
        ("phone", "+12025550101", "+12025550102"),
        ("text", "a b", "ab"),
        ("decimal", "7.5", "75"),
    ],
)
def test_what_differs_compares_differently(kind, one, other):
    assert compared(spec(kind), one) != compared(spec(kind), other)


def test_what_is_kept_is_what_the_client_wrote_where_writing_carries_meaning():
    assert normalise(spec("name"), "  José   García ").kept == "José García"
    assert normalise(spec("national_id"), " 900-12-3456 ").kept == "900-12-3456"
    assert normalise(spec("email"), "Ana@Example.COM").kept == "Ana@example.com"
    assert normalise(spec("decimal"), "1204.50").kept == "1204.50"


@pytest.mark.parametrize(
    ("fmt", "text"),
    [
        ("%d/%m/%Y", "03/02/1990"),
        ("%m-%d-%Y", "2-3-1990"),
        ("%d %b %Y", "3 Feb 1990"),
        ("%d. %B %Y", "3. February 1990"),
    ],
)
def test_dates_are_read_by_the_declared_format_and_kept_as_iso(fmt, text):
    assert normalise(spec("date_of_birth", date_format=fmt), text) == ("1990-02-03", "1990-02-03")
    assert normalise(spec("date_of_birth", date_format=fmt), "1990-02-03").kept == "1990-02-03"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "03/02/1990"),
        ("date", "1990-02-30"),
        ("date", "0001-01-01"),
        ("phone", "555"),
        ("phone", "ext. 12"),
        ("email", "ana at example.com"),
        ("email", "ana@localhost"),
        ("email", "a@b@example.com"),
        ("card", "4111 1111 1111 1112"),
        ("card", "41111111111"),
        ("card", "４１１１１１１１１１１１１１１１"),
        ("integer", "1_000"),
        ("integer", "1e3"),
        ("decimal", "1,204.50"),
        ("decimal", "NaN"),
        ("decimal", "1e9999999"),
        ("boolean", "maybe"),
        ("national_id", "---"),
        ("name", "..."),
        ("text", "a\x00b"),
        ("text", "a\x1eb"),
        ("text", "x" * (MOST_CHARACTERS + 1)),
    ],
)
def test_what_is_not_of_the_type_is_refused_by_the_name_of_the_field_never_by_its_value(kind, text):
    with pytest.raises(InvalidInput) as refused:
        normalise(spec(kind), text)
    assert refused.value.field == "field"
    assert text not in f"{refused.value}{refused.value.remedy}"


def test_an_empty_text_is_no_value():
    assert normalise(spec("phone"), "  ") == ("", "")


def test_a_customer_number_keeps_its_leading_zeros():
    assert import_key(" 0012 ") == "0012"
    assert import_key("１２") == "12"
    assert import_key("ab") != import_key("AB")


def test_luhn_is_that_of_the_standard():
    assert is_luhn("4111111111111111")
    assert is_luhn("378282246310005")
    assert not is_luhn("4111111111111121")
