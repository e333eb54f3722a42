"""Work that was given up is not forgotten: doctor names it."""

from __future__ import annotations

import pytest

from holdfast.edges.checks.catalogue import CHECKS
from holdfast.edges.checks.run import examine
from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Unavailable
from holdfast.kit.jobs.queue import NewJob, enqueue, run_due
from holdfast.vocabulary.manifest import Severity
from support.stores import SmallHouse, raw


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    yield house
    house.close()


def checked(settings):
    (examined,) = examine(settings, [check for check in CHECKS if check.id == "jobs.W001"])
    return examined


def test_a_house_without_failures_is_sound(house):
    assert checked(house.settings).severity is Severity.OK
    assert not checked(house.settings).skipped


def test_a_job_that_was_given_up_is_a_warning(house):
    def put():
        yield Round(data=(enqueue(NewJob("shred", dedupe_key="shred:1"), house.clock.now_us()),))

    def failing(run):
        raise Unavailable("a reader is open")

    house.transact(put())
    for _ in range(13):
        run_due(house, {"shred": failing})
        house.clock.advance(DAY_US)
    (finding,) = checked(house.settings).findings
    assert finding.severity is Severity.WARNING
    assert "shred" in finding.message
    assert "unavailable" in finding.message


def test_a_store_without_tables_is_somebody_elses_finding(house):
    raw(house.data, "DROP TABLE jobs_job")
    assert checked(house.settings).skipped
