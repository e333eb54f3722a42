"""Attacks on administration: nobody widens what they have no right to widen, and nothing happens without its leaf."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import Conflict, Denied, NotAuthenticated
from holdfast.procedures.access.services import assignments, people, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.identity import store
from holdfast.spine.identity.credentials import Bounds
from holdfast.vocabulary.levels import Role
from support.admin import AdminHouse, ask
from support.stores import full, raw

CARDS = Line("bank-01", "cards", ())
NO_BOUNDS = Bounds()


@pytest.fixture
def house(tmp_path):
    house = AdminHouse(tmp_path / "house")
    house.agent = house.person("A1", Role.AGENT, client="bank-01")
    house.lead = house.person("L1", Role.LEAD, client="bank-01")
    house.other_lead = house.person("L2", Role.LEAD, client="bank-02")
    yield house
    house.close()


ACTS = {
    "add an employer": lambda h: people.add_employer(h, "vendor-9", ""),
    "add a person": lambda h: people.add_person(h, "X1", employer="house", roles=(Role.ADMIN,)),
    "set roles": lambda h: people.set_roles(h, "A1", (Role.ADMIN,)),
    "change a line": lambda h: people.set_lead(h, "A1", "L2"),
    "assign": lambda h: assignments.assign(h, "L2", CARDS),
    "issue a token": lambda h: tokens.create_for_person(h, "L1", life_us=None, bounds=NO_BOUNDS),
    "issue a service's token": lambda h: tokens.create_for_service(
        h, "mirror", life_us=None, bounds=Bounds(scopes=("log:bank-01",))
    ),
}


def refused(house, work, error=Denied):
    """Nothing is written by it, but the line that says it was tried."""
    credentials = raw(house.data, "SELECT * FROM identity_credential")
    before = house.leaves()
    with pytest.raises(error):
        house.transact(work)
    assert raw(house.data, "SELECT * FROM identity_credential") == credentials
    written = house.leaves()[len(before) :]
    assert {leaf["type"] for _, leaf in written} <= {"administration.refused"}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_somebody_who_is_no_administrator_widens_access(house, act, role):
    person = house.person("Z1", role, client="bank-01")
    with house.acting_as(person):
        refused(house, act(house))


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_suspended_administrator_widens_access(house, act):
    admin = house.person("B1", Role.ADMIN)
    house.transact(people.suspend(house, "B1"))
    with house.acting_as(admin):
        refused(house, act(house))


def test_an_administrator_assigns_themselves_to_a_client(house):
    refused(house, assignments.assign(house, "root", CARDS))


def test_an_administrator_gives_themselves_another_role(house):
    refused(house, people.set_roles(house, "root", (Role.ADMIN, Role.AGENT)))


def test_an_administrator_changes_their_own_line(house):
    refused(house, people.set_lead(house, "root", "L1"))


def test_a_line_is_made_a_circle(house):
    house.transact(people.set_lead(house, "A1", "L1"))
    refused(house, people.set_lead(house, "L1", "A1"), Conflict)


def test_a_person_answers_their_own_step_up(house):
    admin = house.person("B1", Role.ADMIN, Role.AGENT, client="bank-01")
    house.challenge("stp_1", admin)
    with house.acting_as(admin):
        refused(house, tokens.step_up(house, "stp_1"))


def test_an_agent_answers_a_colleagues_step_up(house):
    house.challenge("stp_1", house.lead)
    with house.acting_as(house.agent):
        refused(house, tokens.step_up(house, "stp_1"))


def test_a_lead_of_another_client_answers_a_step_up(house):
    house.challenge("stp_1", house.agent)
    with house.acting_as(house.other_lead):
        refused(house, tokens.step_up(house, "stp_1"))
    with house.acting_as(house.lead):
        house.transact(tokens.step_up(house, "stp_1"))


def test_a_lead_whose_assignment_has_ended_answers_a_step_up(house):
    house.challenge("stp_1", house.agent)
    house.transact(assignments.unassign(house, "L1", CARDS))
    with house.acting_as(house.lead):
        refused(house, tokens.step_up(house, "stp_1"))


def test_a_challenge_is_answered_twice_or_too_late(house):
    house.challenge("stp_1", house.agent)
    house.transact(tokens.step_up(house, "stp_1"))
    refused(house, tokens.step_up(house, "stp_1"), Conflict)
    house.challenge("stp_2", house.agent, life_us=MINUTE_US)
    house.clock.advance(MINUTE_US)
    refused(house, tokens.step_up(house, "stp_2"), Conflict)


def test_a_suspended_person_is_stepped_up_by_a_friend(house):
    house.challenge("stp_1", house.agent)
    house.transact(people.suspend(house, "A1"))
    refused(house, tokens.step_up(house, "stp_1"), Conflict)


def test_a_lead_suspends_whom_they_do_not_lead(house):
    house.person("B1", Role.ADMIN, client="bank-01")
    house.person("A2", Role.AGENT, client="bank-02")
    with house.acting_as(house.lead):
        refused(house, people.suspend(house, "B1"))
        refused(house, people.suspend(house, "A2"))
        refused(house, people.suspend(house, "L2"))
        house.transact(people.suspend(house, "A1"))


def test_a_lead_restores_whom_security_suspended(house):
    house.transact(people.suspend(house, "A1"))
    with house.acting_as(house.lead):
        refused(house, people.restore(house, "A1"))


def test_a_lead_cuts_off_a_service_or_another_line(house):
    service = house.transact(
        tokens.create_for_service(
            house, "mirror", life_us=None, bounds=Bounds(scopes=("log:bank-01",))
        )
    )
    theirs = house.transact(tokens.create_for_person(house, "L2", life_us=None, bounds=NO_BOUNDS))
    with house.acting_as(house.lead):
        refused(house, tokens.revoke_token(house, service.id))
        refused(house, tokens.revoke_token(house, theirs.id))
        refused(house, tokens.revoke_of_person(house, "L2"))


def test_an_agent_looks_up_other_peoples_tokens(house):
    mine = house.transact(tokens.create_for_person(house, "A1", life_us=None, bounds=NO_BOUNDS))
    house.transact(tokens.create_for_person(house, "L1", life_us=None, bounds=NO_BOUNDS))
    asked = {"service": "", "everything": True}
    with house.acting_as(house.agent):
        refused(house, tokens.list_tokens(house, person="L1", **asked))
        refused(house, tokens.list_tokens(house, person="", service="mirror", everything=True))
        own = house.transact(tokens.list_tokens(house, person="", **asked))
        assert {token.person for token in own} == {house.agent}
        refused(house, people.list_people(house))
        house.transact(tokens.revoke_token(house, mine.id))


def test_who_holds_a_service_token_administers_with_it(house):
    import dataclasses

    from holdfast.kit.secret import Secret

    service = house.transact(
        tokens.create_for_service(house, "root", life_us=None, bounds=NO_BOUNDS)
    )
    house.settings = dataclasses.replace(house.settings, token=Secret(service.secret.reveal()))
    for act in ACTS.values():
        refused(house, act(house))


def test_an_account_that_is_bound_to_nobody_administers(house):
    house.transact(ask(store.UNBIND_OS_USER(person=house.root)))
    for act in ACTS.values():
        refused(house, act(house), NotAuthenticated)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_act_whose_leaf_cannot_be_written_does_not_happen(house, act):
    tables = ("identity_person", "identity_employer", "identity_assignment", "identity_credential")

    def rows():
        return [raw(house.data, f"SELECT * FROM {table}") for table in tables]

    before = rows()
    with full(house.data, "ledger_pending"), pytest.raises(Exception, match="full"):
        house.transact(act(house))
    assert rows() == before


def test_two_administrators_suspend_each_other(house):
    admin = house.person("B1", Role.ADMIN)
    house.transact(people.suspend(house, "B1"))
    with house.acting_as(admin):
        refused(house, people.suspend(house, "root"))
