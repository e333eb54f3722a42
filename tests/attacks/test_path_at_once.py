"""Attacks by asking all at once: 32 requests of one person against a budget of 5 give 5 values (SPINE 5).

In one turn of the data plane, in threads with connections of their own, and in processes.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from holdfast.drills.bank.build import CONTRACT, customer, found_bank, import_customers
from holdfast.edges.dataplane.turn import Turns
from holdfast.kit.clock import SECOND_US
from holdfast.kit.config import load_settings
from holdfast.spine.house import open_house
from holdfast.spine.ledger.folding import close_overdue
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Refused, Revealed, Verified
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from support.answers import rules
from support.bank import Bank
from support.server import environment
from support.stores import NOON_US, FakeClock, template

AT_ONCE, BUDGET = 32, 5
PROCESSES = 4


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """A bank whose agent may look at 5 customers an hour and has 32 of them waiting in chats."""
    home = tmp_path_factory.mktemp("crowd") / "house"
    shutil.copytree(template(), home)
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
    shutil.copytree(founded, home)
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
    bank.advance(61)  # equal refusals are counted in one line when their minute is over
    bank.house.transact(close_overdue(bank.clock.now_us()))
    lines = bank.leaves("decision.made")
    assert sum(line["count"] for line in lines) == AT_ONCE
    assert [line["outcome"] for line in lines].count("permit") == BUDGET


@pytest.mark.parametrize(
    ("ask", "rule"),
    [(look, "budget.customers_hour"), (sensitive_look, "budget.sensitive_day")],
)
def test_in_one_turn(bank, ask, rule):
    async def story():
        stores = bank.house.connect(busy_timeout_ms=0)
        turns = Turns(stores, asyncio.get_running_loop())
        asked = [turns.submit(ask(bank, bank.house, n)) for n in range(1, AT_ONCE + 1)]
        answers = await asyncio.gather(*asked)
        stores.close()
        return answers, turns.turns

    answers, turns = asyncio.run(story())
    assert turns == 1
    five_values(bank, answers, rule)


def at_once(bank, ask):
    """One request per thread, each with a house, caches and connections of its own, let go together."""
    together = Barrier(AT_ONCE)

    def one(number):
        house = open_house(bank.house.settings, bank.clock)
        house.root  # noqa: B018  opened before the race
        together.wait()
        try:
            return house.transact(ask(bank, house, number)())
        finally:
            house.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(1, AT_ONCE + 1)))


@pytest.mark.parametrize(
    ("ask", "rule"),
    [(look, "budget.customers_hour"), (sensitive_look, "budget.sensitive_day")],
)
def test_in_threads(bank, ask, rule):
    five_values(bank, at_once(bank, ask), rule)


def test_guesses_in_threads(bank):
    """32 guesses at once at one customer's date of birth are compared three times."""

    def guess(bank, house, number):
        answers = {"dob": f"19{50 + number}-01-01"}
        return partial(verify, house, bank.asked("CT-1"), bank.id_of("C00001"), answers)

    answers = at_once(bank, guess)
    assert sum(isinstance(answer, Verified) for answer in answers) == 3
    assert bank.sql("SELECT COUNT(*) FROM decision_verify_attempt") == [(3,)]


CHILD = """
import sys
from pathlib import Path
from support.bank import Bank
from support.stores import FakeClock
from holdfast.spine.turn.answers import Revealed

bank = Bank(Path(sys.argv[1]), FakeClock())
print("ready", flush=True)
sys.stdin.readline()
shown = 0
for number in map(int, sys.argv[2:]):
    answer = bank.reveal(f"C{number:05d}", ["name"], contact=f"CT-{number}")
    shown += isinstance(answer, Revealed)
print(shown, flush=True)
"""


@pytest.mark.slow
def test_in_processes(bank):
    numbers = [str(number) for number in range(1, AT_ONCE + 1)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(bank.home), *numbers[start::PROCESSES]],
            env=environment(bank.home, PYTHONPATH=str(Path(__file__).parents[1])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    shown = [int(child.communicate()[0]) for child in children]
    assert all(child.returncode == 0 for child in children)
    assert sum(shown) == BUDGET
    bank.advance(61)  # equal refusals are counted in one line when their minute is over
    bank.house.transact(close_overdue(bank.clock.now_us()))
    lines = bank.leaves("decision.made")
    assert sum(line["count"] for line in lines) == AT_ONCE
    assert [line["outcome"] for line in lines].count("permit") == BUDGET
