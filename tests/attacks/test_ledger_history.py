"""Attacks on the history of a log by whoever holds the database or the files.

What the house's own signer refuses is *prevented*; what only the client can see is *detected* by its verifier.
"""

from __future__ import annotations

import pytest

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger import lease, sequencer
from holdfast.spine.ledger.audit import disagreements
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.note import parse_note
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.tiles import decode_bundle
from holdfast.spine.ledger.verify import Outcome
from holdfast.vocabulary.ids import HOUSE_LOG
from support.bundles import Client, codes, forged_log
from support.ledger import BANK, SHOP, LedgerHouse, a_leaf
from support.stores import keep, put_back, raw


@pytest.fixture
def house(tmp_path):
    opened = LedgerHouse(tmp_path / "house")
    yield opened
    opened.close()


@pytest.fixture
def client(house, tmp_path):
    return Client(house, tmp_path / "client")


def copy_of_data(house, place):
    """A cold backup of the data store, as an administrator takes one."""
    keep(house.settings.data, place)


def restarted(house):
    """The same house after its processes were stopped and started."""
    house.close()
    return LedgerHouse(house.home, house.clock, fresh=False)


def rolled_back_to(house, place):
    house.close()
    put_back(house.settings.data, place)
    return LedgerHouse(house.home, house.clock, fresh=False)


def grow(house):
    """Give pending leaves their places, as nobody does who looks at what was signed."""
    now_us = house.clock.now_us()
    held = house.transact(lease.take("sequencer", "hand", "here", now_us=now_us, life_us=0))
    growths, _ = sequencer.plan(house.read(sequencer.load()))
    house.transact(sequencer.commit(growths, held, now_us))


# ── prevented: the signer does not sign it ──────────────────────────────────────────────────────────────────


def test_a_database_that_was_rolled_back_gets_no_second_history_signed(house, client, tmp_path):
    house.grown(BANK, 10)
    copy_of_data(house, tmp_path / "backup")
    house.grown(BANK, 5)
    published = (house.folder(BANK) / "checkpoint").read_bytes()
    again = rolled_back_to(house, tmp_path / "backup")
    again.append(BANK, 7)
    done = again.tick()
    assert BANK in done.refused
    assert done.signed == ()
    assert (again.folder(BANK) / "checkpoint").read_bytes() == published
    assert client.verify(again.folder(BANK)).outcome is Outcome.AUTHENTIC
    again.close()


def test_a_database_that_was_rolled_back_and_grown_past_the_old_end_is_not_signed(house, tmp_path):
    house.grown(BANK, 10)
    copy_of_data(house, tmp_path / "backup")
    house.grown(BANK, 5)
    again = rolled_back_to(house, tmp_path / "backup")
    again.append(BANK, 5)
    assert "15 were signed before" in again.tick().refused[BANK], "it does not even grow"
    again = restarted(again)
    grow(again)
    assert "another root" in again.tick().refused[BANK]
    again = restarted(again)
    again.append(BANK, 20)
    grow(again)
    assert "does not continue" in again.tick().refused[BANK]
    again.close()


def test_a_rolled_back_database_is_noticed_before_anything_is_served(house, tmp_path):
    house.grown(BANK, 10)
    house.grown(SHOP, 2)
    copy_of_data(house, tmp_path / "backup")
    assert disagreements(house, house.signing) == {}
    house.grown(BANK, 5)
    again = rolled_back_to(house, tmp_path / "backup")
    assert set(disagreements(again, again.signing)) == {BANK}
    again.close()


def test_a_log_that_was_deleted_from_the_database_is_noticed(house):
    house.grown(BANK, 10)
    house.stop()
    for table in ("tree", "tile", "bundle", "checkpoint"):
        raw(house.data, f"DELETE FROM ledger_{table} WHERE log = ?", (BANK,))
    assert set(disagreements(house, house.signing)) == {BANK}
    house.append(BANK, 3)
    assert BANK in house.tick().refused


def test_a_rewritten_head_is_not_signed(house):
    house.grown(BANK, 10)
    house.append(BANK, 5)
    house.registrar.sequence()
    raw(house.data, "UPDATE ledger_tree SET root = ? WHERE log = ?", (b"\x07" * 32, BANK))
    done = house.registrar.sign(house.read(heads()))
    assert done == ()
    assert "root of its tiles" in house.tick().refused[BANK]


def test_a_wholly_rewritten_log_with_fitting_tiles_is_not_signed(house):
    """The database's owner builds a new, well-formed log of the same name and length plus one."""
    house.grown(BANK, 10)
    house.grown(SHOP, 11)
    house.stop()
    for table in ("tree", "tile", "bundle"):
        raw(house.data, f"DELETE FROM ledger_{table} WHERE log = ?", (BANK,))
        raw(house.data, f"UPDATE ledger_{table} SET log = ? WHERE log = ?", (BANK, SHOP))
    assert "does not continue" in house.tick().refused[BANK]


def test_a_signer_without_its_memory_signs_nothing(house):
    house.grown(BANK, 3)
    house.stop()
    (house.home / "signing" / "memory.json").unlink()
    house.append(BANK, 3)
    with pytest.raises(IntegrityBroken):
        house.tick()


def test_a_signer_whose_memory_was_set_back_still_knows_what_it_published(house, tmp_path):
    house.grown(BANK, 10)
    copy_of_data(house, tmp_path / "backup")
    memory = (house.home / "signing" / "memory.json").read_bytes()
    house.grown(BANK, 5)
    (house.home / "signing" / "memory.json").write_bytes(memory)
    again = rolled_back_to(house, tmp_path / "backup")
    again.append(BANK, 2)
    assert BANK in again.tick().refused
    again.close()


def test_an_edited_last_entry_stops_the_log_from_growing_over_it(house):
    house.grown(BANK, 10)
    row = raw(house.data, "SELECT body FROM ledger_bundle")[0]
    raw(
        house.data, "UPDATE ledger_bundle SET body = ?", (row[0].replace(b"p_qwerty", b"p_azerty"),)
    )
    house.append(BANK, 1)
    house.append(SHOP, 1)
    done = house.tick()
    assert "not those under its tiles" in done.refused[BANK]
    assert done.published == (SHOP,), "a log that was tampered with does not hold up the others"


def test_a_pending_leaf_that_was_deleted_by_hand_is_told_in_the_house_log(house):
    house.grown(BANK, 3)
    house.append(BANK, 5)
    raw(
        house.data, "DELETE FROM ledger_pending WHERE id = (SELECT MIN(id) + 1 FROM ledger_pending)"
    )
    done = house.tick()
    assert (done.sequenced, done.vanished) == (5, 1)
    house.tick()
    entries = [leaf.entry for leaf in house.read(leaves_from(HOUSE_LOG, 0))]
    assert any(b"ledger.pending_vanished" in entry and b'"count":1' in entry for entry in entries)


def test_the_newest_pending_leaf_of_a_connection_is_missed_whoever_writes_next(house):
    """The next leaf may come from another connection; what was rolled back, or told before, is no alarm."""
    other = LedgerHouse(house.home, house.clock, fresh=False)
    house.grown(BANK, 3)
    house.append(BANK, 2)
    raw(house.data, "DELETE FROM ledger_pending WHERE id = (SELECT MAX(id) FROM ledger_pending)")
    house.data.begin()
    house.data.execute(append(BANK, a_leaf(house.clock.now_us(), 77)))
    house.data.rollback()
    other.append(SHOP, 1)
    assert house.tick().vanished == 1
    other.append(SHOP, 1)
    assert house.tick().vanished == 0
    other.close()


def test_a_checkpoint_that_was_forged_in_the_database_is_not_published(house, client):
    house.grown(BANK, 3)
    before = (house.folder(BANK) / "checkpoint").read_bytes()
    house.stop()
    raw(house.data, "UPDATE ledger_checkpoint SET note = ?, size = 99", (b"forged",))
    house.tick()
    after = (house.folder(BANK) / "checkpoint").read_bytes()
    assert parse_note(after).text == parse_note(before).text
    assert client.verify(client.export()).outcome is Outcome.AUTHENTIC


def test_no_signature_leaves_before_the_signer_remembers_it(house):
    house.grown(BANK, 3)
    head = parse_head(parse_note((house.folder(BANK) / "checkpoint").read_bytes()).text)
    kept = Memory.open(house.home / "signing").last(house.signing.origin(BANK))
    assert (kept.size, kept.root) == (head.size, head.root)


# ── detected: the client's verifier says so ─────────────────────────────────────────────────────────────────


def test_a_truncated_log_under_its_older_checkpoint_is_a_rollback(house, client):
    house.grown(BANK, 10)
    older = client.export()
    house.grown(BANK, 10)
    assert client.verify(client.export()).outcome is Outcome.AUTHENTIC
    report = client.verify(older)
    assert report.outcome is Outcome.HISTORY_BROKEN
    assert codes(report) == {"rolled_back"}
    # What was remembered stays: the next honest bundle still continues 20 leaves.
    assert client.verify(client.export()).history.startswith("continues the 20 leaves")


def test_a_split_view_of_one_length_is_two_roots(house, client, tmp_path):
    house.grown(BANK, 10)
    honest = client.export()
    assert client.verify(honest).outcome is Outcome.AUTHENTIC
    entries = decode_bundle((honest / "tile/entries/000.p/10").read_bytes())
    entries[4] = entries[4].replace(b"p_qwerty", b"p_azerty")
    keys = house.signing
    lie = forged_log(tmp_path / "lie", keys.origin(BANK), keys.signers(BANK), entries)
    report = client.verify(lie)
    assert report.outcome is Outcome.HISTORY_BROKEN
    assert codes(report) == {"split_view"}
    client.forget()
    assert client.verify(lie).history.startswith("first sight"), "nobody can see it at first sight"


def test_a_longer_log_that_does_not_contain_the_old_one_is_another_history(house, client, tmp_path):
    house.grown(BANK, 10)
    honest = client.export()
    since = (honest / "checkpoint").read_bytes()
    entries = decode_bundle((honest / "tile/entries/000.p/10").read_bytes())
    keys = house.signing
    other = [*entries[1:], entries[-1], entries[-1]]
    lie = forged_log(tmp_path / "lie", keys.origin(BANK), keys.signers(BANK), other)
    report = client.verify(lie, since=since)
    assert report.outcome is Outcome.HISTORY_BROKEN
    assert "not_consistent" in codes(report)


def test_a_rollback_is_seen_against_a_checkpoint_that_was_kept(house, client):
    house.grown(BANK, 5)
    older = client.export()
    house.grown(BANK, 5)
    since = (client.export() / "checkpoint").read_bytes()
    report = client.verify(older, since=since)
    assert report.outcome is Outcome.HISTORY_BROKEN
    assert codes(report) == {"rolled_back"}
