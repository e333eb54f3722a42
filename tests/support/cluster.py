"""A private PostgreSQL cluster for the tests: on a free loopback port, in a temporary folder, ended with the run."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Sequence

USER = "holdfast"
_PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql")
_OLDEST = 15
ROOM_BYTES = 4 << 30


def binaries() -> Path | None:
    """The folder of the newest server of version 15 or later, or None."""
    found = [
        folder / "bin"
        for place in _PLACES
        for folder in Path(place).glob("*")
        if folder.name.isdigit()
        and int(folder.name) >= _OLDEST
        and (folder / "bin/initdb").exists()
    ]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


class Cluster:
    """A running server. It is told not to wait for the disk: what survives a power cut is tested elsewhere."""

    def __init__(
        self,
        folder: Path,
        *settings: str,
        durable: bool = False,
        of: Cluster | None = None,
        port: int = 0,
    ) -> None:
        """``of`` is a running server that this one is to follow, as a standby of its own name: its port."""
        found = binaries()
        assert found is not None
        self.binaries = found
        self.folder = folder
        self.durable = durable
        self.port = port or free_ports(1)[0]
        folder.chmod(0o755)
        self.own(folder)
        if of is None:
            words = ("-U", USER, "--auth=trust", "--no-locale", "-E", "UTF8")
            self.run("initdb", "-D", self.data, *words)
        else:
            source = f"host=127.0.0.1 port={of.port} user={USER} application_name=standby"
            self.run("pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream")
        quick = (
            ()
            if durable
            else ("fsync=off", "full_page_writes=off", "synchronous_commit=on", "wal_recycle=off")
        )
        self.settings = (
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            *quick,
            *settings,
        )

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def own(self, path: Path) -> None:
        """Hand a path to whom the server runs as: it refuses to be root."""
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    def run(self, program: str, *arguments: str) -> None:
        as_whom: dict[str, object] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            as_whom = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        command = [str(self.binaries / program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, **as_whom
        )  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in self.settings)
        log = str(self.folder / "log")
        self.run(
            "pg_ctl", "-D", self.data, "-w", "-o", f"-p {self.port} {options}", "-l", log, "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        if (Path(self.data) / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """Kill the server and all of its processes, as if its machine had died."""
        number = (Path(self.data) / "postmaster.pid").read_text().split("\n", 1)[0]
        own = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        for pid in (number, *own):
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        (Path(self.data) / "postmaster.pid").unlink()

    def promote(self) -> None:
        """Make a standby the primary; it takes writes on return."""
        self.run("pg_ctl", "-D", self.data, "-w", "promote")

    def url(self, database: str) -> str:
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

    def make(self, name: str, template: str | None = None) -> str:
        """Make a database, empty or as a copy; return its address."""
        with self.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if template:
                statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(template)
                )
            connection.execute(statement)
        return self.url(name)

    def drop(self, names: Sequence[str]) -> None:
        """Drop databases, whoever is connected to them."""
        with self.connect() as connection:
            for name in names:
                statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(statement.format(sql.Identifier(name)))


@lru_cache(maxsize=1)
def cluster() -> Cluster:
    """The cluster of this process's tests; it flushes as on a disk, for a house is served on it."""
    # A database is made for each test: that is five times as quick in memory as on a disk.
    in_memory = Path("/dev/shm")
    roomy = os.access(in_memory, os.W_OK) and shutil.disk_usage(in_memory).free > ROOM_BYTES
    place = in_memory if roomy else None
    folder = Path(tempfile.mkdtemp(prefix="holdfast-cluster-", dir=place))
    one = Cluster(folder, "wal_recycle=off", durable=True)  # a house is served on no other
    one.start()

    def end() -> None:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return one


def durable_cluster() -> Cluster:
    """One that is fit for a house that is to stay: the same."""
    return cluster()
