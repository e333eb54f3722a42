"""Somebody wants to sign in as somebody else: with a link that is not theirs, used, late, or from elsewhere."""

from __future__ import annotations

import msgspec.structs
import pytest

from holdfast.kit.errors import Conflict, NotFound
from holdfast.procedures.access.services import people
from holdfast.procedures.network import services
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.identity import sessions
from holdfast.spine.identity.sessions import Browser, hash_cookie
from holdfast.spine.operations.reveal import reveal
from holdfast.vocabulary.levels import SignIn
from support.bank import new_bank

PEER = "192.0.2.7"
PASSKEY = SignIn.PASSKEY_DEVICE_BOUND


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    yield bank
    bank.close()


def act(bank, work, person=""):
    """Do something in a person's name, the administrator's without."""
    return bank.by(person or bank.admin, work)


def invite(bank, *networks, who="A0001"):
    return act(bank, lambda house: services.invite(house, who, networks=networks)).secret.reveal()


def opened(bank, link, peer=PEER):
    return bank.house.read(services.invited(link, peer=peer, now_us=bank.clock.now_us()))


def closed(bank, link, peer=PEER):
    with pytest.raises(NotFound) as refused:
        opened(bank, link, peer)
    return str(refused.value)


def test_a_link_is_used_once_even_by_two_at_once(bank):
    link = opened(bank, invite(bank))
    bank.house.transact(services.use_invite(bank.house, link, PASSKEY))
    with pytest.raises(NotFound):
        bank.house.transact(services.use_invite(bank.house, link, PASSKEY))


def test_a_link_lasts_a_quarter_of_an_hour(bank):
    link = invite(bank)
    bank.advance(14 * 60)
    found = opened(bank, link)
    bank.advance(61)
    closed(bank, link)
    with pytest.raises(NotFound):
        bank.house.transact(services.use_invite(bank.house, found, PASSKEY))


def test_a_link_works_where_it_was_made_for_only(bank):
    link = invite(bank, "198.51.100.0/24")
    assert closed(bank, link) == closed(bank, "hfe_guessed")
    assert opened(bank, link, "198.51.100.9").person == bank.agent.id


def test_a_newer_link_takes_the_place_of_an_older_one(bank):
    older = invite(bank)
    newer = invite(bank)
    closed(bank, older)
    assert opened(bank, newer)


def test_whoever_is_suspended_enrols_nothing(bank):
    link = invite(bank)
    act(bank, lambda house: people.suspend(house, "A0001"))
    closed(bank, link)
    with pytest.raises(Conflict):
        invite(bank)


def test_nobody_makes_a_link_for_themselves(bank):
    with pytest.raises(Refused):
        invite(bank, who=bank.admin)


@pytest.mark.parametrize("who", ["agent", "other"])
def test_an_agent_makes_no_link(bank, who):
    person = getattr(bank, who).id
    with pytest.raises(Refused):
        act(bank, lambda house: services.invite(house, "A0002", networks=()), person)


def test_the_link_itself_is_not_stored(bank):
    link = invite(bank)
    assert link.encode() not in bank.bytes_of_stores()
    assert hash_cookie(link) in bank.bytes_of_stores()


def test_whoever_made_the_link_counts_as_one_who_may_be_signed_in_by_it(bank):
    """They saw it: they could have enrolled a passkey of their own, and are no second person for that session."""
    link = opened(bank, invite(bank))
    assert link.issued_by == bank.admin
    work = services.sign_in(
        *(bank.house, bank.agent.id, hash_cookie("cookie")),
        method=PASSKEY,
        factor="1",
        seen_by=link.issued_by,
        browser=Browser(),
    )
    bank.house.transact(work)
    found = bank.house.read(sessions.signed_in(hash_cookie("cookie"), bank.clock.now_us()))
    assert found.seen_by == (bank.admin,)
    bank.connect()
    asked = msgspec.structs.replace(bank.asked(), secret_hash=hash_cookie("cookie"), session=True)
    bank.house.transact(reveal(bank.house, asked, bank.id_of("C00001"), ("name",)))


def test_every_step_stands_in_the_clients_log(bank):
    link = opened(bank, invite(bank))
    bank.house.transact(services.use_invite(bank.house, link, PASSKEY))
    assert len(bank.leaves("factor.invited")) == 2, "the house's log and the client's"
    assert {one["invited"] for one in bank.leaves("factor.enrolled")} == {True}
