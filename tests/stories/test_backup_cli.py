"""A house is copied and restored with the commands; while its stores are sound, not by one person alone."""

from __future__ import annotations

import json
import re

import pytest

from support.server import holdfast

pytestmark = pytest.mark.storage(
    "sqlite", reason="the stores are files here, which are lost and put back"
)


def run(home, *arguments: str, code: int = 0, **env: str) -> str:
    done = holdfast(home, *arguments, **env)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def token_of(home, staff_id: str, *bound: str) -> str:
    done = holdfast(home, "token", "create", "--person", staff_id, *bound, "--json")
    return str(json.loads(done.stdout)["token"])


def own_token(home, staff_id: str) -> dict[str, str]:
    """A token that is bound to a key of its holder, and that key: who issued it cannot use it."""
    key = str(home.with_name(f"{staff_id}.pem"))
    run(home, "token", "key", key)
    token = token_of(home, staff_id, "--dpop-key", key)
    return {"HOLDFAST_TOKEN": token, "HOLDFAST_TOKEN_KEY_FILE": key}


@pytest.mark.slow
def test_a_sound_house_is_restored_by_two_persons_only(tmp_path):
    home, copy = tmp_path / "house", tmp_path / "copy"
    run(home, "init", "--person", "A0001")
    run(home, "person", "add", "A0002", "--employer", "house", "--role", "admin")
    own = own_token(home, "A0002")
    key = own.pop("HOLDFAST_TOKEN_KEY_FILE")
    run(home, "backup", str(copy))
    run(home, "person", "add", "A0003", "--employer", "house", "--role", "agent")
    told = run(home, "restore", str(copy), code=5)
    approval = re.search(r"apr_[0-9a-z]{26}", told)[0]
    assert not (home / "recovery.json").exists()
    other = copy.with_name("other")
    run(home, "backup", str(other))
    run(home, "approval", "approve", approval, code=5, **own)
    own["HOLDFAST_TOKEN_KEY_FILE"] = key
    plain = {"HOLDFAST_TOKEN": token_of(home, "A0002")}
    assert "bound to a key" in run(home, "approval", "approve", approval, code=5, **plain)
    run(home, "approval", "approve", approval, **own)
    assert "approval" in run(home, "restore", str(other), code=5), "approved was the first copy"
    run(home, "restore", str(copy), "--json")
    assert "A0003" not in run(home, "person", "list")
    assert list(home.glob("replaced-*/data.sqlite3"))
    run(home, "doctor")
    assert "Nothing to do" in run(home, "restore", "--repair")


@pytest.mark.slow
def test_a_house_whose_stores_are_lost_serves_again_when_a_second_person_agrees(tmp_path):
    home, copy = tmp_path / "house", tmp_path / "copy"
    run(home, "init", "--person", "A0001")
    run(home, "person", "add", "A0002", "--employer", "house", "--role", "admin")
    own = own_token(home, "A0002")
    run(home, "backup", str(copy))
    for store in home.glob("*.sqlite3*"):
        store.unlink()
    told = run(home, "restore", str(copy), code=5)
    approval = re.search(r"apr_[0-9a-z]{26}", told)[0]
    assert "a second person has to approve" in run(home, "doctor", code=7)
    assert "takes a second person" in run(home, "restore", "--repair", code=5)
    run(home, "approval", "approve", approval, **own)
    run(home, "restore", "--repair")
    run(home, "doctor")


def test_a_house_of_one_administrator_is_restored_by_them(tmp_path):
    home, copy = tmp_path / "house", tmp_path / "copy"
    run(home, "init", "--person", "A0001")
    run(home, "backup", str(copy))
    for store in home.glob("*.sqlite3*"):
        store.unlink()
    run(home, "restore", str(copy))
    run(home, "doctor")


def test_an_agent_takes_no_copy(tmp_path):
    home = tmp_path / "house"
    run(home, "init")
    run(home, "person", "add", "A0002", "--employer", "house", "--role", "agent")
    token = token_of(home, "A0002")
    run(home, "backup", str(tmp_path / "copy"), code=5, HOLDFAST_TOKEN=token)
    assert not (tmp_path / "copy").exists()
