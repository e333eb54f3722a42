"""The same attacks with credentials on the whole path: a live call, a real customer, and nothing is shown.

Each test first sees the value with an honest request, so that what refuses afterwards is the attack and nothing else.
"""

from __future__ import annotations

import pytest

from holdfast.kit.errors import NotAuthenticated
from holdfast.procedures.access.services import assignments, people, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.turn.answers import Refused, Revealed
from support.bank import Agent, new_bank

CUSTOMER = "C00001"
CARDS = Line("bank-01", "cards-in", ())


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    bank.connect()
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)
    yield bank
    bank.close()


def administer(bank, work):
    """Run an administrator's act, in their name."""
    return bank.by(bank.admin, work)


def rules(answer):
    assert isinstance(answer, Refused)
    return {reason.rule for reason in answer.reasons}


def not_let_in(bank, agent=None):
    """The request is refused as if no credential had come, and leaves no line."""
    before = len(bank.leaves())
    with pytest.raises(NotAuthenticated):
        bank.reveal(CUSTOMER, ["name"], agent=agent)
    assert len(bank.leaves()) == before


def test_a_person_suspended_in_the_middle_of_a_call(bank):
    administer(bank, lambda house: people.suspend(house, "A0001"))
    answer = bank.reveal(CUSTOMER, ["name"])
    assert rules(answer) == {"person.not_suspended"}
    leaf = bank.leaves("decision.made")[-1]
    assert (leaf["outcome"], leaf["rules"]) == ("deny", ["person.not_suspended"])
    assert leaf["fields"] == {}
    assert rules(bank.search("+12025550101")) == {"person.not_suspended"}
    assert rules(bank.verify(CUSTOMER, {"dob": "1990-02-02"})) == {"person.not_suspended"}
    administer(bank, lambda house: people.restore(house, "A0001"))
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)


def test_a_person_who_left_in_the_middle_of_a_call(bank):
    administer(bank, lambda house: people.leave(house, "A0001"))
    not_let_in(bank)


def test_a_person_unassigned_in_the_middle_of_a_call(bank):
    administer(bank, lambda house: assignments.unassign(house, "A0001", CARDS))
    assert "person.assigned" in rules(bank.reveal(CUSTOMER, ["name"]))


def test_a_token_revoked_in_the_middle_of_a_call(bank):
    administer(bank, lambda house: tokens.revoke_token(house, bank.agent.credential))
    not_let_in(bank)


def test_a_token_that_expires_in_the_middle_of_a_call(bank):
    now = bank.clock.now_us()
    short = bank.house.transact(issue(person=bank.agent.id, life_us=10_000_000, now_us=now))
    agent = Agent(bank.agent.id, "A0001", short.secret.reveal(), short.id)
    assert isinstance(bank.reveal(CUSTOMER, ["name"], agent=agent), Revealed)
    bank.advance(10)
    not_let_in(bank, agent)


def test_a_token_used_from_another_network_or_device(bank):
    bound = bank.new_token(bank.agent, networks=("192.0.2.0/24",), device="desk-7")
    bank.peer, bank.device = "192.0.2.7", "desk-7"
    assert isinstance(bank.reveal(CUSTOMER, ["name"], agent=bound), Revealed)
    bank.peer = "198.51.100.7"
    assert "place.network" in rules(bank.reveal(CUSTOMER, ["name"], agent=bound))
    bank.peer, bank.device = "192.0.2.7", "desk-8"
    assert "place.device" in rules(bank.reveal(CUSTOMER, ["name"], agent=bound))


def test_a_token_of_another_client(bank):
    other = bank.new_token(bank.agent, client="bank-02")
    assert "person.assigned" in rules(bank.reveal(CUSTOMER, ["name"], agent=other))


def test_a_service_on_a_live_call(bank):
    now = bank.clock.now_us()
    bounds = Bounds(scopes=("log:bank-01",))
    made = bank.house.transact(issue(service="A0001", life_us=10**9, now_us=now, bounds=bounds))
    not_let_in(bank, Agent("", "A0001", made.secret.reveal(), made.id))


def challenge(bank):
    answer = bank.reveal(CUSTOMER, ["balance"])
    assert isinstance(answer, Refused)
    assert answer.code == "step_up_required"
    return answer.challenge


def lift(bank, asked):
    issued, _ = administer(bank, lambda house: tokens.step_up(house, asked))
    bank.step_up = issued.secret.reveal()


def test_a_step_up_lifts_its_own_call_for_five_minutes_and_no_longer(bank):
    lift(bank, challenge(bank))
    assert isinstance(bank.reveal(CUSTOMER, ["balance"]), Revealed)
    assert isinstance(bank.reveal(CUSTOMER, ["balance"]), Revealed)
    bank.advance(300)
    assert bank.reveal(CUSTOMER, ["balance"]).code == "step_up_required"


def test_a_step_up_carried_over_to_the_next_call(bank):
    lift(bank, challenge(bank))
    bank.connect("CT-2")
    answer = bank.reveal(CUSTOMER, ["balance"], contact="CT-2")
    assert isinstance(answer, Refused)


def test_a_step_up_lent_to_a_colleague(bank):
    lift(bank, challenge(bank))
    bank.connect("CT-9", number=2, agent=bank.other)
    answer = bank.reveal("C00002", ["balance"], contact="CT-9", agent=bank.other)
    assert answer.code == "step_up_required"


def test_a_step_up_of_a_suspended_person(bank):
    lift(bank, challenge(bank))
    administer(bank, lambda house: people.suspend(house, "A0001"))
    assert rules(bank.reveal(CUSTOMER, ["balance"])) == {"person.not_suspended"}


def test_a_revoked_step_up(bank):
    lift(bank, challenge(bank))
    administer(bank, lambda house: tokens.revoke_secret(house, bank.step_up))
    assert bank.reveal(CUSTOMER, ["balance"]).code == "step_up_required"
