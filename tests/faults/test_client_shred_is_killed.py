"""The process dies between any two writes of a client's erasure: it is complete after the next start."""

from __future__ import annotations

import shutil

import pytest

from holdfast.procedures.disposal.services import shred_client
from holdfast.spine.ending.client_shred import complete_client, complete_unfinished_clients
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.vault.shred import certificates_of
from support.erasing import Erasing, new_erasing
from support.recovery import CLIENT
from support.stores import FakeClock
from support.vault import Killed, MortalHouse

MOST_WRITES = 200


@pytest.mark.slow
def test_a_clients_erasure_killed_between_any_two_writes(tmp_path):
    made = new_erasing(tmp_path / "made")
    made.connect()
    made.reveal("C00001", ["name"])
    made.approve(made.ask_for_client_shred())
    made.close()
    ordered = deaths = 0
    for lives in range(1, MOST_WRITES):
        home = tmp_path / str(lives)
        shutil.copytree(tmp_path / "made", home)
        bank = Erasing(home, FakeClock(made.clock.now_us()))
        with bank.acting_as(bank.admin):
            house = MortalHouse(bank.house, lives)
            try:
                shred_client(house, CLIENT)
                died = False
            except Killed:
                died = True
        bank.reopen()
        if not died:
            bank.close()
            break
        deaths += 1
        under_way = bank.sql("SELECT COUNT(*) FROM vault_client_shred") == [(1,)]
        ordered += under_way
        state = bank.sql("SELECT state FROM decision_client")
        if not under_way:
            assert state == [("open",)]
        else:
            complete_unfinished_clients(bank.house)
            assert bank.sql("SELECT state FROM decision_client") == [("shredded",)]
            assert bank.sql("SELECT COUNT(*) FROM vault_record") == [(0,)]
            for table in ("kek", "dek", "record_key", "index", "head", "contact"):
                assert bank.sql(f"SELECT COUNT(*) FROM keyring_{table}", keys=True) == [(0,)]
            assert len(certificates_of(home, CLIENT)) == 1
            assert len(bank.leaves("client.shredded")) == 2, "one in each log"
            before = bank.leaves()
            complete_client(bank.house, CLIENT)
            assert bank.leaves() == before
            assert bank.house.read(heads())
        bank.close()
        shutil.rmtree(home)
    else:
        pytest.fail("it never came to its end")
    assert deaths > 20
    assert ordered > 10
