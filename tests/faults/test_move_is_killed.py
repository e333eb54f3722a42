"""The process dies after any step of a move, or before any file is renamed: the next run ends where it would have."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing

import pytest

from holdfast.edges.checks import stores
from holdfast.kit.config import load_settings
from holdfast.spine.recovery.moving import is_under_way
from holdfast.spine.turn.answers import Revealed
from support.moving import Movable, moves, new_movable
from support.recovery import HOUSE_LOG, LOG
from support.stores import FakeClock
from support.vault import Killed

pytestmark = [*moves, pytest.mark.slow]
_LIFE: list[list[int]] = []
# Each table is a step. They are all alike, so some stand for the rest.
TABLES = {"data: vault_record", "keys: keyring_dek"}


def _step(event: str, _arguments: tuple[object, ...]) -> None:
    if _LIFE and event == "os.rename":
        _spend(_LIFE[-1])


sys.addaudithook(_step)


def _spend(life: list[int]) -> None:
    life[0] -= 1
    if life[0] <= 0:
        raise Killed


def dying(bank: Movable, target, lives: int) -> bool:
    """Move with so many steps to live; tell whether it died."""
    life = [lives]

    def reached(step: str) -> None:
        if ": " not in step or step in TABLES or "made" in step:
            _spend(life)

    _LIFE.append(life)
    try:
        bank.move(target, reached)
    except Killed:
        return True
    finally:
        _LIFE.pop()
    return False


def state_of(bank: Movable) -> tuple[object, ...]:
    return (
        bank.sql("SELECT id, state FROM vault_customer ORDER BY id"),
        bank.sql("SELECT COUNT(*), SUM(length(body)) FROM vault_record"),
        bank.sql("SELECT customer, data_class, wrapped FROM keyring_dek ORDER BY 1, 2", keys=True),
        [leaf["type"] for leaf in bank.published_leaves(LOG)],
        [leaf["type"] for leaf in bank.published_leaves(HOUSE_LOG)],
    )


def left(home) -> int:
    """Rows that the old keys store still has."""
    bank = Movable.__new__(Movable)
    bank.home = home
    with closing(bank.old_keys()) as keys:
        found: int = keys.raw.execute("SELECT COUNT(*) FROM keyring_dek").fetchone()[0]
    return found


def test_a_move_killed_after_any_step_goes_on(tmp_path):
    made = new_movable(tmp_path / "made" / "house")
    made.shred("C00002")
    made.connect()
    made.reveal("C00001", ["name"])
    now_us = made.clock.now_us()
    made.close()
    expected, deaths, lives = None, 0, 0
    while expected is None or lives:  # 0: undisturbed, to compare with
        folder = tmp_path / str(lives)
        shutil.copytree(tmp_path / "made", folder)
        bank = Movable(folder / "house", FakeClock(now_us))
        target = bank.databases()
        died = dying(bank, target, lives or 1000)
        if died:
            deaths += 1
            if is_under_way(bank.home):
                assert list(stores.no_move_unfinished(load_settings(bank.home, {})))
            bank.move(target)
        assert not is_under_way(bank.home)
        assert left(bank.home) == 0
        new = bank.moved()
        assert isinstance(new.reveal("C00001", ["name"]), Revealed)
        new.publish()
        assert new.refusals() == {}
        if expected is None:
            expected = state_of(new)
        assert state_of(new) == expected, lives
        new.close()
        shutil.rmtree(folder)
        lives = lives + 1 if died or not lives else 0
    assert deaths > 10
