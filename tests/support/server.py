"""A real `holdfast serve` on free loopback ports, started and ended by the test that asked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Self

from support.commands import run
from support.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_S = 180  #: only keeps a broken server from hanging the run


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which the command line works on ``home`` and on nothing else.

    On PostgreSQL a house that is yet to be made gets databases of its own.
    """
    from support.stores import addresses_of

    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    own = {"HOLDFAST_HOME": str(home), "HOLDFAST_DISK_RESERVE_MB": "1"}
    return {**kept, **own, **addresses_of(home), **more}


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of one answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)


class Server:
    """`holdfast serve` as a process. Use as a context manager; it is ready when entered."""

    def __init__(self, home: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.home = home
        self.arguments = arguments
        self.env = env or {}
        self.console_port, self.port = free_ports(2)
        self.process: subprocess.Popen[str] | None = None
        self.stderr = home.parent / f"{home.name}.stderr"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return when both addresses answer; fails with the server's own words."""
        with self.stderr.open("a") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "holdfast",
                    "serve",
                    "--port",
                    str(self.port),
                    "--console-port",
                    str(self.console_port),
                    *self.arguments,
                ],
                env=environment(self.home, **self.env),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise AssertionError(f"the server did not start: {self.stderr.read_text()[-2000:]}")

    def stop(self) -> int:
        """Ask it to stop and wait for it."""
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(LIMIT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request to the data plane."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)) as connection:
            connection.request(method, path, raw, headers or {})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())

    def post(self, path: str, body: Any, token: str, **headers: str) -> Answer:
        """Send one request as the holder of ``token``."""
        given = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("POST", path, body, given)


def holdfast(
    home: Path, *arguments: str, stdin: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line on ``home``; the caller looks at its exit code."""
    return run(*arguments, env=environment(home, **env), stdin=stdin)
