"""A credential is shown once, stored as a hash, bound, and refused from the moment it no longer counts."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.errors import InvalidInput, NotAuthenticated
from holdfast.spine.identity import credentials, people, store
from holdfast.spine.identity.credentials import Bounds, hash_secret, issue, issue_step_up, revoke
from holdfast.spine.identity.requester import level_of, requester_of, step_up_of
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role
from support.stores import NOON_US, SmallHouse, bytes_of


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    yield house
    house.close()


def ask(*queries):
    return (yield Round(data=queries))


@pytest.fixture
def person(house):
    house.transact(ask(people.ADD_EMPLOYER(id="house", name="House")))
    return house.transact(
        people.add_person(
            staff_id="A1", employer="house", roles=(Role.AGENT, Role.LEAD), now_us=NOON_US
        )
    )


def row(house, secret):
    rows = house.read(ask(store.CREDENTIAL(secret_hash=hash_secret(secret))))[0]
    return rows[0] if rows else None


def given(house, person, **bounds):
    return house.transact(
        issue(person=person, life_us=12 * HOUR_US, now_us=NOON_US, bounds=Bounds(**bounds))
    )


def test_a_token_says_who_asks_and_what_it_is_bound_to(house, person):
    token = given(
        house,
        person,
        networks=("192.0.2.0/24", "2001:db8::/32"),
        device="desk-7",
        client="bank-01",
    )
    asks = requester_of(row(house, token.secret.reveal()), NOON_US)
    assert (asks.credential, asks.kind, asks.person) == (token.id, "person", person)
    assert (asks.networks, asks.device) == (("192.0.2.0/24", "2001:db8::/32"), "desk-7")
    assert asks.client == "bank-01"
    assert asks.level is AuthLevel.BEARER
    assert asks.roles == {Role.AGENT, Role.LEAD}
    assert asks.is_person
    assert asks.is_active


def test_the_secret_can_be_recognised_and_is_nowhere_in_the_store(house, person):
    token = given(house, person)
    secret = token.secret.reveal()
    assert secret.startswith("hft_")
    assert len(secret) == 47
    assert secret not in repr(token)
    assert person.encode() in bytes_of(house.data)
    assert secret.encode() not in bytes_of(house.data)


def test_a_service_token_is_nobodys(house):
    token = house.transact(
        issue(
            service="auditors' mirror",
            life_us=DAY_US,
            now_us=NOON_US,
            bounds=Bounds(scopes=("log:bank-01",)),
        )
    )
    asks = requester_of(row(house, token.secret.reveal()), NOON_US)
    assert (asks.kind, asks.person, asks.service) == ("service", "", "auditors' mirror")
    assert asks.scopes == {"log:bank-01"}
    assert asks.roles == frozenset()
    assert not asks.is_person


@pytest.mark.parametrize(
    "holder", [{}, {"person": "per_x", "service": "both"}], ids=["nobody", "both"]
)
def test_a_token_has_exactly_one_holder(house, holder):
    with pytest.raises(InvalidInput):
        house.transact(issue(**holder, life_us=HOUR_US, now_us=NOON_US))


def test_a_life_has_a_longest(house, person):
    for life_us in (0, -1, credentials.PERSON_LONGEST_US + 1):
        with pytest.raises(InvalidInput, match="at most 30 days"):
            house.transact(issue(person=person, life_us=life_us, now_us=NOON_US))


def refused(house, secret, now_us):
    with pytest.raises(NotAuthenticated) as caught:
        requester_of(row(house, secret), now_us)
    return str(caught.value), caught.value.remedy, caught.value.code


def test_unknown_expired_and_revoked_are_told_apart_by_nobody(house, person):
    live, old = given(house, person), given(house, person)
    assert house.transact(revoke(old.id, NOON_US)) is True
    answers = {
        refused(house, "hft_guessed", NOON_US),
        refused(house, live.secret.reveal(), live.expires_us),
        refused(house, old.secret.reveal(), NOON_US),
        refused(house, hash_secret(live.secret.reveal()).hex(), NOON_US),
    }
    assert len(answers) == 1
    assert requester_of(row(house, live.secret.reveal()), live.expires_us - 1).credential == live.id


def test_a_revocation_happens_once(house, person):
    token = given(house, person)
    assert house.transact(revoke(token.id, NOON_US)) is True
    assert house.transact(revoke(token.id, NOON_US + 1)) is False
    assert house.transact(revoke("crd_unknown", NOON_US)) is False


def test_a_suspended_persons_token_says_that_the_person_is_suspended(house, person):
    token = given(house, person)
    house.transact(people.change_state(person, PersonState.ACTIVE, PersonState.SUSPENDED))
    asks = requester_of(row(house, token.secret.reveal()), NOON_US)
    assert asks.person_state is PersonState.SUSPENDED
    assert not asks.is_active


def test_a_second_token_lifts_only_its_own_person_client_and_contact(house, person):
    first = given(house, person)
    second = house.transact(
        issue_step_up(
            person=person, client="bank-01", contact="ct_1", challenge="stp_1", now_us=NOON_US
        )
    )
    asks = requester_of(row(house, first.secret.reveal()), NOON_US)
    lift = step_up_of(row(house, second.secret.reveal()), NOON_US)
    assert second.expires_us == NOON_US + 5 * MINUTE_US
    assert level_of(asks, lift, client="bank-01", contact="ct_1") is AuthLevel.STEP_UP
    assert level_of(asks, lift, client="bank-02", contact="ct_1") is AuthLevel.BEARER
    assert level_of(asks, lift, client="bank-01", contact="ct_2") is AuthLevel.BEARER
    assert level_of(asks, lift, client="bank-01", contact="") is AuthLevel.BEARER
    assert level_of(asks, None, client="bank-01", contact="ct_1") is AuthLevel.BEARER


def test_a_first_token_is_no_second_and_a_second_is_no_first(house, person):
    first = given(house, person)
    second = house.transact(
        issue_step_up(
            person=person, client="bank-01", contact="ct_1", challenge="stp_1", now_us=NOON_US
        )
    )
    assert step_up_of(row(house, first.secret.reveal()), NOON_US) is None
    refused(house, second.secret.reveal(), NOON_US)


def test_revoking_all_takes_second_tokens_too(house, person):
    first = given(house, person)
    second = house.transact(
        issue_step_up(
            person=person, client="bank-01", contact="ct_1", challenge="stp_1", now_us=NOON_US
        )
    )
    gone = house.transact(credentials.revoke_all(person, NOON_US))
    assert sorted(gone) == sorted([first.id, second.id])
    refused(house, first.secret.reveal(), NOON_US)
    assert step_up_of(row(house, second.secret.reveal()), NOON_US) is None


def test_network_ranges_are_checked_and_made_canonical():
    assert credentials.checked_networks(["192.0.2.0/24", " 192.0.2.0/24", "2001:DB8::/32"]) == (
        "192.0.2.0/24",
        "2001:db8::/32",
    )
    assert credentials.checked_networks(["192.0.2.7"]) == ("192.0.2.7/32",)
    for wrong in ("192.0.2.1/24", "office", "", "192.0.2.0/33"):
        with pytest.raises(InvalidInput, match="not a network range"):
            credentials.checked_networks([wrong])
    with pytest.raises(InvalidInput, match="at most 32"):
        credentials.checked_networks([f"10.{n}.0.0/16" for n in range(40)])
