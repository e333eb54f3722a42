"""The process dies between any two writes of an import, a change or an erasure (SPINE 18).

Whatever had committed decrypts; a second run ends where an undisturbed one would have; the sweep then leaves what an
undisturbed one would have left.
"""

from __future__ import annotations

import pytest

from holdfast.kit.clock import HOUR_US
from holdfast.spine.vault.records import open_fields
from holdfast.spine.vault.shred import (
    certificates_of,
    complete,
    complete_together,
    complete_unfinished,
    request_shred,
)
from holdfast.spine.vault.sweep import sweep
from holdfast.spine.vault.update import update_record
from holdfast.vocabulary.levels import Operation
from support.vault import CLIENT, Killed, MortalHouse, Vault, new_vault, row

FIRST = [row(n) for n in range(1, 4)]
SECOND = [
    row(1),
    row(2, phone="+12025550155", card="5555555555554444"),
    row(4),
    row(5, customer_no="C-000001"),
]
TABLES = ("dek", "index", "import_key", "head", "operation", "customer", "tombstone")
MOST_WRITES = 400


def counts(vault: Vault) -> dict[str, int]:
    return {t: vault.sql(f"SELECT COUNT(*) FROM keyring_{t}", store="keys")[0][0] for t in TABLES}


def all_rows_decrypt(vault: Vault) -> int:
    """Open every record that is committed; return how many."""
    opened = 0
    for (customer,) in vault.sql("SELECT id FROM vault_customer WHERE state = 'live' ORDER BY id"):
        for loaded in vault.load(customer):
            fields = open_fields(vault.permit(customer, *vault.showable()), loaded, vault.schema)
            assert fields["name"].reveal()
            opened += 1
    return opened


def prepared(tmp_path, name: str) -> Vault:
    vault = new_vault(tmp_path / name)
    vault.write(*FIRST)
    return vault


def dies_after_each_write(tmp_path, act):
    """Run ``act(vault, house)`` with one more write each time, until it lives; yield the vault after each death."""
    for lives in range(1, MOST_WRITES):
        vault = prepared(tmp_path, str(lives))
        house = MortalHouse(vault.house, lives)
        try:
            act(vault, house)
        except Killed:
            vault.reopen()
            yield vault
            vault.close()
        else:
            vault.close()
            return
    pytest.fail("it never came to its end")


@pytest.mark.slow
def test_an_import_killed_between_any_two_writes(tmp_path):
    def act(vault, house):
        with vault.writer(house=house) as writer:
            writer.write(SECOND)

    undisturbed = prepared(tmp_path, "undisturbed")
    undisturbed.write(*SECOND)
    undisturbed.clock.advance(HOUR_US)
    sweep(undisturbed.house)
    expected = counts(undisturbed)
    deaths = 0
    for vault in dies_after_each_write(tmp_path, act):
        deaths += 1
        assert all_rows_decrypt(vault) in {3, 5}
        vault.write(*SECOND)
        assert all_rows_decrypt(vault) == 5
        vault.clock.advance(HOUR_US)
        sweep(vault.house)
        assert counts(vault) == expected
        assert all_rows_decrypt(vault) == 5
        assert vault.write(*SECOND).unchanged == 4
    assert deaths > 30
    undisturbed.close()


@pytest.mark.slow
def test_an_import_killed_and_only_swept_leaves_what_was_committed(tmp_path):
    def act(vault, house):
        with vault.writer(house=house) as writer:
            writer.write(SECOND)

    before = prepared(tmp_path, "before")
    untouched = counts(before)
    before.close()
    for vault in dies_after_each_write(tmp_path, act):
        vault.clock.advance(HOUR_US)
        sweep(vault.house)
        if all_rows_decrypt(vault) == 3:
            assert counts(vault) == untouched
        else:
            assert counts(vault)["operation"] == 0


@pytest.mark.slow
def test_a_change_killed_between_any_two_writes(tmp_path):
    def act(vault, house):
        customer = vault.customer(1)
        (loaded,) = vault.load(customer)
        values = {"phone": "+12025550155", "card": "5555555555554444"}
        permit = vault.permit(customer, *values, operation=Operation.UPDATE)
        house.transact(
            update_record(
                permit,
                loaded,
                vault.schema,
                values,
                operation="op_change",
                now_us=vault.clock.now_us(),
            )
        )

    deaths = 0
    for vault in dies_after_each_write(tmp_path, act):
        deaths += 1
        assert all_rows_decrypt(vault) == 3
        assert vault.reveal(1, "phone")["phone"] in {"••••••••01", "••••••••55"}
        vault.update(1, phone="+12025550166")
        vault.clock.advance(HOUR_US)
        sweep(vault.house)
        assert vault.reveal(1, "phone") == {"phone": "••••••••66"}
        assert counts(vault)["head"] == 3
        assert counts(vault)["operation"] == 0
    assert deaths >= 6


@pytest.mark.slow
def test_an_erasure_killed_between_any_two_writes(tmp_path):
    def act(vault, house):
        customer = vault.customer(1)
        work = request_shred(vault.keys, customer, by="p_dpo", now_us=vault.clock.now_us())
        complete(house, CLIENT, house.transact(work))

    deaths = requested = 0
    for vault in dies_after_each_write(tmp_path, act):
        deaths += 1
        under_way = vault.sql("SELECT COUNT(*) FROM vault_shred WHERE state <> 'certified'") == [
            (1,)
        ]
        requested += under_way
        assert complete_unfinished(vault.house) == under_way
        erased = vault.sql("SELECT COUNT(*) FROM vault_customer WHERE state = 'shredded'")[0][0]
        assert all_rows_decrypt(vault) == 3 - erased
        assert len(certificates_of(vault.home, CLIENT)) == erased
        assert vault.write(row(1))[2:4] == ((0, 1) if erased else (1, 0))
        assert vault.sql("SELECT COUNT(*) FROM vault_customer WHERE state = 'shredding'") == [(0,)]
    assert deaths > 15
    assert requested > 8


def test_erasures_that_share_a_search_killed_between_any_two_writes(tmp_path):
    def act(vault, house):
        requested = [
            (
                CLIENT,
                house.transact(
                    request_shred(
                        vault.keys, vault.customer(n), by="p_dpo", now_us=vault.clock.now_us()
                    )
                ),
            )
            for n in (1, 2)
        ]
        complete_together(house, requested)

    deaths = both = 0
    for vault in dies_after_each_write(tmp_path, act):
        deaths += 1
        (under_way,) = vault.sql("SELECT COUNT(*) FROM vault_shred WHERE state <> 'certified'")[0]
        both += under_way == 2
        assert complete_unfinished(vault.house) == under_way
        erased = vault.sql("SELECT COUNT(*) FROM vault_customer WHERE state = 'shredded'")[0][0]
        assert all_rows_decrypt(vault) == 3 - erased
        assert len(certificates_of(vault.home, CLIENT)) == erased
        assert vault.sql("SELECT COUNT(*) FROM vault_customer WHERE state = 'shredding'") == [(0,)]
    assert deaths > 30
    assert both > 8
