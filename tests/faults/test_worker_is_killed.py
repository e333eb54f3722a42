"""Two `holdfast worker` on one PostgreSQL house; one is killed in the middle of a job, and the other ends it.

The one that is killed has exports and recurring work before it, and waits in the middle of an export for a row that
this test holds: so it is known where it dies. Meanwhile the other does what else there is. Nothing is done twice,
nothing is lost, and the log verifies.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from hashlib import sha256
from types import SimpleNamespace

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.edges.worker.jobs import SCHEDULES
from holdfast.spine.actions.exports import JOB
from holdfast.spine.ledger.entries import leaf_id_of, leaf_of
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import certificates_of, request_shred
from holdfast.vocabulary.ids import client_log
from support.exporting import Exporter, the_file
from support.live import LiveBank
from support.server import environment, holdfast
from support.stores import raw

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.storage("postgresql", reason="one worker does the work of a house on SQLite"),
]
LOG = client_log(CLIENT)
PATIENCE_S = 400  # an erasure that met a reader is tried again after five seconds, twenty, eighty
WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted AND ? = ANY (pg_blocking_pids(pid))"
EXPORTED = (1, 2, 1, 2)
ERASED = ("C00003", "C00004", "C00005")


class Shared:
    """A house that data planes serve, and its workers."""

    def __init__(self, bank):
        self.bank = bank
        self.house = bank.house()
        self.workers = []

    def work(self):
        """Start a worker."""
        env = environment(self.bank.home, HOLDFAST_WORKER_LEASE_SECONDS="2")
        with self.errors.open("a") as errors:
            one = subprocess.Popen(
                [sys.executable, "-m", "holdfast", "worker"], env=env, stderr=errors
            )
        self.workers.append(one)
        return one

    @property
    def errors(self):
        return self.bank.home.parent / "workers.stderr"

    def until(self, what):
        patience = time.monotonic() + PATIENCE_S
        while not (found := what()):
            assert time.monotonic() < patience, self.errors.read_text()[-2000:]
            time.sleep(0.02)
        return found

    def order_exports(self):
        """Each is a job that waits."""
        ((admin,),) = self.bank.sql("SELECT id FROM identity_person WHERE staff_id = 'ADM1'")
        made = SimpleNamespace(house=self.house, admin=admin, clock=self.house.clock)
        exporter = Exporter.at(made, ("", b""))
        what = {"fields": ("name", "acct"), "recipient": "bank-complaints", "reason": "complaint"}
        return [
            exporter.ordered(customers=(self.bank.customers[f"C{number:05}"],), **what).export
            for number in EXPORTED
        ]

    def order_erasures(self):
        """Each is a job that waits."""
        keys = self.house.read(client_keys(self.house.keks, CLIENT, 1))
        for name in ERASED:
            now_us = self.house.clock.now_us()
            work = request_shred(keys, self.bank.customers[name], by="p_1", now_us=now_us)
            self.house.transact(work)

    def jobs(self):
        """Kind, key and state of all jobs."""
        return self.bank.sql("SELECT kind, dedupe_key, state FROM jobs_job")

    def job_of(self, export, *, state):
        """Lease and attempts of the job of an export, if it is in this state."""
        asked = "SELECT lease, attempts FROM jobs_job WHERE payload LIKE ? AND state = ?"
        return next(iter(self.bank.sql(asked, f"%{export}%", state)), None)

    def exports_done(self):
        return sum(kind == JOB and state == "done" for kind, _, state in self.jobs())

    def all_is_done(self):
        waits = self.bank.sql("SELECT 1 FROM ledger_pending LIMIT 1")
        return not waits and {state for _, _, state in self.jobs()} == {"done"}

    def leaves(self, log):
        found, position = [], 0
        while batch := self.house.read(leaves_from(log, position)):
            found += [leaf.entry for leaf in batch]
            position += len(batch)
        return found

    def stop(self):
        for one in self.workers:
            one.kill()
            one.wait()
        self.house.close()


@pytest.fixture
def shared(tmp_path):
    with LiveBank(tmp_path / "house", "--only", "data") as bank:
        one = Shared(bank)
        yield one
        one.stop()


def looked(bank, count):
    """Look so often; return the ids of the leaves that were promised."""
    answers = [bank.reveal("name") for _ in range(count)]
    assert {answer.status for answer in answers} == {200}
    return [answer.body["leaf"]["id"] for answer in answers]


def frozen_in_the_middle(shared, export):
    """Let a worker write this export, and stop it while it waits for a row of ours before it can say so.

    It waits five seconds for a row, and then tries again later: so what it was stopped at is looked at.
    """
    worker = shared.work()
    with closing(shared.house.connect()) as stores:
        while True:
            stores.data.begin()
            raw(stores.data, "SELECT 1 FROM actions_export WHERE id = ? FOR UPDATE", (export,))
            ((ours,),) = raw(stores.data, "SELECT pg_backend_pid()")
            shared.until(lambda ours=ours: raw(stores.data, WAITS, (ours,)))
            worker.send_signal(signal.SIGSTOP)
            stores.data.rollback()
            if job := shared.job_of(export, state="leased"):
                return worker, job
            worker.send_signal(signal.SIGCONT)


def test_one_of_two_workers_is_killed_in_the_middle_of_a_job(shared, tmp_path):
    bank = shared.bank
    bank.connect()
    exports = shared.order_exports()
    promised = looked(bank, 10)
    doomed, (lease, attempts) = frozen_in_the_middle(shared, exports[0])
    shared.work()
    shared.until(lambda: shared.exports_done() >= len(exports) - 1)
    promised += looked(bank, 10)
    shared.order_erasures()
    doomed.kill()
    assert doomed.wait() == -signal.SIGKILL
    with shared.house.stores() as stores:  # as if a minute had passed
        lapse = "UPDATE jobs_job SET lease_until_us = 0 WHERE lease = ? AND state = 'leased'"
        raw(stores.data, lapse, (lease,))
    shared.until(shared.all_is_done)
    promised += looked(bank, 10)
    shared.until(shared.all_is_done)
    assert shared.job_of(exports[0], state="done")[1] > attempts, "another run ended it"
    exports_are_whole(shared, exports)
    erasures_are_done(shared)
    each_fire_time_had_one_job(shared)
    the_log_is_whole(shared, promised, tmp_path)


def exports_are_whole(shared, exports):
    rows = dict(shared.bank.sql("SELECT id, digest FROM actions_export WHERE state = 'done'"))
    assert set(rows) == set(exports)
    for export in exports:
        file = the_file(shared.bank.home, export)
        assert sha256(file.read_bytes()).hexdigest() == rows[export]


def erasures_are_done(shared):
    assert len(certificates_of(shared.bank.home, CLIENT)) == len(ERASED)
    states = "SELECT id FROM vault_customer WHERE state = 'shredded'"
    assert {ident for (ident,) in shared.bank.sql(states)} == {
        shared.bank.customers[name] for name in ERASED
    }


def each_fire_time_had_one_job(shared):
    names = {one.name for one in SCHEDULES}
    keys = [key for kind, key, _ in shared.jobs() if kind in names]
    assert len(keys) == len(set(keys))
    assert {key.partition("@")[0] for key in keys} == names


def the_log_is_whole(shared, promised, tmp_path):
    entries = shared.leaves(LOG)
    ids = Counter(map(leaf_id_of, entries))
    assert set(ids.values()) == {1}, "no leaf twice"
    assert set(promised) <= set(ids), "no leaf lost"
    kinds = Counter(leaf_of(entry)["type"] for entry in entries)
    assert kinds["export.finished"] == len(EXPORTED)
    assert kinds["shred.requested"] == kinds["shred.done"] == len(ERASED)
    keys, out = tmp_path / "keys", tmp_path / "out"
    keys.write_text("\n".join(shared.house.signing_keys.vkeys(LOG)))
    token = {"HOLDFAST_TOKEN": shared.bank.admin_token}
    done = holdfast(shared.bank.home, "log", "export", CLIENT, "--out", str(out), **token)
    assert done.returncode == 0, done.stderr
    done = holdfast(shared.bank.home, "verify", str(out), "--key", str(keys))
    assert done.returncode == 0, done.stderr
    assert "log_refused" not in shared.errors.read_text()
