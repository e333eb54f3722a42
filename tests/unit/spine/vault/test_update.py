from __future__ import annotations

import pytest

from holdfast.kit.errors import Conflict, Denied, InvalidInput
from holdfast.spine.vault.packing import unpack
from holdfast.spine.vault.schema import compile_schema
from holdfast.spine.vault.sweep import sweep
from holdfast.spine.vault.update import changes_of, update_record
from holdfast.vocabulary.levels import Operation
from support.vault import CARDS, SCHEMA_TOML, new_vault, row


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    vault.write(row(1), row(2))
    yield vault
    vault.close()


def test_a_change_makes_a_new_version_and_leaves_the_rest_as_it_was_sealed(vault):
    before = unpack(vault.load(vault.customer(1))[0].row.body)
    vault.update(1, phone="+12025550155", balance="7")
    (loaded,) = vault.load(vault.customer(1))
    after = unpack(loaded.row.body)
    assert loaded.row.version == 2
    assert vault.reveal(1, "phone", "balance", "name") == {
        "phone": "••••••••55",
        "balance": "7",
        "name": "Ana Cruz b",
    }
    assert after.fingerprint == before.fingerprint
    assert {s.data_class: s for s in after.sections}[3] == {
        s.data_class: s for s in before.sections
    }[3]
    assert {field[1] for section in after.sections for field in section.fields} == {1, 2}


def test_a_value_can_be_taken_away(vault):
    vault.update(1, email="")
    assert vault.reveal(1, "email", "name") == {"email": "", "name": "Ana Cruz b"}
    vault.update(1, email="new@example.com")
    assert vault.reveal(1, "email") == {"email": "new@example.com"}


def test_the_token_of_a_card_stays_with_the_card(vault):
    token = vault.reveal(1, "card")["card"]
    vault.update(1, card=row(1)["card"])
    assert vault.reveal(1, "card")["card"] == token
    vault.update(1, card=CARDS[0])
    assert vault.reveal(1, "card")["card"] != token


def test_a_class_that_the_customer_had_no_key_for_gets_one(vault):
    schema = vault.schema
    vault.schema = compile_schema(
        SCHEMA_TOML + '[fields.note]\ntype = "text"\nclass = "C0"\nhandling = "clear"\n',
        name="accounts",
        previous=schema,
    )
    vault.update(1, note="calls back")
    assert vault.reveal(1, "note", "name") == {"note": "calls back", "name": "Ana Cruz b"}
    assert vault.reveal(2, "note") == {"note": ""}


def test_after_a_sweep_nothing_of_the_old_value_is_left_in_the_index(vault):
    count = "SELECT COUNT(*) FROM keyring_index"
    before = vault.sql(count, store="keys")
    vault.update(1, phone="+12025550155")
    vault.update(1, email="")
    assert vault.sql(count, store="keys")[0][0] == before[0][0] + 1
    assert sweep(vault.house).tidied == 2
    assert vault.sql(count, store="keys")[0][0] == before[0][0] - 1
    assert vault.sql("SELECT COUNT(*) FROM keyring_head", store="keys") == [(2,)]
    assert vault.sql("SELECT COUNT(*) FROM keyring_operation", store="keys") == [(0,)]
    assert vault.reveal(1, "phone") == {"phone": "••••••••55"}
    assert sweep(vault.house) == (0, 0)


def test_a_record_that_changed_meanwhile_is_not_overwritten(vault):
    customer = vault.customer(1)
    (stale,) = vault.load(customer)
    vault.update(1, phone="+12025550155")
    permit = vault.permit(customer, "balance", operation=Operation.UPDATE)
    with pytest.raises(Conflict):
        vault.house.transact(
            update_record(
                permit, stale, vault.schema, {"balance": "9"}, operation="op_late", now_us=1
            )
        )
    assert vault.reveal(1, "balance", "phone") == {"balance": "1.50", "phone": "••••••••55"}
    assert vault.sql("SELECT COUNT(*) FROM vault_operation WHERE id = 'op_late'") == [(0,)]


def test_a_change_that_rolls_back_leaves_the_record_readable(vault):
    customer = vault.customer(1)
    (loaded,) = vault.load(customer)
    permit = vault.permit(customer, "phone", operation=Operation.UPDATE)
    values = {"phone": "+12025550155"}

    def fails():
        yield from update_record(permit, loaded, vault.schema, values, operation="op_1", now_us=1)
        raise Conflict("later in the same transaction")

    with pytest.raises(Conflict):
        vault.house.transact(fails())
    assert vault.reveal(1, "phone") == {"phone": "••••••••01"}
    vault.update(1, phone="+12025550166")
    assert vault.reveal(1, "phone") == {"phone": "••••••••66"}


@pytest.mark.parametrize(
    ("operation", "fields"),
    [(Operation.REVEAL, ["phone"]), (Operation.UPDATE, ["email"])],
)
def test_a_change_needs_a_permit_for_it(vault, operation, fields):
    customer = vault.customer(1)
    (loaded,) = vault.load(customer)
    permit = vault.permit(customer, *fields, operation=operation)
    with pytest.raises(Denied):
        vault.house.transact(
            update_record(
                permit, loaded, vault.schema, {"phone": "+12025550155"}, operation="op_1", now_us=1
            )
        )


def test_another_customer_s_record_is_not_changed(vault):
    (loaded,) = vault.load(vault.customer(2))
    permit = vault.permit(vault.customer(1), "phone", operation=Operation.UPDATE)
    with pytest.raises(Denied):
        vault.house.transact(
            update_record(
                permit, loaded, vault.schema, {"phone": "+12025550155"}, operation="op_1", now_us=1
            )
        )


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"customer_no": "C-9"}, Denied),
        ({"account_no": "A9"}, Denied),
        ({"nothing": "x"}, InvalidInput),
        ({"phone": "12"}, InvalidInput),
    ],
)
def test_what_an_update_may_not_change_is_refused(vault, values, error):
    with pytest.raises(error):
        changes_of(vault.schema, values)


def test_a_field_that_only_an_action_changes_is_refused():
    schema = compile_schema(
        SCHEMA_TOML.replace("[fields.dob]", 'change = "act:move"\n[fields.dob]'), name="accounts"
    )
    with pytest.raises(Denied, match="move"):
        changes_of(schema, {"email": "new@example.com"})
