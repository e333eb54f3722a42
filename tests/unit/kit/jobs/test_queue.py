"""Work that was enqueued is done, even if the worker dies, and not twice at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.db.opening import connect
from holdfast.kit.errors import Conflict, Unavailable
from holdfast.kit.jobs import queue, store
from holdfast.kit.jobs.queue import NewJob, Schedule, claim, complete, enqueue, run_due, tick
from support.stores import NOON_US, SmallHouse, raw

TESTS = Path(__file__).parents[3]


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    yield house
    house.close()


def ask(*queries):
    return (yield Round(data=queries))


def put(house, *jobs):
    house.transact(ask(*(enqueue(job, house.clock.now_us()) for job in jobs)))


def counts(house):
    return dict(raw(house.data, "SELECT state, COUNT(*) FROM jobs_job GROUP BY state"))


def kinds_run(house, *kinds):
    seen = []
    run_due(house, dict.fromkeys(kinds, lambda run: seen.append((run.kind, dict(run.payload)))))
    return seen


def test_due_work_runs_once_in_order_and_with_its_payload(house):
    put(house, NewJob("mail", {"n": 2}), NewJob("mail", {"n": 1}, run_at_us=NOON_US - 1))
    assert kinds_run(house, "mail") == [("mail", {"n": 1}), ("mail", {"n": 2})]
    assert kinds_run(house, "mail") == []
    assert counts(house) == {"done": 2}


def test_work_waits_for_its_time(house):
    put(house, NewJob("mail", run_at_us=NOON_US + MINUTE_US))
    assert kinds_run(house, "mail") == []
    house.clock.advance(MINUTE_US)
    assert kinds_run(house, "mail") == [("mail", {})]


def test_a_worker_leaves_alone_what_it_has_no_handler_for(house):
    put(house, NewJob("from a newer version"))
    assert kinds_run(house, "mail") == []
    assert counts(house) == {"ready": 1}


def test_the_same_key_is_enqueued_once(house):
    put(house, NewJob("shred", {"customer": "c"}, "shred:c"))
    put(house, NewJob("shred", {"customer": "c"}, "shred:c"))
    assert len(kinds_run(house, "shred")) == 1


def test_enqueueing_is_part_of_the_transaction_that_needs_it(house):
    def work():
        yield Round(data=(enqueue(NewJob("mail"), NOON_US),))
        raise Unavailable("no")

    with pytest.raises(Unavailable):
        house.transact(work())
    assert counts(house) == {}


def test_a_failed_job_is_tried_again_later_and_later(house):
    put(house, NewJob("mail"))
    tries = []

    def failing(run):
        tries.append((house.clock.now_us() - NOON_US) // SECOND_US)
        raise Unavailable("the mail server is away")

    for _ in range(300):
        run_due(house, {"mail": failing})
        house.clock.advance(SECOND_US)
    assert tries == [0, 5, 25, 105]
    assert raw(house.data, "SELECT state, error FROM jobs_job")[0] == (
        "ready",
        "unavailable",
    )


def test_after_the_twelfth_attempt_a_job_is_dead_until_it_is_enqueued_anew(house):
    job = NewJob("mail", dedupe_key="mail:1")
    put(house, job)

    def failing(run):
        raise ValueError("a value that must not be stored: 4111 1111 1111 1111")

    for _ in range(20):
        run_due(house, {"mail": failing})
        house.clock.advance(DAY_US)
    ((dead,),) = house.read(ask(store.DEAD(limit=5)))
    assert dead[1:4] == ("mail", 12, "ValueError")
    assert "4111" not in str(raw(house.data, "SELECT * FROM jobs_job"))
    put(house, job)
    assert kinds_run(house, "mail") == [("mail", {})]
    put(house, job)
    assert counts(house) == {"done": 1}


def test_a_leased_job_is_nobody_elses_until_the_lease_lapses(house):
    put(house, NewJob("mail"))
    first = claim(house, ("mail",))
    assert claim(house, ("mail",)) is None
    house.clock.advance(queue.LEASE_US)
    second = claim(house, ("mail",))
    assert second is not None
    assert (second.id, second.attempt) == (first.id, 2)


def test_looking_for_work_takes_no_lock(house, tmp_path):
    put(house, NewJob("mail", run_at_us=NOON_US + MINUTE_US))
    writer = SmallHouse(tmp_path / "house", house.clock, fresh=False)
    writer.data.begin()
    house.data.close()
    house.data = connect(house.settings.data, busy_timeout_ms=0)
    try:
        assert claim(house, ("mail",)) is None
    finally:
        writer.close()


def test_a_heartbeat_keeps_the_lease(house):
    put(house, NewJob("mail"))
    run = claim(house, ("mail",))
    for _ in range(5):
        house.clock.advance(queue.LEASE_US - SECOND_US)
        run.heartbeat()
    assert claim(house, ("mail",)) is None


def test_a_run_that_lost_its_lease_settles_nothing(house):
    put(house, NewJob("mail"))
    slow = claim(house, ("mail",))
    house.clock.advance(queue.LEASE_US)
    quick = claim(house, ("mail",))
    with pytest.raises(Conflict):
        slow.heartbeat()
    assert house.transact(ask(complete(slow, house.clock.now_us()))) == [[]]
    assert house.transact(ask(queue.fail(slow, "late", house.clock.now_us()))) == [[]]
    assert counts(house) == {"leased": 1}
    assert house.transact(ask(complete(quick, house.clock.now_us()))) == [[(quick.id,)]]


def test_a_job_that_kills_each_of_its_workers_is_buried(house):
    put(house, NewJob("poison"))
    for _ in range(queue.MOST_ATTEMPTS):
        assert claim(house, ("poison",)) is not None
        house.clock.advance(queue.LEASE_US)
    assert claim(house, ("poison",)) is None
    assert counts(house) == {"dead": 1}


def test_several_schedulers_enqueue_a_recurring_job_once_per_fire_time(house):
    nightly = Schedule("sweep", DAY_US)
    for _ in range(3):
        tick(house, (nightly,))
    assert kinds_run(house, "sweep") == [("sweep", {})]
    house.clock.advance(DAY_US)
    tick(house, (nightly,))
    assert kinds_run(house, "sweep") == [("sweep", {})]


def test_after_a_downtime_the_latest_fire_is_made_up_for_and_those_before_are_not(house):
    hourly = Schedule("sweep", HOUR_US)
    tick(house, (hourly,))
    house.clock.advance(3 * DAY_US + HOUR_US // 2)
    tick(house, (hourly,))
    keys = [row[0] for row in raw(house.data, "SELECT dedupe_key FROM jobs_job ORDER BY run_at_us")]
    assert keys == [f"sweep@{NOON_US}", f"sweep@{NOON_US + 3 * DAY_US}"]


def test_many_workers_that_look_at_once_each_find_work_of_their_own(house, tmp_path):
    put(house, *(NewJob("mail", {"n": n}) for n in range(4)))
    ready = threading.Barrier(4)

    def take():
        mine = SmallHouse(tmp_path / "house", house.clock, fresh=False)
        try:
            ready.wait()
            return claim(mine, ("mail",)).payload["n"]
        finally:
            mine.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(take) for _ in range(4)]
        assert sorted(one.result() for one in taken) == [0, 1, 2, 3]


def test_a_job_that_waits_or_was_given_up_is_run_at_once_when_asked_for(house):
    put(house, NewJob("mail", run_at_us=NOON_US + DAY_US))
    ((ident,),) = raw(house.data, "SELECT id FROM jobs_job")
    assert house.transact(queue.revive(ident, NOON_US))
    assert kinds_run(house, "mail") == [("mail", {})]
    assert not house.transact(queue.revive(ident, NOON_US))  # it is done


def test_a_finished_job_is_forgotten_after_a_week_and_not_before(house):
    weekly = Schedule("sweep", 7 * DAY_US)
    for _ in range(21):
        tick(house, (weekly,))
        kinds_run(house, "sweep")
        house.transact(purge(house.clock.now_us() - queue.KEPT_US))
        assert kinds_run(house, "sweep") == [], "its key still refuses a second one"
        house.clock.advance(DAY_US)
    assert 1 <= counts(house)["done"] <= 2


def purge(before):
    yield Round(data=(store.PURGE(before=before, most=100),))


@pytest.mark.parametrize("every_us", [0, 8 * DAY_US])
def test_a_schedule_that_would_fire_twice_is_refused(every_us):
    with pytest.raises(ValueError, match="within a week"):
        Schedule("sweep", every_us)


def test_a_payload_is_small_and_json(house):
    with pytest.raises(ValueError, match="bytes"):
        enqueue(NewJob("mail", {"text": "x" * 20_000}), NOON_US)
    with pytest.raises(TypeError):
        enqueue(NewJob("mail", {"file": b"bytes"}), NOON_US)


WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from support.stores import FakeClock, SmallHouse, raw
from holdfast.kit.jobs.queue import run_due

def half(run):
    raw(house.data, "CREATE TABLE IF NOT EXISTS seen (n INTEGER)")
    raw(house.data, "INSERT INTO seen VALUES (?)", (run.attempt,))
    print("half", flush=True)
    sys.stdin.read()

house = SmallHouse(Path(sys.argv[2]), FakeClock(), fresh=False)
run_due(house, {"mail": half})
"""


def test_work_of_a_worker_killed_in_the_middle_is_done_by_the_next(house):
    put(house, NewJob("mail"))
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(TESTS), str(house.settings.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
    )
    try:
        assert worker.stdout.readline() == b"half\n"
        assert kinds_run(house, "mail") == [], "the dying worker still holds it"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    assert worker.returncode == -signal.SIGKILL
    assert kinds_run(house, "mail") == [], "nobody knows yet that it is dead"
    house.clock.advance(queue.LEASE_US)
    assert kinds_run(house, "mail") == [("mail", {})]
    assert counts(house) == {"done": 1}
    assert raw(house.data, "SELECT n FROM seen") == [(1,)]


def test_two_workers_at_once_never_run_the_same_job(house, tmp_path):
    put(house, *(NewJob("mail", {"n": n}) for n in range(30)))
    other = SmallHouse(tmp_path / "house", house.clock, fresh=False)
    try:
        seen = []
        while (mine := claim(house, ("mail",))) and (theirs := claim(other, ("mail",))):
            seen += [mine.payload["n"], theirs.payload["n"]]
            house.transact(ask(complete(mine, NOON_US)))
            other.transact(ask(complete(theirs, NOON_US)))
    finally:
        other.close()
    assert sorted(seen) == list(range(30))
