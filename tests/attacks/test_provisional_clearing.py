"""Whose provisional contact no feed confirmed gets the privilege back from a lead of another line only (SPINE 10)."""

from __future__ import annotations

import pytest

from holdfast.edges.cli.provisional import cleared_by_acting
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, NotFound
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.identity.people import change_lead
from holdfast.spine.identity.store import SET_ROLES
from holdfast.spine.turn.answers import ProvisionalOpened
from holdfast.vocabulary.levels import Role
from support.answers import rules
from support.bank import new_punctual_bank
from support.freezing import acting, person


@pytest.fixture
def bank(tmp_path):
    """The agent opened a contact that the silent feed never told."""
    bank = new_punctual_bank(tmp_path)
    bank.advance(90)
    assert isinstance(bank.open_on_word("CT-9"), ProvisionalOpened)
    bank.advance(15 * 60 + 1)
    yield bank
    bank.close()


@pytest.fixture
def ident(bank):
    return bank.sql("SELECT id FROM purpose_provisional")[0][0]


def lead(bank, staff_id, *, works_here=True):
    """A lead with a token that administers."""
    made = person(bank, staff_id, house=(Role.LEAD,), roles=("lead",) if works_here else ())
    return bank.new_token(made)


def reports_to(bank, whom):
    assert bank.house.transact(change_lead(bank.agent.id, whom.id))


def clear(bank, who, ident):
    with acting(bank, who):
        return bank.house.transact(cleared_by_acting(bank.house, ident))


def refused(bank, who, ident):
    with pytest.raises(Refused) as error:
        clear(bank, who, ident)
    bank.advance(90)
    assert "provisional.trusted" in rules(bank.open_on_word("CT-10"))
    assert bank.leaves("provisional.cleared") == []
    return str(error.value)


def test_a_lead_of_another_line_gives_it_back(bank, ident):
    reports_to(bank, lead(bank, "L0001"))
    other = lead(bank, "L0002")
    assert clear(bank, other, ident).state == "cleared"
    assert isinstance(bank.open_on_word("CT-10"), ProvisionalOpened)
    leaf = bank.leaves("provisional.cleared")[-1]
    assert leaf["person"] == bank.leaves("provisional.opened")[0]["person"]
    assert leaf["by"] != leaf["person"]
    assert len(bank.leaves("provisional.unreconciled")) == 1  # it had not been written down yet
    with pytest.raises(Conflict):
        clear(bank, other, ident)


def test_the_persons_own_lead(bank, ident):
    own = lead(bank, "L0001")
    reports_to(bank, own)
    refused(bank, own, ident)


def test_a_lead_above_their_lead(bank, ident):
    own, above = lead(bank, "L0001"), lead(bank, "L0002")
    reports_to(bank, own)
    assert bank.house.transact(change_lead(own.id, above.id))
    refused(bank, above, ident)


def test_a_lead_of_the_same_client_while_nobody_is_entered_as_theirs(bank, ident):
    refused(bank, lead(bank, "L0001"), ident)
    assert clear(bank, lead(bank, "L0002", works_here=False), ident)


def test_by_themselves(bank, ident):
    def work():
        yield Round(data=(SET_ROLES(person=bank.agent.id, roles="agent,lead"),))

    bank.house.transact(work())
    reports_to(bank, lead(bank, "L0001"))
    said = refused(bank, bank.new_token(bank.agent), ident)
    assert said == "provisional.clear is refused by admin.other_line"


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN, Role.SECURITY, Role.AUDITOR])
def test_somebody_who_is_no_lead(bank, ident, role):
    refused(bank, person(bank, "X0001", house=(role,), roles=()), ident)


def test_one_that_still_waits_or_was_confirmed(tmp_path):
    bank = new_punctual_bank(tmp_path)
    bank.advance(90)
    ident = bank.open_on_word("CT-9").provisional
    other = lead(bank, "L0001", works_here=False)
    with pytest.raises(Conflict):
        clear(bank, other, ident)
    bank.hear_late(ago=5)
    with pytest.raises(Conflict):
        clear(bank, other, ident)
    with pytest.raises(NotFound):
        clear(bank, other, "prv_00000000000000000000000000")
    assert bank.leaves("provisional.cleared") == []
    bank.close()
