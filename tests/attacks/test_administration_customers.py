"""Somebody of the house asks, number by number, who is a customer: no field is shown, and the client reads of each."""

from __future__ import annotations

import json

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.kit.errors import Denied, NotFound
from holdfast.procedures.disposal.services import find_customer
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.levels import Role
from support.bank import new_bank
from support.freezing import acting, person


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


def told(bank):
    rows = bank.sql(
        "SELECT entry FROM ledger_pending WHERE log = ? ORDER BY id", client_log(CLIENT)
    )
    leaves = [json.loads(entry) for (entry,) in rows]
    return [leaf for leaf in leaves if leaf["type"] == "customer.found"]


def test_a_number_that_is_a_customers_and_one_that_is_nobodys(bank):
    dpo = person(bank, "D0001", house=(Role.DPO,), roles=())
    with acting(bank, dpo):
        assert find_customer(bank.house, CLIENT, "C00001").state == "live"
        with pytest.raises(NotFound):
            find_customer(bank.house, CLIENT, "C99999")
    hit, miss = told(bank)
    assert hit["customer"].startswith("c_")
    assert miss["customer"] == ""
    assert hit["by"] == miss["by"] != dpo.id


def test_who_may_not_ask_learns_nothing(bank):
    with acting(bank, bank.agent):
        for number in ("C00001", "C99999"):
            with pytest.raises(Denied):
                find_customer(bank.house, CLIENT, number)
    assert told(bank) == []
