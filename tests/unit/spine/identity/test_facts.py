"""What credential, employment, assignment and place mean to a decision."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.kit.db import Round
from holdfast.spine.identity import store
from holdfast.spine.identity.facts import (
    assigned_at,
    person_facts,
    place_facts,
    put_fact,
    standing_facts,
)
from holdfast.spine.identity.place import within
from holdfast.spine.identity.requester import Requester
from holdfast.vocabulary.facts import FactId, FactState, StandingFact
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role
from support.stores import NOON_US, raw

AGENT = Requester(
    credential="crd_1",
    kind="person",
    person="per_1",
    service="",
    scopes=frozenset(),
    level=AuthLevel.BEARER,
    networks=(),
    device="",
    client="",
    via="",
    expires_us=NOON_US + 1,
    revoked_us=None,
    person_state=PersonState.ACTIVE,
    employer="house",
    roles=frozenset({Role.AGENT}),
)
SERVICE = msgspec.structs.replace(
    AGENT, kind="service", person="", service="mirror", employer="", roles=frozenset()
)


def assignment(programme="cards", queues="", *, starts=NOON_US, ends=None, roles="agent"):
    return ("asg_1", "bank-01", programme, queues, roles, starts, ends)


def test_an_assignment_counts_from_its_start_until_its_end():
    rows = [assignment(ends=NOON_US + 10)]
    assert assigned_at(rows, NOON_US - 1).programmes == frozenset()
    assert assigned_at(rows, NOON_US).programmes == {"cards"}
    assert assigned_at(rows, NOON_US + 9).roles_in("cards") == {Role.AGENT}
    assert assigned_at(rows, NOON_US + 10).programmes == frozenset()


def test_queues_of_two_assignments_add_up_and_all_stays_all():
    some = assigned_at([assignment(queues="a,b"), assignment(queues="c")], NOON_US)
    assert [some.covers("cards", queue) for queue in "abcd"] == [True, True, True, False]
    for rows in (
        [assignment(queues="a"), assignment()],
        [assignment(), assignment(queues="a")],
        [assignment(queues="a"), assignment(), assignment(queues="b")],
    ):
        assert assigned_at(rows, NOON_US).covers("cards", "z")
    assert not some.covers("loans", "a")


def test_a_lead_of_one_line_is_no_lead_of_the_next():
    rows = [assignment("cards", roles="lead"), assignment("loans"), assignment("cards")]
    assigned = assigned_at(rows, NOON_US)
    assert assigned.roles_in("cards") == {Role.AGENT, Role.LEAD}
    assert assigned.roles_in("loans") == {Role.AGENT}
    assert assigned.roles_in("other") == frozenset()


def met(facts):
    return {fact for fact, value in facts.items() if value.met}


ALL = {FactId.EMPLOYED, FactId.NOT_SUSPENDED, FactId.EMPLOYER_APPROVED, FactId.ASSIGNED}


@pytest.mark.parametrize(
    ("change", "unmet"),
    [
        ({}, set()),
        ({"person_state": PersonState.SUSPENDED}, {FactId.NOT_SUSPENDED}),
        ({"person_state": PersonState.LEFT}, {FactId.EMPLOYED}),
        ({"employer": "vendor"}, {FactId.EMPLOYER_APPROVED}),
        ({"client": "bank-02"}, {FactId.ASSIGNED}),
    ],
)
def test_each_state_of_a_person_unmeets_its_own_fact(change, unmet):
    asks = msgspec.structs.replace(AGENT, **change)
    facts = person_facts(
        asks, assigned_at([assignment()], NOON_US), client="bank-01", employers=("house",)
    )
    assert ALL - met(facts) == unmet
    assert all(value.state is FactState.KNOWN for value in facts.values())


def test_a_service_is_never_employed_nor_assigned():
    facts = person_facts(
        SERVICE, assigned_at([assignment()], NOON_US), client="bank-01", employers=()
    )
    assert {FactId.EMPLOYED, FactId.ASSIGNED}.isdisjoint(met(facts))


def place(asks=AGENT, *, level=AuthLevel.BEARER, peer="192.0.2.7", device="", networks=()):
    return place_facts(asks, level=level, peer=peer, device=device, networks=networks)


def test_a_look_comes_from_the_tokens_ranges_and_from_the_contracts():
    bound = msgspec.structs.replace(AGENT, networks=("192.0.2.0/24",))
    assert place(bound)[FactId.NETWORK].met
    assert not place(bound, peer="198.51.100.1")[FactId.NETWORK].met
    assert not place(bound, networks=("198.51.100.0/24",))[FactId.NETWORK].met
    assert place(bound, networks=("192.0.2.0/28",))[FactId.NETWORK].met
    assert place(peer="")[FactId.NETWORK].met, "nothing asks for a network"


def test_an_address_that_is_not_told_is_unknown_and_one_that_is_none_is_unmet():
    bound = msgspec.structs.replace(AGENT, networks=("192.0.2.0/24",))
    assert place(bound, peer="")[FactId.NETWORK].state is FactState.UNKNOWN
    assert not place(bound, peer="")[FactId.NETWORK].met
    assert not place(bound, peer="unix socket")[FactId.NETWORK].met


def test_a_device_counts_where_the_token_is_bound_to_one():
    bound = msgspec.structs.replace(AGENT, device="desk-7")
    assert place(bound, device="desk-7")[FactId.DEVICE].met
    assert not place(bound, device="desk-8")[FactId.DEVICE].met
    assert not place(bound)[FactId.DEVICE].met
    assert place(device="anything")[FactId.DEVICE].met


def test_a_bearer_is_no_strong_login():
    assert not place()[FactId.AUTH_LEVEL].met
    assert place(level=AuthLevel.STEP_UP)[FactId.AUTH_LEVEL].met


def test_an_address_lies_in_a_range_whichever_way_it_is_written():
    assert within("::ffff:192.0.2.1", ("192.0.2.0/24",))
    assert within("2001:db8::1", ("192.0.2.0/24", "2001:db8::/32"))
    assert not within("192.0.3.1", ("192.0.2.0/24",))
    assert not within("192.0.2.1", ())


def put(house, **change):
    fact = StandingFact("per_1", FactId.EMPLOYED, True, "yes", NOON_US, None, "roster")
    house.transact(put_fact(fact._replace(**change)))


def facts(house):
    def work():
        (rows,) = yield Round(data=(store.FACTS(person="per_1"),))
        return standing_facts("per_1", rows)

    return house.read(work())


def test_a_standing_fact_is_replaced_by_a_newer_observation_only(house_with_person):
    house = house_with_person
    put(house)
    put(house, met=False, value="no", as_of_us=NOON_US + 5)
    put(house, met=True, value="late", as_of_us=NOON_US + 1)
    assert facts(house)[FactId.EMPLOYED].value == "no"


def test_a_fact_of_a_newer_version_is_left_out(house_with_person):
    house = house_with_person
    put(house)
    raw(house.data, "UPDATE identity_fact SET fact = 'moon_phase'")
    assert facts(house) == {}


@pytest.fixture
def house_with_person(tmp_path):
    from support.stores import SmallHouse

    house = SmallHouse(tmp_path / "house")
    raw(house.data, "INSERT INTO identity_employer VALUES ('house', 'House')")

    def work():
        yield Round(
            data=(
                store.ADD_PERSON(
                    id="per_1",
                    staff_id="A1",
                    employer="house",
                    label="",
                    roles="agent",
                    os_user=None,
                    created_us=NOON_US,
                ),
            )
        )

    house.transact(work())
    yield house
    house.close()
