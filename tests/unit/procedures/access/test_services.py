"""Each act about people and tokens does one thing, tells the logs concerned, and raises their fences."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import DAY_US, HOUR_US, rfc3339
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotAuthenticated, NotFound
from holdfast.procedures.access.services import assignments, people, tokens
from holdfast.procedures.access.services.assignments import Line, Term
from holdfast.spine.identity import store
from holdfast.spine.identity.credentials import Bounds
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.identity.references import credential_reference
from holdfast.vocabulary.levels import PersonState, Role
from support.admin import AdminHouse, ask
from support.stores import NOON_US

CARDS = Line("bank-01", "cards", ("in", "out"))


@pytest.fixture
def house(tmp_path):
    house = AdminHouse(tmp_path / "house")
    yield house
    house.close()


def told(house, kind):
    return [(log, leaf) for log, leaf in house.leaves() if leaf["type"] == kind]


def join(house, staff_id="A1", **more):
    member, _ = house.transact(
        people.add_person(house, staff_id, **{"employer": "house", "roles": (Role.AGENT,), **more})
    )
    return member


def test_a_person_joins_with_a_leaf_in_the_houses_log_only(house):
    member = join(house)
    ((log, leaf),) = told(house, "person.added")
    assert log == "house"
    assert leaf["employer"] == "house"
    assert leaf["roles"] == ["agent"]
    assert member.state is PersonState.ACTIVE
    assert leaf["person"] != leaf["by"]


def test_a_new_employer_is_added_with_its_first_person_and_said_so(house):
    _, new = house.transact(
        people.add_person(house, "A1", employer="vendor-7", roles=(Role.AGENT,))
    )
    assert new
    assert [leaf["employer"] for _, leaf in told(house, "employer.added")] == ["vendor-7"]
    _, again = house.transact(
        people.add_person(house, "A2", employer="vendor-7", roles=(Role.AGENT,))
    )
    assert not again


def test_an_employer_is_added_once_and_named_sensibly(house):
    house.transact(people.add_employer(house, "vendor-7", "Vendor Seven"))
    with pytest.raises(Conflict):
        house.transact(people.add_employer(house, "vendor-7", ""))
    with pytest.raises(InvalidInput):
        house.transact(people.add_employer(house, "no spaces", ""))
    listed = house.transact(people.employers(house))
    assert {"employer": "vendor-7", "name": "Vendor Seven"} in listed


def test_joining_and_the_first_assignment_are_one_transaction(house):
    with pytest.raises(InvalidInput):
        house.transact(
            people.add_person(
                house,
                "A1",
                employer="house",
                roles=(Role.AGENT,),
                first=lambda person: assignments.assign(
                    house, person, CARDS, term=Term(ends_us=NOON_US)
                ),
            )
        )
    assert house.leaves() == []
    with pytest.raises(NotFound):
        house.transact(people.suspend(house, "A1"))


def test_an_assignment_is_told_to_its_client_under_another_name_for_the_person(house):
    join(house)
    fence = house.fence("bank-01"), house.fence("bank-02")
    house.transact(
        assignments.assign(house, "A1", CARDS, queues=("in",), term=Term(ends_us=NOON_US + DAY_US))
    )
    leaves = dict(told(house, "person.assigned"))
    assert sorted(leaves) == ["client-bank-01", "house"]
    assert leaves["house"]["person"] != leaves["client-bank-01"]["person"]
    assert leaves["house"]["by"] != leaves["client-bank-01"]["by"]
    leaf = leaves["client-bank-01"]
    assert (leaf["programme"], leaf["queues"], leaf["roles"]) == ("cards", ["in"], ["agent"])
    assert leaf["ends"] == rfc3339(NOON_US + DAY_US)
    assert (house.fence("bank-01"), house.fence("bank-02")) == (fence[0] + 1, fence[1])


def assigned(house, text="A1", client="bank-01"):
    person = house.read(people.people.find_person(text)).id
    rows = house.read(ask(store.ASSIGNMENTS(person=person, client=client)))[0]
    return assigned_at(rows, house.clock.now_us())


def test_a_new_assignment_to_the_same_programme_replaces_the_earlier_one(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS))
    house.transact(assignments.assign(house, "A1", CARDS, queues=("out",), roles=(Role.LEAD,)))
    now = assigned(house)
    assert [now.covers("cards", queue) for queue in ("in", "out")] == [False, True]
    assert now.roles_in("cards") == {Role.LEAD}


def test_an_assignment_that_starts_later_leaves_the_present_one(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS, queues=("in",)))
    house.transact(
        assignments.assign(
            house, "A1", CARDS, queues=("out",), term=Term(starts_us=NOON_US + DAY_US)
        )
    )
    assert assigned(house).queues == {"cards": {"in"}}
    house.clock.advance(DAY_US)
    assert assigned(house).queues == {"cards": {"in", "out"}}


def test_unassigning_ends_it_now_and_once(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS))
    house.transact(assignments.unassign(house, "A1", CARDS))
    assert not assigned(house).programmes
    with pytest.raises(Conflict):
        house.transact(assignments.unassign(house, "A1", CARDS))


def test_a_client_hears_of_the_tokens_that_reach_it_when_the_person_is_assigned(house):
    join(house)
    any_client = create(house)
    create(house, client="bank-02")
    house.transact(assignments.assign(house, "A1", CARDS))
    house.transact(assignments.assign(house, "A1", CARDS, queues=("in",)))
    heard = [leaf["token"] for log, leaf in told(house, "token.created") if log == "client-bank-01"]
    assert heard == [credential_reference(any_client.id, "client-bank-01")]


def create(house, text="A1", life_us=None, **bounds):
    return house.transact(
        tokens.create_for_person(house, text, life_us=life_us, bounds=Bounds(**bounds))
    )


def test_a_token_lasts_a_shift_unless_told_otherwise_and_the_leaf_says_what_binds_it(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS))
    token = create(house, networks=("192.0.2.0/24",), device="desk-7")
    assert token.expires_us == NOON_US + 12 * HOUR_US
    leaves = dict(told(house, "token.created"))
    assert sorted(leaves) == ["client-bank-01", "house"]
    assert leaves["house"]["bound"] == ["device", "networks"]
    assert leaves["house"]["service"] == ""


def test_a_token_bound_to_one_client_is_told_to_that_client_only(house):
    join(house)
    for client in ("bank-01", "bank-02"):
        house.transact(assignments.assign(house, "A1", Line(client, "cards", ())))
    create(house, client="bank-02")
    assert sorted(log for log, _ in told(house, "token.created")) == ["client-bank-02", "house"]


@pytest.mark.parametrize(
    "bounds",
    [{"client": "bank-09"}, {"device": "a b"}, {"device": "x" * 129}, {"scopes": ("log:bank-01",)}],
)
def test_a_bound_that_means_nothing_is_refused(house, bounds):
    join(house)
    with pytest.raises((InvalidInput, NotFound)):
        create(house, **bounds)


def service(house, name="mirror", **bounds):
    return house.transact(
        tokens.create_for_service(house, name, life_us=None, bounds=Bounds(**bounds))
    )


def test_a_services_token_is_told_to_the_clients_of_its_scopes(house):
    service(house, scopes=("log:bank-01",))
    leaves = dict(told(house, "token.created"))
    assert sorted(leaves) == ["client-bank-01", "house"]
    assert leaves["house"]["person"] == ""
    assert leaves["house"]["scopes"] == ["log:bank-01"]


@pytest.mark.parametrize(
    "bounds",
    [
        {"scopes": ("log:",)},
        {"scopes": ("reveal:bank-01",)},
        {"scopes": ("log:bank-01,log:bank-02",)},
        {"scopes": ("log:bank-09",)},
        {"client": "bank-01"},
        {"device": "desk"},
    ],
)
def test_a_services_scope_is_one_that_exists(house, bounds):
    with pytest.raises((InvalidInput, NotFound)):
        service(house, **bounds)


def test_revoking_is_told_where_the_token_reached(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS))
    fence = house.fence("bank-01")
    token = create(house)
    house.transact(tokens.revoke_token(house, token.id))
    assert sorted(log for log, _ in told(house, "token.revoked")) == ["client-bank-01", "house"]
    assert house.fence("bank-01") == fence + 2
    with pytest.raises(Conflict):
        house.transact(tokens.revoke_token(house, token.id))


def test_a_found_secret_is_revoked_without_knowing_whose_it_is(house):
    join(house)
    token = create(house)
    gone = house.transact(tokens.revoke_secret(house, token.secret.reveal()))
    assert gone.id == token.id
    with pytest.raises(NotFound):
        house.transact(tokens.revoke_secret(house, "hft_unknown"))


def test_a_list_shows_live_tokens_and_their_holders(house):
    join(house)
    old, live, other = create(house), create(house), service(house)
    house.transact(tokens.revoke_token(house, old.id))

    def listed(**which):
        asked = {"person": "", "service": "", "everything": False, **which}
        found = house.transact(tokens.list_tokens(house, **asked))
        return {token.id: token for token in found}

    assert set(listed()) == {live.id, other.id}
    assert set(listed(everything=True)) == {old.id, live.id, other.id}
    assert set(listed(person="A1")) == {live.id}
    assert set(listed(service="mirror")) == {other.id}
    assert listed()[live.id].holder == "house/A1"
    assert listed()[other.id].holder == "mirror"
    assert listed(everything=True)[old.id].state(NOON_US) == "revoked"
    assert listed()[live.id].state(live.expires_us) == "expired"


def test_leaving_ends_everything_in_one_transaction(house):
    join(house, os_user="desk")
    house.transact(assignments.assign(house, "A1", CARDS))
    create(house)
    member, ended, revoked = house.transact(people.leave(house, "A1"))
    assert (member.state, member.os_user, ended, revoked) == (PersonState.LEFT, "", 1, 1)
    assert sorted(log for log, _ in told(house, "person.left")) == ["client-bank-01", "house"]
    assert not assigned(house).programmes
    for act in (people.suspend, people.restore, people.leave):
        with pytest.raises(Conflict, match="left"):
            house.transact(act(house, "A1"))
    with pytest.raises(Conflict):
        house.transact(assignments.assign(house, "A1", CARDS))
    with pytest.raises(Conflict):
        create(house)


def test_roles_are_set_exactly_and_told_to_the_persons_clients(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS))
    member = house.transact(people.set_roles(house, "A1", (Role.LEAD, Role.AUDITOR)))
    assert member.roles == {Role.LEAD, Role.AUDITOR}
    leaves = dict(told(house, "person.roles_changed"))
    assert leaves["client-bank-01"]["roles"] == ["auditor", "lead"]
    assert assigned(house).roles_in("cards") == {Role.AGENT}


def test_people_are_listed_with_what_they_work_on(house):
    join(house)
    house.transact(assignments.assign(house, "A1", CARDS, queues=("in", "out")))
    listed = {m.staff_id: lines for m, lines in house.transact(people.list_people(house))}
    assert listed == {"root": (), "A1": ("bank-01/cards (in, out)",)}


def test_a_challenge_is_answered_once_in_the_name_of_both(house):
    person = join(house).id
    house.transact(assignments.assign(house, "A1", CARDS))
    house.challenge("stp_1", person)
    issued, staff_id = house.transact(tokens.step_up(house, "stp_1"))
    assert staff_id == "A1"
    leaves = dict(told(house, "token.stepped_up"))
    assert sorted(leaves) == ["client-bank-01", "house"]
    leaf = leaves["client-bank-01"]
    assert leaf["token"] == credential_reference(issued.id, "client-bank-01")
    assert leaf["person"] != leaf["by"]
    with pytest.raises(Conflict, match="answered"):
        house.transact(tokens.step_up(house, "stp_1"))
    with pytest.raises(NotFound):
        house.transact(tokens.step_up(house, "stp_2"))


def test_the_last_administrator_stays(house):
    with pytest.raises(Denied, match=r"admin\.last_admin"):
        house.transact(people.suspend(house, "root"))
    with pytest.raises(Denied, match=r"admin\.last_admin"):
        house.transact(people.leave(house, "root"))
    join(house, "B1", roles=(Role.ADMIN,))
    house.transact(people.suspend(house, "B1"))
    with pytest.raises(Denied, match=r"admin\.last_admin"):
        house.transact(people.leave(house, "root"))
    house.transact(people.restore(house, "B1"))
    house.transact(people.leave(house, "root"))
    with pytest.raises(NotAuthenticated):
        house.transact(people.suspend(house, "B1"))


def test_a_line_is_told_in_each_log_under_its_own_references(house):
    agent = house.person("A1", Role.AGENT, client="bank-01")
    lead = join(house, "L1")
    changed = house.transact(people.set_lead(house, "A1", "L1"))
    assert (changed.id, changed.lead) == (agent, lead.id)
    (house_log, first), (client_log, second) = told(house, "person.line_changed")
    assert (house_log, client_log) == ("house", "client-bank-01")
    assert first["lead"] != second["lead"]
    assert house.transact(people.set_lead(house, "A1", "")).lead == ""
    assert told(house, "person.line_changed")[-1][1]["lead"] == ""


def test_a_person_joins_under_a_lead(house):
    lead = join(house, "L1")
    assert join(house, "A1", lead="L1").lead == lead.id
    assert len(told(house, "person.line_changed")) == 1


def test_who_has_left_stands_in_no_line(house):
    join(house, "A1")
    join(house, "L1")
    house.transact(people.leave(house, "L1"))
    with pytest.raises(Conflict):
        house.transact(people.set_lead(house, "A1", "L1"))
    with pytest.raises(Conflict):
        house.transact(people.set_lead(house, "L1", ""))
