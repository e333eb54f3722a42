"""A house moves to PostgreSQL: nobody changes it on the way, nobody goes on with what it left behind."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest

from holdfast.edges.checks import stores
from holdfast.edges.checks.run import examine
from holdfast.kit.config import load_settings
from holdfast.kit.db.opening import connect
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput
from holdfast.kit.process import LockFile
from holdfast.spine.house import open_house
from holdfast.spine.recovery.alone import SERVE_LOCK
from holdfast.spine.recovery.moving import abandon, is_under_way, left_behind
from holdfast.spine.turn.answers import Revealed
from holdfast.vocabulary.manifest import Severity
from support.moving import addresses, moves, new_movable, there
from support.recovery import HOUSE_LOG, LOG

pytestmark = moves


@pytest.fixture
def bank(tmp_path):
    bank = new_movable(tmp_path / "house")
    yield bank
    bank.close()


def serves(bank):
    """Whether the house that stands in files opens and shows a value."""
    bank.reopen()
    bank.connect()
    return isinstance(bank.reveal("C00001", ["name"]), Revealed)


def errors(home):
    found = examine(load_settings(home, {}))
    return {one.check.id for one in found if one.severity is Severity.ERROR}


def test_a_house_whose_log_was_edited_does_not_move(bank):
    bank.do_raw("UPDATE ledger_bundle SET body = zeroblob(length(body)) WHERE log = ?", LOG)
    with pytest.raises(IntegrityBroken):
        bank.move(bank.databases())
    assert not is_under_way(bank.home)
    bank.reopen()
    assert addresses(bank.home) == tuple(
        map(str, (bank.home / "data.sqlite3", bank.home / "keys.sqlite3"))
    )


def test_a_house_that_was_set_back_does_not_move(bank):
    copy = bank.backup()
    bank.connect()
    bank.reveal("C00001", ["name"])
    bank.publish()
    bank.put_back_by_hand(copy)
    with pytest.raises(IntegrityBroken, match="signed before"):
        bank.move(bank.databases())


def test_databases_with_something_in_them_are_refused(bank):
    target = bank.databases()
    there(target, "keys", "CREATE TABLE of_somebody_else (id BIGINT)")
    with pytest.raises(InvalidInput, match="is not empty"):
        bank.move(target)
    assert serves(bank)


@pytest.mark.parametrize(
    ("which", "change"),
    [
        ("data", "UPDATE vault_record SET body = body || '\\x00'::bytea"),
        ("data", "DELETE FROM ledger_bundle"),
        ("keys", "DELETE FROM keyring_tombstone"),
        ("keys", "UPDATE keyring_index SET token = '\\x00'::bytea WHERE id = 1"),
    ],
)
def test_rows_altered_on_the_way_are_found(bank, which, change):
    bank.shred("C00004")
    bank.publish()
    target = bank.databases()
    changed = []

    def altered(step):
        if step == "keys: keyring_tombstone":
            there(target, which, change)
            changed.append(step)

    with pytest.raises(IntegrityBroken, match="is not what was sent"):
        bank.move(target, altered)
    assert changed
    if change.startswith("UPDATE"):  # a table that was emptied is filled anew
        with pytest.raises(IntegrityBroken, match="is not what was sent"):
            bank.move(target)
    abandon(bank.house.settings)
    assert serves(bank)


def test_keys_altered_after_they_were_compared_are_not_destroyed_in_the_old_file(bank):
    target = bank.databases()

    def altered(step):
        if step == "the old house is closed":
            there(target, "keys", "DELETE FROM keyring_dek")

    with pytest.raises(IntegrityBroken, match="keyring_dek"):
        bank.move(target, altered)
    with closing(bank.old_keys()) as keys:
        assert keys.raw.execute("SELECT COUNT(*) FROM keyring_dek").fetchone()[0] > 0
    with pytest.raises(Conflict, match="has moved"):
        abandon(bank.house.settings)


def test_a_house_that_serves_does_not_move(bank):
    lock = LockFile(bank.home / SERVE_LOCK)
    lock.acquire()
    with pytest.raises(Conflict, match="is serving"):
        bank.move(bank.databases())
    lock.release()


def test_databases_that_somebody_is_connected_to_are_refused(bank):
    target = bank.databases()
    with closing(connect(target.data)), pytest.raises(Conflict, match="another process has"):
        bank.move(target)
    bank.move(target)  # they are gone


def test_neither_house_is_served_or_written_before_the_move_has_ended(bank):
    target = bank.databases()

    class Stopped(Exception):
        pass

    def stopped(step):
        if step == "data: vault_record":
            raise Stopped

    with pytest.raises(Stopped):
        bank.move(target, stopped)
    assert "stores.E004" in errors(bank.home)
    with pytest.raises(Conflict, match="is being moved"):
        serves(bank)
    assert list(stores.no_move_unfinished(target))


def test_the_old_house_and_every_copy_of_it_refuse_to_open(bank):
    target = bank.databases()
    files = bank.house.settings
    bank.move(target)
    copy = bank.home.parent / "copy"
    shutil.copytree(bank.home, copy)
    for home in (bank.home, copy):
        (home / "holdfast.toml").write_text("")
        with closing(open_house(load_settings(home, {}))) as house:
            with pytest.raises(Conflict, match="has moved to 127") as refused:
                house.transact(iter(()))
            assert "holdfast@" not in refused.value.message
        assert {"stores.E001", "stores.E002"} <= errors(home)
    assert left_behind(bank.home) == (files.data_path, files.keys_path)


def test_what_is_left_behind_holds_no_key_so_an_erasure_after_the_move_is_one(bank):
    rows = bank.sql("SELECT wrapped, commitment FROM keyring_dek", keys=True)
    rows += bank.sql("SELECT wrapped, wrapped FROM keyring_kek", keys=True)
    needles = [bytes(value) for row in rows for value in row]
    files = bank.house.settings
    before = files.keys_path.read_bytes()
    assert all(needle in before for needle in needles)
    bank.move(bank.databases())
    bank = bank.moved()
    bank.shred("C00002")
    for path in bank.home.glob("*.sqlite3*"):
        content = path.read_bytes()
        assert not any(needle in content for needle in needles), path
    assert {path.name for path in bank.home.glob("*.sqlite3")} == {"data.sqlite3", "keys.sqlite3"}
    bank.close()


def test_what_has_moved_goes_on_as_the_same_house(bank):
    bank.connect()
    bank.reveal("C00001", ["name"])
    pending = bank.sql("SELECT COUNT(*) FROM ledger_pending")
    assert pending > [(0,)]
    before = bank.published_leaves(LOG)
    done = bank.move(bank.databases())
    assert done.rows["vault_customer"] == 5
    new = bank.moved()
    assert "stores.E004" not in errors(new.home)
    assert isinstance(new.reveal("C00001", ["name"]), Revealed)
    assert new.sql("SELECT COUNT(*) FROM ledger_pending") > pending
    new.publish()
    assert new.published_leaves(LOG)[: len(before)] == before
    (told,) = new.published_leaves(HOUSE_LOG, "house.moved")
    assert (told["storage"], told["rows"]) == ("postgresql", sum(done.rows.values()))
    assert told["by"]
    assert new.refusals() == {}
    new.close()


def test_a_move_goes_once(bank):
    bank.move(bank.databases())
    with pytest.raises(Conflict, match="has moved"):
        bank.move(bank.databases())


def test_a_copy_from_before_the_move_is_restored_into_the_new_house(bank):
    copy = bank.backup()
    bank.connect()
    bank.reveal("C00001", ["name"])
    bank.shred("C00003")
    bank.publish()
    bank.move(bank.databases())
    new = bank.moved()
    new.publish()
    new.restore(copy)
    assert new.refusals() == {}
    customer = new.customers["C00003"]
    assert new.sql("SELECT state FROM vault_customer WHERE id = ?", customer) == [("shredded",)]
    new.close()
