from __future__ import annotations

import json

import pytest

from holdfast.edges.cli.serve import LOCK_NAME
from holdfast.kit.process import LockFile
from support.server import holdfast


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrated") / "house"
    founded = holdfast(folder, "init")
    assert founded.returncode == 0, founded.stderr
    return folder


def test_a_founded_house_passes_every_check(home):
    done = holdfast(home, "doctor", "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["ok"] is True


def test_migrating_twice_changes_nothing(home):
    assert holdfast(home, "migrate").returncode == 0
    assert holdfast(home, "migrate").returncode == 0


def test_a_house_that_is_being_served_is_not_migrated(home):
    lock = LockFile(home / LOCK_NAME)
    lock.acquire()
    try:
        done = holdfast(home, "migrate")
    finally:
        lock.release()
    assert done.returncode == 2
    assert "serving this house" in done.stderr


def test_there_is_nothing_to_migrate_where_there_is_no_house(tmp_path):
    done = holdfast(tmp_path / "none", "migrate")
    assert done.returncode == 2
    assert "holdfast init" in done.stderr
    assert not (tmp_path / "none").exists()
