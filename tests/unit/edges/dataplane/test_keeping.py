from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.edges.dataplane.keeping import Keeping
from holdfast.edges.dataplane.metrics import Metrics
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.decision.policies import warm
from holdfast.spine.turn.answers import Revealed
from support.bank import new_bank
from support.freezing import publish
from support.stores import raw


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


class NoTurns:
    """Nothing of this takes a turn."""

    def submit(self, work):
        raise AssertionError(work)


def kept(bank):
    """What a request would find compiled now."""
    ((fence,),) = bank.sql("SELECT fence FROM decision_client")
    return bank.house.policies.get(CLIENT, fence)


def test_a_process_that_serves_compiles_before_the_first_request(bank):
    assert kept(bank) is None
    assert bank.house.read(warm(bank.house.policies)) == 1
    assert kept(bank) is not None
    assert bank.house.read(warm(bank.house.policies)) == 0, "once"


def test_a_contract_that_was_published_is_compiled_between_turns(bank):
    keeping = Keeping(bank.house, NoTurns(), Metrics())
    keeping.beat()
    before = kept(bank)
    publish(bank, '[freeze]\nexempt_reasons = ["card-lost"]')
    assert kept(bank) is None
    keeping.beat()
    found = kept(bank)
    assert found is not None
    assert found.contract.version == before.contract.version + 1
    bank.connect()
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)
    assert kept(bank) is found


def test_a_contract_that_somebody_changed_in_the_store_stops_nothing_but_its_own_client(bank):
    with bank.house.stores() as stores:
        raw(stores.data, "UPDATE decision_contract SET text = text || ' '")
    Keeping(bank.house, NoTurns(), Metrics()).beat()
    assert kept(bank) is None
    with pytest.raises(IntegrityBroken):
        bank.connect()
