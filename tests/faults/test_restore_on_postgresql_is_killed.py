"""The process dies before any file moves while a copy takes the place of two databases: the next run ends it."""

from __future__ import annotations

import sys

import pytest

from holdfast.spine.recovery.backup import read_backup
from holdfast.spine.recovery.swap import begin_swap, finish_swap, swap_under_way
from support.recovery import LOG, Restorable, new_restorable
from support.stores import FakeClock, copy_house
from support.vault import Killed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.storage("postgresql", reason="files that move in are killed in the other test"),
]
_LIFE: list[list[int]] = []


def _step(event: str, _arguments: tuple[object, ...]) -> None:
    if _LIFE and event in {"os.rename", "os.remove"}:
        _LIFE[-1][0] -= 1
        if _LIFE[-1][0] <= 0:
            raise Killed


sys.addaudithook(_step)


def dies(bank: Restorable, lives: int) -> bool:
    """Put the copy in with so many steps to live."""
    swap = swap_under_way(bank.home)
    assert swap is not None
    _LIFE.append([lives])
    try:
        finish_swap(bank.house.settings, swap)
    except Killed:
        return True
    finally:
        _LIFE.pop()
    return False


def test_a_copy_that_takes_the_place_of_databases_goes_in_whole(tmp_path):
    made = new_restorable(tmp_path / "made" / "house")
    copy = made.backup()
    made.connect()
    made.reveal("C00001", ["name"])
    made.shred("C00002")
    made.publish()
    before = made.published_leaves(LOG)
    made.close()
    deaths = 0
    for lives in range(1, 20):
        home = tmp_path / str(lives) / "house"
        copy_house(made.home, home)
        bank = Restorable(home, FakeClock(made.clock.now_us()))
        backup = read_backup(copy, bank.house.signing_keys)
        begin_swap(bank.house.settings, backup, by=bank.admin, now_us=bank.clock.now_us())
        bank.house.close()
        died = dies(bank, lives)
        deaths += died
        assert bank.refusals(), "it would serve half restored"
        bank.repair()
        assert bank.refusals() == {}
        assert bank.published_leaves(LOG) == before
        (kept,) = home.glob("replaced-*")
        assert {path.name for path in kept.iterdir()} == {"data.sqlite3", "keys.sqlite3"}
        assert (kept / "data.sqlite3").stat().st_size > 0
        bank.close()
        if not died:
            break
    else:
        pytest.fail("it never came to its end")
    assert deaths >= 4
