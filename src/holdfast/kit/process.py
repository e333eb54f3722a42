"""Processes that end with their parent, leave no core dump, and hold a house alone."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
from typing import TYPE_CHECKING

from holdfast.kit.errors import Conflict

if TYPE_CHECKING:
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent ends; exit at once if ``parent_pid`` is gone already.

    Linux only (``prctl``). The signal is sent when the *thread* that created this process ends.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        raise SystemExit(1)


def forbid_core_dumps() -> None:
    """Keep keys and values out of core files and out of other processes' ``ptrace``."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def refuse_taken_port(host: str, port: int) -> None:
    """Raise :class:`Conflict` when something already listens on ``host:port``.

    A plain bind without ``SO_REUSEPORT``: the server shares ports silently otherwise.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(
                f"port {port} on {host} is taken ({error.strerror})",
                remedy="Stop the other process, or choose another port.",
                code="port_taken",
            ) from error


class LockFile:
    """A lock on a file, held until the process ends or :meth:`release` is called: one's alone, or shared by several."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def acquire(self, *, shared: bool = False) -> None:
        """Take the lock or raise :class:`Conflict` that names a holder; who shares it bears others who do."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise Conflict(
                f"another process (pid {holder}) is serving this house",
                remedy="Stop it first; one house is served by one `holdfast serve`.",
                code="house_locked",
            ) from None
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
        self._fd = fd

    def release(self) -> None:
        """Give the lock back."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1
