"""The primary dies in the middle of the load, its standby takes over, and the same processes go on.

Every answer that was given stands in the log, once, with its decision record; checkpoints of before are continued; and
what is published verifies. The primary that died is then made the standby, and the other one dies.
"""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest

from holdfast.drills.bank.build import CLIENT, customer
from holdfast.spine.ledger.entries import leaf_id_of
from holdfast.spine.ledger.tail import leaves_from
from holdfast.vocabulary.ids import client_log
from support.live import LiveBank
from support.pair import Pair, until
from support.served import NEEDS_SERVER, bank_on
from support.server import holdfast

pytestmark = [NEEDS_SERVER, pytest.mark.server, pytest.mark.slow]
LOG = client_log(CLIENT)
DESKS = 6
#: However quick the machine is: who asks without a pause is not the flood that this is about.
NO_GATE = {
    "HOLDFAST_FLOOD_PER_CREDENTIAL": "100000/100000",
    "HOLDFAST_FLOOD_PER_CLIENT": "100000/100000",
}


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.close()


class Load:
    """Desks that look without pause; each keeps what it was answered."""

    def __init__(self, bank):
        self._bank = bank
        self._stop = threading.Event()
        self.answered = []
        self.statuses = Counter()
        self.retry_after = set()
        self._desks = [threading.Thread(target=self._desk, args=(n,)) for n in range(DESKS)]

    def __enter__(self):
        for desk in self._desks:
            desk.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for desk in self._desks:
            desk.join()

    def _desk(self, number):
        token, contact = (
            (self._bank.token, "CT-1") if number % 2 else (self._bank.other_token, "CT-2")
        )
        body = self._bank.look(purpose={"contact": contact})
        while not self._stop.is_set():
            try:
                answer = self._bank.post("/v1/reveal", body, token)
            except OSError:
                self.statuses["cut"] += 1
                continue
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.answered.append(answer)
            else:
                self.retry_after.add(answer.headers.get("retry-after"))
                self._stop.wait(0.05)

    def more(self, count):
        """Wait for so many more answers."""
        wanted = len(self.answered) + count
        until(lambda: len(self.answered) >= wanted, f"no more answers: {self.statuses}")


def test_no_answer_is_lost_when_the_primary_dies_under_load(pair, tmp_path):
    home = bank_on(tmp_path / "house", pair.primary)
    pair.follow(confirms=True)
    several_hosts(home, pair.ports)
    bank = LiveBank(home, "--workers", "2", founded=True, env=NO_GATE)
    with bank:
        connect(bank)
        checkpoints = []
        with Load(bank) as load:
            for after in (40, 25):  # once in full load, once soon after it came back
                load.more(after)
                checkpoints.append(until(lambda: checkpoint(bank), "nothing is published"))
                pair.primary.kill()
                until(lambda: bank.request("GET", "/readyz").status == 503, "it says it is ready")
                assert bank.request("GET", "/healthz").status == 200
                port = pair.fail_over()
                until(lambda: bank.request("GET", "/readyz").status == 200, "it is not ready again")
                load.more(20)
                pair.follow(port, confirms=True)
        assert set(load.statuses) <= {200, 503}, load.statuses
        assert None not in load.retry_after
        until(lambda: not bank.sql("SELECT 1 FROM ledger_pending LIMIT 1"), "lines wait for ever")
        every_answer_is_in_the_log_once(bank, load.answered)
        it_verifies(bank, checkpoints, load.answered, tmp_path)


def several_hosts(home, ports):
    """Let the house know both servers by its addresses."""
    file = home / "holdfast.toml"
    first, text = f"127.0.0.1:{ports[0]}", file.read_text()
    both = ",".join(f"127.0.0.1:{port}" for port in ports)
    lines = [
        line.replace(first, both)[:-1] + '?target_session_attrs=read-write"'
        for line in text.splitlines()
    ]
    file.write_text("\n".join(lines) + "\n")


def connect(bank):
    """A call for each of the two agents, about the same customer."""
    bank.connect("CT-1")
    event = bank.event(
        "connected",
        "CT-2",
        person="A0002",
        reason="dispute",
        customer={"by": {"phone": customer(1)["phone"]}},
    )
    assert bank.events(event).status == 200


def checkpoint(bank):
    answer = bank.request(
        "GET",
        f"/logs/{LOG}/checkpoint",
        None,
        {"Authorization": f"Bearer {bank.admin_token}"},
    )
    return answer.raw if answer.status == 200 else b""


def every_answer_is_in_the_log_once(bank, answered):
    house = bank.house()
    entries, position = [], 0
    while leaves := house.read(leaves_from(LOG, position)):
        entries += [leaf.entry for leaf in leaves]
        position += len(leaves)
    house.close()
    found = Counter(leaf_id_of(entry) for entry in entries)
    assert set(found.values()) == {1}
    records = {leaf for (leaf,) in bank.sql("SELECT leaf FROM decision_record")}
    for answer in answered:
        assert found[answer.body["leaf"]["id"]] == 1
        assert answer.body["leaf"]["id"] in records
    assert len({answer.body["decision"] for answer in answered}) == len(answered)


def it_verifies(bank, checkpoints, answered, folder):
    """The exported log is authentic, continues the checkpoints of before, and keeps what receipts promise."""
    out, keys = folder / "bundle", folder / "keys"
    token = {"HOLDFAST_TOKEN": bank.admin_token}
    exported = holdfast(bank.home, "log", "export", CLIENT, "--out", str(out), **token)
    assert exported.returncode == 0, exported.stderr
    keys.write_text(holdfast(bank.home, "log", "key", CLIENT).stdout)
    words = []
    for number, answer in enumerate(answered[:: max(1, len(answered) // 20)]):
        (folder / f"{number}.json").write_bytes(answer.raw)
        words += ["--receipt", str(folder / f"{number}.json")]
    for number, note in enumerate(checkpoints):
        (folder / f"before-{number}").write_bytes(note)
        since = ("--since", str(folder / f"before-{number}"))
        done = holdfast(
            folder,
            "verify",
            str(out),
            "--key",
            str(keys),
            *since,
            *words,
            "--json",
            XDG_STATE_HOME=str(folder / "state"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        judged = json.loads(done.stdout)
        assert judged["outcome"] == "authentic"
        assert {one["promise"] for one in judged["receipts"]} == {"kept"}
