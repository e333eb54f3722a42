"""Attacks on decisions: reading other people's, and learning from one's own what its reader may not know."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import Denied, IntegrityBroken, NotAuthenticated, NotFound
from holdfast.spine.identity import people
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.operations.decisions import may_read_log, read_decision
from holdfast.vocabulary.levels import Role
from support.answers import text_of
from support.bank import Agent, customer, new_bank
from support.second import SecondClient

MINE, THEIRS = "C00001", "C00002"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def read(bank, decision, agent=None):
    return bank.house.transact(read_decision(bank.house, bank.caller(agent), decision))


def person(bank, staff_id, *, house=(Role.AGENT,), client=()):
    """Somebody with a token, with these roles in the house and at the client."""
    ident = bank.house.transact(_add(bank, staff_id, house))
    if client:
        bank.sql(
            """INSERT INTO identity_assignment (id, person, client, programme, queues, roles, starts_us)
            VALUES (?, ?, 'bank-01', 'cards-in', '', ?, 0)""",
            f"asg_{staff_id}",
            ident,
            ",".join(client),
        )
    return bank.new_token(Agent(ident, staff_id, "", ""))


def _add(bank, staff_id, roles):
    return (
        yield from people.add_person(
            staff_id=staff_id, employer="house", roles=roles, now_us=bank.clock.now_us()
        )
    )


@pytest.fixture
def refused(bank):
    """A decision of the agent's: refused, about a customer who is none of their business."""
    return bank.reveal(THEIRS, ["name"]).decision


def test_a_colleagues_decision(bank, refused):
    with pytest.raises(NotFound) as others:
        read(bank, refused, bank.other)
    with pytest.raises(NotFound) as nobodys:
        read(bank, "dec_01m000000000000000000000zz", bank.other)
    assert str(others.value) == str(nobodys.value)
    assert others.value.remedy == nobodys.value.remedy


def test_a_lead_of_another_client(bank, refused):
    lead = person(bank, "L0002")
    SecondClient(bank).assign(lead)
    bank.sql("UPDATE identity_assignment SET roles = 'lead' WHERE person = ?", lead.id)
    with pytest.raises(NotFound):
        read(bank, refused, lead)


def test_a_lead_whose_assignment_is_over(bank, refused):
    lead = person(bank, "L0001", client=("lead",))
    assert not read(bank, refused, lead).own
    bank.sql(
        "UPDATE identity_assignment SET ends_us = ? WHERE person = ?", bank.clock.now_us(), lead.id
    )
    with pytest.raises(NotFound):
        read(bank, refused, lead)


def test_whoever_reads_anothers_decision_is_seen_by_the_client(bank, refused):
    lead = person(bank, "L0001", client=("lead",))
    read(bank, refused, lead)
    read(bank, refused)
    (line,) = bank.leaves("decision.read")
    assert line["decision"] == refused
    assert line["person"].startswith("p_")
    assert lead.id not in str(line)


def test_a_token_bound_to_another_client_reads_not_even_its_own(bank):
    decision = bank.reveal(MINE, ["name"]).decision
    bound = bank.new_token(bank.agent, client="bank-02")
    with pytest.raises(NotFound):
        read(bank, decision, bound)


def test_a_token_used_from_elsewhere(bank):
    decision = bank.reveal(MINE, ["name"]).decision
    bound = bank.new_token(bank.agent, networks=("192.0.2.0/24",), device="desk-7")
    with pytest.raises(Denied) as other_network:
        read(bank, decision, bound)
    bank.peer = "192.0.2.9"
    with pytest.raises(Denied) as other_device:
        read(bank, decision, bound)
    bank.device = "desk-7"
    assert read(bank, decision, bound).own
    assert other_network.value.code == "other_network"
    assert other_device.value.code == "other_device"


def test_a_suspended_person_reads_nothing(bank):
    decision = bank.reveal(MINE, ["name"]).decision
    bank.suspend(bank.agent)
    with pytest.raises(Denied):
        read(bank, decision)


def test_a_revoked_token(bank):
    decision = bank.reveal(MINE, ["name"]).decision
    bank.revoke(bank.agent)
    with pytest.raises(NotAuthenticated):
        read(bank, decision)


def test_a_decision_holds_no_value(bank):
    bank.verify(MINE, {"dob": customer(1)["dob"]})
    answers = [bank.reveal(MINE, ["name", "acct"]), bank.search(customer(1)["phone"])]
    for answer in answers:
        told = text_of(read(bank, answer.decision))
        assert all(value not in told for value in customer(1).values())
        assert bank.customers[MINE] not in told


def test_what_was_hidden_stays_hidden_in_the_decision(bank, refused):
    shown = read(bank, refused)
    assert (shown.collection, shown.fields) == ("", {})
    assert [reason.rule for reason in shown.reasons] == ["customer.bound"]


def test_a_second_role_does_not_show_one_the_watch_on_oneself(bank, refused):
    """Own decisions are read as oneself, whatever else one is."""
    bank.sql("UPDATE identity_assignment SET roles = 'agent,lead' WHERE person = ?", bank.agent.id)
    shown = read(bank, refused)
    assert shown.own
    assert [reason.rule for reason in shown.reasons] == ["customer.bound"]
    assert bank.leaves("decision.read") == []


def test_a_service_without_the_scope(bank, refused):
    made = bank.house.transact(
        issue(
            service="acd",
            life_us=10**9,
            now_us=bank.clock.now_us(),
            bounds=Bounds(scopes=("log:bank-02",)),
        )
    )
    service = Agent("", "acd", made.secret.reveal(), made.id)
    with pytest.raises(NotFound):
        read(bank, refused, service)
    with pytest.raises(NotFound):
        read_log(bank, "client-bank-01", service)


def read_log(bank, log, agent=None):
    bank.house.read(may_read_log(bank.house, bank.caller(agent), log))


@pytest.mark.parametrize("log", ["client-bank-01", "client-bank-99", "house", "client-", ""])
def test_an_agent_reads_no_log_and_does_not_learn_which_there_are(bank, log):
    with pytest.raises(NotFound) as told:
        read_log(bank, log)
    assert str(told.value) == "there is no such log"


def test_a_clients_own_user_reads_its_log_and_no_other(bank):
    user = person(bank, "U0001", client=(Role.CLIENT_USER.value,))
    read_log(bank, "client-bank-01", user)
    SecondClient(bank)
    for log in ("client-bank-02", "house"):
        with pytest.raises(NotFound):
            read_log(bank, log, user)


def test_a_decision_whose_record_was_edited_is_not_told(bank, refused):
    bank.sql("UPDATE decision_record SET sealed = ?", bytes(64))
    with pytest.raises(IntegrityBroken):
        read(bank, refused)
