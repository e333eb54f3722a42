"""A house restored from an older copy reaches the head that was signed, and forgets nothing that narrowed."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import SECOND_US
from holdfast.kit.errors import Conflict
from holdfast.spine.ledger import lease as leases
from holdfast.spine.ledger.audit import disagreements
from holdfast.spine.turn.answers import Refused, Revealed
from holdfast.spine.vault.shred import certificates_of
from support.recovery import CLIENT, HOUSE_LOG, LOG, new_restorable


@pytest.fixture
def bank(tmp_path):
    bank = new_restorable(tmp_path / "house")
    yield bank
    bank.close()


def grown(bank):
    bank.connect()
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)
    bank.end()
    bank.publish()


def test_a_restored_house_has_the_same_leaves_and_says_so(bank):
    copy = bank.backup()
    grown(bank)
    before = bank.published_leaves(LOG)
    done = bank.restore(copy)
    assert bank.refusals() == {}
    assert disagreements(bank.house, bank.house.signing_keys) == {}
    assert bank.published_leaves(LOG) == before
    assert {gap.log for gap in done.gaps} == {LOG, HOUSE_LOG}
    (beside,) = bank.home.glob("replaced-*")
    assert {"data.sqlite3", "keys.sqlite3"} <= {path.name for path in beside.iterdir()}
    bank.publish()
    (told,) = bank.published_leaves(LOG, "log.restored")
    assert (told["to_size"], told["source"]) == (len(before), "published")
    assert bank.published_leaves(LOG)[:-1] == before


def test_a_second_repair_does_nothing(bank):
    copy = bank.backup()
    grown(bank)
    bank.restore(copy)
    bank.publish()
    leaves = bank.published_leaves(LOG), bank.published_leaves(HOUSE_LOG)
    assert bank.repair().gaps == ()
    bank.publish()
    assert (bank.published_leaves(LOG), bank.published_leaves(HOUSE_LOG)) == leaves


def keeps_the_logs_elsewhere(bank):
    """A worker on another host, whose connection is away just now."""
    now_us = bank.clock.now_us()
    bank.house.transact(leases.take(leases.SEQUENCER, "seq_1", "another host", now_us=now_us))


def test_a_repair_that_meets_a_worker_elsewhere_says_so_and_loses_nothing(bank):
    bank.connect()
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)  # its leaf waits, in the copy too
    copy = bank.backup()
    bank.publish()
    before = bank.published_leaves(LOG)
    bank.put_back_by_hand(copy)
    keeps_the_logs_elsewhere(bank)
    for _ in range(2):
        with pytest.raises(Conflict, match="keeps the logs") as refused:
            bank.repair()
        assert (refused.value.code, "worker" in refused.value.remedy) == ("lease_held", True)
        assert not bank.sql("SELECT 1 FROM recovery_gap")
        assert bank.refusals(), "it does not serve"
    bank.advance(leases.TIME_TO_LIVE_US // SECOND_US)
    bank.repair()
    assert bank.refusals() == {}
    assert bank.published_leaves(LOG) == before
    assert bank.sql("SELECT MAX(until_us) FROM ledger_lease") == [(0,)], (
        "a worker may begin at once"
    )
    bank.publish()
    assert bank.published_leaves(LOG, "log.restored")


def test_a_restore_that_meets_one_goes_on_as_a_repair(bank):
    bank.connect()
    keeps_the_logs_elsewhere(bank)
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)
    copy = bank.backup()  # with the lease, and with the leaf that waits
    bank.sql(f"UPDATE ledger_lease SET until_us = 0 WHERE name = '{leases.SEQUENCER}'")
    bank.publish()
    before = bank.published_leaves(LOG)
    with pytest.raises(Conflict, match="keeps the logs"):
        bank.restore(copy)
    assert bank.refusals(), "it does not serve"
    bank.advance(leases.TIME_TO_LIVE_US // SECOND_US)
    bank.repair()
    assert bank.refusals() == {}
    assert bank.published_leaves(LOG) == before


def test_an_erased_customer_is_erased_again_with_the_same_certificate(bank):
    copy = bank.backup()
    operation = bank.shred("C00002")
    bank.publish()
    certificate = certificates_of(bank.home, CLIENT)[f"{operation}.json"]
    (bank.home / "certificates" / CLIENT / f"{operation}.json").unlink()
    done = bank.restore(copy)
    assert [gap.erased for gap in done.gaps if gap.log == LOG] == [1]
    assert certificates_of(bank.home, CLIENT)[f"{operation}.json"] == certificate
    customer = bank.customers["C00002"]
    assert bank.sql("SELECT state FROM vault_customer WHERE id = ?", customer) == [("shredded",)]
    assert bank.sql("SELECT COUNT(*) FROM vault_record WHERE customer = ?", customer) == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM keyring_dek WHERE customer = ?", customer, keys=True) == [
        (0,)
    ]
    bank.publish()
    assert len(bank.published_leaves(LOG, "shred.done")) == 1
    bank.connect(number=1)
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)
    assert isinstance(bank.reveal("C00002", ["name"]), Refused)
