"""The process dies before any commit, or any move of a file, of a restore: the next run ends where it would have."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager

import pytest

from holdfast.spine.house import open_house
from holdfast.spine.recovery.alone import alone
from holdfast.spine.recovery.backup import read_backup
from holdfast.spine.recovery.run import recover
from holdfast.spine.recovery.swap import begin_swap
from support.recovery import HOUSE_LOG, LOG, Restorable, new_restorable
from support.stores import FakeClock
from support.vault import Killed, Mortal, MortalHouse

MOST_STEPS = 200
_LIFE: list[list[int]] = []


def _step(event: str, _arguments: tuple[object, ...]) -> None:
    """Dying before a file is moved or removed."""
    if _LIFE and event in {"os.rename", "os.remove"}:
        _spend(_LIFE[-1])


sys.addaudithook(_step)


def _spend(life: list[int]) -> None:
    life[0] -= 1
    if life[0] <= 0:
        raise Killed


class MortalAtCommits(Mortal):
    def _spend(self, text: str) -> None:
        if self._life[0] <= 0:
            raise Killed
        if text.lstrip().upper().startswith(("COMMIT", "WIPE")):
            _spend(self._life)


class Dying(MortalHouse):
    """A house with the life of the files that are moved."""

    def __init__(self, house, life: list[int]) -> None:
        self._house, self._life = house, life

    @contextmanager
    def stores(self):
        with self._house.stores() as stores:
            data = MortalAtCommits(stores.data, self._life)
            keys = MortalAtCommits(stores.keys, self._life)
            yield type(stores)(data, keys)


@contextmanager
def dying(life: list[int]):
    _LIFE.append(life)
    try:
        yield
    finally:
        _LIFE.pop()


def prepared(folder):
    """A house with a copy, and a gap after it: a look, an erasure, a suspension, a revocation."""
    bank = new_restorable(folder / "house")
    bank.backup()
    bank.connect()
    bank.reveal("C00001", ["name"])
    bank.end()
    bank.shred("C00002")
    bank.shred("C00003", finish=False)
    bank.publish()
    bank.close()
    return bank.clock.now_us()


def state_of(bank: Restorable) -> tuple[object, ...]:
    return (
        bank.sql("SELECT id, state FROM vault_customer ORDER BY id"),
        bank.sql("SELECT COUNT(*) FROM vault_record"),
        bank.sql("SELECT customer, data_class FROM keyring_dek ORDER BY 1, 2", keys=True),
        bank.sql("SELECT reference, state, records, classes FROM vault_shred ORDER BY reference"),
        bank.sql("SELECT COUNT(*) FROM vault_suppression"),
        bank.sql("SELECT client, person, day, customer_mac FROM decision_budget_customer"),
        [leaf["type"] for leaf in bank.published_leaves(LOG)],
        [leaf["type"] for leaf in bank.published_leaves(HOUSE_LOG)],
    )


def restore(bank, house):
    settings = bank.house.settings
    with alone(settings):
        made = read_backup(bank.home.parent / "backup", bank.house.signing_keys)
        begin_swap(settings, made, by=bank.admin, now_us=bank.clock.now_us())
        recover(house)


def restore_again(bank):
    bank.restore(bank.home.parent / "backup")


@pytest.mark.slow
def test_a_restore_killed_before_any_step_goes_on(tmp_path):
    now_us = prepared(tmp_path / "made")
    expected, deaths = None, 0
    for lives in [0, *range(1, MOST_STEPS)]:  # 0: undisturbed, to compare with
        folder = tmp_path / str(lives)
        shutil.copytree(tmp_path / "made", folder)
        bank = Restorable(folder / "house", FakeClock(now_us))
        life = [lives or MOST_STEPS]
        house = open_house(bank.house.settings, bank.clock)
        died = False
        try:
            with dying(life):
                restore(bank, Dying(house, life))
        except Killed:
            died = True
        house.close()
        bank.reopen()
        if died:
            deaths += 1
            if bank.is_untouched():  # it died before it had begun: the house is what it was
                assert bank.refusals() == {}
                restore_again(bank)
            else:
                assert bank.refusals() or bank.is_told(), "it would serve half restored"
                bank.repair()
        assert bank.refusals() == {}
        bank.publish()
        if lives == 0:
            expected = state_of(bank)
        else:
            assert state_of(bank) == expected, lives
        bank.close()
        shutil.rmtree(folder)
        if lives and not died:
            break
    else:
        pytest.fail("it never came to its end")
    assert deaths > 15
