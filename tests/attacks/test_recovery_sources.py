"""Somebody doctors what a house is to be recovered from: the published files, a bundle, a backup."""

from __future__ import annotations

import json
import shutil

import pytest

from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput, Unavailable
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.recovery.backup import MANIFEST, read_backup
from holdfast.spine.turn.answers import Refused
from holdfast.vocabulary.leaves import Leaf, LeafType
from support.bundles import forged_log
from support.recovery import HOUSE_LOG, LOG, new_restorable
from support.stores import raw


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
        raw(stores.data, "UPDATE ledger_tree SET root = ? WHERE log = ?", (b"\x07" * 32, LOG))
    with pytest.raises(IntegrityBroken):
        set_back.repair()
    assert untouched(set_back)


# ── mixtures ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bundle_older_than_what_the_signer_remembers_does_not_end_the_gap(set_back):
    """It is genuine, and lacks the erasure: with it alone the house would go on as if nobody had been erased."""
    older = set_back.home.parent / "bundle"
    set_back.repair()
    copy = set_back.backup("second")
    set_back.shred("C00003")
    set_back.publish()
    set_back.put_back_by_hand(copy)
    shutil.rmtree(log_folder(set_back.home, LOG))
    with pytest.raises(IntegrityBroken, match="no published file has them"):
        set_back.repair(bundles=[older])
    assert "logs.E002" in set_back.refusals()
    assert set_back.sql("SELECT DISTINCT state FROM recovery_gap") == [("told",)]


def forged(bank, folder, doctored):
    """A copy of the log with another leaf in it, signed with the house's own keys: somebody stole them."""
    entries = [doctored(one.entry) for one in bank.house.read(leaves_from(LOG, 0, most=9999))]
    keys = bank.house.signing_keys
    at_us = bank.clock.now_us()
    return forged_log(folder, keys.origin(LOG), keys.signers(LOG), entries, at_us=at_us)


def undone(entry):
    """An erasure that ended becomes something else."""
    return entry.replace(b'"type":"shred.done"', b'"type":"shred.dome"')


def other_name(entry):
    """Any other leaf, too."""
    return entry.replace(b'"v":1', b'"v":2')


def test_a_bundle_with_a_forged_leaf_under_the_houses_own_signature_is_two_histories(bank):
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    forgery = forged(bank, bank.home.parent / "forged", undone)
    bank.put_back_by_hand(copy)
    with pytest.raises(IntegrityBroken):
        bank.repair(bundles=[forgery])
    assert untouched(bank)


def test_two_bundles_that_disagree_are_refused_whichever_is_named_first(bank):
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    true = export(bank, bank.home.parent / "true")
    forgery = forged(bank, bank.home.parent / "forged", undone)
    bank.put_back_by_hand(copy)
    shutil.rmtree(log_folder(bank.home, LOG))
    forget(bank)  # not even the signer's memory tells which is true
    for both in ([true, forgery], [forgery, true]):
        with pytest.raises(IntegrityBroken, match="two heads"):
            bank.repair(bundles=both)
        assert not bank.sql("SELECT 1 FROM recovery_gap")
    assert bank.repair(bundles=[true]).gaps


def forget(bank):
    """The signer's memory of this log is lost."""
    path = bank.home / "signing" / "memory.json"
    memory = json.loads(path.read_text())
    del memory["heads"][bank.house.signing_keys.origin(LOG)]
    path.write_text(json.dumps(memory))


def test_the_older_of_two_bundles_must_be_a_beginning_of_the_newer(bank):
    bank.connect()
    bank.reveal("C00001", ["name"])
    bank.publish()
    forgery = forged(bank, bank.home.parent / "forged", other_name)
    copy = bank.backup()
    bank.shred("C00002")
    bank.publish()
    true = export(bank, bank.home.parent / "true")
    bank.put_back_by_hand(copy)
    shutil.rmtree(log_folder(bank.home, LOG))
    with pytest.raises(IntegrityBroken, match="two histories"):
        bank.repair(bundles=[true, forgery])
    assert untouched(bank)


def test_the_checkpoint_of_another_log_over_these_tiles(set_back):
    """The house's own, and longer: it is not taken for this log's."""
    bundle = set_back.home.parent / "bundle"
    shutil.copy(log_folder(set_back.home, HOUSE_LOG) / "checkpoint", bundle / "checkpoint")
    shutil.rmtree(log_folder(set_back.home, LOG))
    with pytest.raises(IntegrityBroken, match="no published file has them"):
        set_back.repair(bundles=[bundle])
    assert untouched(set_back)


@pytest.mark.parametrize("which", ["entries", "0"])
def test_a_tile_that_was_cut_short(set_back, which):
    folder = log_folder(set_back.home, LOG)
    path = max(folder.glob(f"tile/{which}/**/*.p/*"), key=lambda path: int(path.name))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(IntegrityBroken, match="do not verify"):
        set_back.repair()
    assert untouched(set_back)


# ── what nobody has ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def beheaded(bank):
    """The last leaves were signed, and the store that had them is lost before they were published."""
    copy = bank.backup()
    before = {log: read_tree(log_folder(bank.home, log)) for log in (LOG, HOUSE_LOG)}
    bank.shred("C00002")
    bank.publish()
    for log, files in before.items():
        write_tree(log_folder(bank.home, log), files)
    bank.put_back_by_hand(copy)
    return bank


def read_tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def write_tree(folder, files):
    shutil.rmtree(folder)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def giving_up(*logs, second="per_nobody"):
    return {"losing": logs, "consent": lambda _house, _what, _summary: second}


def test_leaves_that_nobody_has_are_given_up_only_by_name(beheaded):
    with pytest.raises(IntegrityBroken, match="no published file has them") as caught:
        beheaded.repair()
    assert "--lose" in caught.value.remedy
    with pytest.raises(InvalidInput, match="has lost nothing"):
        beheaded.repair(**giving_up(LOG, HOUSE_LOG))
    with pytest.raises(InvalidInput, match="there is no log"):
        beheaded.repair(**giving_up(LOG, "client-other"))
    assert untouched(beheaded)


def test_who_does_not_agree_loses_nothing(beheaded):
    def refused(_house, _what, _summary):
        raise Conflict("not approved")

    memory = (beheaded.home / "signing" / "memory.json").read_bytes()
    with pytest.raises(Conflict):
        beheaded.repair(losing=[LOG], consent=refused)
    with pytest.raises(Unavailable, match="second person"):
        beheaded.repair(losing=[LOG])
    assert untouched(beheaded)
    assert (beheaded.home / "signing" / "memory.json").read_bytes() == memory


def test_a_loss_is_told_in_the_log_and_the_client_answers_nobody_until_it_has_a_contract(beheaded):
    signed = Memory.open(beheaded.home / "signing").last(beheaded.house.signing_keys.origin(LOG))
    ours = len(beheaded.published_leaves(LOG))
    done = beheaded.repair(**giving_up(LOG, second=beheaded.other.id))
    assert {gap.lost for gap in done.gaps if gap.log == LOG} == {signed.size - ours}
    assert beheaded.refusals() == {}
    beheaded.publish()
    (told,) = beheaded.published_leaves(LOG, "log.restored")
    assert (told["lost"], told["lost_root"]) == (signed.size - ours, signed.root.hex())
    assert told["second"]
    assert beheaded.sql("SELECT state FROM decision_client") == [("outdated",)]
    beheaded.connect("CT-8")
    assert isinstance(beheaded.reveal("C00001", ["name"], contact="CT-8"), Refused)


def test_a_client_who_saw_the_lost_leaves_is_told_of_a_rollback(bank):
    """Giving leaves up is not hidden from whoever has a checkpoint that covers them."""
    copy = bank.backup()
    before = read_tree(log_folder(bank.home, LOG))
    bank.shred("C00002")
    bank.publish()
    seen = (log_folder(bank.home, LOG) / "checkpoint").read_bytes()
    write_tree(log_folder(bank.home, LOG), before)
    bank.put_back_by_hand(copy)
    bank.repair(**giving_up(LOG))
    bank.publish()
    bundle = export(bank, bank.home.parent / "after")
    keys = bank.house.signing_keys.verifier_keys(LOG)
    memory = UserMemory(bank.home.parent / "clients")
    given = Given(memory, bank.clock.now_us(), keys=keys, since=seen)
    assert verify_bundle(bundle, given).outcome is Outcome.HISTORY_BROKEN


def test_leaves_that_somebody_has_are_not_given_up(set_back):
    with pytest.raises(InvalidInput, match="has lost nothing"):
        set_back.repair(**giving_up(LOG))
    assert untouched(set_back)


def test_published_leaves_that_were_doctored_are_not_given_up(set_back):
    doctor(log_folder(set_back.home, LOG))
    with pytest.raises(IntegrityBroken, match="do not verify"):
        set_back.repair(**giving_up(LOG))
    assert untouched(set_back)


def test_a_loss_of_the_houses_own_log_ends_all_tokens_of_persons(bank):
    copy = bank.backup()
    leaf = Leaf(
        LeafType.TOKEN_REVOKED, "lf_x", bank.clock.now_us(), {"by": "p_x", "token": "crd_x"}
    )
    bank.do(append(HOUSE_LOG, leaf))
    bank.publish()
    shutil.rmtree(bank.home / "logs")
    bank.put_back_by_hand(copy)
    bank.repair(**giving_up(HOUSE_LOG))
    assert bank.refusals() == {}
    live = (
        "SELECT COUNT(*) FROM identity_credential WHERE person IS NOT NULL AND revoked_us IS NULL"
    )
    assert bank.sql(live) == [(0,)]
    bank.publish()


def test_a_crash_between_the_decision_and_the_signers_memory_is_carried_to_its_end(beheaded):
    memory = beheaded.home / "signing" / "memory.json"
    before = memory.read_bytes()
    beheaded.repair(**giving_up(LOG))
    memory.write_bytes(before)
    beheaded.do_raw("UPDATE recovery_gap SET state = 'redone'")
    assert beheaded.refusals()
    beheaded.repair()
    assert beheaded.refusals() == {}
    beheaded.publish()


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
