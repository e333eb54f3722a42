"""Somebody who left, or works on something else now, goes on as before."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from holdfast.kit.clock import SystemClock
from holdfast.kit.errors import Conflict, NotAuthenticated, NotFound
from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import assignments, people
from holdfast.procedures.access.services.assignments import Line
from holdfast.procedures.network import services as signing_in
from holdfast.spine.administration.refusals import Refused as RefusedAct
from holdfast.spine.approvals.requests import Wanted, ask
from holdfast.spine.approvals.rules import Party
from holdfast.spine.identity.sessions import Browser, hash_cookie
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.turn.answers import Revealed
from holdfast.vocabulary.levels import ApprovalKind, SignIn
from support.bank import CLIENT, new_bank
from support.live import LiveBank

COOKIE = "a cookie's secret, as long as it is random"
HERE = Line(CLIENT, "cards-in", ())


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    bank.connect()
    assert isinstance(bank.reveal("C00001", ["name"]), Revealed)
    yield bank
    bank.close()


def as_admin(bank, work):
    return bank.by(bank.admin, work)


def lines_of(bank):
    return bank.sql(
        "SELECT client, programme, starts_us, ends_us FROM identity_assignment WHERE person = ? ORDER BY id",
        bank.agent.id,
    )


def sign_in(bank):
    bank.house.transact(
        signing_in.sign_in(
            *(bank.house, bank.agent.id, hash_cookie(COOKIE)),
            method=SignIn.PASSKEY_DEVICE_BOUND,
            factor="1",
            seen_by="",
            browser=Browser(),
        )
    )


def test_whatever_a_leaver_had_in_hand_is_worth_nothing_on_the_next_request(bank):
    sign_in(bank)
    link = as_admin(bank, lambda house: signing_in.invite(house, "A0001", networks=()))
    as_admin(bank, lambda house: people.leave(house, "A0001"))
    with pytest.raises(NotAuthenticated):
        bank.reveal("C00001", ["name"])
    asked = msgspec.structs.replace(bank.asked(), secret_hash=hash_cookie(COOKIE), session=True)
    with pytest.raises(NotAuthenticated):
        bank.house.transact(reveal(bank.house, asked, bank.id_of("C00001"), ("name",)))
    with pytest.raises(NotFound):
        bank.house.read(
            signing_in.invited(link.secret.reveal(), peer="", now_us=bank.clock.now_us())
        )
    with pytest.raises(NotAuthenticated):
        sign_in(bank)
    now_us = bank.clock.now_us()
    assert all(ends <= now_us for *_, ends in lines_of(bank))
    assert not bank.sql(
        "SELECT 1 FROM identity_credential WHERE person = ? AND revoked_us IS NULL", bank.agent.id
    )


def test_what_a_leaver_asked_a_second_person_for_is_granted_no_more(bank):
    bank.sql("UPDATE identity_person SET roles = 'agent' WHERE id = ?", bank.agent.id)
    asked_us = bank.clock.now_us()
    bank.house.transact(_asked(bank, asked_us))
    as_admin(bank, lambda house: people.leave(house, "A0001"))
    ((expires_us,),) = bank.sql(
        "SELECT expires_us FROM approvals_request WHERE requester = ?", bank.agent.id
    )
    assert expires_us <= bank.clock.now_us()


def _asked(bank, now_us):
    return ask(
        Wanted(
            kind=ApprovalKind.ADMINISTER,
            operation="restore",
            requester=Party(bank.agent.id, "", ""),
            digest=b"d" * 32,
            clients=(CLIENT,),
            summary={},
        ),
        now_us=now_us,
    )


def test_a_badge_is_waited_for_until_somebody_says_that_it_is_back_and_only_once(bank):
    as_admin(bank, lambda house: people.leave(house, "A0001"))
    (waiting,) = as_admin(bank, people.badges_out)
    assert waiting["staff_id"] == "A0001"
    as_admin(bank, lambda house: people.badge_returned(house, "A0001"))
    assert as_admin(bank, people.badges_out) == []
    with pytest.raises(Conflict):
        as_admin(bank, lambda house: people.badge_returned(house, "A0001"))
    assert len(bank.leaves("person.badge_returned")) == 1


def test_a_mover_never_holds_both_lines(bank):
    """What ends, ends at the very moment at which the other begins, and stands in the log before it."""
    bank.advance(60)
    as_admin(bank, lambda house: assignments.move(house, "A0001", Line(CLIENT, "cards-in", ())))
    spans = [(starts, ends) for _, _, starts, ends in lines_of(bank)]
    assert len(spans) == 2
    for (_, ended), (begins, _) in pairwise(spans):
        assert ended is not None
        assert ended <= begins
    kinds = [one["type"] for one in bank.leaves() if one["type"].startswith("person.")]
    last = [kind for kind in kinds if kind in {"person.unassigned", "person.assigned"}][-4:]
    assert last.index("person.unassigned") < last.index("person.assigned")


def test_a_move_that_is_refused_leaves_the_person_where_they_were(bank):
    before = lines_of(bank)
    with pytest.raises((RefusedAct, NotFound, Conflict)):
        as_admin(
            bank,
            lambda house: assignments.move(house, bank.admin, Line(CLIENT, "cards-in", ())),
        )
    assert lines_of(bank) == before
    sign_in(bank)
    bank.house.session = hash_cookie(COOKIE)
    with pytest.raises(RefusedAct):
        bank.house.transact(assignments.move(bank.house, "A0002", HERE))
    bank.house.session = None
    assert lines_of(bank) == before


@pytest.mark.server
def test_the_time_to_zero_access_is_that_of_one_transaction(tmp_path, capsys):
    """Printed, not judged: how long after the act was asked for the leaver's next request was refused."""
    with LiveBank(tmp_path / "house") as bank:
        bank.connect()
        assert bank.reveal("name").status == 200
        clock = SystemClock()
        house = bank.house()
        house.settings = replace(house.settings, token=Secret(bank.admin_token))
        before_us = clock.now_us()
        house.transact(people.leave(house, "A0001"))
        done_us = clock.now_us()
        refused = bank.reveal("name")
        after_us = clock.now_us()
        house.close()
        assert refused.status == 401
        with capsys.disabled():
            sys.stdout.write(
                f"\ntime to zero access: {(done_us - before_us) / 1000:.1f} ms to commit, "
                f"{(after_us - before_us) / 1000:.1f} ms until the refusal was in hand\n"
            )
