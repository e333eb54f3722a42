"""A house with something wrong does not serve: nothing listens, and it says which check failed."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.edges.cli.serve import LOCK_NAME
from holdfast.kit.process import LockFile
from support.ports import free_ports
from support.server import holdfast


@pytest.fixture(scope="module")
def founded(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("founded") / "house"
    done = holdfast(home, "init")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def home(founded, tmp_path) -> Path:
    copy = tmp_path / "house"
    shutil.copytree(founded, copy)
    copy.chmod(0o700)
    return copy


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serve(home: Path, *more: str, **env: str) -> tuple[int, str]:
    console, data_plane = free_ports(2)
    done = holdfast(
        home, "serve", "--port", str(data_plane), "--console-port", str(console), *more, **env
    )
    assert not listens(console)
    assert not listens(data_plane)
    return done.returncode, done.stderr


def no_house(home: Path) -> None:
    shutil.rmtree(home)


def open_folder(home: Path) -> None:
    home.chmod(0o755)


def open_key(home: Path) -> None:
    (home / "root.key").chmod(0o640)


def no_key(home: Path) -> None:
    (home / "root.key").unlink()


def damaged_key(home: Path) -> None:
    (home / "root.key").write_bytes(b"{}")


def no_signing_keys(home: Path) -> None:
    (home / "signing" / "keys").unlink()


def no_memory(home: Path) -> None:
    (home / "signing" / "memory.json").unlink()


def damaged_store(home: Path) -> None:
    (home / "keys.sqlite3").write_bytes(b"\0" * 100_000)


def older_store(home: Path) -> None:
    with closing(sqlite3.connect(home / "data.sqlite3")) as connection:
        connection.execute("DELETE FROM django_migrations WHERE app = 'ledger'")
        connection.commit()


def newer_store(home: Path) -> None:
    with closing(sqlite3.connect(home / "data.sqlite3")) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('vault', '9999_later', '2026-11-23')"
        )
        connection.commit()


@pytest.mark.server
@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (no_house, "house.E001"),
        (open_folder, "house.E002"),
        (open_key, "keys.E001"),
        (no_key, "keys.E001"),
        (damaged_key, "keys.E001"),
        (no_signing_keys, "logs.E001"),
        (no_memory, "logs.E001"),
        (damaged_store, "stores.E001"),
        (older_store, "stores.E003"),
        (newer_store, "stores.E003"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value,
)
def test_a_damaged_house_does_not_listen_and_names_the_check(
    home: Path, damage: Callable[[Path], None], check: str
):
    damage(home)
    code, told = serve(home)
    assert code == 7
    assert check in told
    assert "Traceback" not in told


@pytest.mark.server
def test_a_house_does_not_listen_beyond_this_machine(home):
    code, told = serve(home, "--host", "0.0.0.0")
    assert code == 7
    assert "house.E003" in told


@pytest.mark.server
def test_a_house_that_another_process_holds_is_not_served_twice(home):
    lock = LockFile(home / LOCK_NAME)
    lock.acquire()
    try:
        code, told = serve(home)
    finally:
        lock.release()
    assert code == 2
    assert "another process" in told


@pytest.mark.server
def test_a_port_that_is_taken_is_refused_before_anything_starts(home):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (console,) = free_ports(1)
        done = holdfast(home, "serve", "--port", str(port), "--console-port", str(console))
    assert done.returncode == 2
    assert "is taken" in done.stderr
    assert not listens(console)


@pytest.mark.server
def test_more_processes_than_sqlite_can_serve_are_refused(home):
    code, told = serve(home, "--workers", "2")
    assert code == 2
    assert "SQLite" in told


@pytest.mark.server
def test_an_unknown_setting_is_refused_before_anything_starts(home):
    code, told = serve(home, HOLDFAST_DATABSE_URL="sqlite:///x.sqlite3")
    assert code == 2
    assert "HOLDFAST_DATABASE_URL" in told
