"""The signing keys are made once, sealed, and never silently replaced."""

from __future__ import annotations

import json
import stat

import pytest

from holdfast.kit.crypto.aead import seal, unseal
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput, NotFound
from holdfast.spine.ledger.keys import SigningKeys
from holdfast.spine.ledger.memory import Memory, Remembered
from support.ledger import BANK, HOST, unsealed

KEY = b"k" * 32


def sealed(secret):
    return seal(KEY, b"n" * 12, secret, b"")


def opened(raw):
    return unseal(KEY, raw, b"")


def made_in(folder, host="holdfast.example.org"):
    return SigningKeys.load_or_create(folder, host=host, seal=sealed, unseal=opened)


def test_keys_are_made_once_and_sealed_in_a_file_that_only_its_owner_reads(tmp_path):
    folder = tmp_path / "signing"
    keys = made_in(folder)
    assert made_in(folder).vkeys(BANK) == keys.vkeys(BANK)
    assert keys.name.startswith("holdfast.example.org/")
    file = folder / "keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"ed25519" not in file.read_bytes()
    assert "ed25519" not in repr(keys)


def test_another_host_later_does_not_change_the_name(tmp_path):
    assert made_in(tmp_path, "elsewhere.example.org").name == made_in(tmp_path).name


def test_another_root_does_not_open_them(tmp_path):
    made_in(tmp_path)
    with pytest.raises(IntegrityBroken):
        SigningKeys.load(tmp_path, unseal=lambda raw: unseal(b"x" * 32, raw, b""))


def test_keys_are_not_made_over_others(tmp_path):
    SigningKeys.create(tmp_path, host=HOST, seal=unsealed)
    before = (tmp_path / "keys").read_bytes()
    with pytest.raises(Conflict):
        SigningKeys.create(tmp_path, host=HOST, seal=unsealed)
    assert (tmp_path / "keys").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "memory.json"]


def test_without_a_file_there_are_no_keys(tmp_path):
    with pytest.raises(NotFound):
        SigningKeys.load(tmp_path, unseal=unsealed)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"name": "x", "ed25519": "zz"}'])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(IntegrityBroken):
        SigningKeys.load(tmp_path, unseal=unsealed)


@pytest.mark.parametrize("host", ["a host", "a+b", "x" * 120])
def test_a_host_that_cannot_name_a_log_is_refused(tmp_path, host):
    with pytest.raises(InvalidInput):
        SigningKeys.create(tmp_path, host=host, seal=unsealed)


def test_what_is_remembered_is_there_after_a_restart(tmp_path):
    head = Remembered(3, b"\x01" * 32, 7)
    Memory.create(tmp_path).remember({"a": head})
    memory = Memory.open(tmp_path)
    memory.remember({"b": head._replace(size=4)})
    again = Memory.open(tmp_path)
    assert (again.last("a"), again.last("b"), again.last("c")) == (
        head,
        head._replace(size=4),
        None,
    )
    assert stat.S_IMODE((tmp_path / "memory.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, "", "[]", '{"heads": {"a": {}}}', json.dumps({"v": 1})])
def test_without_its_memory_the_signer_does_not_start(tmp_path, content):
    if content is not None:
        (tmp_path / "memory.json").write_text(content)
    with pytest.raises(IntegrityBroken):
        Memory.open(tmp_path)
