"""How far the subscribers are stands in figures and findings, whatever the number of clients."""

from __future__ import annotations

import re

import pytest

from holdfast.edges.checks.catalogue import CHECKS
from holdfast.edges.checks.run import examine
from holdfast.edges.dataplane.metrics import Metrics
from holdfast.kit.clock import DAY_US, MINUTE_US, SystemClock
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.kit.jobs.queue import NewJob, backlog, claim, enqueue
from holdfast.spine.stream.standing import standings
from holdfast.vocabulary.ids import LEAF
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.manifest import Severity
from support.following import follow, own_followers, replayed, state
from support.ledger import BANK, SHOP, LedgerHouse
from support.stores import raw


@pytest.fixture
def house(tmp_path):
    house = LedgerHouse(tmp_path / "house")
    yield house
    house.close()


def found(house, ident):
    (examined,) = examine(house.settings, [check for check in CHECKS if check.id == ident])
    return examined


def erased(house, log):
    now_us = house.clock.now_us()
    body = {"client": log, "operation": "op_1", "customers": 1, "records": 1, "erased": "now"}
    house.append_leaves(log, [Leaf(LeafType.CLIENT_SHREDDED, new_id(LEAF, now_us), now_us, body)])


def test_a_subscriber_says_how_many_leaves_it_has_to_read_and_how_old_the_oldest_is(house):
    house.grown(BANK, 10)
    follow(house)
    assert {one.behind for one in house.read(standings(own_followers()))} == {0}
    first = house.append(BANK, 300, step_us=0)[0]
    house.clock.advance(5 * MINUTE_US)
    house.append(SHOP, 700)
    house.tick()
    now_us = house.clock.now_us()
    for one in house.read(standings(own_followers())):
        assert (one.logs, one.behind, one.most_behind) == (2, 1000, 700)
        assert one.lag_us(now_us) == now_us - first.at_us
    follow(house)
    assert {one.lag_us(now_us) for one in house.read(standings(own_followers()))} == {0}


def test_figures_name_subscribers_and_never_a_log(house):
    for number in range(5):
        house.append(f"client-many-{number}", 3)
    house.tick()
    metrics = Metrics()
    now_us = house.clock.now_us()
    metrics.stream(house.read(standings(own_followers())), now_us)
    metrics.jobs(house.read(backlog(now_us)), now_us)
    text = metrics.text().decode()
    assert 'holdfast_stream_behind{subscriber="timeline"} 15.0' in text
    assert 'holdfast_stream_most_behind{subscriber="tally"} 3.0' in text
    assert "many" not in text
    assert set(re.findall(r'subscriber="(\w+)"', text)) == {"timeline", "tally"}


def test_doctor_names_who_does_not_keep_up_and_what_was_parked(house):
    assert {found(house, ident).severity for ident in ("stream.W001", "stream.W002")} == {
        Severity.OK
    }
    house.grown(BANK, 7)  # some days ago, by this machine's clock
    finding = found(house, "stream.W001").findings[0]
    assert finding.severity is Severity.WARNING
    assert "timeline has 7 leaves to read" in finding.message
    follow(house)
    assert not found(house, "stream.W001").findings
    raw(
        house.data,
        "INSERT INTO stream_parked (subscriber, log, idx, code, tries, at_us) VALUES ('tally', ?, 3, 'x', 4, 5)",
        (BANK,),
    )
    (finding,) = found(house, "stream.W002").findings
    assert "tally could not take 1 leaves" in finding.message


def test_doctor_refuses_a_position_that_the_log_does_not_have(house):
    house.grown(BANK, 7)
    follow(house)
    assert found(house, "stream.E001").severity is Severity.OK
    raw(house.data, "UPDATE stream_position SET next = 8 WHERE subscriber = 'tally'")
    (finding,) = found(house, "stream.E001").findings
    assert finding.severity is Severity.ERROR
    assert "holdfast stream rebuild tally" in finding.remedy


def test_doctor_names_work_that_nobody_does(house):
    now_us = SystemClock().now_us()

    def put():
        jobs = [NewJob("mail", run_at_us=now_us - at * MINUTE_US) for at in (-1, 1, 9)]
        yield Round(data=tuple(enqueue(job, now_us) for job in jobs))

    house.transact(put())
    (finding,) = found(house, "jobs.W002").findings
    assert "mail has been due for 5" in finding.message
    house.clock.floor(now_us)
    assert claim(house, ("mail",)) is not None
    assert not found(house, "jobs.W002").findings


def test_what_was_kept_of_a_client_goes_when_its_log_says_that_it_was_erased(house):
    house.grown(BANK, 2000)
    house.grown(SHOP, 5)
    erased(house, BANK)
    after = house.append(BANK, 2)
    house.tick()
    follow(house)
    kept = state(house)
    ids = {leaf.body["decision"] for leaf in after}
    assert {row[1] for row in kept["timeline"] if row[0] == BANK} == {*ids, "p_qwerty"}
    assert {row[-1] for row in kept["tally"] if row[0] == BANK} == {2}
    assert len([row for row in kept["timeline"] if row[0] == SHOP]) == 10
    assert replayed(house) == kept


def test_a_tally_is_forgotten_after_four_hundred_days_and_a_timeline_with_its_log(house):
    from holdfast.edges.worker.retention import STAYS, TRIMS

    (trim,) = [one for one in TRIMS if one.table == "stream_tally"]
    assert trim.before(500 * DAY_US) == 100
    assert "stream_timeline" in STAYS
