"""Persons are found by what people call them, and stand in each log under another name."""

from __future__ import annotations

import pytest

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.spine.identity import people, store
from holdfast.spine.identity.references import reference_of
from holdfast.vocabulary.levels import PersonState, Role
from support.stores import NOON_US, SmallHouse, raw


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    house.transact(ask(people.ADD_EMPLOYER(id="house", name="House")))
    house.transact(ask(people.ADD_EMPLOYER(id="vendor", name="Vendor")))
    yield house
    house.close()


def ask(*queries):
    return (yield Round(data=queries))


def add(house, staff_id="A1", employer="house", **more):
    return house.transact(
        people.add_person(
            staff_id=staff_id, employer=employer, roles=(Role.AGENT,), now_us=NOON_US, **more
        )
    )


def find(house, text):
    return house.read(people.find_person(text))


def test_a_person_is_found_by_id_and_by_staff_id(house):
    person = add(house, label="Desk 7")
    assert find(house, person) == find(house, "A1") == find(house, "house/A1")
    member = find(house, "A1")
    assert (member.staff_id, member.employer, member.label) == ("A1", "house", "Desk 7")
    assert (member.state, member.roles) == (PersonState.ACTIVE, {Role.AGENT})


def test_a_staff_id_is_unique_per_employer_only(house):
    add(house)
    with pytest.raises(Conflict):
        add(house)
    other = add(house, employer="vendor")
    with pytest.raises(Conflict, match="several") as caught:
        find(house, "A1")
    assert "vendor/A1" in caught.value.remedy
    assert find(house, "vendor/A1").id == other
    assert house.read(people.person_of_staff("A1")) is None, "a feed must say which"
    assert house.read(people.person_of_staff("vendor/A1")) == other


def test_an_unknown_person_is_not_found(house):
    for text in ("A9", "per_00000000000000000000000000", "house/A9", "", "a\x00b"):
        with pytest.raises(NotFound):
            find(house, text)


def test_an_operating_system_user_stands_for_one_person(house):
    person = add(house, os_user="desk")
    assert house.read(people.person_of_os_user("desk")).id == person
    assert house.read(people.person_of_os_user("root")) is None
    with pytest.raises(Conflict):
        add(house, "A2", os_user="desk")


@pytest.mark.parametrize("staff_id", ["", "per_x", "a b", "-a", "a/b", "x" * 65, "a\n"])
def test_a_malformed_staff_id_is_refused(house, staff_id):
    with pytest.raises(InvalidInput):
        add(house, staff_id)


def test_a_person_needs_an_employer_and_a_role(house):
    with pytest.raises(NotFound, match="no employer"):
        add(house, employer="nobody")
    with pytest.raises(InvalidInput, match="role"):
        house.transact(people.add_person(staff_id="A1", employer="house", roles=(), now_us=NOON_US))


def test_a_state_changes_only_from_what_it_was_thought_to_be(house):
    person = add(house)
    active, suspended, left = PersonState.ACTIVE, PersonState.SUSPENDED, PersonState.LEFT
    assert house.transact(people.change_state(person, active, suspended))
    assert not house.transact(people.change_state(person, active, left))
    assert find(house, person).state is suspended


def test_a_person_has_another_reference_in_each_log_and_keeps_it(house):
    person = add(house)
    first = house.transact(reference_of(person, "house"))
    second = house.transact(reference_of(person, "client-bank-01"))
    assert first != second
    assert house.transact(reference_of(person, "house")) == first
    assert first.startswith("p_")
    assert person.removeprefix("per_") not in first
    rows = house.read(ask(store.PERSON_OF_REFERENCE(log="client-bank-01", ref=second)))[0]
    assert rows == [(person,)]


def test_a_person_never_has_a_password(house):
    person = add(house)
    assert raw(house.data, "SELECT password FROM identity_person") == [("!",)]
    with pytest.raises(Exception, match="identity_person_no_password"):
        raw(house.data, "UPDATE identity_person SET password = 'pbkdf2$x' WHERE id = ?", (person,))
