"""Attacks on the second person: a contract that lets more be seen takes two administrators, for exactly this file."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from holdfast.kit.clock import DAY_US
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotAuthenticated, NotFound
from holdfast.procedures.access.services import people
from holdfast.procedures.access.services.assignments import Line, assign
from holdfast.spine.administration.approving import decide_request, waiting
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.vocabulary.levels import Role
from support.administering import CLIENT, CONTRACT, WIDER, WIDEST, Office, as_holder, issued
from support.holders import Holder, pem
from support.signing import Signer
from support.stores import raw


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path / "house")
    yield office
    office.close()


def alone(office, text, **more):
    """The command is refused: it takes a second person, and nothing is in force."""
    before = office.version()
    with pytest.raises(NeedsSecondPerson):
        office.publish(text, **more)
    assert office.version() == before


def test_two_administrators_widen_and_the_client_reads_what_and_who(office):
    office.decide(office.asked(WIDER))
    assert office.publish(WIDER).version == 2
    leaf = office.told("contract.published")[-1]
    assert leaf["changes"] == ["wider|reason bill, fields.subscribers|plan is new"]
    assert leaf["second"]
    assert leaf["second"] != leaf["by"]
    kinds = [leaf["type"] for log, leaf in office.leaves() if log == f"client-{CLIENT}"]
    assert kinds[-3:] == ["approval.requested", "approval.decided", "contract.published"]


def test_one_publishes_a_wider_contract_alone(office):
    alone(office, WIDER)
    alone(office, WIDER)  # trying again asks for no second approval
    rows = raw(office.data, "SELECT COUNT(*) FROM approvals_request")
    assert rows == [(1,)]


@pytest.mark.parametrize(
    "text",
    [
        CONTRACT.replace("It is no quiet hour.", "It is a quiet hour."),
        CONTRACT.replace('["secrets"]', '["nothing"]'),
        CONTRACT[: CONTRACT.index("[[rule]]")],
    ],
    ids=["reads otherwise", "another condition", "gone"],
)
def test_a_rule_of_the_contract_is_quietly_changed(office, text):
    alone(office, text)


def test_what_only_narrows_takes_nobody_else(office):
    assert office.publish(CONTRACT + "[budgets]\ncustomers_hour = 1\n").version == 2
    assert office.told("contract.published")[-1]["second"] == ""


def test_the_second_persons_rule_is_dropped_from_the_contract_by_one(office):
    strict = CONTRACT + '[administration]\nsecond_person = ["token"]\n'
    office.publish(strict)
    alone(office, CONTRACT)


def test_one_approves_their_own(office):
    approval = office.asked(WIDER)
    with pytest.raises(Refused) as caught:
        office.decide(approval, by=office.root)
    assert caught.value.rules == ("admin.second_person",)
    alone(office, WIDER)
    assert office.told("administration.refused")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_somebody_approves_who_might_not_do_it(office, role):
    approval = office.asked(WIDER)
    person = office.person("Z1", role, client=CLIENT)
    with pytest.raises(Refused):
        office.decide(approval, by=person)
    with office.acting_as(person):
        assert office.read(waiting(office)) == []
    alone(office, WIDER)


def test_a_suspended_administrator_approves(office):
    approval = office.asked(WIDER)
    office.transact(people.suspend(office, "second"))
    with pytest.raises(Refused):
        office.decide(approval, by=office.second)


def test_an_approval_of_somebody_who_was_suspended_since_is_used(office):
    office.decide(office.asked(WIDER))
    office.transact(people.suspend(office, "second"))
    alone(office, WIDER)


def test_the_file_is_changed_after_the_approval(office):
    office.decide(office.asked(WIDER))
    alone(office, WIDEST)
    alone(office, WIDER + "\n# the same, but for this\n")


def test_an_approval_is_used_twice(office):
    office.decide(office.asked(WIDER))
    office.publish(WIDER)
    office.publish(CONTRACT)
    alone(office, WIDER)


def test_an_approval_is_used_by_another(office):
    office.decide(office.asked(WIDER))
    alone(office, WIDER, by=office.third)


def test_an_approval_is_used_after_the_contract_in_force_has_changed(office):
    office.decide(office.asked(WIDER))
    office.publish(CONTRACT + "[budgets]\ncustomers_hour = 1\n")
    alone(office, WIDER)


def test_an_approval_is_kept_for_later(office):
    approval = office.asked(WIDER)
    office.clock.advance(DAY_US)
    with pytest.raises(Conflict):
        office.decide(approval)
    office.decide(office.asked(WIDER))
    office.clock.advance(DAY_US)
    alone(office, WIDER)


def test_a_refused_request_is_approved_after_all(office):
    approval = office.asked(WIDER)
    office.decide(approval, grant=False)
    with pytest.raises(Conflict):
        office.decide(approval, by=office.third)
    alone(office, WIDER)


def test_a_request_that_does_not_exist_is_approved(office):
    with pytest.raises(NotFound):
        office.decide("apr_01kb00000000000000000000000")


def test_two_administrators_stand_in_for_the_clients_signature(office):
    signer = Signer()
    first = signer.contract(CONTRACT, 2)
    office.decide(office.asked(first))
    office.publish(first)
    text = signer.contract(WIDER, 3)
    for signature in (b"", Signer(2).sign(text)):
        with pytest.raises(Denied) as caught:
            office.publish(text, signature=signature)
        assert caught.value.code in {"not_signed", "bad_signature"}
    with pytest.raises(NeedsSecondPerson) as needed:
        office.publish(text, signature=signer.sign(text))
    office.decide(needed.value.approval)
    assert office.publish(text, signature=signer.sign(text)).signed


def test_what_the_contract_names_takes_a_second_person_for_exactly_this_person_and_line(office):
    office.publish(CONTRACT + '[administration]\nsecond_person = ["assignment"]\n')
    line = Line(CLIENT, "cards", ("bills",))
    with pytest.raises(NeedsSecondPerson) as needed:
        office.transact(assign(office, "second", line, roles=(Role.AGENT,)))
    office.decide(needed.value.approval, by=office.third)
    with pytest.raises(NeedsSecondPerson):
        office.transact(assign(office, "third", line, roles=(Role.AGENT,)))
    with pytest.raises(NeedsSecondPerson):
        office.transact(assign(office, "second", line, roles=(Role.LEAD,)))
    with pytest.raises(Refused):  # the one who is to be assigned does not approve it
        office.decide(office_request(office, line), by=office.second)
    office.transact(assign(office, "second", line, roles=(Role.AGENT,)))


def office_request(office, line):
    with pytest.raises(NeedsSecondPerson) as needed:
        office.transact(assign(office, "second", line, roles=(Role.SECURITY,)))
    return needed.value.approval


def test_an_approval_of_somebody_whose_role_was_taken_away_since_is_used(office):
    office.decide(office.asked(WIDER))
    office.transact(people.set_roles(office, "second", [Role.DPO]))
    alone(office, WIDER)
    office.decide(office.asked(WIDER), by=office.third)  # the stale one does not stand in the way
    assert office.publish(WIDER).version == 2


@pytest.mark.parametrize("asks", ["root", "second"])
def test_one_is_both_administrators(office, asks):
    """They issued the token by which the second person acts, so they may sit there, too."""
    token = issued(office, "second")
    with as_holder(office, token) if asks == "second" else nullcontext():
        approval = asked(office, WIDER)
    with as_holder(office, token) if asks == "root" else nullcontext():
        not_independent(office, approval)
        office.transact(decide_request(office, approval, grant=False))  # which opens nothing


def test_one_issued_the_tokens_of_both_administrators(office):
    with as_holder(office, issued(office, "second")):
        approval = asked(office, WIDER)
    with as_holder(office, issued(office, "third")):
        not_independent(office, approval)


def test_one_lets_the_other_administrator_issue_themselves_a_token(office):
    """With the token that they issued they issue another in the same name; that one they have seen as well."""
    with as_holder(office, issued(office, "second")):
        own = issued(office, "second")
    with as_holder(office, own):
        third = issued(office, "third")
    approval = asked(office, WIDER)
    for token in (own, third):
        with as_holder(office, token):
            not_independent(office, approval)


def test_a_token_bound_to_its_holders_key_is_theirs_whoever_issued_it(office):
    holder = Holder()
    token = issued(office, "second", jkt=holder.jkt)
    approval = asked(office, WIDER)
    for key in ("", pem(Holder()), pem(holder, public=True)):
        with as_holder(office, token, key=key), pytest.raises((NotAuthenticated, InvalidInput)):
            office.transact(decide_request(office, approval, grant=True))
    with as_holder(office, token, key=pem(holder)):
        office.transact(decide_request(office, approval, grant=True))
    assert office.publish(WIDER).version == 2


def test_one_key_for_the_tokens_of_both_administrators(office):
    holder = Holder()
    with as_holder(office, issued(office, "third", jkt=holder.jkt), key=pem(holder)):
        approval = asked(office, WIDER)
    with as_holder(office, issued(office, "second", jkt=holder.jkt), key=pem(holder)):
        not_independent(office, approval, "somebody else")


def not_independent(office, approval, remedy="bound to a key"):
    with pytest.raises(Denied) as refused:
        office.transact(decide_request(office, approval, grant=True))
    assert refused.value.code == "not_independent"
    assert remedy in refused.value.remedy


def asked(office, text):
    with pytest.raises(NeedsSecondPerson) as needed:
        office.publish(text)
    return needed.value.approval
