"""Each leaf has its effect once, in every log, whoever follows and whatever goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.tiles import WIDTH
from holdfast.spine.stream import store
from holdfast.spine.stream.following import MOST_TRIES, WRITTEN_AT_ONCE, Following
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.leaves import LeafType
from support.following import Picky, ask, follow, kept, positions, replayed, state, unread
from support.ledger import BANK, SHOP, LedgerHouse
from support.stores import raw


@pytest.fixture
def house(tmp_path):
    house = LedgerHouse(tmp_path / "house")
    yield house
    house.close()


def ids(leaves):
    return sorted(leaf.body["decision"] for leaf in leaves)


def tried_out(house, follower):
    """Follow until nothing is left but what was parked."""
    following = Following(house, [follower])
    for _ in range(50):
        following.turn(within_s=60)
        house.clock.advance(MINUTE_US)
    return following


def test_every_leaf_is_taken_once_and_the_place_is_kept(house):
    picky = Picky()
    leaves = house.grown(BANK, 10)
    follow(house, picky.follower())
    assert picky.noted(house, BANK) == ids(leaves)
    leaves += house.grown(BANK, WIDTH * 2)
    follow(house, picky.follower())
    assert picky.noted(house, BANK) == ids(leaves)
    assert picky.seen == list(range(len(leaves)))
    assert positions(house) == {("picky", BANK): len(leaves)}
    assert not unread(house, picky.follower())


@pytest.mark.parametrize("each", [0, 1, 5, WRITTEN_AT_ONCE, WRITTEN_AT_ONCE + 1])
def test_a_long_backlog_is_written_some_rows_at_a_time(house, each):
    leaves, sizes = 2 * WIDTH if each < 10 else 3, []

    def fold(_leaf, place):
        for number in range(each):
            yield Picky.NOTE(log=place.log, what=f"{place.index} {number}", outcome="")

    def merge(queries):
        sizes.append(len(queries))
        return queries

    house.grown(BANK, leaves)
    follow(house, replace(Picky().follower(), fold=fold, merge=merge))
    assert positions(house) == {("picky", BANK): leaves}
    assert raw(house.data, "SELECT COUNT(*) FROM stream_tally") == [(leaves * each,)]
    assert sum(sizes) == leaves * each
    assert max(sizes) <= max(WRITTEN_AT_ONCE, each)


def test_logs_are_followed_beside_each_other(house):
    picky = Picky(bad=[1])
    bank, shop = house.append(BANK, 5), house.append(SHOP, 3 * WIDTH)
    house.tick()
    Following(house, [picky.follower()]).turn(within_s=60)
    assert picky.noted(house, SHOP) == ids(shop)  # the bank's first leaf holds up the bank's alone
    assert picky.noted(house, BANK) == []
    tried_out(house, picky.follower())
    assert picky.noted(house, BANK) == ids(bank[1:])


def test_a_subscriber_gets_the_types_and_logs_that_it_asked_for(house):
    house.grown(BANK, 3)
    house.append(HOUSE_LOG, 2)
    house.tick()
    of_clients = Picky()
    follow(house, of_clients.follower(logs="client"))
    assert (of_clients.noted(house, HOUSE_LOG), len(of_clients.noted(house, BANK))) == ([], 3)
    follow(house, Picky().follower(version=2, logs="house"))
    others = Picky()
    follow(house, others.follower(version=3, types=frozenset({LeafType.BACKUP_MADE.value})))
    assert others.seen == []
    assert positions(house)["picky", BANK] == 3


@pytest.mark.parametrize("how", ["bad", "refused"])
def test_a_leaf_that_cannot_be_taken_is_tried_again_then_parked_and_the_others_go_on(house, how):
    leaves = house.grown(BANK, 9)
    picky = Picky(**{how: [4]})
    follower = picky.follower()
    following = Following(house, [follower])
    following.turn(within_s=60)
    assert picky.noted(house, BANK) == ids(leaves[:3])
    ((log, idx, tries),) = raw(house.data, "SELECT log, next, tries FROM stream_position")
    assert (log, idx, tries) == (BANK, 3, 1)
    tried_out(house, follower)
    assert picky.noted(house, BANK) == ids([*leaves[:3], *leaves[4:]])
    ((name, log, idx, code, tries, _at),) = house.read(ask(store.PARKED(subscriber="", most=9)))[0]
    assert (name, log, idx, tries) == ("picky", BANK, 3, MOST_TRIES)
    assert code == ("ValueError" if how == "bad" else code)
    assert "4111" not in str([kept(house, f"stream_{table}") for table in ("parked", "position")])


def test_a_parked_leaf_is_told_in_the_houses_log_and_not_again_within_the_hour(house):
    house.grown(BANK, 9)
    tried_out(house, Picky(bad=[2, 5, 7]).follower(logs="client"))
    house.tick()
    told = [one for one in house.read(leaves_from(HOUSE_LOG, 0)) if b"stream.parked" in one.entry]
    assert len(told) == 1
    assert b'"subject":"picky"' in told[0].entry


def test_a_subscriber_that_cannot_take_the_signal_about_itself_does_not_go_round_for_ever(house):
    house.grown(HOUSE_LOG, 1)
    picky = Picky(bad=[1])
    whole = picky.fold
    picky.fold = lambda leaf, place: (
        1 / 0 if leaf["type"] == "signal.raised" else whole(leaf, place)
    )
    for _ in range(3):
        tried_out(house, picky.follower())
        house.tick()
    parked = house.read(ask(store.PARKED(subscriber="", most=99)))[0]
    assert len(parked) <= 2 + 150 * MINUTE_US // HOUR_US


def test_a_later_version_takes_away_what_an_earlier_one_kept_and_reads_all_anew(house):
    leaves = house.grown(BANK, 2 * WIDTH + 5)
    follow(house, Picky().follower())
    later = Picky()
    follow(house, later.follower(version=2))
    assert later.noted(house, BANK) == ids(leaves)
    assert len(later.seen) == len(leaves)
    house.grown(BANK, 1)
    earlier = Picky()
    follow(house, earlier.follower(version=1))  # a process of the version before is still there
    assert earlier.seen == []


def test_a_rebuild_comes_to_the_same(house):
    house.grown(BANK, WIDTH + 9)
    house.grown(SHOP, 7)
    follow(house)
    before = state(house)
    assert before["timeline"]
    assert before["tally"]
    raw(house.data, "DELETE FROM stream_timeline WHERE idx = 3")
    for name in before:
        house.transact(ask(store.REBUILD(subscriber=name, nothing=b"", now_us=1)))
    follow(house)
    assert state(house) == before == replayed(house)


def test_who_loses_the_race_writes_nothing(house):
    leaves = house.grown(BANK, 40)
    picky = Picky()
    one, other = (Following(house, [picky.follower()]) for _ in range(2))
    one.turn(within_s=60)
    house.grown(BANK, 0)
    house.append(BANK, 10)
    house.tick()
    (seen_by_both,) = one.due()
    assert other.step(seen_by_both) is True
    assert one.step(seen_by_both) is False
    assert len(picky.noted(house, BANK)) == len(leaves) + 10
