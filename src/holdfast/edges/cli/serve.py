"""``holdfast serve``: the supervisor of data plane, console and worker.

It checks first, then binds; it holds the house's lock, on PostgreSQL together with other supervisors of the house; and
when any of its processes ends, all end: a house that is half up answers nothing rather than something wrong.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.error import HTTPError, URLError

import click

from holdfast.edges.checks.run import require_sound
from holdfast.kit.clock import monotonic_s
from holdfast.kit.config import load_settings
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.db.sqlite import fold
from holdfast.kit.errors import InvalidInput, Unavailable
from holdfast.kit.http.own import ask_own
from holdfast.kit.process import LockFile, refuse_taken_port
from holdfast.kit.terminal import say
from holdfast.spine.recovery.alone import SERVE_LOCK

if TYPE_CHECKING:
    from types import FrameType

    from holdfast.kit.config import Settings

LOCK_NAME = SERVE_LOCK
START_LIMIT_S = 30.0


class Part(NamedTuple):
    """One process of the house."""

    name: str
    module: str


_DATA: Final = Part("data plane", "holdfast.edges.dataplane.process")
_CONSOLE: Final = Part("console", "holdfast.edges.console.process")
_WORKER: Final = Part("worker", "holdfast.edges.worker.process")


def parts(settings: Settings, only: str | None = None) -> tuple[Part, ...]:
    """Return what is started: all, or the data planes alone, or the console alone.

    Raises :class:`InvalidInput` for more than one data plane, or a part, of a house in files: one process writes those.
    """
    if settings.embedded and (settings.workers > 1 or only):
        raise InvalidInput(
            "a house in SQLite files is served whole, by one data plane process",
            field="--only" if only else "--workers",
            remedy="Move it to PostgreSQL to spread it over processes.",
        )
    planes = (_DATA,) * settings.workers
    return {"data": planes, "console": (_CONSOLE,)}.get(only or "", (*planes, _CONSOLE, _WORKER))


class Supervisor:
    """Starts the parts, waits, and ends them all as soon as one ends."""

    def __init__(self, settings: Settings, only: str | None = None) -> None:
        self._settings = settings
        self._parts = parts(settings, only)
        self._lock = LockFile(settings.home / LOCK_NAME)
        self._children: list[tuple[Part, subprocess.Popen[bytes]]] = []
        self._stopping = False

    def start(self) -> None:
        """Refuse or serve: lock, ports, then processes; returns when both addresses answer."""
        settings = self._settings
        for finding in require_sound(settings):
            say(f"{finding.check}: {finding.message}. {finding.remedy}", colour="yellow")
        self._lock.acquire(shared=not settings.embedded)  # who must be alone takes it whole
        answers = [
            (settings.data_plane_host, settings.data_plane_port, "/readyz"),
            (settings.console_host, settings.console_port, "/healthz"),
        ]
        wanted = [
            a for part, a in zip((_DATA, _CONSOLE), answers, strict=True) if part in self._parts
        ]
        for host, port, _ in wanted:
            refuse_taken_port(host, port)
        for part in self._parts:
            self._children.append((part, self._spawn(part)))
        for host, port, path in wanted:
            self._await_answer(host, port, path)

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        settings = self._settings
        environment = {
            **os.environ,
            "HOLDFAST_HOME": str(settings.home),
            "HOLDFAST_DATA_PLANE_HOST": settings.data_plane_host,
            "HOLDFAST_DATA_PLANE_PORT": str(settings.data_plane_port),
            "HOLDFAST_CONSOLE_HOST": settings.console_host,
            "HOLDFAST_CONSOLE_PORT": str(settings.console_port),
            "HOLDFAST_WORKERS": str(settings.workers),
        }
        return subprocess.Popen(
            [sys.executable, "-m", part.module, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            env=environment,
        )

    def _await_answer(self, host: str, port: int, path: str) -> None:
        deadline = monotonic_s() + START_LIMIT_S
        while True:
            ended = self._ended()
            if ended:
                self.stop()
                raise Unavailable(
                    f"the {ended} did not start",
                    remedy="Its message stands above; `holdfast doctor` says more.",
                )
            try:
                ask_own(self._settings, host, port, path)
            except HTTPError as error:
                if b"disk_low" in error.read():
                    return  # it serves: denials and erasures
            except (URLError, OSError):
                pass
            else:
                return
            if monotonic_s() > deadline:
                self.stop()
                raise Unavailable(f"nothing answers on port {port} after {START_LIMIT_S:.0f} s")
            time.sleep(0.02)

    def _ended(self) -> str:
        return next((part.name for part, child in self._children if child.poll() is not None), "")

    def wait(self) -> int:
        """Wait until told to stop (0) or until a part ends (1)."""
        signal.signal(signal.SIGTERM, self._asked_to_stop)
        signal.signal(signal.SIGINT, self._asked_to_stop)
        while not self._stopping:
            ended = self._ended()
            if ended:
                say(f"The {ended} has ended; stopping the rest.")
                self.stop()
                return 1
            time.sleep(0.1)
        self.stop()
        return 0

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def stop(self) -> None:
        """End all parts: politely, then by force."""
        for _, child in self._children:
            if child.poll() is None:
                child.terminate()
        deadline = monotonic_s() + 5
        for _, child in self._children:
            try:
                child.wait(max(0.1, deadline - monotonic_s()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._children:
            # A part that is stopped leaves its log behind: a house at rest is two files that can be copied.
            for store in (self._settings.data, self._settings.keys):
                if isinstance(store, SqliteFile):
                    fold(store.path)
        self._children.clear()
        self._lock.release()


def settings_for(host: str | None, port: int | None, console_port: int | None) -> Settings:
    """Apply the command's options; the console sits one port below the data plane unless told otherwise."""
    settings = load_settings()
    if host is not None:
        settings = replace(settings, data_plane_host=host, console_host=host)
    if port is not None:
        settings = replace(settings, data_plane_port=port, console_port=console_port or port - 1)
    elif console_port is not None:
        settings = replace(settings, console_port=console_port)
    return settings


@click.command()
@click.option("--host", help="Address to listen on (default: loopback).")
@click.option(
    "--port", type=click.IntRange(2, 65535), help="Port of the data plane (default 8461)."
)
@click.option(
    "--console-port",
    type=click.IntRange(1, 65535),
    help="Port of the console (default: one below).",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Data plane processes (default 1; more need PostgreSQL).",
)
@click.option(
    "--only",
    type=click.Choice(["data", "console"]),
    help="Serve this part alone (needs PostgreSQL).",
)
def serve(  # noqa: PLR0917  click names them
    host: str | None,
    port: int | None,
    console_port: int | None,
    workers: int | None,
    only: str | None,
) -> None:
    """Serve the house: data plane, console and worker, until Ctrl-C.

    \b
    Examples:
      holdfast serve
      holdfast serve --port 9001            data plane on 9001, console on 9000
      holdfast serve --only data --workers 4
    """
    settings = settings_for(host, port, console_port)
    if workers is not None:
        settings = replace(settings, workers=workers)
    supervisor = Supervisor(settings, only)
    supervisor.start()
    scheme = "https" if settings.encrypted else "http"
    if only != "data":
        click.echo(f"Console     {scheme}://localhost:{settings.console_port}")
    if only != "console":
        click.echo(f"Data plane  {scheme}://localhost:{settings.data_plane_port}")
    say("Stop with Ctrl-C.")
    raise SystemExit(supervisor.wait())
