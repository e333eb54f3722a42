from __future__ import annotations

import json

import pytest

from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput, NotFound, Unavailable
from holdfast.kit.secret import Secret
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot, open_root

PASSPHRASE = Secret("correct horse battery staple")


def test_a_root_opens_what_it_sealed_in_another_process(tmp_path):
    sealed = FileRoot.create(tmp_path / ROOT_FILE).wrap(b"key", b"for bank-01")
    assert open_root(tmp_path).unwrap(sealed, b"for bank-01") == b"key"


def test_what_was_sealed_for_one_purpose_does_not_open_for_another(tmp_path):
    root = FileRoot.create(tmp_path / ROOT_FILE)
    sealed = root.wrap(b"key", b"for bank-01")
    edited = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    for wrong, aad in (
        (sealed, b"for telco-01"),
        (edited, b"for bank-01"),
        (b"", b""),
        (b"\x01" + sealed[1:], b"for bank-01"),
    ):
        with pytest.raises(IntegrityBroken):
            root.unwrap(wrong, aad)


def test_another_root_does_not_open_it(tmp_path):
    sealed = FileRoot.create(tmp_path / "one").wrap(b"key", b"")
    with pytest.raises(IntegrityBroken):
        FileRoot.create(tmp_path / "two").unwrap(sealed, b"")


def test_the_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / ROOT_FILE
    FileRoot.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Unavailable, match="0640"):
        open_root(tmp_path)


def test_a_root_is_never_replaced(tmp_path):
    FileRoot.create(tmp_path / ROOT_FILE)
    with pytest.raises(Conflict):
        FileRoot.create(tmp_path / ROOT_FILE)


@pytest.mark.slow
def test_with_a_passphrase_the_file_alone_opens_nothing(tmp_path):
    path = tmp_path / ROOT_FILE
    sealed = FileRoot.create(path, PASSPHRASE).wrap(b"key", b"")
    assert "key" not in json.loads(path.read_text())
    assert FileRoot.open(path, PASSPHRASE).unwrap(sealed, b"") == b"key"
    for wrong in (None, Secret("correct horse")):
        with pytest.raises(InvalidInput) as refused:
            FileRoot.open(path, wrong)
        assert refused.value.field == "root.passphrase"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff\x00",
        b'{"v":1,"kind":"plain","key":"00"}',
        b'{"v":2,"kind":"plain","key":"00"}',
        b'{"v":1,"kind":"passphrase","salt":"00","memory_kib":999999999,"passes":3,"lanes":4,"sealed":"00"}',
    ],
)
def test_a_damaged_file_says_so(tmp_path, content):
    path = tmp_path / ROOT_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(IntegrityBroken, match="damaged"):
        FileRoot.open(path, PASSPHRASE)


def test_a_missing_file_says_what_is_lost(tmp_path):
    with pytest.raises(NotFound) as refused:
        open_root(tmp_path)
    assert "nothing in this house can be read" in refused.value.remedy


def test_a_root_shows_nothing_of_itself(tmp_path):
    root = FileRoot.create(tmp_path / ROOT_FILE)
    assert json.loads((tmp_path / ROOT_FILE).read_text())["key"] not in repr(root)
