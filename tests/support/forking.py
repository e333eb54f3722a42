"""A process that has imported what every command imports, and forks one for each that is asked for.

Run as a program with the number of a socket. Each message on it is what ``execve`` takes, as JSON, with four file
descriptors: standard input, output and error, and a socket that is told the exit code.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import time
from importlib import import_module
from typing import Any

# What commands have in common. The modules of the commands themselves are not among them: each still imports its own.
SHARED = (
    "holdfast.edges.cli.main",
    "holdfast.edges.checks.run",
    "holdfast.spine.administration.scene",
    "holdfast.spine.house",
    "holdfast.spine.vault.load",
    "holdfast.kit.db.postgres",
    "psycopg_pool",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.db.migrations.executor",
    "django.http",
    "django.template.response",
    "django.urls",
)
LONGEST = 1 << 20


def main() -> None:
    """Fork until the socket is closed by whoever asks."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    for name in SHARED:
        import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who tell an exit code
    while True:
        message, files, _, _ = socket.recv_fds(asked, LONGEST, 4)
        if not message:
            return
        if os.fork() == 0:
            asked.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _tell(json.loads(message), files)
            return
        for file in files:
            os.close(file)


def _tell(asked: dict[str, Any], files: list[int]) -> None:
    """Fork once more for the command itself, and tell how it ended."""
    *streams, teller = files
    pid = os.fork()
    if pid == 0:
        os.close(teller)
        _become(asked, streams)
        runpy.run_module("holdfast", run_name="__main__", alter_sys=True)
        return
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    with socket.socket(fileno=teller) as told:
        told.send(str(code).encode())
    os._exit(0)


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Have nothing of this process but what it has imported."""
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = ["holdfast", *asked["words"]]
    tempfile.tempdir = None
    time.tzset()


if __name__ == "__main__":
    main()
