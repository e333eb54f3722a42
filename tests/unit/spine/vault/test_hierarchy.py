from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.aead import GCM, GCM_SIV
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.vault.hierarchy import (
    ClientKeys,
    DekRow,
    client_keys,
    ensure_client_keys,
    record_key,
)
from support.vault import CLIENT, OTHER_CLIENT, new_vault, row

KEK, INDEX, DEK, NONCE = b"K" * 32, b"I" * 32, b"D" * 32, b"N" * 12


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    yield vault
    vault.close()


def known() -> ClientKeys:
    return ClientKeys(CLIENT, {1: KEK}, INDEX)


def test_a_data_key_is_wrapped_and_split_as_the_design_says():
    ((key, wrapped),) = known().new_class_keys((("cus_1", 3),), DEK + NONCE)
    aad = length_prefixed(
        b"holdfast/dek/v1",
        bytes((GCM_SIV,)),
        CLIENT.encode(),
        b"cus_1",
        b"\x03",
        (1).to_bytes(4, "big"),
        (1).to_bytes(4, "big"),
    )
    sealed = AESGCMSIV(KEK).encrypt(NONCE, DEK, aad)
    assert wrapped.wrapped == (1).to_bytes(4, "big") + b"\x02" + NONCE + sealed
    label = length_prefixed(CLIENT.encode(), b"cus_1")[4:] + b"\x03"
    both = hmac.digest(DEK, b"split-v1" + label, hashlib.sha512)
    assert wrapped.commitment == both[32:]
    assert AESGCMSIV(both[:32]).decrypt(NONCE, key.cipher.encrypt(NONCE, b"x", b""), b"") == b"x"


def test_an_index_key_is_bound_to_client_collection_and_field():
    expected = hmac.digest(
        INDEX,
        length_prefixed(b"holdfast/index/v1", CLIENT.encode(), b"accounts", b"field:3"),
        hashlib.sha256,
    )
    assert known().index_key("accounts", "field:3") == expected
    others = [
        ("accounts", "field:4"),
        ("loans", "field:3"),
        ("", "customer"),
        ("accounts", "record"),
    ]
    assert len({known().index_key(*name) for name in others} | {expected}) == 5


@pytest.mark.parametrize("suite", [GCM, GCM_SIV])
def test_a_data_key_opens_again(suite):
    keys = ClientKeys(CLIENT, {1: KEK}, INDEX, suite=suite)
    key, wrapped = keys.new_class_key("cus_1", 2)
    again = keys.open_class_key("cus_1", wrapped)
    assert (again.dek, again.suite) == (key.dek, suite)
    assert (
        again.compare_key()
        != ClientKeys(CLIENT, {1: KEK}, INDEX).new_class_key("cus_1", 2)[0].compare_key()
    )


def test_a_data_key_wrapped_under_an_older_client_key_opens_while_that_exists():
    _, wrapped = known().new_class_key("cus_1", 2)
    rotated = ClientKeys(CLIENT, {1: KEK, 2: b"k" * 32}, INDEX)
    assert rotated.open_class_key("cus_1", wrapped)
    assert rotated.new_class_key("cus_1", 2)[1].wrapped[:4] == (2).to_bytes(4, "big")
    with pytest.raises(IntegrityBroken, match="does not exist"):
        ClientKeys(CLIENT, {2: b"k" * 32}, INDEX).open_class_key("cus_1", wrapped)


def test_another_commitment_is_refused():
    keys = known()
    _, one = keys.new_class_key("cus_1", 2)
    _, other = keys.new_class_key("cus_1", 2)
    with pytest.raises(IntegrityBroken, match="committed"):
        keys.open_class_key("cus_1", one._replace(commitment=other.commitment))


def test_client_keys_are_made_once_and_stay(vault):
    before = vault.keys.index_key("", "customer")
    vault.house.read(ensure_client_keys(vault.house.root, CLIENT))
    vault.reopen()
    assert vault.keys.index_key("", "customer") == before


def test_the_cache_holds_for_one_fence(vault):
    keks = vault.house.keks
    first = vault.house.read(client_keys(keks, CLIENT, 7))
    assert keks.cached(CLIENT, 7) is first
    assert keks.cached(CLIENT, 8) is None
    assert vault.house.read(client_keys(keks, CLIENT, 8)) is not first
    keks.forget(CLIENT)
    assert keks.cached(CLIENT, 8) is None


def test_data_keys_are_not_cached(vault):
    vault.write(row(1))
    assert vault.reveal(1, "name")
    vault.sql("DELETE FROM keyring_dek WHERE client = ?", CLIENT, store="keys")
    with pytest.raises(IntegrityBroken, match="does not exist"):
        vault.reveal(1, "name")


def test_a_client_without_keys_says_so(vault):
    with pytest.raises(IntegrityBroken, match="no keys"):
        vault.house.read(client_keys(vault.house.keks, "nobody", 0))


def test_one_client_s_wrapped_keys_are_not_another_s(vault):
    vault.sql("DELETE FROM keyring_kek WHERE client = ?", CLIENT, store="keys")
    vault.sql(
        "UPDATE keyring_kek SET client = ? WHERE client = ?", CLIENT, OTHER_CLIENT, store="keys"
    )
    with pytest.raises(IntegrityBroken):
        vault.house.read(client_keys(vault.house.keks, CLIENT, 1))


def test_record_keys_are_by_month_and_made_once(vault):
    keys = vault.keys
    november = vault.house.read(record_key(keys, "2026-11"))
    assert vault.house.read(record_key(keys, "2026-11")) == november
    assert vault.house.read(record_key(keys, "2026-12")) != november
    vault.reopen()
    assert vault.house.read(record_key(vault.keys, "2026-11")) == november
    assert len(november.reveal()) == 32


def test_a_record_key_is_bound_to_its_month(vault):
    wrapped = vault.keys.new_record_key("2026-11")
    with pytest.raises(IntegrityBroken):
        vault.keys.open_record_key("2026-12", wrapped)


def test_keys_show_nothing_of_themselves():
    key, wrapped = known().new_class_key("cus_1", 2)
    for shown in (repr(key), str(key), repr(known()), f"{key}"):
        assert repr(key.dek)[2:-1] not in shown
        assert "KKKK" not in shown
    assert isinstance(wrapped, DekRow)
