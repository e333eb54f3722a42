"""The process dies between any two writes of an erasure under a hold, of a lift, and of an expiry (SPINE 18, 19).

Either what is to be kept exists and opens, or the customer's keys are still there and it is kept by the next run.
"""

from __future__ import annotations

import pytest

from holdfast.kit.clock import DAY_US
from holdfast.spine.operations.holding import expire_holds, lift
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.holds import destroy_ended, hold_of, open_entry
from holdfast.spine.vault.shred import complete, complete_unfinished, request_shred
from holdfast.spine.vault.store import HOLDS
from support.admin import ask
from support.holding import KEPT, new_holding
from support.recovery import CLIENT
from support.vault import Killed, MortalHouse

MOST_WRITES = 200


def deaths(tmp_path, prepare, act):
    """Run ``act`` with one more write each time, until it lives; yield the bank after each death."""
    for lives in range(1, MOST_WRITES):
        bank = new_holding(tmp_path / str(lives) / "house")
        given = prepare(bank)
        try:
            act(bank, MortalHouse(bank.house, lives), given)
        except Killed:
            bank.reopen()
            yield bank, given
            bank.close()
        else:
            bank.close()
            return
    pytest.fail("it never came to its end")


def hold_in(bank):
    (rows,) = bank.house.read(ask(HOLDS(client=CLIENT)))
    return hold_of(rows[0])


def entry(bank):
    """What is kept, opened past all rules; None when nothing is."""
    hold = hold_in(bank)
    if hold.state != "kept":
        return None
    keys = bank.house.read(client_keys(bank.house.keks, CLIENT, 0))
    (one,) = bank.house.read(open_entry(keys, hold))
    return {name: value.reveal() for name, value in one.fields.items()}


def has_keys(bank, customer):
    asked = "SELECT COUNT(*) FROM keyring_dek WHERE customer = ?"
    return bank.sql(asked, customer, keys=True)[0][0] > 0


@pytest.mark.slow
def test_an_erasure_under_a_hold_killed_between_any_two_writes(tmp_path):
    def erase(bank, house, _hold):
        keys = bank.house.read(client_keys(bank.house.keks, CLIENT, 0))
        customer = bank.customers["C00001"]
        work = request_shred(keys, customer, by="p_dpo", now_us=bank.clock.now_us())
        complete(house, CLIENT, house.transact(work))

    died = kept = 0
    for bank, hold in deaths(tmp_path, lambda bank: bank.hold(), erase):
        died += 1
        whole = has_keys(bank, hold.customer)
        assert whole or entry(bank) == KEPT
        kept += entry(bank) == KEPT
        under_way = bank.sql("SELECT COUNT(*) FROM vault_shred WHERE state <> 'certified'")[0][0]
        assert complete_unfinished(bank.house) == under_way
        if bank.sql("SELECT COUNT(*) FROM vault_shred")[0][0]:
            assert entry(bank) == KEPT
            assert not has_keys(bank, hold.customer)
            assert len(bank.told("hold.kept")) == 1
    assert died > 15
    assert 5 < kept < died


@pytest.mark.slow
def test_a_lift_killed_between_any_two_writes(tmp_path):
    def prepare(bank):
        hold = bank.hold()
        bank.erase()
        return hold

    def let_go(bank, house, hold):
        with bank.acting_as(bank.admin):
            house.transact(lift(bank.house, CLIENT, hold.id))
        destroy_ended(house)

    died = 0
    for bank, _ in deaths(tmp_path, prepare, let_go):
        died += 1
        lifted = hold_in(bank).state == "lifted"
        destroy_ended(bank.house)
        assert (bank.hold_keys() == []) is lifted
        assert (entry(bank) == KEPT) is not lifted
        assert bank.sql(
            "SELECT COUNT(*) FROM vault_hold WHERE state = 'lifted' AND gone_us = 0"
        ) == [(0,)]
    assert died > 4


@pytest.mark.slow
def test_an_expiry_killed_between_any_two_writes(tmp_path):
    def prepare(bank):
        hold = bank.hold(days=1)
        bank.erase()
        bank.advance(DAY_US // 1_000_000)
        bank.hold("C00002")
        expire_holds(bank.house)
        bank.advance(DAY_US // 1_000_000)
        bank.hold("C00003")
        return hold

    died = 0
    for bank, _ in deaths(tmp_path, prepare, lambda _bank, house, _hold: expire_holds(house)):
        died += 1
        expire_holds(bank.house)
        assert bank.hold_keys() == []
        assert len(bank.told("hold.expired")) == 1
        assert hold_in(bank).state == "expired"
    assert died > 4
