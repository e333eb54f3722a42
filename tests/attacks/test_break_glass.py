"""Attacks on the break-glass: it stands in for the contact, briefly and for few customers, and for nothing else."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from holdfast.drills.bank.build import import_customers
from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.spine.operations.breaking import Emergency, break_glass, end_glass
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.search import search
from holdfast.spine.operations.update import update
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Found, FreezeStands, Refused, Revealed, Verified
from holdfast.vocabulary.levels import GlassReason, Role
from support import freezing
from support.answers import rules, text_of
from support.approving import WITH_APPROVAL, approving_bank
from support.at_once import in_threads
from support.bank import customer

FORGED = "gls_" + "0" * 26
ON_CALL = WITH_APPROVAL + '\n[approval]\nroles = ["dpo"]\non_call = ["U0007"]\n'


@pytest.fixture
def bank(tmp_path):
    bank = approving_bank(tmp_path / "house")
    yield bank
    bank.close()


def ask(bank, *, agent=None, customers=5, minutes=30, call="card-lost", client="bank-01"):
    wanted = Emergency(client, GlassReason.LIFE_SAFETY, call, customers, minutes)
    who = bank.who(agent, device="desk-1")
    return bank.house.transact(break_glass(bank.house, who, wanted)).approval


def opened(bank, **more):
    ident = ask(bank, **more)
    bank.decide(ident)
    return bank.show(ident, bank.agent).glass


def asked(bank, glass, **more):
    given = bank.asked("", **more)
    return msgspec.structs.replace(given, glass=glass, contact_ref=glass)


def find(bank, glass, number=1, **more):
    work = search(bank.house, asked(bank, glass, **more), "phone", customer(number)["phone"])
    return bank.house.transact(work)


def look(bank, glass, number=1, fields=("name",), **more):
    name = bank.id_of(f"C{number:05d}")
    return bank.house.transact(reveal(bank.house, asked(bank, glass, **more), name, fields))


def test_with_a_second_person_a_customer_who_was_found_is_seen(bank):
    glass = opened(bank)
    assert isinstance(find(bank, glass), Found)
    shown = look(bank, glass)
    assert isinstance(shown, Revealed)
    assert shown.fields["name"].value == customer(1)["name"]
    (leaf,) = bank.leaves("glass.opened")
    (signal,) = bank.leaves("signal.raised")
    assert (leaf["glass"], leaf["reason"], leaf["call"]) == (glass, "life_safety", "card-lost")
    assert leaf["person"] != leaf["second"]
    assert signal["signal"] == "glass.opened"
    assert {line["glass"] for line in bank.leaves("decision.made")[-2:]} == {glass}
    assert bank.leaves("decision.made")[-1]["contact"] == ""


def test_nothing_opens_without_a_second_person(bank):
    ident = ask(bank)
    assert bank.show(ident, bank.agent).glass == ""
    with pytest.raises(Denied):
        bank.decide(ident, bank.agent)
    assert not bank.leaves("glass.opened")
    assert rules(look(bank, FORGED)) == {"contact.yours"}


def test_nothing_opens_where_nobody_could_approve(bank):
    bank.publish(WITH_APPROVAL + '\n[approval]\nroles = ["dpo"]\n')
    with pytest.raises(Denied) as refused:
        ask(bank)
    assert refused.value.code == "no_second_person"
    assert not bank.leaves("approval.requested")


def test_a_refusal_opens_nothing(bank):
    ident = ask(bank)
    bank.decide(ident, grant=False)
    assert not bank.leaves("glass.opened")


def test_who_is_on_call_at_the_client_opens_it_and_approves_nothing_else(bank):
    bank.publish(ON_CALL)
    user = bank.person("U0007", Role.CLIENT_USER)
    assert bank.decide(ask(bank), user).state == "used"
    bank.connect()
    with pytest.raises(NotFound):
        bank.decide(bank.asked_for(), user)


def test_who_is_on_call_is_shown_a_waiting_break_glass_and_nothing_else(bank):
    bank.publish(ON_CALL)
    user = bank.person("U0007", Role.CLIENT_USER)
    other = bank.person("U0008", Role.CLIENT_USER)
    bank.connect()
    bank.asked_for()
    ident = ask(bank)
    assert [one.approval for one in bank.listed(user).approvals] == [ident]
    assert bank.show(ident, user).approval == ident
    assert bank.listed(other).approvals == ()
    with pytest.raises(NotFound):
        bank.show(ident, other)
    bank.decide(ident, user)
    assert bank.listed(user).approvals == ()


def test_who_is_on_call_elsewhere_is_not_shown_it(bank):
    """By the address from which the client lets nobody look, and with a token for another client."""
    bank.publish(ON_CALL + '\n[networks]\nallowed = ["127.0.0.0/8"]\n')
    user = bank.person("U0007", Role.CLIENT_USER)
    ident = ask(bank)
    assert [one.approval for one in bank.listed(user).approvals] == [ident]
    assert bank.listed(bank.new_token(user, client="bank-02")).approvals == ()
    bank.peer = "192.0.2.7"
    assert bank.listed(user).approvals == ()


def test_an_agent_with_the_staff_id_of_who_is_on_call(bank):
    """They are no user of the client: they are neither the second person whom there must be, nor shown anything."""
    bank.publish(ON_CALL)
    agent = bank.person("U0007", Role.AGENT)
    with pytest.raises(Denied) as refused:
        ask(bank)
    assert refused.value.code == "no_second_person"
    bank.person("D0001", Role.DPO)
    ident = ask(bank)
    assert bank.listed(agent).approvals == ()
    with pytest.raises(NotFound):
        bank.decide(ident, agent)


def test_an_agent_opens_a_colleagues(bank):
    ident = ask(bank)
    with pytest.raises(NotFound):
        bank.decide(ident, bank.other)


@pytest.mark.parametrize(
    "more", [{"customers": 6}, {"customers": 0}, {"minutes": 31}, {"minutes": 0}, {"call": "loan"}]
)
def test_more_than_the_most_is_asked_for(bank, more):
    with pytest.raises(InvalidInput):
        ask(bank, **more)


def test_somebody_who_does_not_work_for_the_client(bank):
    stranger = bank.person("X0001", Role.AGENT, client="")
    with pytest.raises(NotFound) as here:
        ask(bank, agent=stranger)
    with pytest.raises(NotFound) as nowhere:
        ask(bank, agent=stranger, client="bank-99")
    assert here.value.message == nowhere.value.message


def test_a_customer_who_was_not_found_under_it(bank):
    glass = opened(bank)
    assert rules(look(bank, glass, 2)) == {"customer.bound"}


def test_a_sixth_customer(bank):
    bank.customers |= import_customers(bank.house, bank.admin, [customer(6)])
    bank.publish(WITH_APPROVAL.replace("values_per_contact = 3", "values_per_contact = 9"))
    glass = opened(bank)
    for number in range(1, 6):
        find(bank, glass, number)
        assert isinstance(look(bank, glass, number), Revealed)
    assert isinstance(find(bank, glass, 6), Found)
    assert rules(look(bank, glass, 6)) == {"customer.bound"}
    assert isinstance(look(bank, glass, 1), Revealed)


def test_beyond_its_time(bank):
    glass = opened(bank, minutes=10)
    find(bank, glass)
    bank.clock.advance(10 * MINUTE_US)
    assert rules(look(bank, glass)) == {"contact.yours"}
    assert rules(find(bank, glass)) == {"contact.yours"}


def test_after_it_was_ended(bank):
    glass = opened(bank)
    find(bank, glass)
    look(bank, glass)
    with pytest.raises(NotFound):
        bank.house.transact(end_glass(bank.house, bank.who(bank.other), glass))
    bank.house.transact(end_glass(bank.house, bank.who(), glass))
    assert rules(look(bank, glass)) == {"contact.yours"}
    (leaf,) = bank.leaves("glass.closed")
    assert (leaf["glass"], leaf["customers"]) == (glass, 1)
    with pytest.raises(NotFound):
        bank.house.transact(end_glass(bank.house, bank.who(), glass))


def test_somebody_elses(bank):
    glass = opened(bank)
    find(bank, glass)
    assert rules(look(bank, glass, agent=bank.other)) == {"contact.yours"}


def test_it_is_opened_under_another_contract_than_it_was_asked_for(bank):
    ident = ask(bank)
    bank.publish(WITH_APPROVAL.replace('label = "Lost or stolen card"', 'label = "Lost card"'))
    with pytest.raises(Conflict) as error:
        bank.decide(ident)
    assert error.value.code == "approval_closed"
    assert not bank.leaves("glass.opened")
    assert bank.decide(ident, grant=False).state == "refused"


def test_its_approver_was_suspended_since(bank):
    glass = opened(bank)
    find(bank, glass)
    assert isinstance(look(bank, glass), Revealed)
    bank.sql("UPDATE identity_person SET state = 'suspended' WHERE id = ?", bank.lead.id)
    assert rules(look(bank, glass)) == {"contact.yours"}


def test_it_is_opened_once(bank):
    ident = ask(bank)
    bank.decide(ident)
    with pytest.raises(Conflict):
        bank.decide(ident, bank.lead2)
    assert len(bank.leaves("glass.opened")) == 1


def test_it_shows_only_the_field_set_of_its_call_and_no_more_than_a_call_would(bank):
    glass = opened(bank)
    find(bank, glass)
    answer = look(bank, glass, fields=("name", "email", "card", "balance", "national_id"))
    assert answer.fields["name"].shown == "clear"
    assert answer.fields["card"].shown == "masked"
    for name in ("email", "balance", "national_id"):
        assert answer.fields[name].shown == "withheld"
        assert customer(1)[name] not in text_of(answer)


def test_what_needs_an_approval_needs_it_still(bank):
    glass = opened(bank, call="dispute")
    find(bank, glass)
    assert look(bank, glass, fields=("acct",)).code == "approval_required"


def test_nothing_is_changed_under_it(bank):
    glass = opened(bank, call="contact-change")
    find(bank, glass)
    given = asked(bank, glass)
    work = update(bank.house, given, bank.id_of("C00001"), {"address": "9 Example Road"})
    assert "glass.looks" in rules(bank.house.transact(work))


def test_it_verifies(bank):
    glass = opened(bank)
    find(bank, glass)
    answers = {"dob": customer(1)["dob"]}
    work = verify(bank.house, asked(bank, glass), bank.id_of("C00001"), answers)
    answer = bank.house.transact(work)
    assert isinstance(answer, Verified)
    assert answer.match


def test_it_lifts_no_freeze(bank):
    bank.publish(WITH_APPROVAL + '\n[freeze]\nexempt_reasons = ["card-lost"]\n')
    glass = opened(bank)
    find(bank, glass)
    users = [freezing.person(bank, staff_id) for staff_id in ("U0001", "U0002")]
    assert isinstance(freezing.ask(bank, users[0]), FreezeStands)
    assert rules(look(bank, glass)) == {"client.open"}
    with pytest.raises(Denied):
        ask(bank, customers=1)


def test_it_adds_to_no_budget(bank):
    bank.publish(WITH_APPROVAL.replace("customers_hour = 20", "customers_hour = 1"))
    glass = opened(bank)
    for number in (1, 2):
        find(bank, glass, number)
    assert isinstance(look(bank, glass, 1), Revealed)
    assert rules(look(bank, glass, 2)) == {"budget.customers_hour"}


def test_a_suspended_person_uses_it(bank):
    glass = opened(bank)
    find(bank, glass)
    bank.suspend(bank.agent)
    assert rules(look(bank, glass)) == {"person.not_suspended"}


def test_five_at_once_where_one_is_left_see_one(bank):
    glass = opened(bank, customers=1)
    bank.publish(WITH_APPROVAL.replace("values_per_contact = 3", "values_per_contact = 9"))
    for number in range(1, 6):
        assert isinstance(find(bank, glass, number), Found)

    def look(house, number):
        name = bank.id_of(f"C{number:05d}")
        return partial(reveal, house, asked(bank, glass), name, ("name",))

    answers = in_threads(bank, look, 5)
    assert sum(isinstance(answer, Revealed) for answer in answers) == 1
    assert sum(isinstance(answer, Refused) for answer in answers) == 4


def test_two_at_once_for_ten_customers(bank):
    """The limits of one are the limits of a person: the next one opens when this one is over."""
    first = opened(bank)
    again = ask(bank, minutes=29)
    with pytest.raises(Conflict):
        bank.decide(again)
    assert bank.sql("SELECT COUNT(*) FROM approvals_glass") == [(1,)]
    assert bank.state_of(again) == "asked"
    bank.house.transact(end_glass(bank.house, bank.who(), first))
    bank.decide(again)
    assert bank.show(again, bank.agent).glass
