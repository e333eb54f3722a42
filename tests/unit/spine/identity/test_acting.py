"""The command line works in the name of a person, or not at all."""

from __future__ import annotations

import dataclasses
import json

import pytest

from holdfast.kit.clock import HOUR_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Denied, InvalidInput, NotAuthenticated
from holdfast.kit.secret import Secret
from holdfast.spine.identity import people
from holdfast.spine.identity.acting import Acting, acting_person, os_user
from holdfast.spine.identity.credentials import Bounds, issue, issue_step_up, revoke
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role
from support.holders import Holder, pem
from support.stores import NOON_US, SmallHouse


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")

    def work():
        yield Round(data=(people.ADD_EMPLOYER(id="house", name="House"),))

    house.transact(work())
    yield house
    house.close()


def add(house, staff_id="A1", **more):
    return house.transact(
        people.add_person(
            staff_id=staff_id, employer="house", roles=(Role.ADMIN,), now_us=NOON_US, **more
        )
    )


def with_token(house, secret):
    house.settings = dataclasses.replace(house.settings, token=Secret(secret))


def with_key(house, text):
    key = None if text is None else Secret(text)
    house.settings = dataclasses.replace(house.settings, token_key=key)


def token(house, person, **bounds):
    issued = house.transact(
        issue(person=person, life_us=HOUR_US, now_us=NOON_US, bounds=Bounds(**bounds))
    )
    with_token(house, issued.secret.reveal())
    return issued


def acting(house):
    return house.transact(acting_person(house))


def test_a_token_that_only_a_service_may_send_does_not_act_here(house):
    person = add(house)
    token(house, person, via="crm")
    with pytest.raises(NotAuthenticated):
        acting(house)


def test_a_token_that_is_bound_to_a_key_acts_with_that_key_only(house):
    person, holder = add(house), Holder()
    token(house, person, jkt=holder.jkt)
    for key in (None, pem(Holder()), pem(Holder("EdDSA"))):
        with_key(house, key)
        with pytest.raises(NotAuthenticated):
            acting(house)
    with_key(house, pem(holder))
    assert (acting(house).person, acting(house).level) == (person, AuthLevel.POSSESSION)


@pytest.mark.parametrize(
    "key", ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_private_key_is_named(house, key):
    person, holder = add(house), Holder()
    token(house, person, jkt=holder.jkt)
    for text in (key, pem(holder, public=True), json.dumps(holder.jwk)):
        with_key(house, text)
        with pytest.raises(InvalidInput) as refused:
            acting(house)
        assert refused.value.field == "token_key"


def test_who_may_have_seen_the_token_is_known_of_who_acts(house):
    person = add(house)
    seen = issue(person=person, life_us=HOUR_US, now_us=NOON_US, issued_by="per_1,per_2")
    with_token(house, house.transact(seen).secret.reveal())
    assert acting(house).hands == {person, "per_1", "per_2"}
    holder = Holder()
    bound = issue(
        person=person,
        life_us=HOUR_US,
        now_us=NOON_US,
        issued_by="per_1",
        bounds=Bounds(jkt=holder.jkt),
    )
    with_token(house, house.transact(bound).secret.reveal())
    with_key(house, pem(holder))
    assert acting(house).hands == {person}


def test_the_account_that_runs_the_process_stands_for_its_person(house):
    person = add(house, os_user=os_user())
    assert acting(house) == Acting(person, frozenset({Role.ADMIN}))


def test_an_environment_that_claims_another_account_is_not_believed(house, monkeypatch):
    add(house, os_user="somebody-else")
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(name, "somebody-else")
    with pytest.raises(NotAuthenticated):
        acting(house)


def test_nobody_acts_without_a_person(house):
    with pytest.raises(NotAuthenticated) as caught:
        acting(house)
    assert "HOLDFAST_TOKEN" in caught.value.remedy


def test_a_token_counts_before_the_account(house):
    add(house, os_user=os_user())
    person = add(house, "A2")
    issued = token(house, person)
    assert acting(house) == Acting(person, frozenset({Role.ADMIN}), issued.id)


def test_a_bad_token_does_not_fall_back_to_the_account(house):
    add(house, os_user=os_user())
    with_token(house, "hft_guessed")
    with pytest.raises(NotAuthenticated):
        acting(house)


def test_a_revoked_token_does_not_administer(house):
    issued = token(house, add(house))
    house.transact(revoke(issued.id, NOON_US))
    with pytest.raises(NotAuthenticated):
        acting(house)


def test_a_service_and_a_second_token_do_not_administer(house):
    person = add(house)
    service = house.transact(issue(service="mirror", life_us=HOUR_US, now_us=NOON_US))
    with_token(house, service.secret.reveal())
    with pytest.raises(Denied, match="named person"):
        acting(house)
    second = house.transact(
        issue_step_up(person=person, client="c", contact="ct", challenge="stp", now_us=NOON_US)
    )
    with_token(house, second.secret.reveal())
    with pytest.raises(NotAuthenticated):
        acting(house)


@pytest.mark.parametrize(
    "bounds", [{"networks": ("192.0.2.0/24",)}, {"device": "desk-7"}, {"client": "bank-01"}]
)
def test_a_token_that_is_bound_elsewhere_does_not_administer(house, bounds):
    token(house, add(house), **bounds)
    with pytest.raises(Denied):
        acting(house)


def test_a_token_bound_to_this_machine_administers(house):
    token(house, add(house), networks=("127.0.0.0/8",))
    assert acting(house).roles == {Role.ADMIN}


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.LEFT])
@pytest.mark.parametrize("by_token", [True, False])
def test_who_is_suspended_or_has_left_does_not_administer(house, state, by_token):
    person = add(house, os_user=os_user())
    if by_token:
        token(house, person)
    house.transact(people.change_state(person, PersonState.ACTIVE, state))
    with pytest.raises(Denied):
        acting(house)
