"""A house that loses one of its processes: nothing listens any more, and it starts again as if nothing had been."""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from support.live import LiveBank, customer, lines
from support.server import LIMIT_S

pytestmark = [pytest.mark.slow, pytest.mark.server]
PARTS = ("dataplane", "console", "worker")


@pytest.fixture
def bank(tmp_path):
    bank = LiveBank(tmp_path / "house")
    with bank:
        bank.connect()
        yield bank


def listens(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children(pid):
    """Process ids of the parts, by name."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_text()
        for part in PARTS:
            if f"edges.{part}.process" in words:
                found[part] = int(child)
    return found


def family(pid):
    """Ids of all processes under ``pid``: the console has a worker of its own, which ends a moment after it."""
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in words] + [one for child in words for one in family(int(child))]


def ended(pid):
    """Wait until a process that is no child of ours is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with closing(os.fdopen(descriptor)) as gone:
        assert select.select([gone], [], [], LIMIT_S)[0], f"process {pid} lives on"


def serves_again(bank):
    bank.process = None
    bank.start()
    bank.connect("CT-again")
    answer = bank.post("/v1/reveal", bank.look(purpose={"contact": "CT-again"}), bank.token)
    assert answer.body["fields"]["name"]["value"] == customer(1)["name"]


def test_kill_of_the_parent(bank):
    parts = children(bank.process.pid)
    assert set(parts) == set(PARTS)
    assert bank.reveal("name").status == 200
    everyone = family(bank.process.pid)
    bank.process.kill()
    bank.process.wait(LIMIT_S)
    bank.process.stdout.close()
    for pid in everyone:
        ended(pid)
    assert not listens(bank.port)
    assert not listens(bank.console_port)
    serves_again(bank)


@pytest.mark.parametrize("part", PARTS)
def test_kill_of_a_part_ends_the_house(bank, part):
    parts = children(bank.process.pid)
    assert bank.reveal("name").status == 200
    everyone = family(bank.process.pid)
    os.kill(parts[part], signal.SIGKILL)
    assert bank.process.wait(LIMIT_S) == 1
    bank.process.stdout.close()
    for pid in everyone:
        ended(pid)
    assert not listens(bank.port)
    assert not listens(bank.console_port)
    serves_again(bank)


def test_a_house_that_is_told_to_stop_stops_all_of_it(bank):
    everyone = family(bank.process.pid)
    assert bank.stop() == 0
    for pid in everyone:
        ended(pid)
    assert not listens(bank.port)
    bank.start()


def test_a_disk_that_takes_no_more_gives_no_value(bank):
    """No file can be written, the log of the process neither: the commit fails, so nobody gets an answer.

    When the disk is back, everybody does.
    """
    assert bank.reveal("name").status == 200
    before = lines(bank)
    pid = children(bank.process.pid)["dataplane"]
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, unlimited[1]))
    for fields in (["name"], ["acct"], ["address"]):
        answer = bank.reveal(*fields)
        assert answer.status in {500, 503}, answer.raw
        assert customer(1)[fields[0]].encode() not in answer.raw
    assert lines(bank) == before
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    assert bank.reveal("name").status == 200
    assert lines(bank) == before + 1
