"""A bank whose stores stand on PostgreSQL in every run of the tests, and the database roles of such a house."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest

from holdfast.edges.roles.granting import grant_all
from holdfast.kit.config import load_settings
from holdfast.kit.ids import new_reference
from support.cluster import ROOM_BYTES, Cluster, binaries, cluster
from support.live import found_live
from support.server import environment
from support.stores import MIGRATE

NEEDS_SERVER = pytest.mark.skipif(
    binaries() is None, reason="PostgreSQL is absent; `make setup-services` installs it"
)
ROLES = {what: f"holdfast_{what}" for what in ("app", "worker", "reader")}
STORES = ("database_url", "keys_url")


@lru_cache(maxsize=1)
def durable_cluster() -> Cluster:
    """A server with the settings that a house asks for, so that it serves there."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-durable-", dir=place()))
    one = Cluster(folder, "wal_recycle=off", durable=True)
    one.start()

    def end() -> None:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return one


def place() -> Path | None:
    """Where a server of the tests stands: in memory where there is room, for it flushes as on a disk."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_BYTES
    return memory if roomy else None


def migrated(home: Path, server: Cluster) -> Path:
    """A house with two databases of its own."""
    home.mkdir(mode=0o700)
    names = {key: f"s{os.getpid()}_{new_reference('db')[3:].lower()}"[:60] for key in STORES}
    made = {key: server.make(name) for key, name in names.items()}
    lines = [f'{key} = "{made[key]}"' for key in STORES]
    (home / "holdfast.toml").write_text("\n".join(lines) + "\n")
    subprocess.run([sys.executable, "-c", MIGRATE], env=environment(home), check=True)
    return home


@lru_cache(maxsize=1)
def granted_house() -> Path:
    """A house without anything in it, whose roles have their rights; made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-roles-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = migrated(folder / "house", cluster())
    granted(home, cluster())
    return home


def bank_on(home: Path, server: Cluster) -> Path:
    """The bank of the stories in such a house."""
    found_live(migrated(home, server))
    return home


def make_roles(server: Cluster) -> None:
    """Make the roles that a house grants rights to; the server keeps them for all of its databases."""
    with server.connect() as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in ROLES.values():
            if role not in known:
                connection.execute(f"CREATE ROLE {role} LOGIN")


def named(home: Path) -> dict[str, str]:
    """The settings that name the roles, as an environment."""
    return {"HOLDFAST_HOME": str(home)} | {
        f"HOLDFAST_ROLE_{what.upper()}": role for what, role in ROLES.items()
    }


def granted(home: Path, server: Cluster) -> None:
    """Grant the roles of the house at ``home`` what is declared."""
    make_roles(server)
    assert grant_all(load_settings(home, named(home)))


def address(home: Path, role: str, store: str = "database_url") -> str:
    """The address of a store for somebody who connects as ``role``."""
    lines = (home / "holdfast.toml").read_text().splitlines()
    url = next(line.split('"')[1] for line in lines if line.startswith(store))
    before, _, after = url.partition("@")
    return f"{before.partition('://')[0]}://{role}@{after}"


def as_role(home: Path, what: str) -> dict[str, str]:
    """The environment of a process that connects as a role."""
    urls = {f"HOLDFAST_{key.upper()}": address(home, ROLES[what], key) for key in STORES}
    return named(home) | urls
