"""Who has the data store cannot make what follows the logs spread something else than the logs say."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.tiles import WIDTH, decode_bundle, encode_bundle
from holdfast.spine.stream.following import Following
from holdfast.spine.stream.parking import list_parked, retry
from holdfast.spine.stream.standing import disagreements, standings
from holdfast.spine.stream.timeline import timeline
from holdfast.vocabulary.ids import HOUSE_LOG
from support.following import Picky, follow, own_followers, positions, state
from support.ledger import BANK, SHOP, LedgerHouse
from support.stores import raw


@pytest.fixture
def house(tmp_path):
    house = LedgerHouse(tmp_path / "house")
    yield house
    house.close()


def entries(house, log, n=0):
    ((body,),) = raw(house.data, "SELECT body FROM ledger_bundle WHERE log = ? AND n = ?", (log, n))
    return decode_bundle(bytes(body))


def put_entries(house, log, given, n=0):
    raw(
        house.data,
        "UPDATE ledger_bundle SET body = ? WHERE log = ? AND n = ?",
        (encode_bundle(given), log, n),
    )


def turned(house, times=5):
    following = Following(house, own_followers())
    for _ in range(times):
        following.turn(within_s=60)
        house.clock.advance(10 * MINUTE_US)
    house.tick()


def told(house):
    return [one for one in house.read(leaves_from(HOUSE_LOG, 0)) if b"stream.stopped" in one.entry]


def stopped(house):
    return {one.name: one.stopped for one in house.read(standings(own_followers()))}


def test_a_leaf_that_was_altered_goes_to_nobody_and_those_before_it_do(house):
    house.grown(BANK, 10)
    house.grown(SHOP, 4)
    honest = entries(house, BANK)
    put_entries(
        house, BANK, [*honest[:6], honest[6].replace(b"p_qwerty", b"p_zwerty"), *honest[7:]]
    )
    turned(house)
    assert {at for (_, log), at in positions(house).items() if log == BANK} == {6}
    assert {at for (_, log), at in positions(house).items() if log == SHOP} == {4}
    assert b"p_zwerty" not in str(state(house)).encode()
    assert stopped(house) == {"timeline": (BANK,), "tally": (BANK,)}
    assert len(told(house)) == 2  # one for each subscriber, however often it looks
    put_entries(house, BANK, honest)
    turned(house)
    assert {at for (_, log), at in positions(house).items() if log == BANK} == {10}


def test_a_log_that_is_cut_off_stops_its_subscribers(house):
    house.grown(BANK, WIDTH + 10)
    follow(house)
    raw(house.data, "UPDATE ledger_tree SET size = 40 WHERE log = ?", (BANK,))
    turned(house)
    assert stopped(house) == {"timeline": (BANK,), "tally": (BANK,)}
    assert [row[:2] for row in house.read(disagreements(own_followers()))] == [
        ("timeline", BANK),
        ("tally", BANK),
    ]


def test_another_history_of_the_same_length_is_not_followed(house, tmp_path):
    house.grown(BANK, 12)
    follow(house)
    other = LedgerHouse(tmp_path / "other")
    other.append(BANK, 20, step_us=2_000)
    other.registrar.sequence()
    for table in ("ledger_tree", "ledger_tile", "ledger_bundle"):
        raw(house.data, f"DELETE FROM {table} WHERE log = ?", (BANK,))
        for row in raw(other.data, f"SELECT * FROM {table}"):
            raw(house.data, f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    other.close()
    before = state(house)
    Following(house, own_followers()).turn(within_s=60)
    assert state(house) == before
    assert {row[:2] for row in house.read(disagreements(own_followers()))} == {
        ("timeline", BANK),
        ("tally", BANK),
    }


@pytest.mark.parametrize("to", [99, 7])
def test_a_position_that_was_moved_without_knowing_the_log_shows(house, to):
    house.grown(BANK, 20)
    follow(house)
    raw(house.data, "UPDATE stream_position SET next = ? WHERE subscriber = 'tally'", (to,))
    before = state(house)
    Following(house, own_followers()).turn(within_s=60)
    assert state(house) == before
    assert [row[:2] for row in house.read(disagreements(own_followers()))] == [("tally", BANK)]


def test_a_row_slipped_into_the_timeline_is_not_shown_as_anybodys_leaf(house):
    house.grown(BANK, 20)
    follow(house)
    raw(
        house.data,
        "INSERT INTO stream_timeline (log, ref, idx, at_us, type) VALUES (?, 'p_innocent', 3, 5, 'x')",
        (BANK,),
    )
    with pytest.raises(IntegrityBroken, match="does not name p_innocent"):
        house.read(timeline(BANK, "p_innocent"))


def test_a_leaf_altered_after_it_was_indexed_is_not_shown(house):
    house.grown(BANK, 20)
    follow(house)
    assert len(house.read(timeline(BANK, "p_qwerty", most=5)).leaves) == 5
    honest = entries(house, BANK)
    put_entries(house, BANK, [*honest[:-1], honest[-1].replace(b"dec_", b"dex_")])
    with pytest.raises(IntegrityBroken, match="altered"):
        house.read(timeline(BANK, "p_qwerty", most=5))


def test_a_parked_leaf_taken_twice_at_once_counts_once(house):
    house.grown(BANK, 5)
    picky = Picky(bad=[3])
    following = Following(house, [picky.follower()])
    for _ in range(9):
        following.turn(within_s=60)
        house.clock.advance(HOUR_US)
    (parked,) = [one for one in house.read(list_parked()) if one.log == BANK]
    assert retry(house, picky.follower(), parked) is False  # nothing was mended yet
    picky.bad.clear()
    assert retry(house, picky.follower(), parked) is True
    assert retry(house, picky.follower(), parked) is True  # it is done; nothing is written
    assert len(picky.noted(house, BANK)) == 5
    assert not [one for one in house.read(list_parked()) if one.log == BANK]
