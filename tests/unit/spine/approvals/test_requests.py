"""Asking, finding, granting and taking, on a real store."""

from __future__ import annotations

import hashlib

import pytest

from holdfast.kit.clock import DAY_US, MINUTE_US
from holdfast.kit.errors import Conflict, Denied
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.requests import Wanted, ask, commitment, granted, load, take
from holdfast.spine.approvals.rules import Limits, Party
from holdfast.spine.identity.people import change_lead, change_state
from holdfast.vocabulary.levels import ApprovalKind, PersonState, Role
from support.admin import AdminHouse
from support.admin import ask as query


@pytest.fixture
def house(tmp_path):
    house = AdminHouse(tmp_path / "house")
    yield house
    house.close()


@pytest.fixture
def agent(house):
    return Party(house.person("A1", Role.AGENT, client="bank-01"), "desk-1", "crd_1")


@pytest.fixture
def lead(house):
    return Party(house.person("L1", Role.LEAD, client="bank-01"), "desk-9", "crd_9")


def wanted(by, *, what="a", kind=ApprovalKind.LOOK, clients=("bank-01",)):
    return Wanted(
        kind=kind,
        operation="reveal",
        requester=by,
        digest=hashlib.sha256(what.encode()).digest(),
        clients=clients,
        subject={"iban": "clear"},
        policies="p1",
    )


def asked(house, by, **more):
    return house.transact(ask(wanted(by, **more), now_us=house.clock.now_us()))


def decided(house, ident, by, *, grant=True, **more):
    request = house.read(load(ident))
    return house.transact(decide(request, by, grant=grant, now_us=house.clock.now_us(), **more))


def taken(house, request):
    return bool(house.transact(query(take(request, now_us=house.clock.now_us())))[0])


def leaves(house, kind):
    return [(log, leaf) for log, leaf in house.leaves() if leaf["type"] == kind]


def test_a_request_is_granted_and_taken_once(house, agent, lead):
    ident = asked(house, agent)
    assert house.read(load(ident)).standing(house.clock.now_us()) == "asked"
    request = decided(house, ident, lead)
    assert (request.decided_by, request.usable(house.clock.now_us())) == (lead.person, True)
    (found,) = house.read(granted(wanted(agent), now_us=house.clock.now_us()))
    assert found.id == ident
    assert taken(house, request)
    assert not taken(house, request)
    assert house.read(granted(wanted(agent), now_us=house.clock.now_us())) == []


def test_an_equal_open_request_is_not_doubled(house, agent):
    first = asked(house, agent)
    assert asked(house, agent) == first
    assert asked(house, agent, what="b") != first
    assert len(leaves(house, "approval.requested")) == 2


def test_an_equal_request_of_somebody_else_is_another(house, agent, lead):
    assert asked(house, agent) != asked(house, lead)


def test_after_a_refusal_it_is_asked_anew(house, agent, lead):
    first = asked(house, agent)
    assert decided(house, first, lead, grant=False).state == "refused"
    assert asked(house, agent) != first


def test_leaves_say_who_asked_and_who_decided(house, agent, lead):
    ident = asked(house, agent)
    decided(house, ident, lead)
    ((log, request),) = leaves(house, "approval.requested")
    ((_, decision),) = leaves(house, "approval.decided")
    stored = house.read(load(ident))
    assert log == "client-bank-01"
    assert request["subject"] == commitment(stored.digest, stored.salt)
    assert request["person"] == decision["requester"] != decision["person"]
    assert (decision["outcome"], decision["share"], decision["of"]) == ("granted", 100, 1)


def test_what_concerns_no_client_stands_in_the_house_log(house, agent, lead):
    ident = asked(house, agent, kind=ApprovalKind.ADMINISTER, clients=())
    decided(house, ident, lead)
    assert {log for log, _ in house.leaves()} == {"house"}


def test_what_concerns_two_clients_stands_in_both_logs(house, agent, lead):
    ident = asked(house, agent, kind=ApprovalKind.ADMINISTER, clients=("bank-01", "bank-02"))
    decided(house, ident, lead)
    told = [log for log, _ in leaves(house, "approval.decided")]
    assert told == ["client-bank-01", "client-bank-02"]


def test_it_lapses(house, agent, lead):
    ident = asked(house, agent)
    house.clock.advance(15 * MINUTE_US)
    with pytest.raises(Conflict, match="lapsed"):
        decided(house, ident, lead)


def test_a_granted_one_lapses_too(house, agent, lead):
    request = decided(house, asked(house, agent), lead)
    house.clock.advance(15 * MINUTE_US)
    assert not request.usable(house.clock.now_us())
    assert not taken(house, request)


def test_administration_has_a_day_after_the_decision(house, agent, lead):
    ident = asked(house, agent, kind=ApprovalKind.ADMINISTER)
    house.clock.advance(DAY_US - 1)
    request = decided(house, ident, lead)
    house.clock.advance(DAY_US - 1)
    assert taken(house, request)


def test_it_is_decided_once(house, agent, lead):
    ident = asked(house, agent)
    decided(house, ident, lead)
    with pytest.raises(Conflict, match="granted"):
        decided(house, ident, lead, grant=False)


def test_an_approver_who_is_suspended_since_has_approved_nothing(house, agent, lead):
    request = decided(house, asked(house, agent), lead)
    house.transact(change_state(lead.person, PersonState.ACTIVE, PersonState.SUSPENDED))
    assert not house.read(load(request.id)).usable(house.clock.now_us())
    assert house.read(granted(wanted(agent), now_us=house.clock.now_us())) == []
    assert not taken(house, request)


def test_a_pair_has_a_limit_in_a_shift(house, agent, lead):
    limits = Limits(per_pair=2)
    for what in "ab":
        decided(house, asked(house, agent, what=what), lead, limits=limits)
    third = asked(house, agent, what="c")
    with pytest.raises(Denied, match="for this person") as refused:
        decided(house, third, lead, limits=limits)
    assert refused.value.code == "approval_limit"
    house.clock.advance(12 * 60 * MINUTE_US)
    decided(house, asked(house, agent, what="d"), lead, limits=limits)


def test_an_approver_has_a_limit_in_a_shift(house, agent, lead):
    limits = Limits(per_approver=1)
    decided(house, asked(house, agent), lead, limits=limits)
    other = Party(house.person("A2", Role.AGENT, client="bank-01"))
    with pytest.raises(Denied, match="for this client"):
        decided(house, asked(house, other), lead, limits=limits)


def test_a_refusal_is_not_limited(house, agent, lead):
    limits = Limits(per_pair=1)
    decided(house, asked(house, agent), lead, limits=limits)
    assert decided(house, asked(house, agent, what="b"), lead, grant=False, limits=limits)


def test_one_approver_for_half_of_four_is_told(house, agent, lead):
    other = Party(house.person("L2", Role.LEAD, client="bank-01"))
    for what, by in zip("abcd", (lead, other, lead, other), strict=True):
        decided(house, asked(house, agent, what=what), by)
    ((log, raised),) = leaves(house, "signal.raised")
    assert (log, raised["signal"], raised["count"]) == ("client-bank-01", "approval.pair", 2)


def test_the_line_above_is_not_independent_where_the_contract_says_so(house, agent, lead):
    middle = house.person("M1", Role.LEAD)
    house.transact(change_lead(agent.person, middle))
    house.transact(change_lead(middle, lead.person))
    ident = asked(house, agent)
    with pytest.raises(Denied, match="reporting line"):
        decided(house, ident, lead, limits=Limits(other_line=True))
    decided(house, ident, lead)


def test_the_line_below_is_not_independent_either(house, agent, lead):
    house.transact(change_lead(agent.person, lead.person))
    ident = asked(house, lead)
    with pytest.raises(Denied, match="reporting line"):
        decided(house, ident, agent, limits=Limits(other_line=True))


def test_a_line_is_never_a_circle(house, agent, lead):
    house.transact(change_lead(agent.person, lead.person))
    with pytest.raises(Conflict):
        house.transact(change_lead(lead.person, agent.person))
    with pytest.raises(Conflict):
        house.transact(change_lead(lead.person, lead.person))
