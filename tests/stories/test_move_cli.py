"""A house moves to PostgreSQL by command, is copied there, loses its databases, and is restored into new ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from support.cluster import durable_cluster
from support.moving import moves
from support.server import Server, environment, holdfast

pytestmark = [*moves, pytest.mark.slow, pytest.mark.server]


def run(home, *arguments: str, code: int = 0, **env: str) -> str:
    done = holdfast(home, *arguments, **env)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "house"
    run(home, "init", "--person", "A0001")
    return home


def databases(name: str) -> tuple[str, ...]:
    made = [durable_cluster().make(f"s{os.getpid()}_{name}_{which}") for which in ("data", "keys")]
    return "--to-data", made[0], "--to-keys", made[1]


def killed_after(home, step: str, *arguments: str) -> None:
    """Begin a move, and kill it with -9 when it tells of a step."""
    with subprocess.Popen(
        [sys.executable, "-m", "holdfast", "move", *arguments],
        env=environment(home),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if step in line:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


def test_a_house_that_is_killed_while_it_moves_is_served_from_where_it_went(home):
    to = databases("killed")
    rehearsed = json.loads(holdfast(home, "move", *to, "--dry-run", "--json").stdout)
    assert rehearsed["unfit"] == []
    assert rehearsed["rows"]["data"]["identity_person"] == 1
    killed_after(home, "data: the tables are made", *to)
    assert "is being moved to" in run(home, "person", "list", code=2)
    assert "stores.E004" in run(home, "serve", code=7)
    assert "another move" in run(home, "move", *databases("other"), code=2)
    killed_after(home, "the old house is closed")
    done = json.loads(holdfast(home, "move", "--json").stdout)
    assert [path.rsplit("/", 1)[1] for path in done["left"]] == ["data.sqlite3", "keys.sqlite3"]
    run(home, "doctor")
    assert "stands in PostgreSQL already" in run(home, "move", *to, code=2)
    old = {
        "HOLDFAST_DATABASE_URL": "sqlite:///data.sqlite3",
        "HOLDFAST_KEYS_URL": "sqlite:///keys.sqlite3",
    }
    for command in ("serve", "worker"):
        assert "has moved to 127.0.0.1" in run(home, command, code=7, **old)
    with Server(home) as server:
        assert server.request("GET", "/readyz").status == 200


def test_who_may_not_move_the_house_does_not(home):
    run(home, "person", "add", "A0002", "--employer", "house", "--role", "agent")
    token = json.loads(holdfast(home, "token", "create", "--person", "A0002", "--json").stdout)
    run(home, "move", *databases("agent"), code=5, HOLDFAST_TOKEN=token["token"])
    with_password = "postgres://holdfast:secret@127.0.0.1/data"
    told = run(home, "move", "--to-data", with_password, "--to-keys", "postgres://h@x/y", code=2)
    assert "password" in told
    assert "secret" not in told
    run(home, "doctor")


def test_a_house_whose_databases_are_lost_is_restored_into_new_ones(home, tmp_path):
    run(home, "move", *databases("lost"))
    for left in home.glob("*.sqlite3*"):
        left.unlink()
    copy = tmp_path / "copy"
    run(home, "backup", str(copy))
    run(home, "person", "add", "A0003", "--employer", "house", "--role", "agent")
    new = databases("new")
    (home / "holdfast.toml").write_text(f'database_url = "{new[1]}"\nkeys_url = "{new[3]}"\n')
    run(home, "doctor", code=7)
    run(home, "restore", str(copy))
    run(home, "doctor")
    assert "A0003" not in run(home, "person", "list")
    assert "Nothing to do" in run(home, "restore", "--repair")
    assert "a second person" in run(home, "restore", str(copy), code=5), "it is sound now"


def test_a_copy_of_a_house_in_postgresql_restores_into_files(home, tmp_path):
    run(home, "move", *databases("back"))
    copy = tmp_path / "copy"
    run(home, "backup", str(copy))
    for name in ("holdfast.toml", "moved.json", "data.sqlite3", "keys.sqlite3"):
        (home / name).unlink()
    run(home, "restore", str(copy))
    run(home, "doctor")
    assert "A0001" in run(home, "person", "list")
