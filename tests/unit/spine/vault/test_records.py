from __future__ import annotations

import pytest

from holdfast.kit.errors import Denied, IntegrityBroken, InvalidInput
from holdfast.kit.secret import Secret
from holdfast.spine.decision.verdict import make_permit
from holdfast.spine.vault.blindindex import index_token
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.packing import unpack
from holdfast.spine.vault.records import (
    IndexHit,
    confirm_hit,
    dummy_match,
    dummy_open,
    index_confirms,
    match_answer,
    match_answers,
    open_fields,
)
from holdfast.vocabulary.levels import Operation, Presentation
from support.vault import new_vault, row


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    vault.write(row(1), row(2))
    yield vault
    vault.close()


@pytest.fixture
def loaded(vault):
    return vault.load(vault.customer(1))[0]


def matches(vault, loaded, **answers):
    permit = vault.permit(loaded.row.customer, *answers, operation=Operation.VERIFY)
    return match_answers(permit, loaded, vault.schema, answers)


def test_only_what_the_permit_names_comes_out_and_in_a_box(vault, loaded):
    permit = vault.permit(loaded.row.customer, "name", "phone")
    opened = open_fields(permit, loaded, vault.schema)
    assert opened == {"name": Secret("Ana Cruz b"), "phone": Secret("••••••••01")}
    assert "Ana" not in repr(opened)


def test_only_the_classes_that_are_asked_for_are_unwrapped(vault, loaded):
    only_c1 = loaded._replace(deks=[dek for dek in loaded.deks if dek[0] == 1])
    assert open_fields(vault.permit(loaded.row.customer, "name"), only_c1, vault.schema)
    with pytest.raises(IntegrityBroken, match="C2"):
        open_fields(vault.permit(loaded.row.customer, "balance"), only_c1, vault.schema)


def test_a_withheld_field_is_not_opened(vault, loaded):
    shown = {"name": Presentation.CLEAR, "balance": Presentation.WITHHELD}
    permit = make_permit(
        vault.client, loaded.row.customer, "accounts", operation=Operation.REVEAL, fields=shown
    )
    only_c1 = loaded._replace(deks=[dek for dek in loaded.deks if dek[0] == 1])
    assert list(open_fields(permit, only_c1, vault.schema)) == ["name"]


def test_a_field_without_a_value_is_empty_or_its_mask(vault):
    vault.write(row(3, balance="", phone="", card=""))
    assert vault.reveal(3, "balance", "phone", "card") == {
        "balance": "",
        "phone": "••••••••••",
        "card": "",
    }


@pytest.mark.parametrize("field", ["dob"])
@pytest.mark.parametrize("how", [Presentation.CLEAR, Presentation.MASKED])
def test_no_permit_shows_a_verify_only_field(vault, loaded, field, how):
    permit = make_permit(
        vault.client,
        loaded.row.customer,
        "accounts",
        operation=Operation.REVEAL,
        fields={field: how},
    )
    with pytest.raises(Denied):
        open_fields(permit, loaded, vault.schema)


def test_no_permit_shows_a_masked_field_in_clear(vault, loaded):
    permit = make_permit(
        vault.client,
        loaded.row.customer,
        "accounts",
        operation=Operation.REVEAL,
        fields={"phone": Presentation.CLEAR},
    )
    with pytest.raises(Denied, match="masked"):
        open_fields(permit, loaded, vault.schema)


def test_a_search_shows_nothing_in_clear(vault, loaded):
    permit = make_permit(
        vault.client,
        loaded.row.customer,
        "accounts",
        operation=Operation.SEARCH,
        fields={"name": Presentation.CLEAR},
    )
    with pytest.raises(Denied):
        open_fields(permit, loaded, vault.schema)
    masked = vault.permit(loaded.row.customer, "name", operation=Operation.SEARCH, clear=False)
    assert open_fields(masked, loaded, vault.schema) == {"name": Secret("A••••• B•••••")}


def test_a_card_is_kept_as_token_first_six_and_last_four(vault, loaded):
    number = row(1)["card"]
    clear = vault.reveal(1, "card")["card"]
    masked = vault.permit(loaded.row.customer, "card", clear=False)
    assert clear.startswith("tok_")
    assert len(clear) == 30
    assert (
        open_fields(masked, loaded, vault.schema)["card"].reveal()
        == f"{number[:6]}••••••{number[-4:]}"
    )
    assert number.encode() not in loaded.row.body


def test_an_answer_is_compared_in_any_way_of_writing_it(vault, loaded):
    assert matches(vault, loaded, dob="1990-02-02")
    assert matches(vault, loaded, phone="(0) 12025550101") is False
    assert matches(vault, loaded, phone="+1 (202) 555-0101")
    assert matches(vault, loaded, name="  ANA cruz B ")
    assert matches(vault, loaded, national_id="900120001")
    assert not matches(vault, loaded, dob="1990-02-03")
    assert not matches(vault, loaded, dob="02/02/1990")
    assert not matches(vault, loaded, dob="")


def test_a_card_is_verified_by_its_number_or_its_last_four(vault, loaded):
    number = row(1)["card"]
    assert matches(vault, loaded, card=f"{number[:4]} {number[4:]}")
    assert matches(vault, loaded, card=number[-4:])
    assert not matches(vault, loaded, card="0000")
    assert not matches(vault, loaded, card=row(2)["card"])


def test_several_answers_have_one_verdict(vault, loaded):
    assert matches(vault, loaded, dob="1990-02-02", card=row(1)["card"])
    assert not matches(vault, loaded, dob="1990-02-02", card=row(2)["card"])
    assert not matches(vault, loaded, dob="1990-02-09", card=row(1)["card"])


def test_an_absent_value_matches_no_answer(vault):
    vault.write(row(3, dob="", card=""))
    (loaded,) = vault.load(vault.customer(3))
    for answer in ("", "1990-02-04", "-"):
        assert not matches(vault, loaded, dob=answer)
    assert not matches(vault, loaded, card="")


def test_answers_need_a_permit_to_verify_these(vault, loaded):
    reveal = vault.permit(loaded.row.customer, "name")
    with pytest.raises(Denied):
        match_answer(reveal, loaded, vault.schema, "name", answer="Ana Cruz b")
    verify = vault.permit(loaded.row.customer, "dob", operation=Operation.VERIFY)
    for wrong in ({"name": "Ana"}, {"dob": "1990-02-02", "name": "Ana"}, {}):
        with pytest.raises(Denied):
            match_answers(verify, loaded, vault.schema, wrong)


def test_a_permit_is_for_one_place(vault, loaded):
    place = (vault.client, loaded.row.customer, "accounts")
    for wrong in (
        ("telco-01", *place[1:]),
        (place[0], vault.customer(2), place[2]),
        (*place[:2], "loans"),
    ):
        permit = make_permit(
            *wrong, operation=Operation.REVEAL, fields={"name": Presentation.CLEAR}
        )
        with pytest.raises(Denied):
            open_fields(permit, loaded, vault.schema)


def test_an_unknown_field_is_the_caller_s_mistake(vault, loaded):
    permit = make_permit(
        vault.client,
        loaded.row.customer,
        "accounts",
        operation=Operation.REVEAL,
        fields={"x": Presentation.CLEAR},
    )
    with pytest.raises(InvalidInput):
        open_fields(permit, loaded, vault.schema)


def hits(vault, field, text):
    spec = vault.schema.by_name[field]
    token = index_token(vault.keys, "accounts", spec, text)
    found = vault.ask_keys(
        keyring.INDEX_HITS,
        client=vault.client,
        collection="accounts",
        field=spec.number,
        token=token,
        most=9,
    )
    return spec.number, [IndexHit(*one) for one in found]


def test_the_index_finds_whose_value_it_is(vault, loaded):
    number, (hit,) = hits(vault, "phone", "+1 202 555 0101")
    assert hit.customer == loaded.row.customer
    assert index_confirms(loaded.row, number, hit)
    assert not index_confirms(vault.load(vault.customer(2))[0].row, number, hit)


def test_a_superseded_or_prepared_entry_does_not_count(vault, loaded):
    number, (hit,) = hits(vault, "phone", "+12025550101")
    assert not index_confirms(loaded.row, number, hit._replace(operation="op_other"))
    assert not index_confirms(loaded.row, number, hit._replace(version=2))
    vault.update(1, phone="+12025550155")
    (changed,) = vault.load(vault.customer(1))
    assert not index_confirms(changed.row, number, hit)
    number, (fresh,) = hits(vault, "phone", "+12025550155")
    assert index_confirms(changed.row, number, fresh)
    other, (email,) = hits(vault, "email", "ana1@example.com")
    assert index_confirms(changed.row, other, email)


def test_a_short_token_is_confirmed_by_the_value(vault, loaded):
    permit = vault.permit(loaded.row.customer, "name", operation=Operation.SEARCH, clear=False)
    assert confirm_hit(permit, loaded, vault.schema, ("name", "ANA CRUZ B"))
    assert not confirm_hit(permit, loaded, vault.schema, ("name", "Ana Cruz c"))
    with pytest.raises(Denied):
        confirm_hit(vault.permit(loaded.row.customer, "name"), loaded, vault.schema, ("name", "x"))


def test_a_decoy_is_opened_for_any_names_even_unknown_ones(vault):
    dummy_open(vault.keys, vault.schema, [*vault.schema.by_name, "no_such_field"])
    dummy_open(vault.keys, vault.schema, [])
    dummy_match(
        vault.keys, vault.schema, {"dob": "1990-02-03", "card": "1111", "no_such_field": "x"}
    )


def test_a_row_holds_no_value_in_clear(vault, loaded):
    packed = unpack(loaded.row.body)
    assert [section.data_class for section in packed.sections] == [1, 2, 3, 4]
    for value in row(1).values():
        assert value.encode() not in loaded.row.body
