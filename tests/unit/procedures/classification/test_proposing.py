"""A proposal says what each column is and why, compiles as it is, and never shows a value."""

from __future__ import annotations

import json

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.procedures.classification.rules.render import as_data, as_toml
from holdfast.procedures.classification.services.proposing import MOST_SAMPLED, Sample, propose_for
from holdfast.spine.vault.schema import compile_schema
from support.customers import HEADER, as_row, canaries, csv_text, customers, table


def proposed(tmp_path, content, **options):
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    proposal, sampled = propose_for(path, **options)
    data = as_data(proposal, sampled)
    assert data["schema"] == as_toml(proposal, sampled)
    compile_schema(data["schema"], name="customers")
    assert json.loads(json.dumps(data)) == data
    return data


def column_of(data, field):
    return next(one for one in data["columns"] if one["field"] == field)


def one_column(tmp_path, header, values):
    """Propose for a file with a customer number and one other column."""
    rows = [{"customer_no": f"K{n:04d}", header: value} for n, value in enumerate(values)]
    return proposed(tmp_path, csv_text(rows, ["customer_no", header]))["columns"][1]


PHONES = [f"0917 555 01{n:02d}" for n in range(20)]
CARDS = [one.card for one in customers(30)]
DATES = ["1990-02-03", "1985-12-24", "1971-07-13"] * 5


# ── a whole file ────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_demo_s_delivery_is_understood_column_by_column(tmp_path):
    text = table(HEADER, [as_row(one) for one in customers(300)])
    data = proposed(tmp_path, text.encode("cp1252"))
    assert (data["encoding"], data["layout"]) == ("Windows-1252", "semicolon-separated")
    assert (data["customer_ref"], data["record_key"]) == ("customer_no", "customer_no")
    kinds = {one["column"]: one["kind"] for one in data["columns"]}
    assert kinds == {
        "Customer No.": "customer_ref",
        "Name": "name",
        "Phone": "phone",
        "E-mail": "email",
        "Address": "address",
        "Postcode": "postal_code",
        "Acct": "account",
        "Card": "card",
        "CVV": "security_code",
        "Balance": "balance",
        "DOB": "date_of_birth",
        "National ID": "national_id",
        "Segment": "status",
        "Notes": "notes",
        "": "text",
    }
    assert data["ignore"] == ["CVV", "#15"]
    assert column_of(data, "card")["handling"] == "reference"
    assert column_of(data, "national_id")["handling"] == "verify_only"
    assert "card number in" in column_of(data, "notes")["warnings"][0]


def test_no_value_of_the_file_stands_in_a_proposal(tmp_path):
    everyone = list(customers(120))
    text = table(HEADER, [as_row(one) for one in everyone])
    data = proposed(tmp_path, text)
    told = json.dumps(data, ensure_ascii=False)
    leaked = [value for one in everyone for value in (*canaries(one), one.email) if value in told]
    assert not leaked


def test_a_first_line_that_is_a_record_is_not_shown_and_is_told(tmp_path):
    everyone = list(customers(20))
    text = table(as_row(everyone[0]), [as_row(one) for one in everyone[1:]])
    data = proposed(tmp_path, text)
    told = json.dumps(data, ensure_ascii=False)
    assert not [value for value in (*canaries(everyone[0]), everyone[0].email) if value in told]
    assert any("--no-header" in warning for warning in data["warnings"])


def test_a_file_without_header_is_proposed_by_place(tmp_path):
    text = table(as_row(next(customers(1))), [as_row(one) for one in customers(40)])
    data = proposed(tmp_path, text, headerless=True)
    assert column_of(data, "email")["position"] == 4
    assert 'columns = ["#4"]' in data["schema"]
    assert data["columns"][7]["kind"] == "card"


def test_blank_and_doubled_headers_are_named_by_their_place(tmp_path):
    data = proposed(
        tmp_path, "id,phone,phone,\n1,+12025550101,+12025550102,x\n2,+12025550103,+12025550104,y\n"
    )
    assert 'columns = ["#2"]' in data["schema"]
    assert 'columns = ["#3"]' in data["schema"]
    assert 'columns = ["#4"]' in data["schema"]
    assert len(data["warnings"]) >= 2


def test_a_hostile_header_stays_within_its_comment_and_its_string(tmp_path):
    header = 'x"]\n[fields.evil]\ntype = "text'
    data = proposed(
        tmp_path, csv_text([{"id": "1", header: "a"}, {"id": "2", header: "b"}], ["id", header])
    )
    schema = compile_schema(data["schema"], name="customers")
    assert "evil" not in schema.by_name
    assert len(schema.fields) == 2
    again = proposed(tmp_path, "id,\"=cmd|' /C calc'!A0\"\n1,a\n2,b\n")
    assert len(compile_schema(again["schema"], name="customers").fields) == 2


def test_ndjson_is_proposed_by_its_keys(tmp_path):
    rows = [{"customerId": n, "eMail": f"a{n}@example.com", "vip": n % 2 == 0} for n in range(9)]
    data = proposed(tmp_path, "\n".join(map(json.dumps, rows)))
    assert data["customer_ref"] == "customer_id"
    assert column_of(data, "e_mail")["kind"] == "email"
    assert column_of(data, "vip")["kind"] == "status"


@pytest.mark.parametrize("content", ["id,name\n", "", "{}\n"])
def test_a_file_without_rows_or_without_a_key_is_refused(tmp_path, content):
    with pytest.raises(InvalidInput):
        proposed(tmp_path, content)


def test_rows_that_cannot_be_read_are_told(tmp_path):
    rows = [
        '{"id": "1", "name": "Ana"}',
        '{"id": "2", "name": ["Luz"]}',
        '{"id": "3", "name": "Eva"}',
    ]
    data = proposed(tmp_path, "\n".join(rows))
    assert any("1 row(s) cannot be read: holds a list" in warning for warning in data["warnings"])
    with pytest.raises(InvalidInput, match="no row can be read: each has 3 columns"):
        proposed(tmp_path, "id,name\n1,Ana,x\n2,Luz,x\n")


# ── languages ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("header", "kind", "values"),
    [
        ("Teléfono móvil", "phone", [f"+34 612 34 56 {n:02d}" for n in range(12)]),
        ("Correo electrónico", "email", [f"a{n}@example.com" for n in range(9)]),
        ("Fecha de nacimiento", "date_of_birth", ["13/02/1990", "24/12/1985", "01/05/1971"]),
        ("Nº de tarjeta", "card", CARDS),
        ("Domicilio", "address", ["Calle Mayor 1", "Gran Via 2", "Sol 3"]),
        ("Apellido paterno", "name", ["Núñez", "Peña", "Gil"]),
        ("Código postal", "postal_code", ["28001", "08002", "46003"]),
        ("Saldo", "balance", ["10.50", "11.00", "3.25"]),
        ("CURP", "national_id", ["BOXW310820HNERXN09"] * 3),
        ("DNI", "national_id", ["54362315K", "12345678Z", "00000000T"]),
        ("Petsa ng Kapanganakan", "date_of_birth", DATES),
        ("Numero ng telepono", "phone", PHONES),
        ("Tirahan", "address", ["12 Mabini St", "3 Rizal Ave", "9 Luna St"]),
        ("Apelyido", "name", ["Santos", "Reyes", "Cruz"]),
        ("SSS No", "national_id", ["34-1234567-8", "33-7654321-0", "34-1111111-1"]),
        ("Mobile No.", "phone", [f"98765 432{n:02d}" for n in range(12)]),
        ("Father's Name", "relative", ["Ramesh Iyer", "Suresh Patel", "Arun Das"]),
        ("Aadhaar No", "national_id", ["234123412346", "234123412346", "234123412346"]),
        ("PAN", "national_id", ["ACUPA7085R", "ABCPE1234F", "AAAPL1234C"]),
        ("PIN Code", "postal_code", ["560001", "110001", "400001"]),
        ("IFSC Code", "bank_code", ["SBIN0001234", "HDFC0000060", "ICIC0000001"]),
        ("UPI ID", "payment_address", ["asha@okbank", "ravi@upi", "sita@ybl"]),
        ("CPF", "national_id", ["390.533.447-05", "111.444.777-35", "529.982.247-25"]),
        ("Endereço", "address", ["Rua das Flores 1", "Av Paulista 2", "Rua A 3"]),
    ],
)
def test_headers_of_real_files_are_understood(tmp_path, header, kind, values):
    found = one_column(tmp_path, header, values)
    assert found["kind"] == kind, found["reason"]
    assert found["confidence"] >= 0.5
    assert found["reason"]


# ── values decide where headers do not ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"x{n}@example.com" for n in range(9)], "email"),
        (CARDS, "card"),
        (["901-45-6789", "902-12-1234", "903-77-0001"], "national_id"),
        (["DE89370400440532013000", "GB82WEST12345698765432"], "account"),
        ([f"+12025550{n}" for n in range(100, 120)], "phone"),
        (["2024-01-02", "2024-02-28", "2023-11-30"], "date"),
        (["192.0.2.1", "198.51.100.7", "2001:db8::1"], "network_address"),
        (["yes", "no", "no", "yes"], "flag"),
        (["the customer called about " + "x" * 80] * 3, "notes"),
        (["alpha", "beta", "gamma"], "text"),
    ],
)
def test_a_column_that_says_nothing_is_known_by_its_values(tmp_path, values, kind):
    assert one_column(tmp_path, "field 7", values)["kind"] == kind


def test_values_overrule_a_header_that_cannot_be_right(tmp_path):
    found = one_column(tmp_path, "Phone", CARDS)
    assert found["kind"] == "card"
    assert "but" in found["reason"]
    assert one_column(tmp_path, "PAN", CARDS)["kind"] == "card"


def test_what_nobody_recognises_is_kept_behind_a_mask(tmp_path):
    found = one_column(tmp_path, "zqx", ["alpha", "beta", "gamma"])
    assert (found["class"], found["handling"]) == ("C2", "masked")
    assert found["confidence"] <= 0.3


# ── dates and phones ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("values", "written"),
    [
        (["1990-02-03", "1985-12-24"], None),
        (["19900203", "19851224"], None),
        (["13/02/1990", "24/12/1985"], "%d/%m/%Y"),
        (["02/13/1990", "12/24/1985"], "%m/%d/%Y"),
        (["13.2.1990", "4.12.1985"], "%d.%m.%Y"),
        (["13-Feb-1990", "04-Dec-1985"], "%d-%b-%Y"),
        (["13 February 1990", "4 May 1985"], "%d %B %Y"),
        (["Feb 13, 1990", "Dec 24, 1985"], "%b %d, %Y"),
        (["1990/02/13", "1985/12/24"], "%Y/%m/%d"),
    ],
)
def test_the_form_of_dates_is_found(tmp_path, values, written):
    found = one_column(tmp_path, "dob", values)
    assert (found["type"], found["date_format"]) == ("date_of_birth", written)
    assert not found["warnings"]


def test_dates_that_do_not_tell_day_from_month_are_to_be_confirmed(tmp_path):
    found = one_column(tmp_path, "dob", ["01/02/1990", "03/04/1985", "11/12/1971"])
    assert found["date_format"] == "%d/%m/%Y"
    assert found["confidence"] == 0.5
    assert "confirm" in found["warnings"][0]


def test_the_country_of_other_columns_breaks_the_tie(tmp_path):
    rows = [
        {"id": f"K{n}", "sss": f"34-12345{n:02d}-8", "dob": "01/02/1990"} for n in range(10, 30)
    ]
    data = proposed(tmp_path, csv_text(rows, ["id", "sss", "dob"]))
    assert column_of(data, "dob")["date_format"] == "%m/%d/%Y"
    assert "PH" in column_of(data, "dob")["warnings"][0]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["13/02/90", "24/12/85"], "two digits"),
        (["2024-01-02 10:11:12", "2024-02-03 00:00:00"], "a time"),
    ],
)
def test_dates_that_would_be_guessed_are_kept_as_text(tmp_path, values, why):
    found = one_column(tmp_path, "dob", values)
    assert found["type"] == "text"
    assert why in found["reason"]
    assert found["handling"] == "verify_only"


def test_day_first_and_month_first_in_one_column_are_told(tmp_path):
    found = one_column(tmp_path, "dob", ["13/02/1990"] * 8 + ["02/13/1990"])
    assert "some values have the day first" in found["warnings"][0]


@pytest.mark.parametrize(
    ("values", "region"),
    [
        (PHONES, "PH"),
        ([f"(202) 555-01{n:02d}" for n in range(20)], "US"),
        ([f"79991 234{n:02d}" for n in range(20)], "IN"),
        ([f"+63 917 555 01{n:02d}" for n in range(20)], None),
    ],
)
def test_the_region_of_local_phone_numbers_is_found(tmp_path, values, region):
    assert one_column(tmp_path, "phone", values)["region"] == region


def test_local_numbers_that_several_countries_have_are_to_be_confirmed(tmp_path):
    found = one_column(tmp_path, "phone", [f"98765432{n:02d}" for n in range(20)])
    assert found["confidence"] == 0.5
    assert "confirm the region" in found["warnings"][0]


# ── what may not be kept, and what should not stand where it does ───────────────────────────────────────────────
@pytest.mark.parametrize(
    "header",
    [
        "CVV",
        "cvc2",
        "Card security code",
        "Código de seguridad",
        "NIP",
        "ATM PIN",
        "PIN",
        "Clave",
        "mpin",
        "Password",
    ],
)
@pytest.mark.parametrize("values", [["1234", "4321", "9999"], []])
def test_codes_that_nobody_may_keep_are_left_out_by_their_header(tmp_path, header, values):
    found = one_column(tmp_path, header, values or ["", ""])
    assert found["dropped"]
    assert found["field"] is None
    assert "left out" in found["warnings"][0]


def test_three_digits_beside_card_numbers_are_left_out_whatever_their_header(tmp_path):
    rows = [
        {"id": f"K{n}", "card": card, "field9": f"{100 + n * 7}"} for n, card in enumerate(CARDS)
    ]
    data = proposed(tmp_path, csv_text(rows, ["id", "card", "field9"]))
    assert data["columns"][2]["kind"] == "security_code"
    assert data["ignore"] == ["field9"]


def test_a_tax_number_called_nip_is_no_pin_and_an_id_called_cid_no_security_code(tmp_path):
    rows = [{"CID": f"900{n:05d}", "name": "x"} for n in range(20)]
    data = proposed(tmp_path, csv_text(rows, ["CID", "name"]))
    assert data["customer_ref"] == "customer_ref"
    assert 'columns = ["#1"]' in data["schema"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("paid with 4242 4242 4242 4242 today", "a card number"),
        ("her cvv is 123", "a card security code or PIN"),
        ("password: hunter22", "a password"),
        ("key AKIAABCDEFGHIJKLMNOP in the ticket", "a key or credential"),
        ("SSN 901-23-4567 confirmed", "a national id"),
    ],
)
def test_free_text_that_holds_secrets_is_told_without_showing_them(tmp_path, text, what):
    found = one_column(tmp_path, "notes", ["called twice", text, "nothing"])
    assert found["class"] == "C4"
    (warning,) = found["warnings"]
    assert f"{what} in 1" in warning
    assert "4242" not in warning
    assert "hunter22" not in warning


def test_truncated_cards_are_no_cards(tmp_path):
    found = one_column(tmp_path, "card number", [f"424242XXXXXX{n}" for n in range(1000, 1010)])
    assert found["kind"] == "card_last4"
    assert found["type"] == "text"


def test_a_few_bad_values_keep_the_type_and_are_counted(tmp_path):
    values = [f"+12025550{n}" for n in range(100, 140)] + ["none"]
    found = one_column(tmp_path, "phone", values)
    assert found["type"] == "phone"
    assert "1 of 41 sampled values would be rejected" in found["warnings"]


def test_numbers_written_for_people_are_kept_as_text(tmp_path):
    found = one_column(tmp_path, "balance", ["1,234.50", "2,000.00", "12.00"])
    assert (found["kind"], found["type"]) == ("balance", "text")
    assert "kept as text" in found["reason"]


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_records_of_one_customer_get_a_record_key_of_their_own(tmp_path):
    rows = [
        {"customer_no": f"K{n // 3}", "policy no": f"P{n:05d}", "email": "a@example.com"}
        for n in range(60)
    ]
    data = proposed(tmp_path, csv_text(rows, ["customer_no", "policy no", "email"]))
    assert (data["customer_ref"], data["record_key"]) == ("customer_no", "policy_no")


def test_keys_that_are_a_guess_are_to_be_confirmed(tmp_path):
    data = proposed(tmp_path, "colour,size\nred,1\nred,2\nblue,2\n")
    assert any("customer_ref" in warning for warning in data["warnings"])
    assert "# CONFIRM" in data["schema"]


# ── sampling ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_sample_is_spread_over_the_file_and_bounded():
    sample = Sample()
    for number in range(50_000):
        sample.add({0: str(number)})
    assert MOST_SAMPLED / 2 <= len(sample.rows) <= MOST_SAMPLED
    places = [int(row[0]) for row in sample.rows]
    assert places[0] == 0
    assert places[-1] > 49_000


def test_sampled_values_are_kept_out_of_a_column_s_repr():
    sample = Sample()
    sample.add({0: "900-12-3456"})
    (column,) = sample.columns({0: "ssn"})
    assert "900" not in repr(column)
