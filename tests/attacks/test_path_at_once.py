"""Attacks by asking all at once: 32 requests of one person against a budget of 5 give 5 values (SPINE 5).

In one turn of the data plane, in threads with connections of their own, and in processes.
"""

from __future__ import annotations

import json
from functools import partial

import pytest

from holdfast.drills.bank.build import CONTRACT, customer, found_bank, import_customers
from holdfast.kit.clock import SECOND_US
from holdfast.kit.config import load_settings
from holdfast.spine.house import open_house
from holdfast.spine.ledger.folding import close_overdue
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Refused, Revealed, Verified
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from support.answers import rules
from support.at_once import AT_ONCE, in_one_turn, in_processes, in_threads
from support.bank import Bank
from support.stores import NOON_US, FakeClock, copy_house, template

BUDGET = 5


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """A bank whose agent may look at 5 customers an hour and has 32 of them waiting in chats."""
    home = tmp_path_factory.mktemp("crowd") / "house"
    copy_house(template(), home)
    FileRoot.create(home / ROOT_FILE, None)
    house = open_house(load_settings(home, {}), FakeClock(NOON_US - 60 * SECOND_US))
    contract = CONTRACT.replace("customers_hour = 20", f"customers_hour = {BUDGET}")
    contract = contract.replace("sensitive_fields_day = 60", f"sensitive_fields_day = {BUDGET}")
    facts = found_bank(house, contract=contract)
    rows = [customer(number) for number in range(1, AT_ONCE + 1)]
    facts["customers"] = import_customers(house, facts["admin"], rows)
    house.close()
    (home / "bank.json").write_text(json.dumps(facts))
    bank = Bank(home, FakeClock())
    for number in range(1, AT_ONCE + 1):
        bank.connect(f"CT-{number}", number=number, channel="chat")
    bank.close()
    return home


@pytest.fixture
def bank(founded, tmp_path):
    home = tmp_path / "house"
    copy_house(founded, home)
    bank = Bank(home, FakeClock())
    yield bank
    bank.close()


def look(bank, house, number):
    """A request for one of the customers."""
    name = bank.id_of(f"C{number:05d}")
    return partial(reveal, house, bank.asked(f"CT-{number}"), name, ("name",))


def sensitive_look(bank, house, _number):
    """A request for a card of always the same customer."""
    return partial(reveal, house, bank.asked("CT-1"), bank.id_of("C00001"), ("card",))


def five_values(bank, answers, rule):
    shown = [answer for answer in answers if isinstance(answer, Revealed)]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(shown) == BUDGET
    assert len(refused) == AT_ONCE - BUDGET
    assert all(rules(answer) == {rule} for answer in refused)
    lines = counted(bank)
    assert sum(line["count"] for line in lines) == AT_ONCE
    assert [line["outcome"] for line in lines].count("permit") == BUDGET


def counted(bank):
    """The lines, once equal refusals are counted in one: when their minute is over."""
    bank.advance(61)
    bank.house.transact(close_overdue(bank.clock.now_us()))
    return bank.leaves("decision.made")


@pytest.mark.parametrize(
    ("ask", "rule"),
    [(look, "budget.customers_hour"), (sensitive_look, "budget.sensitive_day")],
)
def test_in_one_turn(bank, ask, rule):
    five_values(bank, in_one_turn(bank, partial(ask, bank)), rule)


@pytest.mark.parametrize(
    ("ask", "rule"),
    [(look, "budget.customers_hour"), (sensitive_look, "budget.sensitive_day")],
)
def test_in_threads(bank, ask, rule):
    five_values(bank, in_threads(bank, partial(ask, bank)), rule)


def guess(bank, house, number):
    """A guess at always the same customer's date of birth."""
    answers = {"dob": f"19{50 + number}-01-01"}
    return partial(verify, house, bank.asked("CT-1"), bank.id_of("C00001"), answers)


def three_comparisons(bank, answers):
    assert sum(isinstance(answer, Verified) for answer in answers) == 3
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(3,)]


def test_guesses_in_one_turn(bank):
    three_comparisons(bank, in_one_turn(bank, partial(guess, bank)))


def test_guesses_in_threads(bank):
    """32 guesses at once are compared three times."""
    three_comparisons(bank, in_threads(bank, partial(guess, bank)))


OPENS = """
from support.bank import Bank
from holdfast.spine.turn.answers import Revealed, Verified
bank = Bank(home, clock)
"""


@pytest.mark.slow
def test_guesses_in_processes(bank):
    compares = 'isinstance(bank.verify("C00001", {"dob": f"19{50 + number}-01-01"}), Verified)'
    assert in_processes(bank, OPENS, compares) == 3
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(3,)]


@pytest.mark.slow
def test_in_processes(bank):
    look = 'bank.reveal(f"C{number:05d}", ["name"], contact=f"CT-{number}")'
    assert in_processes(bank, OPENS, f"isinstance({look}, Revealed)") == BUDGET
    lines = counted(bank)
    assert sum(line["count"] for line in lines) == AT_ONCE
    assert [line["outcome"] for line in lines].count("permit") == BUDGET


@pytest.mark.slow
def test_events_about_one_contact_in_processes(bank):
    """They come one after the other: each is taken in, and the one that all send is taken in once."""
    each = 'bank.deliver(bank.event("held", "CT-1")).accepted'
    assert in_processes(bank, OPENS, each) == AT_ONCE
    same = 'bank.deliver({**bank.event("held", "CT-1"), "id": "evt-same"}).accepted'
    assert in_processes(bank, OPENS, same) == 1
