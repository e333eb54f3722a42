"""Commands of ``holdfast`` as processes of their own, forked from one that has imported what commands share.

A story runs dozens, and each would spend most of its second on imports. Nothing else is shared: environment, folder,
standard streams, memory and exit code are the command's own. ``tests/docs`` types commands as a reader does, and every
server of the tests is started anew.
"""

from __future__ import annotations

import atexit
import json
import socket
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_S = 120
_one_at_a_time = Lock()


def run(
    *words: object, env: Mapping[str, str], cwd: Path | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command; the caller looks at its exit code."""
    given = [str(word) for word in words]
    asked = {"words": given, "environment": dict(env), "folder": str(cwd or Path.cwd())}
    with TemporaryFile("w+") as into, TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        into.write(stdin or "")
        into.seek(0)
        code = _asked(json.dumps(asked).encode(), (into, out, errors))
        for file in (out, errors):
            file.seek(0)
        return subprocess.CompletedProcess(["holdfast", *given], code, out.read(), errors.read())


def _asked(message: bytes, files: tuple[object, ...]) -> int:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs, _one_at_a_time:
            numbers = [file.fileno() for file in files]  # type: ignore[attr-defined]
            socket.send_fds(_forking(), [message], [*numbers, theirs.fileno()])
        ours.settimeout(LIMIT_S)
        code = ours.recv(16)
    assert code, "the command's end was not told"
    return int(code)


@lru_cache(maxsize=1)
def _forking() -> socket.socket:
    """The socket of the process that forks, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    with theirs:
        number = theirs.fileno()
        program = str(Path(__file__).with_name("forking.py"))
        process = subprocess.Popen(
            [sys.executable, program, str(number)], pass_fds=[number], stdin=subprocess.DEVNULL
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


__all__ = ["run"]
