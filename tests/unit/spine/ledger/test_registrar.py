"""One tick carries a committed leaf to the client's files, once, in order, and signed."""

from __future__ import annotations

import json

import pytest

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, TooLarge
from holdfast.spine.ledger import lease, sequencer, store
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.entries import MOST_LATE_US
from holdfast.spine.ledger.note import open_checkpoint, parse_note, parse_vkey
from holdfast.spine.ledger.proofs import locate
from holdfast.spine.ledger.recorder import append, append_entry
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.tiles import decode_bundle, tiles_of
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.leaves import Leaf, LeafType
from support.ledger import BANK, SHOP, LedgerHouse, a_leaf
from support.stores import raw, writes_of


def entries(house, log):
    folder = house.folder(log)
    size = parse_head(parse_note((folder / "checkpoint").read_bytes()).text).size
    return [
        entry
        for tile in tiles_of(size)
        if tile.level < 0
        for entry in decode_bundle((folder / tile.path).read_bytes())
    ]


def test_committed_leaves_are_published_in_their_order(house):
    leaves = house.append(BANK, 3) + house.append(BANK, 600)
    done = house.tick()
    assert done.sequenced == 603
    assert done.signed == done.published == (BANK,)
    assert entries(house, BANK) == [leaf.entry() for leaf in leaves]


def test_each_log_is_signed_under_its_own_origin_by_both_keys(house):
    house.append(BANK)
    house.append(SHOP)
    house.append(HOUSE_LOG)
    assert set(house.tick().published) == {BANK, SHOP, HOUSE_LOG}
    for log in (BANK, SHOP, HOUSE_LOG):
        note = (house.folder(log) / "checkpoint").read_bytes()
        keys = [parse_vkey(vkey) for vkey in house.vkeys(log)]
        head, opened = open_checkpoint(note, keys)
        assert head.origin == f"{house.signing.name}/{log}"
        assert list(opened.by) == keys
    assert len({vkey for log in (BANK, SHOP) for vkey in house.vkeys(log)}) == 4


def test_a_leaf_that_was_rolled_back_is_in_no_log(house):
    def fails():
        yield Round(data=(append(BANK, a_leaf(house.clock.now_us())),))
        raise Conflict("the operation changed its mind")

    with pytest.raises(Conflict):
        house.transact(fails())
    assert house.tick().sequenced == 0
    assert not house.folder(BANK).exists()


def test_an_operation_that_was_undone_within_its_turn_leaves_no_gap(house):
    house.grown(BANK, 1)
    house.data.begin()
    for number in range(6):
        house.data.save()
        query = append(BANK, a_leaf(house.clock.now_us(), number))
        house.data.execute(query)
        if number % 2:
            house.data.undo()
        house.data.release()
    house.data.commit()
    done = house.tick()
    assert (done.sequenced, done.vanished) == (3, 0)


def test_a_tick_without_news_writes_nothing(house):
    house.grown(BANK, 5)
    before = (house.folder(BANK) / "checkpoint").read_bytes()
    changes = writes_of(house.data)
    assert changes
    again = house.tick()
    assert (again.sequenced, again.signed, again.published) == (0, (), ())
    assert writes_of(house.data) == changes
    assert (house.folder(BANK) / "checkpoint").read_bytes() == before


def test_an_idle_log_is_signed_anew_every_hour(house):
    house.grown(BANK, 5)
    before = (house.folder(BANK) / "checkpoint").read_bytes()
    house.clock.advance(HOUR_US - MINUTE_US)
    assert house.tick().signed == ()
    house.clock.advance(MINUTE_US)
    assert house.tick().published == (BANK,)
    after = (house.folder(BANK) / "checkpoint").read_bytes()
    assert after != before
    assert parse_note(after).text == parse_note(before).text


def test_more_leaves_than_a_batch_go_through_in_one_tick(house):
    house.append(BANK, 3 * sequencer.MOST_LEAVES + 17, step_us=1)
    assert house.tick().sequenced == 3 * sequencer.MOST_LEAVES + 17


def test_a_leaf_whose_time_lies_before_its_predecessor_is_lifted_not_lost(house):
    late = a_leaf(house.clock.now_us() - MINUTE_US, 99)
    house.grown(BANK, 2)
    house.append_leaves(BANK, [late])
    assert house.tick().lifted == 1
    last = [json.loads(entry) for entry in entries(house, BANK)][-2:]
    assert last[1]["id"] == late.id
    assert last[1]["time"] == last[0]["time"]


def test_a_leaf_that_was_committed_late_is_placed_as_its_receipt_promises(house):
    last = house.grown(BANK, 2)[-1]
    late = a_leaf(last.at_us - MOST_LATE_US, 99)
    house.append_leaves(BANK, [late])
    assert house.tick().lifted == 0
    assert entries(house, BANK)[-1] == late.entry()
    assert house.read(locate(BANK, late.id)).index == 2


def test_the_narrow_states_of_a_tile_go_when_it_is_full(house):
    house.grown(BANK, 100)
    assert (house.folder(BANK) / "tile/0/000.p/100").exists()
    house.grown(BANK, 200)
    assert not (house.folder(BANK) / "tile/0/000.p").exists()
    assert not (house.folder(BANK) / "tile/entries/000.p").exists()
    assert (house.folder(BANK) / "tile/0/000").stat().st_size == 8192
    assert (house.folder(BANK) / "tile/0/001.p/44").exists()
    assert (house.folder(BANK) / "tile/1/000.p/1").exists()


def test_a_restarted_registrar_goes_on_where_the_last_one_was(house):
    house.grown(BANK, 10)
    house.stop()
    house.append(BANK, 10)
    assert house.tick().sequenced == 10
    house.stop()
    assert house.tick().signed == ()
    assert len(entries(house, BANK)) == 20


def test_only_one_process_keeps_the_logs_of_a_house(house):
    house.grown(BANK, 1)
    if house.embedded:
        with pytest.raises(Conflict):
            Registrar(house, house.signing)
        return
    other = Registrar(house, house.signing)  # it stands by
    with pytest.raises(Conflict, match="lease"):
        other.tick()
    house.stop()
    house.append(BANK, 1)
    assert other.tick().sequenced == 1
    other.close()


def test_a_lease_that_another_place_holds_keeps_us_from_sequencing(house):
    now_us = house.clock.now_us()
    house.transact(lease.take(lease.SEQUENCER, "other", "elsewhere", now_us=now_us))
    house.append(BANK)
    with pytest.raises(Conflict):
        house.tick()
    house.clock.advance(lease.TIME_TO_LIVE_US)
    assert house.tick().sequenced == 1


def test_a_lease_is_taken_over_at_once_at_the_same_place_and_fences_the_former_holder(house):
    take = lease.take
    first = house.transact(take("sequencer", "a", "here", now_us=0))
    second = house.transact(take("sequencer", "b", "here", now_us=0))
    assert second.fence == first.fence + 1
    with pytest.raises(Conflict):
        house.transact(first.check())
    with pytest.raises(Conflict):
        house.transact(first.renewed(0))
    renewed = house.transact(second.renewed(lease.TIME_TO_LIVE_US))
    assert not renewed.is_due(lease.TIME_TO_LIVE_US)


def test_two_sequencers_that_read_the_same_leaves_place_them_once(house):
    house.append(BANK, 10)
    held = house.transact(lease.take("sequencer", "a", "here", now_us=0))
    growths, _ = sequencer.plan(house.read(sequencer.load()))
    house.transact(sequencer.commit(growths, held, 0))
    with pytest.raises(Conflict):
        house.transact(sequencer.commit(growths, held, 0))
    assert house.size(BANK) == 10


def test_a_holder_that_was_overtaken_writes_nothing(house):
    house.append(BANK, 10)
    held = house.transact(lease.take("sequencer", "a", "here", now_us=0))
    growths, _ = sequencer.plan(house.read(sequencer.load()))
    house.transact(lease.take("sequencer", "b", "here", now_us=0))
    with pytest.raises(Conflict):
        house.transact(sequencer.commit(growths, held, 0))
    assert house.size(BANK) == 0


def test_a_log_that_moved_while_it_was_read_is_read_again_later(house):
    house.grown(BANK, 10)
    house.append(BANK, 5)
    house.stop()
    held = house.transact(lease.take("sequencer", "a", house.signing.name, now_us=0))
    growths, _ = sequencer.plan(house.read(sequencer.load()))
    house.append(BANK, 3)
    assert house.tick().sequenced == 8
    with pytest.raises(Conflict):
        house.transact(sequencer.commit(growths, held, 0))


def test_a_reader_follows_a_log_from_its_position(house):
    leaves = house.append(BANK, 700)
    assert house.read(leaves_from(BANK, 0)) == ()
    house.tick()
    seen = []
    while batch := house.read(leaves_from(BANK, len(seen), most=99)):
        assert [leaf.index for leaf in batch] == list(range(len(seen), len(seen) + len(batch)))
        seen.extend(batch)
    assert [leaf.entry for leaf in seen] == [leaf.entry() for leaf in leaves]
    assert house.read(leaves_from(BANK, 255, most=2)) == tuple(seen[255:257])


def test_an_entry_beyond_64_kib_is_refused_before_anything_is_written():
    assert append_entry(BANK, "lf_1", 0, b"x" * 65_535)
    with pytest.raises(TooLarge):
        append_entry(BANK, "lf_1", 0, b"x" * 65_536)


@pytest.mark.parametrize("log", ["", "..", "a/b", "A", "a..b", "a.", "-a", "ä", "x" * 128, "a\n"])
def test_a_log_has_a_name_that_a_folder_can_have(log):
    with pytest.raises(InvalidInput):
        append(log, a_leaf(0))


def test_a_leaf_with_undeclared_fields_is_refused():
    leaf = Leaf(LeafType.DECISION_READ, "lf_1", 0, {"decision": "dec_1", "name": "x"})
    with pytest.raises(ValueError, match="fields differ"):
        append(BANK, leaf)


def test_the_newest_checkpoint_of_each_day_is_kept(house):
    for _ in range(3):
        house.grown(BANK, 1)
    house.clock.advance(24 * HOUR_US)
    house.grown(BANK, 1)
    rows = raw(house.data, "SELECT size FROM ledger_checkpoint ORDER BY size")
    assert rows == [(3,), (4,)]

    def newest():
        (found,) = yield Round(data=(store.CHECKPOINT(log=BANK),))
        return found

    assert house.read(newest())[0][1] == (house.folder(BANK) / "checkpoint").read_bytes()


def test_a_house_of_the_same_host_has_another_name(tmp_path, house):
    other = LedgerHouse(tmp_path / "other")
    assert other.signing.name != house.signing.name
    assert other.signing.name.startswith("house.example/")
    other.close()


def test_the_time_of_the_newest_leaf_is_known_to_the_clock_at_start(house):
    assert house.read(sequencer.newest_leaf_us()) == 0
    leaves = house.append(BANK, 3)
    assert house.read(sequencer.newest_leaf_us()) == leaves[-1].at_us
    house.tick()
    assert house.read(sequencer.newest_leaf_us()) == leaves[-1].at_us
