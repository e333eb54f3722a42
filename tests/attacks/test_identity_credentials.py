"""Attacks with credentials. Each must end in a refusal, from the next request on."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity import people, store
from holdfast.spine.identity.credentials import (
    Bounds,
    hash_secret,
    issue,
    issue_step_up,
    revoke,
    revoke_all,
)
from holdfast.spine.identity.facts import assigned_at, person_facts, place_facts
from holdfast.spine.identity.requester import level_of, requester_of, step_up_of
from holdfast.vocabulary.levels import AuthLevel, PersonState, Role
from support.stores import SmallHouse, raw

OFFICE = "192.0.2.7"


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    house.transact(ask(people.ADD_EMPLOYER(id="house", name="House")))
    yield house
    house.close()


def ask(*queries):
    return (yield Round(data=queries))


def join(house, staff_id="A1", client="bank-01"):
    now = house.clock.now_us()
    person = house.transact(
        people.add_person(staff_id=staff_id, employer="house", roles=(Role.AGENT,), now_us=now)
    )
    house.transact(
        ask(
            store.ADD_ASSIGNMENT(
                id=f"asg_{staff_id}",
                person=person,
                client=client,
                programme="cards",
                queues="",
                roles="agent",
                starts_us=now,
                ends_us=None,
            )
        )
    )
    return person


def token(house, person, **bounds):
    now = house.clock.now_us()
    return house.transact(
        issue(person=person, life_us=HOUR_US, now_us=now, bounds=Bounds(**bounds))
    )


def second(house, person, *, client="bank-01", contact="ct_1"):
    now = house.clock.now_us()
    return house.transact(
        issue_step_up(person=person, client=client, contact=contact, challenge="stp", now_us=now)
    )


class Gone(Exception):
    """401: as if no credential had come."""


def look(house, secret, **where):
    """Judge one request by identity alone; return the facts that refuse it, and its level."""
    client, contact = where.get("client", "bank-01"), where.get("contact", "ct_1")
    now = house.clock.now_us()

    def load():
        lift = where.get("step_up", "")
        mine, other = yield Round(
            data=(
                store.CREDENTIAL(secret_hash=hash_secret(secret)),
                store.CREDENTIAL(secret_hash=hash_secret(lift)),
            )
        )
        try:
            asks = requester_of(mine[0] if mine else None, now)
        except NotAuthenticated as error:
            raise Gone(str(error)) from None
        (rows,) = yield Round(data=(store.ASSIGNMENTS(person=asks.person, client=client),))
        lifted = step_up_of(other[0] if other else None, now)
        level = level_of(asks, lifted, client=client, contact=contact)
        facts = {
            **person_facts(asks, assigned_at(rows, now), client=client, employers=()),
            **place_facts(
                asks,
                level=level,
                peer=where.get("peer", OFFICE),
                device=where.get("device", ""),
                networks=(),
            ),
        }
        facts.pop("auth_level")
        return {fact.value for fact, value in facts.items() if not value.met}, level

    return house.transact(load())


def test_control_an_honest_token_is_not_refused(house):
    secret = token(house, join(house)).secret.reveal()
    assert look(house, secret) == (set(), AuthLevel.BEARER)


def test_a_suspended_persons_live_token(house):
    person = join(house)
    secret = token(house, person).secret.reveal()
    house.transact(people.change_state(person, PersonState.ACTIVE, PersonState.SUSPENDED))
    assert look(house, secret)[0] == {"not_suspended"}


def test_a_leavers_token_that_somebody_kept(house):
    person = join(house)
    secret = token(house, person).secret.reveal()
    house.transact(people.change_state(person, PersonState.ACTIVE, PersonState.LEFT))
    assert look(house, secret)[0] == {"employed"}
    house.transact(revoke_all(person, house.clock.now_us()))
    with pytest.raises(Gone):
        look(house, secret)


def test_a_revoked_token(house):
    issued = token(house, join(house))
    house.transact(revoke(issued.id, house.clock.now_us()))
    with pytest.raises(Gone):
        look(house, issued.secret.reveal())


def test_a_revoked_token_while_the_clock_is_turned_back_by_the_revokers_machine(house):
    issued = token(house, join(house))
    house.transact(revoke(issued.id, house.clock.now_us() + HOUR_US))
    with pytest.raises(Gone):
        look(house, issued.secret.reveal())


def test_an_expired_token(house):
    issued = token(house, join(house))
    house.clock.advance(HOUR_US)
    with pytest.raises(Gone):
        look(house, issued.secret.reveal())


def test_a_token_stolen_and_used_from_another_network(house):
    secret = token(house, join(house), networks=("192.0.2.0/24",)).secret.reveal()
    assert look(house, secret)[0] == set()
    for peer in ("198.51.100.7", "2001:db8::7", "::ffff:198.51.100.7", "", "192.0.2.7, 10.0.0.1"):
        assert look(house, secret, peer=peer)[0] == {"network"}


def test_a_token_stolen_and_used_on_another_device(house):
    secret = token(house, join(house), device="desk-7").secret.reveal()
    assert look(house, secret, device="desk-7")[0] == set()
    for device in ("", "desk-8", "desk-7 ", "DESK-7"):
        assert look(house, secret, device=device)[0] == {"device"}


def test_a_token_of_one_client_used_for_another_that_the_person_works_for_too(house):
    person = join(house)
    house.transact(
        ask(
            store.ADD_ASSIGNMENT(
                id="asg_2",
                person=person,
                client="bank-02",
                programme="cards",
                queues="",
                roles="agent",
                starts_us=0,
                ends_us=None,
            )
        )
    )
    secret = token(house, person, client="bank-01").secret.reveal()
    assert look(house, secret)[0] == set()
    assert look(house, secret, client="bank-02")[0] == {"assigned"}


def test_the_hash_from_a_stolen_database_is_not_a_token(house):
    token(house, join(house))
    (stolen,) = raw(house.data, "SELECT secret_hash FROM identity_credential")[0]
    for text in (stolen.hex(), stolen.decode("latin-1"), f"hft_{stolen.hex()}"):
        with pytest.raises(Gone):
            look(house, text)


def test_a_guessed_token_is_answered_like_an_expired_one(house):
    issued = token(house, join(house))
    house.clock.advance(HOUR_US)
    answers = set()
    for text in (
        "",
        "hft_",
        "hft_" + "A" * 43,
        issued.id,
        issued.secret.reveal(),
        "'; --",
        "é\x00",
    ):
        with pytest.raises(Gone) as caught:
            look(house, text)
        answers.add(str(caught.value))
    assert len(answers) == 1


@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase, lambda s: s + " "])
def test_a_token_written_a_little_differently(house, change):
    secret = token(house, join(house)).secret.reveal()
    with pytest.raises(Gone):
        look(house, change(secret))


def test_a_step_up_token_of_another_person(house):
    mine, other = join(house), join(house, "A2")
    secret = token(house, mine).secret.reveal()
    lift = second(house, other).secret.reveal()
    assert look(house, secret, step_up=lift)[1] is AuthLevel.BEARER


def test_a_step_up_token_on_another_contact_or_client(house):
    person = join(house)
    secret, lift = token(house, person).secret.reveal(), second(house, person).secret.reveal()
    assert look(house, secret, step_up=lift)[1] is AuthLevel.STEP_UP
    assert look(house, secret, step_up=lift, contact="ct_2")[1] is AuthLevel.BEARER
    assert look(house, secret, step_up=lift, client="bank-02")[1] is AuthLevel.BEARER


def test_a_step_up_token_for_no_contact_at_all(house):
    person = join(house)
    secret = token(house, person).secret.reveal()
    lift = second(house, person, contact="").secret.reveal()
    assert look(house, secret, step_up=lift, contact="")[1] is AuthLevel.BEARER


def test_a_step_up_token_used_once_more_after_its_five_minutes(house):
    person = join(house)
    secret, lift = token(house, person).secret.reveal(), second(house, person).secret.reveal()
    assert look(house, secret, step_up=lift)[1] is AuthLevel.STEP_UP
    house.clock.advance(5 * MINUTE_US)
    assert look(house, secret, step_up=lift)[1] is AuthLevel.BEARER


def test_a_step_up_token_instead_of_a_first_one(house):
    lift = second(house, join(house)).secret.reveal()
    with pytest.raises(Gone):
        look(house, lift)
    with pytest.raises(Gone):
        look(house, lift, step_up=lift)


def test_a_first_token_sent_as_its_own_step_up(house):
    secret = token(house, join(house)).secret.reveal()
    assert look(house, secret, step_up=secret)[1] is AuthLevel.BEARER


def test_a_revoked_step_up_token(house):
    person = join(house)
    secret, lift = token(house, person).secret.reveal(), second(house, person)
    house.transact(revoke(lift.id, house.clock.now_us()))
    assert look(house, secret, step_up=lift.secret.reveal())[1] is AuthLevel.BEARER


def test_a_service_token_posing_as_a_person(house):
    join(house)
    now = house.clock.now_us()
    service = house.transact(
        issue(service="A1", life_us=HOUR_US, now_us=now, bounds=Bounds(scopes=("log:bank-01",)))
    )
    secret = service.secret.reveal()
    assert look(house, secret)[0] == {"employed", "assigned"}


def test_a_service_with_a_persons_step_up_token(house):
    lift = second(house, join(house)).secret.reveal()
    now = house.clock.now_us()
    service = house.transact(issue(service="bot", life_us=HOUR_US, now_us=now))
    refusing, level = look(house, service.secret.reveal(), step_up=lift)
    assert "employed" in refusing
    assert level is AuthLevel.BEARER


def test_an_assignment_that_has_ended(house):
    person = join(house)
    secret = token(house, person).secret.reveal()
    house.transact(
        ask(
            store.END_ASSIGNMENTS(
                person=person, client="bank-01", programme="cards", now=house.clock.now_us()
            )
        )
    )
    assert look(house, secret)[0] == {"assigned"}


def test_a_credential_row_that_names_both_a_person_and_a_service(house):
    person = join(house)
    issued = token(house, person)
    with pytest.raises(Exception, match="identity_credential_holder"):
        raw(house.data, "UPDATE identity_credential SET service = 'bot' WHERE id = ?", (issued.id,))
