from __future__ import annotations

import json
import re

import pytest

from holdfast.kit.db import Statement
from holdfast.spine.vault import store
from holdfast.spine.vault.commitments import commit_manifests
from holdfast.spine.vault.drafting import draft
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.schema import compile_schema
from support.vault import CARDS, SCHEMA_TOML, new_vault, row, schema_of


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    yield vault
    vault.close()


def count(vault, table, store_="keys"):
    return vault.sql(f"SELECT COUNT(*) FROM {table} WHERE client = ?", vault.client, store=store_)[
        0
    ][0]


def test_a_row_comes_back_as_it_was_given(vault):
    assert vault.write(row(1))[:4] == (1, 0, 0, 0)
    shown = vault.reveal(1)
    assert shown["name"] == "Ana Cruz b"
    assert shown["email"] == "ana1@example.com"
    assert shown["phone"] == "••••••••01"
    assert shown["national_id"] == "•••••0001"
    assert shown["account_no"] == "••••••••0001"
    assert shown["balance"] == "1.50"
    assert shown["card"].startswith("tok_")


def test_a_second_run_changes_nothing(vault):
    rows = [row(n) for n in range(1, 20)]
    assert vault.write(*rows)[:4] == (19, 0, 0, 0)
    before = [
        count(vault, t)
        for t in ("keyring_dek", "keyring_index", "keyring_head", "keyring_import_key")
    ]
    leaves = len(vault.leaves())
    assert vault.write(*rows)[:4] == (0, 0, 19, 0)
    assert before == [
        count(vault, t)
        for t in ("keyring_dek", "keyring_index", "keyring_head", "keyring_import_key")
    ]
    assert len(vault.leaves()) == leaves


def test_a_changed_row_makes_a_new_version_and_leaves_nothing_of_the_old_in_the_index(vault):
    vault.write(row(1), row(2))
    assert vault.write(row(1, phone="+12025550199"), row(2))[:4] == (0, 1, 1, 0)
    (loaded,) = vault.load(vault.customer(1))
    assert loaded.row.version == 2
    assert vault.reveal(1, "phone") == {"phone": "••••••••99"}
    assert count(vault, "keyring_index") == 2 * 4
    assert count(vault, "keyring_head") == 2
    assert count(vault, "keyring_operation") == 0


def test_the_token_of_a_card_stays_while_the_card_stays(vault):
    vault.write(row(1, card=CARDS[0]))
    token = vault.reveal(1, "card")["card"]
    vault.write(row(1, card=CARDS[0], balance="99"))
    assert vault.reveal(1, "card")["card"] == token
    vault.write(row(1, card=CARDS[1]))
    assert vault.reveal(1, "card")["card"] != token


def test_a_row_that_stands_twice_in_a_batch_ends_as_the_later_one(vault):
    assert vault.write(row(1, balance="1"), row(2), row(1, balance="2"))[:4] == (2, 1, 0, 0)
    assert vault.reveal(1, "balance") == {"balance": "2"}


def test_two_records_of_one_customer_share_its_keys(vault):
    vault.write(row(1), row(2, customer_no=row(1)["customer_no"]))
    assert len(vault.load(vault.customer(1))) == 2
    assert count(vault, "vault_customer", "data") == 1
    assert count(vault, "keyring_dek") == len(vault.schema.classes)


def test_the_same_number_in_two_collections_is_the_same_customer(vault):
    text = """
owner = "Loans"
customer_ref = "no"
record_key = "loan"
[fields.no]
type = "text"
class = "C1"
handling = "clear"
[fields.loan]
type = "account"
class = "C2"
handling = "clear"
"""
    loans = schema_of(text, "loans")
    vault.write(row(1))
    vault.write({"no": " C-000001", "loan": "L1"}, {"no": "C-000002", "loan": "L2"}, schema=loans)
    assert len(vault.load(vault.customer(1), "loans")) == 1
    assert count(vault, "vault_customer", "data") == 2


def test_bad_rows_are_rejected_one_by_one_without_a_value(vault):
    result = vault.write(
        row(1),
        row(2, phone="not a number 4111111111111111"),
        row(3, card="4111111111111112"),
        row(4, customer_no=""),
        row(5, dob="31/12/1990"),
        row(6, email="x" * 17_000),
    )
    assert result.new == 1
    assert [(bad.number, bad.field) for bad in result.rejected] == [
        (1, "phone"),
        (2, "card"),
        (3, "customer_no"),
        (4, "dob"),
        (5, "email"),
    ]
    assert "4111" not in repr(result)


def test_a_record_key_does_not_move_to_another_customer(vault):
    vault.write(row(1))
    stolen = row(2, account_no=row(1)["account_no"])
    result = vault.write(stolen)
    assert result.new == result.changed == 0
    assert "another customer" in result.rejected[0].reason
    again = vault.write(row(3), row(4, account_no=row(3)["account_no"]))
    assert (again.new, again.changed, len(again.rejected)) == (1, 0, 1)


def test_a_preview_writes_nothing_and_says_the_same(vault):
    vault.write(row(1), row(2))
    with vault.writer() as writer:
        before = writer.preview([row(1), row(2, balance="7"), row(3), row(4, dob="x")])
    assert before[:4] == (1, 1, 1, 0)
    assert len(before.rejected) == 1
    assert count(vault, "vault_record", "data") == 2
    assert vault.reveal(2, "balance") == {"balance": "2.50"}


def test_each_batch_leaves_a_leaf_with_counts_and_no_value(vault):
    vault.write(row(1), row(2))
    (entry,) = vault.leaves()
    leaf = json.loads(entry)
    assert (leaf["type"], leaf["new"], leaf["changed"]) == ("records.imported", 2, 0)
    assert len(leaf["manifests"]) == 64
    for value in (*row(1).values(), *row(2).values()):
        assert value.encode() not in entry


def test_the_leaf_commits_to_the_manifests_that_were_written(vault):
    vault.write(row(1), row(2))
    (salt,) = vault.sql("SELECT salt FROM vault_operation")[0]
    heads = vault.sql("SELECT record, digest FROM keyring_head", store="keys")
    assert json.loads(vault.leaves()[0])["manifests"] == commit_manifests(salt, heads)
    assert commit_manifests(salt, heads[:1]) != commit_manifests(salt, heads)


def test_many_batches_are_cut_so_that_no_lock_is_held_long(vault):
    assert vault.write(*(row(n) for n in range(1, 700))).new == 699
    assert len(vault.leaves()) == 3


def test_a_change_of_the_schema_reseals_the_rows_at_the_next_import(vault):
    vault.write(row(1))
    harder = compile_schema(
        SCHEMA_TOML.replace(
            'class = "C1"\nhandling = "clear"\nindex = "search"\nindex_bits = 16',
            'class = "C3"\nhandling = "masked"',
        ),
        name="accounts",
        previous=vault.schema,
    )
    assert vault.write(row(1), schema=harder).changed == 1
    vault.schema = harder
    assert vault.reveal(1, "name") == {"name": "A••••• B•••••"}


def test_what_an_update_changed_survives_the_same_file_again(vault):
    vault.write(row(1))
    vault.update(1, phone="+12025550155")
    assert vault.write(row(1)).unchanged == 1
    assert vault.reveal(1, "phone") == {"phone": "••••••••55"}


def test_a_customer_that_another_writer_was_faster_with_is_not_made_twice(vault):
    with vault.writer() as slow, vault.writer() as fast:
        # the slow one has looked and sealed, the fast one writes, then the slow one goes on
        read, _ = slow._read([row(1), row(2)])
        stale = draft(slow._tools, read, slow._known(read), now_us=vault.clock.now_us())
        assert fast.write([row(1)]).new == 1
        assert not slow._add_keys(stale)
        assert slow.write([row(1), row(2)])[:4] == (1, 0, 1, 0)
    assert count(vault, "vault_customer", "data") == 2
    assert vault.reveal(1, "name") == {"name": "Ana Cruz b"}
    assert vault.reveal(2, "name") == {"name": "Ana Cruz c"}


def test_a_record_that_an_update_changed_meanwhile_is_looked_at_again(vault):
    vault.write(row(1))
    with vault.writer() as writer:
        read, _ = writer._read([row(1, balance="7")])
        stale = draft(writer._tools, read, writer._known(read), now_us=vault.clock.now_us())
        assert writer._add_keys(stale)
        vault.update(1, email="new@example.com")
        assert not writer._commit(stale)
        writer._withdraw(stale)
        assert vault.reveal(1, "email", "balance") == {
            "email": "new@example.com",
            "balance": "1.50",
        }
        assert writer.write([row(1, balance="7")]).changed == 1
    assert vault.reveal(1, "balance") == {"balance": "7"}


def test_statements_of_the_writer_name_their_parameters_in_the_order_of_the_columns():
    for statement in (*vars(store).values(), *vars(keyring).values()):
        if (
            isinstance(statement, Statement)
            and "_many_" in statement.name
            and "VALUES" in statement.text
        ):
            columns = re.findall(r"[a-z_]+", re.search(r"\(([^)]*)\) VALUES", statement.text)[1])
            names = re.findall(r":([a-z_]+)", statement.text)
            assert names == [column for column in columns if column in names]
