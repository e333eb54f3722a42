"""Attacks by time on receipts: a leaf whose hash was promised must never be rewritten by the sequencer.

The sequencer lifts a leaf that would go back in time (decision 0011), and that changes its hash.
"""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.edges.dataplane.assembled import assemble
from holdfast.kit.clock import SECOND_US
from holdfast.kit.config import load_settings
from holdfast.spine.house import open_house
from holdfast.spine.ledger.checkpoint import from_base64
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.tree import leaf_hash
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.operations.decisions import read_decision
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.turn.answers import Refused, Revealed
from support.bank import new_bank
from support.second import SECOND, SecondClient
from support.stores import NOON_US, FakeClock

LOG = "client-bank-01"


class Served:
    """The bank, served by a data plane that gives receipts, and its logs kept by a worker with a clock of its own."""

    def __init__(self, folder, worker_clock=None):
        self.bank = new_bank(folder / "house")
        self.worker = open_house(load_settings(self.bank.home, {}), worker_clock or FakeClock())
        self.registrar = Registrar(self.worker, self.worker.signing_keys)
        self.out = folder / "bundle"
        self.state = folder / "state"

    def answers(self, *works):
        """Run operations in the turns of one loop."""

        async def story():
            house = self.bank.house
            plane = assemble(house, asyncio.get_running_loop(), frozenset())
            await plane.runner.open()
            try:
                return await asyncio.gather(*map(plane.runner.submit, works))
            finally:
                await plane.runner.close()

        return asyncio.run(story())

    def look(self, name="C00001", **asked):
        given = self.bank.asked(**asked)
        return lambda: reveal(self.bank.house, given, self.bank.id_of(name), ("name",))

    def verify(self, *answers):
        self.registrar.tick()
        keys = self.worker.signing_keys.vkeys(LOG)
        export_bundle(log_folder(self.bank.home, LOG), self.out, vkeys=keys)
        saved = [(f"{n}", msgspec.json.encode(answer)) for n, answer in enumerate(answers)]
        given = Given(
            UserMemory(self.state), NOON_US, [parse_vkey(key) for key in keys], None, saved
        )
        return verify_bundle(self.out, given)

    def close(self):
        self.registrar.close()
        self.worker.close()
        self.bank.close()


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path)
    served.bank.connect()
    yield served
    served.close()


def test_every_kind_of_answer_carries_a_receipt_that_holds(served):
    shown, refused = served.answers(served.look(), served.look("C00002"))
    assert isinstance(shown, Revealed)
    assert isinstance(refused, Refused)
    caller = served.bank.caller()
    (read,) = served.answers(lambda: read_decision(served.bank.house, caller, shown.decision))
    assert read.leaf.hash == shown.leaf.hash
    report = served.verify(shown, refused, read)
    assert report.outcome is Outcome.AUTHENTIC, report.findings
    assert [one.promise for one in report.receipts] == ["kept"] * 3


@pytest.mark.storage(
    "sqlite", reason="a turn is SQLite's: elsewhere operations commit side by side"
)
def test_one_turn_is_signed_once_for_each_log(served):
    answers = served.answers(*[served.look() for _ in range(5)])
    assert len({answer.leaf.receipt.signature for answer in answers}) == 1
    assert [answer.leaf.receipt.index for answer in answers] == [0, 1, 2, 3, 4]


def test_who_may_not_know_a_client_gets_neither_its_origin_nor_a_hash(served):
    """A receipt of a client's log would tell that the client exists; an answer without one must look the same."""
    SecondClient(served.bank)
    works = [
        served.look("cus_01m000000000000000000000zz", client=client)
        for client in (SECOND, "bank-99")
    ]
    theirs, nobodys = (msgspec.to_builtins(answer.leaf) for answer in served.answers(*works))
    assert theirs.keys() == nobodys.keys() == {"log", "id"}
    assert theirs["log"] == nobodys["log"] == ""


def test_a_hidden_customer_and_an_absent_one_get_receipts_of_one_shape(served):
    hidden, absent = served.answers(
        served.look("C00002"), served.look("cus_01m000000000000000000000zz")
    )
    one, other = (msgspec.json.encode(answer.leaf) for answer in (hidden, absent))
    assert len(one) == len(other)


@settings(max_examples=15, deadline=None)
@given(
    ahead_s=st.lists(st.integers(-600, 600), min_size=1, max_size=4),
    ticks=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_no_promised_leaf_is_lifted_whatever_other_processes_clocks_say(
    tmp_path_factory, ahead_s, ticks
):
    served = Served(tmp_path_factory.mktemp("lifted"))
    try:
        served.bank.connect()
        lifted, promised = 0, {}
        for seconds, tick in zip(ahead_s, ticks, strict=False):
            clock = FakeClock(served.bank.clock.now_us() + seconds * SECOND_US)
            other = open_house(load_settings(served.bank.home, {}), clock)
            given_by_other = served.bank.asked()
            work = reveal(other, given_by_other, served.bank.id_of("C00001"), ("name",))
            other.transact(work)  # a process whose clock is another
            other.close()
            for answer in served.answers(served.look(), served.look()):
                promised[answer.leaf.id] = from_base64(answer.leaf.hash)
            if tick:
                lifted += served.registrar.tick().lifted
        lifted += served.registrar.tick().lifted
        entries = {
            json.loads(leaf.entry)["id"]: leaf_hash(leaf.entry)
            for leaf in served.bank.house.read(leaves_from(LOG, 0))
        }
        assert lifted == 0
        assert promised.items() <= entries.items()
    finally:
        served.close()
