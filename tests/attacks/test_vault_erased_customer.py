"""An agent on the line with a customer whose erasure was ordered asks all the same."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.spine.turn.answers import Refused, Revealed
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import complete, request_shred
from support.bank import new_bank


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path)
    bank.connect()
    yield bank
    bank.close()


def first(bank):
    return next(iter(bank.customers))


def order_erasure(bank):
    house = bank.house
    fence = bank.sql("SELECT fence FROM decision_client WHERE client = ?", CLIENT)[0][0]
    keys = house.read(client_keys(house.keks, CLIENT, fence))
    work = request_shred(keys, bank.customers[first(bank)], by="p_dpo", now_us=bank.clock.now_us())
    return house.transact(work)


def is_refused(bank):
    name = first(bank)
    answers = [
        bank.reveal(name, ["name"]),
        bank.verify(name, {"dob": "1990-02-03"}),
        bank.update(name, {"email": "new@example.com"}),
    ]
    return [type(answer) for answer in answers] == [Refused] * 3


def test_every_look_is_refused_from_the_request_on_and_after(bank):
    assert isinstance(bank.reveal(first(bank), ["name"]), Revealed)
    operation = order_erasure(bank)
    assert is_refused(bank)
    complete(bank.house, CLIENT, operation)
    assert is_refused(bank)
    assert bank.leaves("shred.done")
