"""Whichever process of a house is killed, all end, nothing listens, and a restart is clean."""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import closing, suppress
from pathlib import Path

import pytest

from support.server import LIMIT_S, Server, holdfast

PATIENCE_MS = 1000 * LIMIT_S


def parent_of(pid: int) -> int:
    # The name, in parentheses, may hold anything; the fields after it are state and parent.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                children.setdefault(parent_of(int(entry.name)), []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def await_end(pidfds: list[int]) -> None:
    for pidfd in pidfds:
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        assert poller.poll(PATIENCE_MS), "a process of the house lives on"
        os.close(pidfd)


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "house"
    done = holdfast(folder, "init")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(
    "victim", ["supervisor", "dataplane", "console", "console's own worker", "worker"]
)
def test_when_one_is_killed_all_end_and_a_restart_is_clean(home: Path, victim: str):
    with Server(home) as server:
        assert server.process is not None
        supervisor = server.process.pid
        family = descendants(supervisor)
        named = {pid: command_line(pid) for pid in family}
        consoles = [pid for pid in family if "console.process" in named[pid]]
        first_console = min(consoles)
        chosen = {
            "supervisor": [supervisor],
            "dataplane": [pid for pid in family if "dataplane.process" in named[pid]],
            "console": [first_console],
            "console's own worker": descendants(first_console),
            "worker": [pid for pid in family if "worker.process" in named[pid]],
        }[victim]
        assert chosen, named
        pidfds = [os.pidfd_open(pid) for pid in [supervisor, *family]]
        os.kill(chosen[0], signal.SIGKILL)
        server.process.wait(LIMIT_S)
        assert server.process.stdout is not None
        server.process.stdout.close()
        await_end(pidfds)
        assert not listens(server.port)
        assert not listens(server.console_port)
        server.start()
        assert server.request("GET", "/readyz").status == 200


@pytest.mark.server
def test_a_house_that_is_asked_to_stop_stops_and_says_nothing_is_wrong(home: Path):
    with Server(home) as server:
        assert server.process is not None
        pidfds = [os.pidfd_open(pid) for pid in descendants(server.process.pid)]
        assert server.stop() == 0
        await_end(pidfds)
    assert not listens(server.port)
    done = holdfast(home, "doctor", "--json")
    assert done.returncode == 0, done.stdout
