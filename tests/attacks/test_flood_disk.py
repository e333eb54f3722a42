"""A disk that fills up: nothing is shown that could not be recorded, and what narrows access still goes on."""

from __future__ import annotations

import pytest

from holdfast.edges.worker.room import RoomWatch
from holdfast.kit.clock import Uptime
from holdfast.kit.disk import Free, Reserve, Room, SystemDisk
from holdfast.kit.errors import Unavailable
from holdfast.spine.turn.answers import Revealed
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import request_shred
from support.answers import rules
from support.bank import customer, new_bank


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def shows(bank):
    """Every way to be shown something."""
    return (
        lambda: bank.reveal("C00001", ["name"]),
        lambda: bank.search(customer(1)["phone"]),
        lambda: bank.verify("C00001", {"dob": customer(1)["dob"]}),
    )


@pytest.mark.parametrize("number", range(3))
def test_under_a_twentieth_nothing_is_shown_and_nothing_is_written(bank, number):
    bank.disk.share = 0.049
    before = len(bank.leaves())
    with pytest.raises(Unavailable) as refused:
        shows(bank)[number]()
    assert (refused.value.code, refused.value.status) == ("disk_low", 503)
    assert len(bank.leaves()) == before
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(0,)]


def test_under_a_twentieth_a_denial_is_still_written(bank):
    bank.disk.share = 0.001
    assert rules(bank.reveal("C00002", ["name"])) == {"customer.bound"}
    assert bank.leaves("decision.made")[-1]["outcome"] == "deny"


def test_under_a_twentieth_a_customer_is_still_erased(bank):
    bank.disk.share = 0.001
    keys = bank.house.read(client_keys(bank.house.keks, "bank-01", 1))
    work = request_shred(keys, bank.id_of("C00003"), by="p_1", now_us=bank.clock.now_us())
    bank.house.transact(work)
    assert bank.leaves("shred.requested")


def test_under_a_tenth_looks_go_on(bank):
    bank.disk.share = 0.051
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)


def test_what_is_low_is_told_once_and_again_when_it_gets_worse(bank):
    watch = RoomWatch(bank.house)
    for share in (0.5, 0.09, 0.09, 0.04, 0.03):
        bank.disk.share = share
        bank.advance(6)
        watch.look()
    told = [(leaf["signal"], leaf["count"]) for leaf in bank.leaves("signal.raised")]
    assert told == [("disk.low", 9), ("disk.full", 4)]


def told(bank):
    return [leaf["signal"] for leaf in bank.leaves("signal.raised")]


def look(bank, *watches, share, after_s=6):
    bank.disk.share = share
    bank.advance(after_s)
    for watch in watches:
        watch.look()


def test_several_workers_of_a_machine_tell_once_that_its_disk_is_low(bank):
    first, second = RoomWatch(bank.house), RoomWatch(bank.house)
    look(bank, first, second, share=0.09)
    look(bank, second, first, share=0.04)
    assert told(bank) == ["disk.low", "disk.full"]
    look(bank, second, first, share=0.09)
    look(bank, RoomWatch(bank.house), share=0.04)  # one is killed, another comes
    assert told(bank) == ["disk.low", "disk.full"]
    look(bank, second, share=0.09, after_s=3600)
    assert told(bank)[2:] == ["disk.low"]


def test_what_was_told_is_told_anew_when_there_was_room_meanwhile(bank):
    watches = RoomWatch(bank.house), RoomWatch(bank.house)
    for share in (0.09, 0.5, 0.09):
        look(bank, *watches, share=share)
    assert told(bank) == ["disk.low", "disk.low"]


def test_the_disk_of_another_machine_is_another_one(bank):
    here = RoomWatch(bank.house)
    bank.clock.uptime = lambda: Uptime("another boot", 1)
    look(bank, here, RoomWatch(bank.house), share=0.09)
    assert told(bank) == ["disk.low", "disk.low"]


def test_the_reserve_is_given_up_when_the_disk_is_nearly_full(tmp_path):
    reserve = Reserve(tmp_path / "reserve", 1 << 20)
    assert reserve.keep(Free(10 << 20, 0.5)) is True
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1 << 20, "room, not a hole"
    assert reserve.keep(Free(2 << 20, 0.04)) is None
    assert reserve.keep(Free(1000, 0.001)) is False
    assert not (tmp_path / "reserve").exists()
    assert reserve.keep(Free(2 << 20, 0.04)) is None
    assert reserve.keep(Free(10 << 20, 0.5)) is True


def test_a_disk_that_cannot_be_looked_at_counts_as_full(tmp_path):
    assert SystemDisk([tmp_path / "absent"]).free().room is Room.FULL


def test_the_disk_is_looked_at_once_a_second_at_most(tmp_path):
    now = [0.0]
    disk = SystemDisk([tmp_path], lambda: now[0])
    first = disk.free()
    now[0] = 0.5
    assert disk.free() is first
    now[0] = 1.5
    assert disk.free() is not first
