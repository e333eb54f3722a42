"""Somebody doctors what a house is to be recovered from: the published files, a bundle, a backup."""

from __future__ import annotations

import json
import shutil

import pytest

from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.recovery.backup import MANIFEST, read_backup
from support.recovery import HOUSE_LOG, LOG, new_restorable


@pytest.fixture
def bank(tmp_path):
    bank = new_restorable(tmp_path / "house")
    yield bank
    bank.close()


@pytest.fixture
def set_back(bank):
    """The bank with older stores; an erasure stands in the published log only."""
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    export(bank, bank.home.parent / "bundle")
    bank.put_back_by_hand(copy)
    return bank


def export(bank, folder, log=LOG):
    export_bundle(log_folder(bank.home, log), folder, vkeys=bank.house.signing_keys.vkeys(log))
    return folder


def entries_of(folder):
    return max(folder.glob("tile/entries/**/*.p/*"), key=lambda path: int(path.name))


def doctor(folder):
    path = entries_of(folder)
    path.write_bytes(path.read_bytes().replace(b"shred.requested", b"shred.requestex"))


def untouched(bank):
    """Nothing was written: the house is as it was, and refuses."""
    assert not bank.sql("SELECT 1 FROM recovery_gap")
    assert "logs.E002" in bank.refusals()
    return True


def test_doctored_published_files_are_not_taken(set_back):
    doctor(log_folder(set_back.home, LOG))
    with pytest.raises(IntegrityBroken, match="do not verify"):
        set_back.repair()
    assert untouched(set_back)


def test_a_doctored_bundle_is_not_taken(set_back):
    shutil.rmtree(log_folder(set_back.home, LOG))
    bundle = set_back.home.parent / "bundle"
    doctor(bundle)
    with pytest.raises(IntegrityBroken, match="do not verify"):
        set_back.repair(bundles=[bundle])
    assert untouched(set_back)


def test_missing_files_are_told_with_what_to_do(set_back):
    shutil.rmtree(log_folder(set_back.home, LOG))
    with pytest.raises(IntegrityBroken, match="no published file has them") as caught:
        set_back.repair()
    assert "--bundle" in caught.value.remedy
    assert untouched(set_back)


def test_a_clients_own_copy_takes_the_place_of_missing_files(set_back):
    shutil.rmtree(log_folder(set_back.home, LOG))
    done = set_back.repair(bundles=[set_back.home.parent / "bundle"])
    assert {gap.source for gap in done.gaps if gap.log == LOG} == {"bundle"}
    assert set_back.refusals() == {}
    set_back.publish()
    assert entries_of(log_folder(set_back.home, LOG)).exists()


def test_damaged_files_are_kept_and_published_anew(set_back):
    folder = log_folder(set_back.home, LOG)
    doctor(folder)
    set_back.repair(bundles=[set_back.home.parent / "bundle"])
    set_back.publish()
    assert b"shred.requestex" not in entries_of(folder).read_bytes()
    (kept,) = set_back.home.glob(f"replaced-*/{LOG}")
    assert b"shred.requestex" in entries_of(kept).read_bytes()


def test_a_bundle_of_another_house_is_refused(set_back, tmp_path):
    other = new_restorable(tmp_path / "other")
    (other.home / "signing" / "keys").unlink()
    shutil.rmtree(other.home / "logs")
    other.reopen()
    other.house.found_signing_keys()
    other.reopen()
    other.publish()
    bundle = export(other, tmp_path / "theirs")
    other.close()
    with pytest.raises(InvalidInput, match="no log of this house"):
        set_back.repair(bundles=[bundle])
    assert untouched(set_back)


def test_a_bundle_of_another_log_of_this_house_does_not_pass_for_the_missing_one(set_back):
    bundle = export(set_back, set_back.home.parent / "house-log", HOUSE_LOG)
    shutil.rmtree(log_folder(set_back.home, LOG))
    with pytest.raises(IntegrityBroken, match="no published file has them"):
        set_back.repair(bundles=[bundle])
    assert untouched(set_back)


def test_a_store_that_grew_otherwise_is_two_histories(set_back):
    """The store's owner lets the log grow past the published end by leaves of their own."""
    with set_back.house.stores() as stores:
        stores.data.execute("UPDATE ledger_tree SET root = ? WHERE log = ?", (b"\x07" * 32, LOG))
    with pytest.raises(IntegrityBroken):
        set_back.repair()
    assert untouched(set_back)


# ── backups ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_that_was_edited_is_not_restored(bank):
    copy = bank.backup()
    with (copy / "data.sqlite3").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff" * 16)
    with pytest.raises(IntegrityBroken, match="not as it was made"):
        bank.restore(copy)
    bank.reopen()
    assert bank.refusals() == {}


def test_a_manifest_that_was_made_to_fit_is_not_believed(bank):
    from hashlib import sha256

    copy = bank.backup()
    data = copy / "data.sqlite3"
    data.write_bytes(data.read_bytes().replace(b"active", b"actitt"))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"]["data.sqlite3"] = {
        "sha256": sha256(data.read_bytes()).hexdigest(),
        "size": data.stat().st_size,
    }
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises((IntegrityBroken, InvalidInput)):
        read_backup(copy, bank.house.signing_keys)


def test_an_unfinished_backup_is_none(bank):
    copy = bank.backup()
    (copy / MANIFEST).unlink()
    with pytest.raises(InvalidInput, match="no finished backup"):
        read_backup(copy, bank.house.signing_keys)


def test_a_backup_holds_no_key_that_was_not_named_and_nobody_else_reads_it(bank):
    copy = bank.backup()
    assert sorted(path.name for path in copy.iterdir()) == [
        "data.sqlite3",
        "keys.sqlite3",
        "manifest.json",
    ]
    assert copy.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in copy.iterdir()} == {0o600}
