"""kill -9 in the middle of reveals, again and again: whatever was answered stands in the log (SPINE 5, 18).

Eight desks ask without pause; after a number of answers that is different each time the data plane is killed while
requests are under way. Every answer that arrived names a line; after all kills every one of these lines is in the log
that the client is handed, and the log verifies.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

import pytest

from holdfast.kit.clock import SystemClock
from holdfast.kit.db import Round
from holdfast.spine.ledger.entries import leaf_of
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.store import ANY_PENDING
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from support.live import LiveBank
from support.server import LIMIT_S, environment

pytestmark = [pytest.mark.slow, pytest.mark.server]
KILLS, DESKS = 25, 8
LOG = "client-bank-01"


class DataPlane:
    """The data plane alone, killed by hand; ``acknowledged`` are the lines of the answers that arrived."""

    def __init__(self, bank: LiveBank) -> None:
        self.bank = bank
        self.acknowledged: list[str] = []
        self.kill_at = 0
        self._lock = threading.Lock()

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "holdfast.edges.dataplane.process"],
            env=environment(self.bank.home, HOLDFAST_DATA_PLANE_PORT=str(self.bank.port)),
        )
        while True:
            try:
                if self.bank.request("GET", "/readyz").status == 200:
                    return self
            except OSError:
                assert self.process.poll() is None
                threading.Event().wait(0.02)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(LIMIT_S)

    def ask_until_killed(self, _desk: int) -> None:
        """Reveal on one connection until it breaks; the answer that makes the number full kills."""
        body = json.dumps(self.bank.look(fields=["name", "acct"])).encode()
        headers = {"Authorization": f"Bearer {self.bank.token}"}
        connection = HTTPConnection("127.0.0.1", self.bank.port, timeout=LIMIT_S)
        try:
            while True:
                connection.request("POST", "/v1/reveal", body, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                assert response.status == 200, answer
                self._acknowledge(answer["leaf"]["id"])
        except (OSError, HTTPException):
            connection.close()

    def _acknowledge(self, leaf: str) -> None:
        with self._lock:
            self.acknowledged.append(leaf)
            if len(self.acknowledged) == self.kill_at:
                self.process.kill()


def test_no_answer_without_its_line_however_often_it_is_killed(tmp_path):
    bank = LiveBank(tmp_path / "house")
    moments = random.Random(7)
    connected = False
    plane = DataPlane(bank)
    for _ in range(KILLS):
        with plane, ThreadPoolExecutor(DESKS) as desks:
            if not connected:
                bank.connect()
                connected = True
            plane.kill_at = len(plane.acknowledged) + moments.randrange(1, 25)
            list(desks.map(plane.ask_until_killed, range(DESKS)))
        there = {
            json.loads(entry)["id"] for (entry,) in bank.sql("SELECT entry FROM ledger_pending")
        }
        assert there >= set(plane.acknowledged)
        records = {row[0] for row in bank.sql("SELECT id FROM decision_record")}
        assert records >= set(plane.acknowledged)
    assert len(set(plane.acknowledged)) == len(plane.acknowledged) >= KILLS
    stands_in_the_log(bank, plane.acknowledged, tmp_path)


def stands_in_the_log(bank, acknowledged, folder):
    house = bank.house()
    keys = house.signing_keys
    registrar = Registrar(house, keys)
    while house.read(_waiting()):
        assert not registrar.tick().refused
    registrar.tick()
    registrar.close()
    logged = [leaf_of(leaf.entry)["id"] for leaf in all_leaves(house)]
    assert set(logged) >= set(acknowledged)
    assert len(logged) == len(set(logged))
    vkeys = list(keys.vkeys(LOG))
    export_bundle(log_folder(house.home, LOG), folder / "bundle", vkeys=vkeys)
    given = Given(
        UserMemory(folder / "state"),
        SystemClock().now_us(),
        tuple(parse_vkey(vkey) for vkey in vkeys),
    )
    report = verify_bundle(folder / "bundle", given)
    assert report.outcome is Outcome.AUTHENTIC, report.findings
    assert report.size == len(logged)
    house.close()


def all_leaves(house):
    found = []
    while part := house.read(leaves_from(LOG, len(found))):
        found.extend(part)
    return found


def _waiting():
    (rows,) = yield Round(data=(ANY_PENDING(without=[]),))
    return bool(rows)
