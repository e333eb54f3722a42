"""The worker keeps the logs while a job takes long, and ends whole when one of its parts does."""

from __future__ import annotations

from contextlib import closing
from threading import Event, Thread

import pytest

from holdfast.edges.worker.process import Worker
from holdfast.kit.db import Round
from holdfast.kit.jobs.queue import NewJob, enqueue
from holdfast.spine.house import open_house
from holdfast.spine.ledger.recorder import append_signal
from support.bank import new_bank
from support.pair import until

LONG = "long"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


class Serving:
    """A worker on a thread, with a house of its own, as a process has it."""

    def __init__(self, bank, handler):
        self._bank, self._handler = bank, handler
        self.worker = None
        self.ready = Event()
        self.error = None
        self._thread = Thread(target=self._run)

    def _run(self):
        with closing(open_house(self._bank.house.settings)) as house:
            self.worker = Worker(house, {LONG: lambda _house: self._handler})
            self.ready.set()
            try:
                self.worker.run()
            except BaseException as error:  # noqa: BLE001  the test looks at it
                self.error = error

    def __enter__(self):
        self._thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_):
        self.worker.stop()
        self.join()

    def join(self):
        self._thread.join(60)
        assert not self._thread.is_alive()


def ask_for_it(bank):
    def work():
        yield Round(data=(enqueue(NewJob(LONG), bank.clock.now_us()),))

    bank.house.transact(work())


def write_a_leaf(bank):
    def work():
        yield Round(data=(append_signal("house", "feed.malformed", bank.clock.now_us()),))

    bank.house.transact(work())


def waiting(bank):
    ((count,),) = bank.sql("SELECT COUNT(*) FROM ledger_pending")
    return count


def test_a_log_does_not_wait_for_a_job(bank):
    begun, go_on, ended = Event(), Event(), Event()

    def long(_run):
        begun.set()
        assert go_on.wait(120)
        ended.set()

    ask_for_it(bank)
    with Serving(bank, long):
        assert begun.wait(60)
        write_a_leaf(bank)
        until(lambda: waiting(bank) == 0, "the leaf waits for the job")
        assert not ended.is_set()
        go_on.set()
    assert ended.is_set(), "what was begun is ended before the worker is"


def test_an_end_of_the_jobs_is_the_end_of_the_worker(bank):
    def ends(_run):
        raise KeyboardInterrupt

    ask_for_it(bank)
    serving = Serving(bank, ends)
    with serving:
        serving.join()
    assert isinstance(serving.error, KeyboardInterrupt)
