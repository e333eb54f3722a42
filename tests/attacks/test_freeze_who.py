"""Freezing is the client's: whoever may not freeze, confirm or lift is refused, and the client is told."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import Conflict, Denied, NotAuthenticated, NotFound
from holdfast.spine.administration.approving import waiting
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.requests import load
from holdfast.spine.approvals.rules import Party
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.operations.freeze import Step
from holdfast.spine.turn.answers import FreezeRefused, FreezeStands, Refused, Revealed
from holdfast.vocabulary.levels import AuthLevel, Role
from support.bank import Agent, new_bank
from support.freezing import HOUR, acting, ask, here, person

CUSTOMER = "C00001"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    bank.connect()
    yield bank
    bank.close()


@pytest.fixture
def first(bank):
    return person(bank, "U0001")


@pytest.fixture
def second(bank):
    return person(bank, "U0002")


@pytest.fixture
def frozen(bank, first, second):
    """The bank, frozen by its first user."""
    assert isinstance(ask(bank, first), FreezeStands)
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Refused)
    return bank


def is_refused(bank, answer, code):
    """It is refused in these words, the client is told, and it is as frozen as before."""
    assert isinstance(answer, FreezeRefused), answer
    assert answer.code == code
    leaf = bank.leaves("signal.raised")[-1]
    assert leaf["signal"] == "freeze.refused"
    assert leaf["subject"].startswith("p_")


def still_frozen(bank):
    answer = bank.reveal(CUSTOMER, ["name"])
    assert isinstance(answer, Refused)
    assert {reason.rule for reason in answer.reasons} == {"client.open"}


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.DPO, Role.AUDITOR])
def test_somebody_of_the_house_lifts_a_freeze_alone(frozen, role):
    who = person(frozen, "H0001", house=(role,), roles=(role.value,))
    for lift in (ask, here):
        is_refused(frozen, lift(frozen, who, Step.UNFREEZE), "role_missing")
    still_frozen(frozen)


def test_an_administrator_lifts_a_freeze_alone(frozen):
    """Over the network never; on the command line not before another administrator has approved exactly this."""
    one = person(frozen, "H0001", house=(Role.ADMIN,), roles=())
    with pytest.raises(NotFound):
        ask(frozen, one, Step.UNFREEZE)
    with pytest.raises(NeedsSecondPerson) as needs:
        here(frozen, one, Step.UNFREEZE)
    with pytest.raises(Denied, match="nobody approves for themselves"):
        approve(frozen, needs.value.approval, one)
    with pytest.raises(NeedsSecondPerson):
        here(frozen, one, Step.UNFREEZE)
    still_frozen(frozen)


def test_the_approval_of_lifting_one_freeze_lifts_the_next(frozen, first, second):
    one = person(frozen, "H0001", house=(Role.ADMIN,), roles=())
    two = person(frozen, "H0002", house=(Role.ADMIN,), roles=())
    with pytest.raises(NeedsSecondPerson) as needs:
        here(frozen, one, Step.UNFREEZE)
    approve(frozen, needs.value.approval, two)
    ask(frozen, second, Step.UNFREEZE)
    ask(frozen, first)
    with pytest.raises(NeedsSecondPerson):
        here(frozen, one, Step.UNFREEZE)
    still_frozen(frozen)


def test_two_administrators_lift_it_and_the_line_says_so(frozen):
    one = person(frozen, "H0001", house=(Role.ADMIN,), roles=())
    two = person(frozen, "H0002", house=(Role.ADMIN,), roles=())
    with pytest.raises(NeedsSecondPerson) as needs:
        here(frozen, one, Step.UNFREEZE)
    approve(frozen, needs.value.approval, two)
    assert here(frozen, one, Step.UNFREEZE).state == "open"
    (leaf,) = frozen.leaves("client.unfrozen")
    assert leaf["by_house"] is True
    assert leaf["second"].startswith("p_")
    assert leaf["second"] != leaf["by"]


def test_what_waits_is_listed_for_who_might_approve_it_and_for_nobody_else(frozen):
    """Otherwise the second administrator learns of it by word of mouth only, or the first one's agent reads it."""
    one = person(frozen, "H0001", house=(Role.ADMIN,), roles=())
    two = person(frozen, "H0002", house=(Role.ADMIN,), roles=())
    other = person(frozen, "H0003", house=(Role.AUDITOR,), roles=())
    with pytest.raises(NeedsSecondPerson) as needs:
        here(frozen, one, Step.UNFREEZE)
    assert listed(frozen, two) == [needs.value.approval]
    assert listed(frozen, other) == listed(frozen, frozen.agent) == []
    approve(frozen, needs.value.approval, two)
    assert listed(frozen, two) == []


def listed(bank, who):
    with acting(bank, who):
        return [one.id for one in bank.house.read(waiting(bank.house))]


def approve(bank, ident, who):
    """Approve a request as the command does."""
    house = bank.house
    request = house.read(load(ident))
    party = Party(who.id, credential=who.credential)
    house.transact(decide(request, party, grant=True, now_us=bank.clock.now_us()))


def test_security_lifts_a_freeze_alone(frozen):
    who = person(frozen, "S0001", house=(Role.SECURITY,), roles=())
    is_refused(frozen, ask(frozen, who, Step.UNFREEZE), "role_missing")
    is_refused(frozen, here(frozen, who, Step.UNFREEZE), "role_missing")
    still_frozen(frozen)


def test_security_keeps_its_own_freeze_up_without_the_client(bank):
    who = person(bank, "S0001", house=(Role.SECURITY,), roles=())
    assert isinstance(ask(bank, who), FreezeStands)
    is_refused(bank, ask(bank, who, Step.CONFIRM), "role_missing")
    bank.advance(4 * HOUR)
    bank.connect("CT-2")
    assert isinstance(bank.reveal(CUSTOMER, ["name"], contact="CT-2"), Revealed)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.ADMIN, Role.DPO, Role.AUDITOR])
def test_somebody_of_the_house_freezes(bank, role):
    who = person(bank, "H0001", house=(role,), roles=(role.value,))
    is_refused(bank, ask(bank, who), "role_missing")
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)


def test_an_agent_who_is_made_a_user_of_the_client_as_well(frozen):
    """A second role at the client does not undo what the first one is."""
    who = person(frozen, "A0009", house=(Role.AGENT,), roles=("client_user",))
    is_refused(frozen, ask(frozen, who, Step.UNFREEZE), "role_missing")
    who = person(frozen, "A0010", roles=("agent", "client_user"))
    is_refused(frozen, ask(frozen, who, Step.UNFREEZE), "role_missing")
    still_frozen(frozen)


def test_a_user_who_is_made_for_the_purpose(frozen):
    """The house adds a user of the client after the freeze began, to lift or to prolong it."""
    who = person(frozen, "U0003")
    is_refused(frozen, ask(frozen, who, Step.UNFREEZE), "new_user")
    is_refused(frozen, ask(frozen, who, Step.CONFIRM), "new_user")
    still_frozen(frozen)


def test_a_user_of_another_client(bank, first):
    who = person(bank, "U0007", client="bank-02")
    for step in Step:
        with pytest.raises(NotFound, match="no such client"):
            ask(bank, who, step)
        with pytest.raises(Denied, match="bound to one device or client"):
            here(bank, who, step)
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)


def test_a_user_whose_token_is_bound_to_another_client(bank, first):
    other = bank.new_token(first, client="bank-02")
    with pytest.raises(NotFound):
        ask(bank, other)


def test_somebody_who_is_no_user_asks_of_a_client_that_does_not_exist(bank, first):
    """The same words as for a client that exists and is none of their business."""
    free = bank.new_token(first)
    with pytest.raises(NotFound) as absent:
        ask(bank, free, client="bank-99")
    with pytest.raises(NotFound) as hidden:
        ask(bank, bank.other, client="bank-02")
    assert (absent.value.message, absent.value.code) == (hidden.value.message, hidden.value.code)


def test_the_same_user_confirms_their_own_freeze(frozen, first, second):
    for confirm in (ask, here):
        is_refused(frozen, confirm(frozen, first, Step.CONFIRM), "second_person")
    # a second token, and a second assignment, are no second person
    again = frozen.new_token(first)
    frozen.sql("UPDATE identity_credential SET level = 3 WHERE id = ?", again.credential)
    is_refused(frozen, ask(frozen, again, Step.CONFIRM), "second_person")
    frozen.advance(4 * HOUR)
    frozen.connect("CT-2")
    assert isinstance(frozen.reveal(CUSTOMER, ["name"], contact="CT-2"), Revealed)


def test_the_same_user_confirms_twice(frozen, second):
    assert ask(frozen, second, Step.CONFIRM).confirmed
    with pytest.raises(Conflict):
        ask(frozen, second, Step.CONFIRM)
    assert len(frozen.leaves("client.freeze_confirmed")) == 1


def test_the_same_user_freezes_again_to_prolong(frozen, first):
    frozen.advance(3 * HOUR)
    with pytest.raises(Conflict, match="frozen already"):
        ask(frozen, first)
    frozen.advance(HOUR)
    frozen.connect("CT-2")
    assert isinstance(frozen.reveal(CUSTOMER, ["name"], contact="CT-2"), Revealed)


def test_a_plain_token_freezes_over_the_network(bank):
    """Whoever has stolen a user's plain token stops nobody's work."""
    who = person(bank, "U0001", level=AuthLevel.BEARER)
    answer = ask(bank, who)
    assert (answer.code, bool(answer.challenge)) == ("step_up_required", True)
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)
    # the second token that answers a challenge for a call does not answer this one
    bank.take_step_up(answer.challenge)
    bank.sql("UPDATE identity_credential SET contact = 'ct_other' WHERE kind = 'step_up'")
    assert ask(bank, who).code == "step_up_required"
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)


def test_a_service_freezes(bank):
    now = bank.clock.now_us()
    issued = bank.house.transact(
        issue(
            service="watch",
            life_us=10**12,
            now_us=now,
            bounds=Bounds(scopes=("log:bank-01",)),
        )
    )
    service = Agent("", "watch", issued.secret.reveal(), issued.id)
    with pytest.raises(NotAuthenticated):
        ask(bank, service)


def test_a_suspended_user(bank, first, second):
    bank.suspend(first)
    with pytest.raises(Denied):
        ask(bank, first)
    bank.revoke(second)
    with pytest.raises(NotAuthenticated):
        ask(bank, second)


def test_a_bound_token_administers_because_it_may_freeze(bank, first):
    """The exception is made for a freeze of this client, and for nothing else."""
    from holdfast.spine.identity.acting import acting_person

    with acting(bank, first):
        with pytest.raises(Denied) as refused:
            bank.house.read(acting_person(bank.house))
        assert refused.value.code == "bound_token"
        with pytest.raises(Denied):
            bank.house.read(acting_person(bank.house, bound_to="bank-02"))
        assert bank.house.read(acting_person(bank.house, bound_to="bank-01")).person == first.id


def test_two_users_freeze_confirm_and_lift(frozen, first, second):
    """What the attacks above are measured against."""
    done = ask(frozen, second, Step.CONFIRM)
    assert (done.state, done.until, done.confirmed) == ("frozen", "", True)
    frozen.advance(6 * HOUR)
    frozen.connect("CT-2")
    assert isinstance(frozen.reveal(CUSTOMER, ["name"], contact="CT-2"), Refused)
    assert here(frozen, first, Step.UNFREEZE).state == "open"
    assert isinstance(frozen.reveal(CUSTOMER, ["name"], contact="CT-2"), Revealed)
    kinds = [leaf["type"] for leaf in frozen.leaves() if leaf["type"].startswith("client.")]
    assert kinds[-3:] == ["client.frozen", "client.freeze_confirmed", "client.unfrozen"]
    assert frozen.leaves("client.unfrozen")[-1]["by_house"] is False
