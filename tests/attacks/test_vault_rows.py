"""Somebody who can write the stores, but has no key, moves, edits, removes or rolls back what is sealed."""

from __future__ import annotations

from dataclasses import replace as changed

import msgspec
import pytest

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.decision.verdict import make_permit
from holdfast.spine.vault.load import load_records
from holdfast.spine.vault.packing import Body, IndexHit, Place, row_digest, unpack
from holdfast.spine.vault.records import confirm_hit, index_confirms, open_fields
from holdfast.spine.vault.sweep import sweep
from holdfast.vocabulary.levels import Operation, Presentation
from support.vault import OTHER_CLIENT, new_vault, row


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    vault.write(row(1), row(2), row(3, customer_no=row(1)["customer_no"]))
    yield vault
    vault.close()


def bodies(vault):
    return dict(vault.sql("SELECT id, body FROM vault_record"))


def records_of(vault, number=1):
    return [one.row.id for one in vault.load(vault.customer(number))]


def replace(vault, record, body, *, forge_head=True):
    """Write a body, and with it the head that one who had the head's key would write.

    That key is given away here on purpose: what follows must hold even without the head.
    """
    vault.sql("UPDATE vault_record SET body = ? WHERE id = ?", body, record)
    if forge_head:
        customer, version = vault.sql(
            "SELECT customer, version FROM vault_record WHERE id = ?", record
        )[0]
        digest = row_digest(vault.keys, Place("accounts", customer, record, version), body)
        vault.sql(
            "UPDATE keyring_head SET digest = ? WHERE record = ?", digest, record, store="keys"
        )


def opened(vault, number=1, place=0):
    customer = vault.customer(number)
    loaded = vault.load(customer)[place]
    return open_fields(vault.permit(customer, *vault.showable()), loaded, vault.schema)


def repack(body, change):
    packed: Body = unpack(body)
    change(packed)
    return msgspec.msgpack.encode(packed)


def refuses(vault, number=1, place=0):
    with pytest.raises(IntegrityBroken):
        opened(vault, number, place)


def test_ciphertext_moved_to_another_customer_is_refused(vault):
    (one, _), (two,) = records_of(vault, 1), records_of(vault, 2)
    replace(vault, two, bodies(vault)[one])
    refuses(vault, 2)


def test_ciphertext_swapped_between_two_records_of_one_customer_is_refused(vault):
    one, other = records_of(vault, 1)
    before = bodies(vault)
    replace(vault, one, before[other])
    replace(vault, other, before[one])
    refuses(vault, 1, 0)
    refuses(vault, 1, 1)


def test_two_fields_of_one_class_swapped_are_refused(vault):
    one = records_of(vault)[0]

    def swap(packed):
        fields = packed.sections[0].fields
        (a, va, box_a), (b, vb, box_b) = fields[0], fields[1]
        fields[0], fields[1] = (a, va, box_b), (b, vb, box_a)

    replace(vault, one, repack(bodies(vault)[one], swap))
    refuses(vault)


def test_the_fields_of_two_classes_swapped_are_refused(vault):
    one = records_of(vault)[0]

    def swap(packed):
        low, high = packed.sections[0], packed.sections[1]
        low.fields, high.fields, low.manifest, high.manifest = (
            high.fields,
            low.fields,
            high.manifest,
            low.manifest,
        )

    replace(vault, one, repack(bodies(vault)[one], swap))
    refuses(vault)


def test_a_field_taken_out_is_noticed_by_who_asks_for_another(vault):
    one = records_of(vault)[0]
    name = vault.schema.by_name["name"].number

    def take_out(packed):
        packed.sections[0].fields = [
            field for field in packed.sections[0].fields if field[0] != name
        ]

    replace(vault, one, repack(bodies(vault)[one], take_out))
    customer = vault.customer(1)
    with pytest.raises(IntegrityBroken):
        open_fields(vault.permit(customer, "email"), vault.load(customer)[0], vault.schema)


def test_a_field_of_an_earlier_version_put_back_is_refused(vault):
    two = records_of(vault, 2)[0]
    old = {f[0]: f for s in unpack(bodies(vault)[two]).sections for f in s.fields}
    vault.update(2, email="new@example.com")
    sweep(vault.house)
    email = vault.schema.by_name["email"].number

    def put_back(packed):
        packed.sections[0].fields = [
            old[email] if field[0] == email else field for field in packed.sections[0].fields
        ]

    replace(vault, two, repack(bodies(vault)[two], put_back))
    refuses(vault, 2)


def test_a_whole_class_taken_out_is_refused_without_the_head_s_key(vault):
    one = records_of(vault)[0]

    def take_out(packed):
        packed.sections = packed.sections[1:]

    replace(vault, one, repack(bodies(vault)[one], take_out), forge_head=False)
    refuses(vault)


def test_an_older_copy_of_the_row_put_back_is_refused_before_and_after_the_sweep(vault):
    two = records_of(vault, 2)[0]
    old = vault.sql("SELECT version, body, operation FROM vault_record WHERE id = ?", two)[0]
    vault.update(2, email="new@example.com")
    vault.sql(
        "UPDATE vault_record SET version = ?, body = ?, operation = ? WHERE id = ?", *old, two
    )
    refuses(vault, 2)
    sweep(vault.house)
    refuses(vault, 2)


def test_an_older_copy_of_the_whole_data_store_is_refused_for_what_changed_since(vault):
    vault.update(2, email="new@example.com")
    sweep(vault.house)
    two = records_of(vault, 2)[0]
    vault.sql("UPDATE vault_record SET version = 1 WHERE id = ?", two)
    vault.sql("DELETE FROM vault_operation WHERE kind = 'update'")
    refuses(vault, 2)
    assert opened(vault, 1)


@pytest.mark.parametrize("column", ["version", "operation", "collection", "customer"])
def test_an_edited_column_is_refused(vault, column):
    customer = vault.customer(2)
    (loaded,) = vault.load(customer)
    edited = {
        "version": 2,
        "operation": "op_x",
        "collection": "loans",
        "customer": vault.customer(1),
    }
    loaded = loaded._replace(row=loaded.row._replace(**{column: edited[column]}))
    permit = make_permit(
        vault.client,
        loaded.row.customer,
        loaded.row.collection,
        operation=Operation.REVEAL,
        fields={"name": Presentation.CLEAR},
    )
    schema = vault.schema
    if column == "collection":
        schema = changed(schema, name="loans")
    with pytest.raises(IntegrityBroken):
        open_fields(permit, loaded, schema)


def test_every_bit_of_a_row_counts(vault):
    (loaded,) = vault.load(vault.customer(2))
    body = loaded.row.body
    permit = vault.permit(loaded.row.customer, "name")
    for position in range(0, len(body), 7):
        edited = body[:position] + bytes((body[position] ^ 1,)) + body[position + 1 :]
        broken = loaded._replace(row=loaded.row._replace(body=edited))
        with pytest.raises(IntegrityBroken):
            open_fields(permit, broken, vault.schema)


def test_a_removed_head_is_refused(vault):
    vault.sql("DELETE FROM keyring_head WHERE record = ?", records_of(vault, 2)[0], store="keys")
    refuses(vault, 2)
    assert opened(vault, 1)


def test_a_head_of_another_record_is_refused(vault):
    one, two = records_of(vault, 1)[0], records_of(vault, 2)[0]
    vault.sql(
        "UPDATE keyring_head SET digest = (SELECT digest FROM keyring_head WHERE record = ?) WHERE record = ?",
        one,
        two,
        store="keys",
    )
    refuses(vault, 2)


def test_a_wrapped_key_moved_to_another_customer_or_class_is_refused(vault):
    mine, other = vault.customer(2), vault.customer(1)
    key = "SELECT wrapped FROM keyring_dek WHERE customer = ? AND data_class = ?"
    for customer, data_class in ((other, 1), (mine, 2)):
        (wrapped,) = vault.sql(key, customer, data_class, store="keys")[0]
        (own,) = vault.sql(key, mine, 1, store="keys")[0]
        put = "UPDATE keyring_dek SET wrapped = ? WHERE customer = ? AND data_class = 1"
        vault.sql(put, wrapped, mine, store="keys")
        refuses(vault, 2)
        vault.sql(put, own, mine, store="keys")
        assert opened(vault, 2)


def test_a_swapped_commitment_is_refused(vault):
    swap = """UPDATE keyring_dek SET commitment =
        (SELECT commitment FROM keyring_dek WHERE customer = ? AND data_class = 1) WHERE customer = ?"""
    vault.sql(swap, vault.customer(1), vault.customer(2), store="keys")
    refuses(vault, 2)


def test_another_client_s_rows_do_not_open_as_one_s_own(vault, tmp_path):
    other = new_vault(tmp_path, client=OTHER_CLIENT)
    customer = vault.customer(2)
    for table in ("vault_customer", "vault_record"):
        vault.sql(f"UPDATE {table} SET client = ?", OTHER_CLIENT)
    for table in ("keyring_dek", "keyring_head"):
        vault.sql(f"UPDATE {table} SET client = ?", OTHER_CLIENT, store="keys")
    (loaded,) = other.house.read(load_records(other.keys, customer, "accounts"))
    with pytest.raises(IntegrityBroken):
        open_fields(other.permit(customer, "name"), loaded, other.schema)
    other.close()


def test_an_index_entry_led_to_another_customer_does_not_count(vault):
    phone = vault.schema.by_name["phone"].number
    (victim,) = vault.load(vault.customer(2))
    mine = vault.sql(
        "SELECT customer, record, version, operation FROM keyring_index WHERE customer = ? AND field = ?",
        vault.customer(1),
        phone,
        store="keys",
    )[0]
    assert not index_confirms(victim.row, phone, IndexHit(*mine))
    # even with record and operation forged to fit, the value itself does not agree
    permit = vault.permit(victim.row.customer, "phone", operation=Operation.SEARCH)
    assert not confirm_hit(permit, victim, vault.schema, ("phone", row(1)["phone"]))
