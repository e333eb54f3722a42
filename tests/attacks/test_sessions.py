"""Somebody has, or guesses, or keeps a session of the console that is not theirs, or not any more."""

from __future__ import annotations

import msgspec.structs
import pytest

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, NotAuthenticated, NotFound
from holdfast.procedures.access.services import people as leaving
from holdfast.procedures.network import services
from holdfast.spine.administration.refusals import Refused as RefusedAct
from holdfast.spine.identity import sessions
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.identity.sessions import Browser, hash_cookie
from holdfast.spine.identity.store import KEEP_SESSION
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.turn.answers import Refused, Revealed
from holdfast.vocabulary.levels import AuthLevel, SignIn
from support.bank import new_bank

COOKIE = "the secret of a cookie, as long as it is random"
CUSTOMER = "C00001"
PASSKEY = SignIn.PASSKEY_DEVICE_BOUND


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    bank.connect()
    signed_in(bank)
    assert isinstance(look(bank), Revealed)
    yield bank
    bank.close()


def signed_in(bank, cookie=COOKIE, *, method=PASSKEY, person="", seen_by=""):
    """Begin a session, as the console does once a factor was shown."""
    work = services.sign_in(
        *(bank.house, person or bank.agent.id, hash_cookie(cookie)),
        method=method,
        factor="1",
        seen_by=seen_by,
        browser=Browser(peer="127.0.0.1", agent="a browser"),
    )
    return bank.house.transact(work)


def look(bank, *fields, cookie=COOKIE, contact="CT-1", card=False):
    asked = msgspec.structs.replace(
        bank.asked(contact), secret_hash=hash_cookie(cookie), session=True
    )
    work = reveal(bank.house, asked, bank.id_of(CUSTOMER), fields or ("name",), card=card)
    return bank.house.transact(work)


def in_session(bank, work, cookie=COOKIE):
    """Do what the person does at the console."""
    bank.house.session = hash_cookie(cookie)
    try:
        return bank.house.transact(work(bank.house))
    finally:
        bank.house.session = None


def live(bank, cookie=COOKIE):
    return bank.house.read(sessions.signed_in(hash_cookie(cookie), bank.clock.now_us()))


def keep(bank, cookie=COOKIE):
    bank.house.transact(sessions.keep(live(bank, cookie).id, bank.clock.now_us()))


def refused(bank, **more):
    with pytest.raises(NotAuthenticated):
        look(bank, **more)
    return True


def test_a_cookie_is_no_token_and_a_token_no_cookie(bank):
    as_token = msgspec.structs.replace(bank.asked(), secret_hash=hash_secret(COOKIE))
    with pytest.raises(NotAuthenticated):
        bank.house.transact(reveal(bank.house, as_token, bank.id_of(CUSTOMER), ("name",)))
    swapped = msgspec.structs.replace(bank.asked(), secret_hash=hash_cookie(COOKIE))
    with pytest.raises(NotAuthenticated):
        bank.house.transact(reveal(bank.house, swapped, bank.id_of(CUSTOMER), ("name",)))
    token = msgspec.structs.replace(bank.asked(), session=True)
    with pytest.raises(NotAuthenticated):
        bank.house.transact(reveal(bank.house, token, bank.id_of(CUSTOMER), ("name",)))


def test_a_copy_of_the_store_holds_nothing_that_signs_in(bank):
    stored = bank.bytes_of_stores()
    assert COOKIE.encode() not in stored
    assert hash_cookie(COOKIE) in stored, "the test looks where sessions are kept"
    assert refused(bank, cookie=hash_cookie(COOKIE).hex())


def test_a_session_ends_after_a_quarter_of_an_hour_without_its_person(bank):
    bank.advance(14 * 60)
    keep(bank)
    bank.advance(14 * 60)
    assert isinstance(look(bank), Revealed)
    bank.advance(61)
    assert live(bank) is None
    assert refused(bank)


def test_a_session_ends_after_a_shift_whatever_its_person_does(bank):
    ends = live(bank).ends_us
    assert ends - bank.clock.now_us() == 12 * HOUR_US
    while bank.clock.now_us() + 10 * MINUTE_US < ends:
        bank.advance(600)
        keep(bank)
    assert live(bank).expires_us == ends
    bank.advance(600)
    assert refused(bank)


def test_an_ended_session_shows_nothing_more_and_ends_once(bank):
    ident = live(bank).id
    in_session(bank, lambda house: services.end_session(house, ident))
    assert refused(bank)
    signed_in(bank, "another cookie")
    with pytest.raises(Conflict):
        in_session(bank, lambda house: services.end_session(house, ident), "another cookie")


def test_a_session_kept_alive_by_somebody_else_than_its_person_stays_ended(bank):
    ident = live(bank).id
    in_session(bank, lambda house: services.end_session(house, ident))
    bank.house.transact(sessions.keep(ident, bank.clock.now_us()))
    assert refused(bank)


def test_a_suspension_counts_in_the_session_on_the_next_look(bank):
    bank.suspend(bank.agent)
    answer = look(bank)
    assert isinstance(answer, Refused)
    assert [reason.rule for reason in answer.reasons] == ["person.not_suspended"]
    with pytest.raises(NotAuthenticated):
        signed_in(bank, "a new one")


def test_leaving_ends_every_session_in_the_same_transaction(bank):
    signed_in(bank, "on another device")
    bank.by(bank.admin, lambda house: leaving.leave(house, "A0001"))
    assert refused(bank)
    assert refused(bank, cookie="on another device")


def test_a_confirmation_lifts_this_contact_only_and_not_for_long(bank):
    first = look(bank, "balance")
    assert first.code == "step_up_required"
    in_session(bank, lambda house: services.confirm(house, first.challenge, PASSKEY))
    assert isinstance(look(bank, "balance"), Revealed)
    bank.connect("CT-2", number=1)
    other = look(bank, "balance", contact="CT-2")
    assert other.code == "step_up_required"
    bank.advance(5 * 60 + 1)
    bank.connect("CT-3", number=1)
    late = look(bank, "balance", contact="CT-3")
    assert late.code == "step_up_required"


def test_a_code_of_an_app_confirms_as_step_up_and_no_more(bank):
    challenge = look(bank, "balance").challenge
    level = in_session(bank, lambda house: services.confirm(house, challenge, SignIn.TOTP))
    assert level is AuthLevel.STEP_UP
    assert isinstance(look(bank, "balance"), Revealed)


def test_a_challenge_is_answered_once_and_by_its_own_person(bank):
    challenge = look(bank, "balance").challenge
    signed_in(bank, "of a colleague", person=bank.other.id)
    with pytest.raises(NotFound):
        in_session(
            bank, lambda house: services.confirm(house, challenge, PASSKEY), "of a colleague"
        )
    in_session(bank, lambda house: services.confirm(house, challenge, PASSKEY))
    with pytest.raises(Conflict):
        in_session(bank, lambda house: services.confirm(house, challenge, PASSKEY))


def test_a_colleague_ends_no_session_of_somebody_else(bank):
    signed_in(bank, "of a colleague", person=bank.other.id)
    with pytest.raises(RefusedAct):
        in_session(bank, lambda house: services.end_session(house, live(bank).id), "of a colleague")
    assert isinstance(look(bank), Revealed)


def test_nobody_in_the_console_acts_as_the_account_that_it_runs_as(bank):
    """The command line acts as the operating system's user; a page without a session acts as nobody."""
    bank.house.session = b""
    with pytest.raises(NotAuthenticated):
        bank.house.transact(services.invite(bank.house, "A0001", networks=()))


def test_the_card_shows_nothing_above_basic_in_clear(bank):
    answer = look(bank, "name", "acct", "card", "balance", card=True)
    shown = {name: one.shown for name, one in answer.fields.items()}
    assert shown == {"name": "clear", "acct": "masked", "card": "masked", "balance": "masked"}


def test_every_session_stands_in_the_clients_log_under_a_name_of_its_own(bank):
    opened = bank.leaves("session.opened")
    assert {one["method"] for one in opened} == {"passkey-device-bound"}
    names = {one["token"] for one in opened}
    assert len(names) == 2, "one in the house's log, one in the client's"
    assert live(bank).id in names


def test_the_store_has_no_way_to_prolong_a_session_beyond_its_last_moment(bank):
    session = live(bank)
    now = bank.clock.now_us()

    def work():
        yield Round(data=(KEEP_SESSION(id=session.id, now=now, until_us=now + 99 * HOUR_US),))

    bank.house.transact(work())
    assert live(bank).expires_us == session.ends_us
