"""Attacks on decisions as a house stores and serves them."""

from __future__ import annotations

import dataclasses

import pytest

from holdfast.drills.bank.build import CLIENT, CONTRACT
from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import Denied, IntegrityBroken, NotFound
from holdfast.kit.secret import Secret
from holdfast.procedures.protocols.services import contracts, decisions
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.decision.publish import By, draft, publish_contract
from holdfast.spine.identity.references import reference_of
from holdfast.spine.operations.decisions import read_decision
from holdfast.spine.turn.answers import Refused, Revealed
from support.bank import customer, new_bank
from support.second import SECOND, SecondClient
from support.stores import raw


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def publish(bank, text):
    made = draft(text, in_force=compile_contract(CONTRACT))
    by = By(bank.admin, lambda log: reference_of(bank.admin, log))
    work = publish_contract(made, by, now_us=bank.clock.now_us())
    return bank.house.transact(work)


def acting(bank, agent):
    """The house as a command sees it that runs with the agent's token."""
    bank.house.settings = dataclasses.replace(bank.house.settings, token=Secret(agent.token))
    return bank.house


def rules(answer):
    assert isinstance(answer, Refused), answer
    return [reason.rule for reason in answer.reasons]


def test_a_narrower_contract_holds_from_the_very_next_look(bank):
    assert isinstance(bank.reveal("C00001", ["acct"]), Revealed)
    publish(bank, CONTRACT.replace('"phone", "acct", "card"', '"phone", "card"'))
    assert rules(bank.reveal("C00001", ["acct"])) == ["field.set"]


def test_a_client_that_is_closed_is_closed_at_once(bank):
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)
    with bank.house.stores() as stores:
        raw(stores.data, "UPDATE decision_client SET state = 'frozen', fence = fence + 1")
    assert rules(bank.reveal("C00001", ["name"])) == ["client.open"]


def test_a_contract_edited_in_the_store_is_noticed_and_shows_nothing(bank):
    with bank.house.stores() as stores:
        raw(
            stores.data,
            'UPDATE decision_contract SET text = replace(text, \'"name", "phone"\', \'"name", "email"\')',
        )
    assert rules(bank.reveal("C00001", ["email"])) == ["field.set"]  # compiled before the edit
    del bank.house.__dict__["policies"]  # as in a process that starts now
    with pytest.raises(IntegrityBroken):
        bank.reveal("C00001", ["email"])


def test_a_rule_that_cannot_be_evaluated_refuses_and_raises_a_signal(bank):
    errs = (
        '@id("house.errs") @procedure("p") @effect("deny") @stage("permission") @fact("queue") @label("L.")'
        ' @remedy("R.") forbid (principal, action, resource)'
        " when { context.level + 9223372036854775807 > 0 };"
    )
    row = bank.sql("SELECT fence FROM decision_client")[0]
    cache = bank.house.policies
    cache._entries[CLIENT] = (row[0], compile_policies(compile_contract(CONTRACT), extra=errs))
    assert rules(bank.reveal("C00001", ["name"])) == ["engine"]
    assert [leaf["signal"] for leaf in bank.leaves("signal.raised")] == ["decision.not_evaluated"]


def test_every_try_costs_though_refused(bank):
    for number in range(20):
        bank.reveal(f"cus_{number:026d}", ["name"])
    refused = bank.reveal("C00001", ["name"])
    assert rules(refused) == ["budget.customers_hour"]
    assert "20" not in refused.reasons[0].value


def test_a_second_token_is_no_second_budget(bank):
    for number in range(20):
        bank.reveal(f"cus_{number:026d}", ["name"])
    other = bank.new_token(bank.agent)
    assert rules(bank.reveal("C00001", ["name"], agent=other)) == ["budget.customers_hour"]


def test_waiting_an_hour_is_needed(bank):
    for number in range(20):
        bank.reveal(f"cus_{number:026d}", ["name"])
    bank.clock.advance(HOUR_US - 1)
    assert rules(bank.reveal("C00001", ["name"])) != []
    bank.clock.advance(1)
    bank.connect("CT-2")
    assert isinstance(bank.reveal("C00001", ["name"], contact="CT-2"), Revealed)


def test_two_agents_do_not_have_twice_the_attempts(bank):
    for _ in range(3):
        assert not bank.verify("C00001", {"dob": "1901-01-01"}).match
    assert rules(bank.verify("C00001", {"dob": customer(1)["dob"]})) == ["budget.verify_contact"]
    bank.end()
    bank.connect("CT-2", agent=bank.other)
    for _ in range(2):
        assert not bank.verify(
            "C00001", {"dob": "1901-01-01"}, contact="CT-2", agent=bank.other
        ).match
    refused = bank.verify("C00001", {"dob": customer(1)["dob"]}, contact="CT-2", agent=bank.other)
    assert rules(refused) == ["budget.verify_day"]


class TestReading:
    def decision(self, bank, field="email"):
        return bank.reveal("C00001", [field]).decision

    def read(self, bank, agent, decision):
        work = read_decision(bank.house, bank.caller(agent), decision)
        return bank.house.transact(work)

    def test_a_colleague_is_told_the_same_as_of_a_decision_that_never_was(self, bank):
        made = self.decision(bank)
        with pytest.raises(NotFound) as theirs:
            self.read(bank, bank.other, made)
        with pytest.raises(NotFound) as never:
            self.read(bank, bank.other, "dec_00000000000000000000000000")
        assert str(theirs.value) == str(never.value)

    def test_so_is_the_command(self, bank):
        made = self.decision(bank)
        house = acting(bank, bank.other)
        with pytest.raises(NotFound) as theirs:
            house.read(decisions.find(house, made))
        with pytest.raises(NotFound) as never:
            house.read(decisions.find(house, "dec_0"))
        assert str(theirs.value) == str(never.value)

    def test_what_one_asked_at_a_client_of_others_is_explained_to_nobody_without_a_part_in_it(
        self, bank
    ):
        SecondClient(bank)
        made = bank.reveal("cus_01m000000000000000000000zz", ["name"], client=SECOND).decision
        with pytest.raises(NotFound):
            acting(bank, bank.agent).read(decisions.find(acting(bank, bank.agent), made))

    def test_a_record_put_in_anothers_place_does_not_open(self, bank):
        first, second = self.decision(bank), self.decision(bank, "name")
        with bank.house.stores() as stores:
            raw(
                stores.data,
                "UPDATE decision_record SET sealed = (SELECT sealed FROM decision_record WHERE id = ?)"
                " WHERE id = ?",
                (first, second),
            )
        with pytest.raises(IntegrityBroken):
            self.read(bank, bank.agent, second)

    def test_an_agent_is_not_told_that_the_customer_was_erased(self, bank):
        with bank.house.stores() as stores:
            raw(stores.data, "UPDATE vault_customer SET state = 'shredded'")
        erased = bank.reveal("C00001", ["name"])
        absent = bank.reveal("cus_00000000000000000000000000", ["name"])
        assert erased.reasons == absent.reasons
        house = acting(bank, bank.agent)
        told = [
            decisions.explained(house.read(decisions.find(house, answer.decision)))
            for answer in (erased, absent)
        ]
        assert told[0].whys[0].reasons == told[1].whys[0].reasons
        assert told[0].conditions == told[1].conditions == ()

    def test_a_record_holds_no_value_and_no_customer(self, bank):
        bank.reveal("C00001", ["name", "acct"])
        house = acting(bank, bank.agent)
        made = bank.sql("SELECT id FROM decision_record")[-1][0]
        content = repr(house.read(decisions.find(house, made)).content)
        for secret in (customer(1)["name"], customer(1)["acct"], bank.customers["C00001"], "CT-1"):
            assert secret not in content


class TestPublishing:
    def test_an_agent_publishes_nothing(self, bank):
        house = acting(bank, bank.agent)
        made = draft(CONTRACT + "\n# mine\n", in_force=compile_contract(CONTRACT))
        with pytest.raises(Denied, match=r"admin\.role"):
            house.transact(contracts.published(house, made))
        assert bank.sql("SELECT contract_version FROM decision_client") == [(1,)]

    def test_nor_reads_a_contract(self, bank):
        house = acting(bank, bank.agent)
        with pytest.raises(Denied):
            house.read(contracts.stand_of(house, CLIENT))
