"""Two `holdfast worker` on one PostgreSQL house: who keeps the logs is frozen or killed, the other takes over.

The frozen one is thawed afterwards and goes on where it was. Leaves are appended all the while.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.spine.house import open_house
from holdfast.spine.ledger.checkpoint import parse_head
from holdfast.spine.ledger.entries import leaf_id_of
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.note import parse_note, parse_vkey
from holdfast.spine.ledger.proofs import root_at_edge
from holdfast.spine.ledger.publish import published
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.vocabulary.ids import client_log
from support.ledger import a_leaf
from support.live import live_template
from support.server import environment
from support.stores import copy_house, raw

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.storage("postgresql", reason="one worker keeps the logs of a house on SQLite"),
]
LOG = client_log(CLIENT)
PATIENCE_S = 300


class Watch:
    """A house with two workers; what is seen of its log is kept."""

    def __init__(self, home):
        self.home = home
        self.house = open_house(load_settings(home, {}))
        self.folder = log_folder(home, LOG)
        self.count = 0
        self.acknowledged = set()
        self.heads = {}
        self.remembered = 0
        self.workers = {}
        for _ in range(2):
            self.start()

    def start(self):
        env = environment(self.home, HOLDFAST_WORKER_LEASE_SECONDS="2")
        with (self.home.parent / "workers.stderr").open("a") as errors:
            one = subprocess.Popen(
                [sys.executable, "-m", "holdfast", "worker"], env=env, stderr=errors
            )
        self.workers[one.pid] = one

    def append(self, count):
        for _ in range(count):
            self.count += 1
            leaf = a_leaf(self.house.clock.now_us(), self.count)
            self.house.transact(_once(append(LOG, leaf)))
            self.acknowledged.add(leaf.id)
            self.look()

    def look(self):
        """Keep the published head and what is remembered."""
        if note := published(self.folder):
            head = parse_head(parse_note(note).text)
            assert self.heads.setdefault(head.size, head.root) == head.root, "one size, one root"
        last = Memory.open(self.home / "signing").last(self.house.signing_keys.origin(LOG))
        size = last.size if last else 0
        assert size >= self.remembered, "the signer's memory went back"
        self.remembered = size

    def until(self, what):
        patience = time.monotonic() + PATIENCE_S
        while not (found := what()):
            self.look()
            assert time.monotonic() < patience, self.told()
            time.sleep(0.02)
        return found

    def told(self):
        """What the workers and the server say."""
        sessions = self.sql(
            "SELECT pid, state, wait_event_type, wait_event, query FROM pg_stat_activity"
            " WHERE datname = current_database()"
        )
        return (self.home.parent / "workers.stderr").read_text()[-2000:] + f"{sessions}"

    def sql(self, text, *params):
        with closing(self.house.connect()) as stores:
            return raw(stores.data, text, params)

    def keeper(self):
        """Fence and pid of who keeps the logs."""

        def found():
            rows = self.sql("SELECT fence, place FROM ledger_lease WHERE until_us > 0")
            if not rows:
                return None
            lock = self.home / "signing" / f"post.{rows[0][1].rsplit(' ', 1)[1]}.lock"
            pid = int(lock.read_text() or 0)
            return (rows[0][0], pid) if pid in self.workers else None

        return self.until(found)

    def all_is_out(self):
        """Everything that was acknowledged stands in the published log; its newest head is the published one."""
        placed = self.sql("SELECT 1 FROM ledger_pending WHERE log = ?", LOG) == []
        rows = self.sql(
            "SELECT size FROM ledger_tree WHERE log = ?", LOG
        )  # grows no more once all is placed
        note = published(self.folder)
        return (
            bool(placed and rows and note) and parse_head(parse_note(note).text).size == rows[0][0]
        )

    def entries(self):
        found = []
        while batch := self.house.read(leaves_from(LOG, len(found))):
            found.extend(leaf_id_of(leaf.entry) for leaf in batch)
        return found

    def stood_by(self):
        return (self.home.parent / "workers.stderr").read_text().count("stands_by")

    def stop(self):
        for one in self.workers.values():
            one.send_signal(signal.SIGCONT)
            one.kill()
            one.wait()
        self.house.close()


@pytest.fixture
def watch(tmp_path):
    home = tmp_path / "house"
    copy_house(live_template(), home)
    home.chmod(0o700)
    (home / "bank.json").unlink()
    one = Watch(home)
    yield one
    one.stop()


def _once(query):
    yield Round(data=(query,))


@contextmanager
def frozen(watch, freeze):
    """Hold who keeps the logs still until another does; on leaving, it is awake and knows that it was overtaken."""
    fence, pid = freeze(watch)
    watch.append(5)
    watch.until(lambda: watch.keeper()[0] > fence and watch.keeper()[1] != pid)
    yield
    watch.append(5)
    watch.until(watch.all_is_out)
    before = watch.stood_by()
    os.kill(pid, signal.SIGCONT)
    watch.append(20)
    watch.until(lambda: watch.stood_by() > before)


def freeze_anywhere(watch):
    """Stop who keeps the logs; on a slow machine another may have taken over just before: then that one."""
    while True:
        fence, pid = watch.keeper()
        os.kill(pid, signal.SIGSTOP)
        if watch.keeper() == (fence, pid):
            return fence, pid
        os.kill(pid, signal.SIGCONT)


def freeze_in_its_transaction(watch):
    """Stop who keeps the logs while it holds rows: it waits for one of ours, and is stopped before it gets it."""
    with closing(watch.house.connect()) as ours:
        ours.data.begin()
        raw(ours.data, "SELECT size FROM ledger_tree WHERE log = ? FOR UPDATE", (LOG,))
        watch.append(1)
        watch.until(
            lambda: watch.sql(
                "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            )
        )
        fence, pid = watch.keeper()  # nobody takes over while it is in its transaction
        os.kill(pid, signal.SIGSTOP)
        ours.data.rollback()
    return fence, pid


def the_log_is_whole(watch, tmp_path):
    watch.until(watch.all_is_out)
    placed = watch.entries()
    assert len(placed) == len(set(placed)), "no leaf twice"
    assert watch.acknowledged <= set(placed), "no leaf lost"
    for size, root in watch.heads.items():
        assert watch.house.read(root_at_edge(LOG, size)) == root
    vkeys = watch.house.signing_keys.vkeys(LOG)
    export_bundle(watch.folder, tmp_path / "out", vkeys=vkeys, certificates=None)
    keys = tuple(parse_vkey(vkey) for vkey in vkeys)
    given = Given(UserMemory(tmp_path / "state"), watch.house.clock.now_us(), keys, None)
    assert verify_bundle(tmp_path / "out", given).outcome is Outcome.AUTHENTIC
    assert "log_refused" not in (watch.home.parent / "workers.stderr").read_text()
    assert all(worker.poll() is None for worker in watch.workers.values())


def test_a_keeper_that_was_frozen_and_thawed_forks_loses_and_doubles_nothing(watch, tmp_path):
    moments = random.Random(20261127)
    for _ in range(3):
        watch.append(moments.randint(1, 60))
        with frozen(watch, freeze_anywhere):
            pass
    with frozen(watch, freeze_in_its_transaction):
        pass
    the_log_is_whole(watch, tmp_path)


def test_a_keeper_that_is_killed_is_replaced(watch, tmp_path):
    moments = random.Random(20261128)
    for number in range(4):
        watch.append(moments.randint(1, 60))
        _, pid = watch.keeper()
        one = watch.workers.pop(pid)
        one.kill()
        one.wait()
        if number % 2:
            watch.start()  # it may take the post of the dead one, and its lease at once
        watch.append(3)
        watch.until(watch.all_is_out)
        if not number % 2:
            watch.start()
    the_log_is_whole(watch, tmp_path)
