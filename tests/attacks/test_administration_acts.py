"""Attacks on administration: by who may not, with what is no good, and by trying until something gives."""

from __future__ import annotations

import dataclasses
import json

import pytest

from holdfast.kit.clock import HOUR_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied
from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import assignments, people, tokens
from holdfast.procedures.access.services.assignments import Line
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.administration.scene import administer
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.levels import PersonState, Role
from support.administering import CLIENT, CONTRACT, Office
from support.stores import raw

CARDS = Line(CLIENT, "cards", ())
REFUSED = "administration.refused"
#: What everybody may do with what is theirs.
FOR_ALL = {Act.TOKEN_REVOKE, Act.TOKEN_REVOKE_FOUND, Act.TOKEN_LIST}


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path / "house")
    yield office
    office.close()


def refused(office, work):
    with pytest.raises(Refused) as caught:
        office.transact(work)
    return caught.value.rules


@pytest.mark.parametrize("act", [act for act in Act if act not in FOR_ALL])
def test_an_agent_administers(office, act):
    with office.acting_as(office.agent):
        assert refused(office, administer(office, act, clients=(CLIENT,))) == ("admin.role",)
        assert refused(office, administer(office, act)) == ("admin.role",)
    assert {leaf["act"] for leaf in office.told(REFUSED, "house")} == {act.value}


@pytest.mark.parametrize("act", [Act.TOKEN_REVOKE, Act.TOKEN_LIST])
def test_an_agent_does_to_others_what_they_may_do_to_themselves(office, act):
    with office.acting_as(office.agent):
        assert refused(office, administer(office, act, on="second")) == ("admin.role",)


@pytest.mark.parametrize("role", [Role.LEAD, Role.AUDITOR, Role.DPO, Role.SECURITY])
def test_somebody_with_another_role_widens_access(office, role):
    person = office.person("Z1", role, client=CLIENT)
    works = [
        lambda: assignments.assign(office, "A1", CARDS),
        lambda: tokens.create_for_person(office, "A1", life_us=None, bounds=Bounds()),
        lambda: people.set_roles(office, "A1", (Role.ADMIN,)),
    ]
    for work in works:
        with office.acting_as(person):
            assert refused(office, work()) == ("admin.role",)
    with pytest.raises(Refused):
        office.publish(CONTRACT + "# mine\n", by=person)
    with pytest.raises(Refused):
        office.make_key(by=person)


def test_somebody_without_the_role_asks_who_works_here(office):
    """A person who exists and one who does not are refused in the same words."""
    said = []
    for name in ("second", "nobody-at-all"):
        with office.acting_as(office.agent), pytest.raises(Refused) as caught:
            office.transact(assignments.assign(office, name, CARDS))
        said.append((caught.value.message, caught.value.reasons))
    assert said[0] == said[1]


def test_a_suspended_administrator_goes_on(office):
    office.transact(people.suspend(office, "second"))
    with office.acting_as(office.second):
        work = assignments.assign(office, "A1", CARDS)
        assert refused(office, work) == ("admin.not_suspended",)
    (leaf,) = office.told(REFUSED, "house")
    assert leaf["rules"] == ["admin.not_suspended"]


def test_an_administrator_who_has_left_comes_back_with_an_old_token(office):
    with office.acting_as(office.second):
        row = "UPDATE identity_person SET state = ? WHERE id = ?"
        raw(office.data, row, (PersonState.LEFT.value, office.second))
        assert refused(office, people.suspend(office, "A1")) == ("admin.employed",)


@pytest.mark.parametrize(
    ("bounds", "rule"),
    [
        (Bounds(device="desk-7"), "admin.token"),
        (Bounds(client=CLIENT), "admin.token"),
        (Bounds(networks=("192.0.2.0/24",)), "admin.network"),
    ],
)
def test_a_stolen_token_that_is_bound_elsewhere_administers(office, bounds, rule):
    now_us = office.clock.now_us()
    work = issue(person=office.second, life_us=HOUR_US, now_us=now_us, bounds=bounds)
    token = office.transact(work)
    secret = Secret(token.secret.reveal())
    office.settings = dataclasses.replace(office.settings, token=secret)
    assert refused(office, people.suspend(office, "A1")) == (rule,)
    assert office.told(REFUSED, "house")


def test_the_last_administrator_is_sent_away_by_security(office):
    security = office.person("S1", Role.SECURITY)
    for name in ("second", "third"):
        office.transact(people.leave(office, name))
    with office.acting_as(security):
        assert refused(office, people.leave(office, "root")) == ("admin.last_admin",)
        assert refused(office, people.suspend(office, "root")) == ("admin.last_admin",)


def test_an_administrator_assigns_themselves(office):
    assert refused(office, assignments.assign(office, "root", CARDS)) == ("admin.another_person",)


def test_a_refused_act_stands_in_the_clients_log_and_tells_no_secret(office):
    with office.acting_as(office.agent):
        token = office.settings.token.reveal()
        refused(office, assignments.assign(office, "second", CARDS))
    refused(office, assignments.assign(office, "root", CARDS))
    (leaf,) = office.told(REFUSED)
    assert (leaf["act"], leaf["rules"], leaf["count"]) == (
        "person.assign",
        ["admin.another_person"],
        1,
    )
    said = json.dumps([leaf for _, leaf in office.leaves() if leaf["type"] == REFUSED])
    for word in (token, office.agent, office.root, "A1", "root", "second"):
        assert f'"{word}"' not in said


def test_nobody_fills_a_log_by_trying(office):
    for _ in range(70):
        refused(office, assignments.assign(office, "root", CARDS))
    assert [leaf["count"] for leaf in office.told(REFUSED)] == [1, 2, 4, 8, 16, 32, 64]
    office.clock.advance(HOUR_US)
    refused(office, assignments.assign(office, "root", CARDS))
    assert [leaf["count"] for leaf in office.told(REFUSED)][-1] == 1


def test_a_refusal_whose_line_cannot_be_written_is_still_a_refusal(office):
    raw(office.data, "DROP TABLE administration_refusal")
    with pytest.raises(Exception, match="administration_refusal"):
        office.transact(assignments.assign(office, "root", CARDS))
    rows = raw(office.data, "SELECT COUNT(*) FROM identity_assignment")
    assert rows == [(1,)]  # the agent's


def test_a_refused_act_changes_nothing_that_it_had_written(office):
    """What an act wrote before it was refused is rolled back; only the line stays."""

    def work():
        yield Round(data=())
        yield from people.add_person(office, "X1", employer="house", roles=(Role.ADMIN,))
        yield from assignments.assign(office, "root", CARDS)

    assert refused(office, work()) == ("admin.another_person",)
    assert not office.told("person.added", "house")
    assert len(office.told(REFUSED)) == 1


def test_a_second_person_does_not_lift_a_refusal(office):
    """Where the contract asks for a second person for assignments, one's own is not even asked for."""
    office.publish(CONTRACT + '[administration]\nsecond_person = ["assignment"]\n')
    assert refused(office, assignments.assign(office, "root", CARDS)) == (
        "admin.another_person",
        "admin.second_person",
    )
    rows = raw(office.data, "SELECT COUNT(*) FROM approvals_request")
    assert rows == [(0,)]
    with pytest.raises(Denied, match="takes a second person"):
        office.transact(assignments.assign(office, "second", CARDS))
