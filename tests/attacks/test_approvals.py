"""Attacks on approvals: a second, independent person says yes to exactly one thing, and it is used once (SPINE 15)."""

from __future__ import annotations

import dataclasses
import json
from functools import partial

import msgspec
import pytest

from holdfast.kit.clock import DAY_US, MINUTE_US
from holdfast.kit.errors import Conflict, Denied, NotFound
from holdfast.kit.ids import new_id
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.identity.people import change_lead
from holdfast.spine.operations.act import Wanted
from holdfast.spine.operations.approve import decide_approval
from holdfast.spine.operations.asking import ask_approval
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.turn.answers import Acted, Ambiguous, FreezeStands, Refused, Revealed, Updated
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.shred import request_shred
from holdfast.spine.vault.writer import BatchWriter
from holdfast.vocabulary.levels import Role
from support import acting, freezing
from support.answers import rules, text_of
from support.approving import WITH_APPROVAL, approving_bank
from support.at_once import in_one_turn, in_threads
from support.bank import customer
from support.second import SecondClient
from support.stores import raw

NOBODY = "apr_" + "0" * 26


@pytest.fixture
def bank(tmp_path):
    bank = approving_bank(tmp_path / "house")
    bank.connect()
    yield bank
    bank.close()


def value(answer, rule="field.approval"):
    """What the refusal says of the approval."""
    assert isinstance(answer, Refused), answer
    assert any(reason.rule == rule for reason in answer.reasons), answer
    return next(reason.value for reason in answer.reasons if reason.rule == rule)


def not_approved(bank, answer, word, ident=None, state="granted"):
    assert value(answer) == word
    assert customer(1)["acct"] not in text_of(answer)
    if ident is not None:
        assert bank.state_of(ident) == state
    assert bank.leaves("decision.made")[-1]["approval"] == ""


ELSE = "the approval is for something else"


# ── what it is for ──────────────────────────────────────────────────────────────────────────────────────────────


def test_without_an_approval_the_way_to_one_is_told(bank):
    answer = bank.reveal("C00001", ["acct"])
    assert answer.code == "approval_required"
    assert {reason.remedy.href for reason in answer.reasons} == {"/v1/approvals"}


def test_with_one_the_field_is_shown_once_and_the_line_names_it(bank):
    ident = bank.granted(bank.asked_for())
    answer = bank.reveal_with(ident)
    assert isinstance(answer, Revealed)
    assert answer.fields["acct"].value == customer(1)["acct"]
    assert bank.leaves("decision.made")[-1]["approval"] == ident
    not_approved(bank, bank.reveal_with(ident), "the approval is used", ident, "used")


def test_a_change_is_approved_once_too(bank):
    change = {"address": "9 Example Street, Springfield"}
    ident = bank.granted(bank.ask(bank.update("C00001", change)))
    assert isinstance(bank.update_with(ident, "C00001", change), Updated)
    again = bank.update_with(ident, "C00001", change)
    assert value(again) == "the approval is used"


def test_another_value_than_the_one_that_was_approved(bank):
    ident = bank.granted(bank.ask(bank.update("C00001", {"address": "9 Example Road"})))
    answer = bank.update_with(ident, "C00001", {"address": "10 Example Road"})
    not_approved(bank, answer, ELSE, ident)
    assert "9 Example Road" not in json.dumps(bank.leaves("approval.requested"))
    assert bank.leaves("approval.requested")[-1]["fields"] == {"address": "clear"}


def test_another_record_than_the_one_that_was_approved(bank):
    record = bank.sql("SELECT id FROM vault_record WHERE customer = ?", bank.id_of("C00001"))[0][0]
    ident = bank.granted(bank.ask(bank.reveal("C00001", ["acct"], record=record)))
    not_approved(bank, bank.reveal_with(ident), ELSE, ident)


def second_record(bank):
    """Another record of the first customer, as a file with several lines for one brings it."""
    schema = bank.house.read(load_collection("bank-01", "customers"))
    schema = dataclasses.replace(schema, record_key="acct")
    work = {"operation": new_id("op", bank.clock.now_us()), "by": "p_x"}
    with BatchWriter(bank.house, "bank-01", schema, **work) as writer:
        assert writer.write([{**customer(1), "acct": "9999-0001"}]).new == 1


def test_the_answer_that_asks_which_record_uses_an_approval_up(bank):
    """It shows nothing for which the approval was given, so it leaves it for the look that does."""
    ident = bank.granted(bank.asked_for(fields=["acct", "name"]))
    second_record(bank)
    answer = bank.reveal_with(ident, fields=["acct", "name"])
    assert isinstance(answer, Ambiguous)
    assert [set(one.fields) for one in answer.choices] == [{"name"}, {"name"}]
    assert bank.state_of(ident) == "granted"
    assert bank.leaves("decision.made")[-1]["approval"] == ""


def test_choices_that_show_what_wants_an_approval(bank):
    """Class C1, so it would be among the basic fields; with the approval in the hand it could be looked at for ever."""
    second_record(bank)
    record = bank.sql("SELECT id FROM vault_record WHERE customer = ?", bank.id_of("C00001"))[0][0]
    ident = bank.granted(bank.ask(bank.reveal("C00001", ["address"], record=record)))
    answer = bank.reveal("C00001", ["name", "address"])
    assert isinstance(answer, Ambiguous)
    assert [set(one.fields) for one in answer.choices] == [{"name"}, {"name"}]
    not_approved(bank, bank.reveal_with(ident, fields=["address"]), ELSE, ident)


@pytest.mark.parametrize("change", [{}, {"address": "9 Example Road"}])
def test_an_approval_for_one_of_several_records_without_saying_which(bank, change):
    """The approver would be shown one of them, and the approval be for none."""
    second_record(bank)
    work = bank.update("C00001", change) if change else bank.reveal("C00001", ["acct"])
    with pytest.raises(Conflict) as error:
        bank.ask(work)
    assert error.value.code == "several_records"
    record = bank.sql("SELECT id FROM vault_record WHERE customer = ?", bank.id_of("C00001"))[1][0]
    ident = bank.granted(bank.ask(bank.reveal("C00001", ["acct"], record=record)))
    given = msgspec.structs.replace(bank.asked(), approval=ident)
    name = bank.id_of("C00001")
    shown = bank.house.transact(reveal(bank.house, given, name, ("acct",), record=record))
    assert isinstance(shown, Revealed)
    assert shown.record == record


def test_an_approval_to_see_is_none_to_change(bank):
    ident = bank.granted(bank.asked_for(fields=["address"]))
    answer = bank.update_with(ident, "C00001", {"address": "9 Example Road"})
    not_approved(bank, answer, ELSE, ident)


def test_an_action_is_approved_once_and_no_other(bank):
    one = 'reasons = ["contact-change"]\nproof'
    bank.publish(WITH_APPROVAL.replace(one, one.replace("\n", "\napproval = true\n")))
    proof = acting.ready(bank, "CT-9", step_up=False)
    work = partial(bank.act, "C00001", acting.RESET, [proof], contact="CT-9")
    answer = work()
    assert "act.approval" in rules(answer)
    ident = bank.granted(bank.ask(answer))
    wanted = Wanted(acting.RESET, (proof,))
    stepped = bank.act_with(ident, "C00001", wanted, contact="CT-9")
    assert stepped.code == "step_up_required"
    bank.take_step_up(stepped.challenge)
    other = bank.act_with(ident, "C00001", Wanted("change_phone", (proof,)), contact="CT-9")
    assert isinstance(other, Refused)
    assert bank.state_of(ident) == "granted"
    assert isinstance(bank.act_with(ident, "C00001", wanted, contact="CT-9"), Acted)
    assert bank.state_of(ident) == "used"


def test_fewer_fields_than_were_approved(bank):
    ident = bank.granted(bank.asked_for(fields=["acct", "address"]))
    assert bank.reveal_with(ident, fields=["acct"]).fields["acct"].shown == "clear"


def test_wider_fields_than_were_approved(bank):
    ident = bank.granted(bank.asked_for())
    not_approved(bank, bank.reveal_with(ident, fields=["acct", "address"]), ELSE, ident)


def test_another_customer_of_the_same_contact(bank):
    bank.connect("CT-2", number=None, channel="chat")
    found = bank.search(customer(2)["phone"], contact="CT-2")
    assert len(found.hits) == 1
    ident = bank.granted(bank.asked_for())
    answer = bank.reveal_with(ident, "C00002", contact="CT-2")
    assert not isinstance(answer, Revealed)
    assert bank.state_of(ident) == "granted"


def test_another_contact_of_the_same_customer(bank):
    ident = bank.granted(bank.asked_for())
    bank.connect("CT-2", channel="chat")
    not_approved(bank, bank.reveal_with(ident, contact="CT-2"), ELSE, ident)


def test_an_approval_of_somebody_else(bank):
    ident = bank.granted(bank.asked_for())
    bank.connect("CT-2", agent=bank.other, channel="chat")
    not_approved(bank, bank.reveal_with(ident, contact="CT-2", agent=bank.other), ELSE, ident)


def test_another_reason_of_the_call(bank):
    ident = bank.granted(bank.asked_for())
    bank.take_step_up(bank.change_reason("card-lost").challenge)
    assert bank.change_reason("card-lost").reason == "card-lost"
    answer = bank.reveal_with(ident, fields=["acct"])
    assert rules(answer) == {"field.set"}
    assert bank.state_of(ident) == "granted"


@pytest.mark.parametrize("forged", [NOBODY, "apr_" + "z" * 26])
def test_a_forged_approval(bank, forged):
    not_approved(bank, bank.reveal_with(forged), ELSE)


def test_a_forged_approval_and_somebody_elses_are_told_alike(bank):
    ident = bank.granted(bank.asked_for())
    bank.connect("CT-2", agent=bank.other, channel="chat")
    theirs = bank.reveal_with(ident, contact="CT-2", agent=bank.other)
    forged = bank.reveal_with(NOBODY, contact="CT-2", agent=bank.other)
    assert theirs.reasons == forged.reasons


# ── when it counts ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_approval_that_nobody_gave_yet(bank):
    ident = bank.asked_for()
    not_approved(bank, bank.reveal_with(ident), "the approval is not decided yet", ident, "asked")


def test_an_approval_that_was_refused(bank):
    ident = bank.asked_for()
    bank.decide(ident, grant=False)
    not_approved(bank, bank.reveal_with(ident), "the approval was refused", ident, "refused")
    with pytest.raises(Conflict):
        bank.decide(ident, bank.lead2)


def test_an_approval_that_has_lapsed(bank):
    ident = bank.granted(bank.asked_for())
    bank.clock.advance(15 * MINUTE_US)
    not_approved(bank, bank.reveal_with(ident), "the approval has lapsed", ident)


def test_a_request_that_has_lapsed_is_approved_late(bank):
    ident = bank.asked_for()
    bank.clock.advance(15 * MINUTE_US)
    with pytest.raises(Conflict, match="lapsed"):
        bank.decide(ident)


def test_the_contract_was_changed_since(bank):
    ident = bank.granted(bank.asked_for())
    bank.publish(WITH_APPROVAL.replace('"acct", "address", "balance"', '"acct", "balance"'))
    word = "the contract was changed since it was approved"
    not_approved(bank, bank.reveal_with(ident), word, ident)


def test_the_approver_was_suspended_since(bank):
    ident = bank.granted(bank.asked_for())
    bank.suspend(bank.lead)
    word = "its approver may approve no longer"
    not_approved(bank, bank.reveal_with(ident), word, ident)


@pytest.mark.parametrize(
    "change",
    ["ends_us = starts_us", "roles = 'agent'", "programme = 'cards-out'"],
    ids=["no longer assigned", "an agent now", "in another programme"],
)
def test_the_approver_lost_the_right_since(bank, change):
    ident = bank.granted(bank.asked_for())
    with bank.house.stores() as stores:
        raw(
            stores.data,
            f"UPDATE identity_assignment SET {change} WHERE person = ?",
            (bank.lead.id,),
        )
    word = "its approver may approve no longer"
    not_approved(bank, bank.reveal_with(ident), word, ident)


def test_the_contact_is_over_when_it_is_used(bank):
    ident = bank.granted(bank.asked_for())
    bank.end()
    bank.advance(121)
    assert rules(bank.reveal_with(ident)) == {"contact.live"}
    assert bank.state_of(ident) == "granted"


def test_the_contact_is_over_when_it_is_approved(bank):
    ident = bank.asked_for()
    bank.end()
    bank.advance(121)
    assert rules(bank.decide(ident)) == {"contact.live"}
    assert rules(bank.show(ident)) == {"contact.live"}
    assert bank.state_of(ident) == "asked"


# ── what it never lifts ─────────────────────────────────────────────────────────────────────────────────────────


def freeze(bank):
    users = [freezing.person(bank, staff_id) for staff_id in ("U0001", "U0002")]
    assert isinstance(freezing.ask(bank, users[0]), FreezeStands)


def test_it_does_not_open_a_frozen_client(bank):
    ident = bank.granted(bank.asked_for())
    freeze(bank)
    assert rules(bank.reveal_with(ident)) == {"client.open"}
    assert bank.state_of(ident) == "granted"


def test_it_does_not_open_an_erased_customer(bank):
    ident = bank.granted(bank.asked_for())
    keys = bank.house.read(client_keys(bank.house.keks, "bank-01", 1))
    now_us = bank.clock.now_us()
    work = request_shred(keys, bank.id_of("C00001"), by="p_x", now_us=now_us)
    bank.house.transact(work)
    answer = bank.reveal_with(ident)
    assert rules(answer) == {"customer.bound"}
    assert bank.state_of(ident) == "granted"


def test_it_does_not_add_to_a_used_up_budget(bank):
    bank.publish(WITH_APPROVAL.replace("sensitive_fields_day = 60", "sensitive_fields_day = 1"))
    first = bank.reveal("C00001", ["card"])
    assert isinstance(first, Revealed)
    answer = bank.reveal("C00001", ["balance"])
    assert answer.code == "denied"
    assert "budget.sensitive_day" in rules(answer)


def test_it_does_not_take_the_place_of_a_step_up(bank):
    answer = bank.reveal("C00001", ["balance"])
    assert rules(answer) == {"field.approval", "level.sensitive"}
    ident = bank.granted(bank.ask(answer))
    answer = bank.reveal_with(ident, fields=["balance"])
    assert answer.code == "step_up_required"
    assert bank.state_of(ident) == "granted"
    bank.take_step_up(answer.challenge)
    assert bank.reveal_with(ident, fields=["balance"]).fields["balance"].shown == "clear"


def test_it_does_not_widen_the_field_set(bank):
    answer = bank.reveal("C00001", ["acct", "email"])
    ident = bank.granted(bank.ask(answer))
    shown = bank.reveal_with(ident, fields=["acct", "email"])
    assert shown.fields["acct"].shown == "clear"
    assert shown.fields["email"].shown == "withheld"


# ── who may ask ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_asking_by_somebody_elses_decision(bank):
    answer = bank.reveal("C00001", ["acct"])
    with pytest.raises(NotFound) as theirs:
        bank.ask(answer, agent=bank.other)
    with pytest.raises(NotFound) as none:
        bank.house.transact(ask_approval(bank.house, bank.who(), "dec_" + "0" * 26))
    assert theirs.value.message == none.value.message


def test_asking_at_a_client_of_others_is_as_at_one_that_does_not_exist(bank):
    SecondClient(bank)
    told = []
    for client in ("bank-02", "bank-99"):
        answer = bank.reveal(NOBODY.replace("apr_", "cus_"), ["acct"], client=client)
        with pytest.raises(NotFound) as refused:
            bank.ask(answer)
        told.append((refused.value.message, refused.value.remedy, refused.value.code))
    assert told[0] == told[1]


def test_asking_where_no_approval_would_help(bank):
    answer = bank.reveal("C00001", ["email"])
    with pytest.raises(Conflict) as refused:
        bank.house.transact(ask_approval(bank.house, bank.who(), answer.decision))
    assert refused.value.code == "no_approval_needed"


def test_asking_by_an_old_decision(bank):
    answer = bank.reveal("C00001", ["acct"])
    bank.clock.advance(15 * MINUTE_US + 1)
    with pytest.raises(Conflict) as refused:
        bank.ask(answer)
    assert refused.value.code == "decision_too_old"


def test_asking_after_the_contact_is_over(bank):
    answer = bank.reveal("C00001", ["acct"])
    bank.end()
    bank.advance(121)
    with pytest.raises(Conflict) as refused:
        bank.ask(answer)
    assert refused.value.code == "no_longer_so"


def test_asking_twice_is_one_request(bank):
    answer = bank.reveal("C00001", ["acct"])
    assert bank.ask(answer) == bank.ask(answer)
    assert len(bank.leaves("approval.requested")) == 1


# ── who may approve ─────────────────────────────────────────────────────────────────────────────────────────────


def dependent(bank, ident, by, **more):
    with pytest.raises(Denied) as refused:
        bank.decide(ident, by, **more)
    assert refused.value.code == "not_independent"
    assert bank.state_of(ident) == "asked"
    assert not bank.leaves("approval.decided")


def test_approving_for_oneself(bank):
    dependent(bank, bank.asked_for(), bank.agent)


def test_a_lead_approves_for_themselves_by_a_second_token(bank):
    bank.connect("CT-2", agent=bank.lead, channel="chat")
    ident = bank.ask(
        bank.reveal("C00001", ["acct"], contact="CT-2", agent=bank.lead), agent=bank.lead
    )
    dependent(bank, ident, bank.new_token(bank.lead))


def test_who_issued_the_tokens_of_agent_and_lead_is_both(bank):
    agent = bank.new_token(bank.agent, issued_by="per_admin")
    ident = bank.ask(bank.reveal("C00001", ["acct"], agent=agent), agent=agent)
    for seen_by in ("per_admin", "per_other,per_admin", bank.agent.id):
        dependent(bank, ident, bank.new_token(bank.lead, issued_by=seen_by))
    bank.granted(ident, bank.new_token(bank.lead, issued_by="per_other"))


def test_who_approves_issued_the_token_of_who_asks(bank):
    agent = bank.new_token(bank.agent, issued_by=bank.lead.id)
    ident = bank.ask(bank.reveal("C00001", ["acct"], agent=agent), agent=agent)
    dependent(bank, ident, bank.lead)
    bank.granted(ident, bank.lead2)


def test_approving_at_the_requesters_device(bank):
    dependent(bank, bank.asked_for(), bank.lead, device="desk-1")


def test_approving_at_the_requesters_device_under_another_name_with_the_same_key(bank):
    bank.proved = msgspec.structs.replace(bank.proved, jkt="key-of-a-desk")
    dependent(bank, bank.asked_for(), bank.lead, device="desk-77")


def test_approving_with_the_credential_that_asked(bank):
    ident = bank.asked_for()
    change = "UPDATE approvals_request SET requester_credential = ? WHERE id = ?"
    with bank.house.stores() as stores:
        raw(stores.data, change, (bank.lead.credential, ident))
    dependent(bank, ident, bank.lead)


def other_line(bank):
    bank.publish(WITH_APPROVAL + "\n[approval]\nother_line = true\n")


def test_the_requesters_lead_approves_where_the_contract_wants_another_line(bank):
    other_line(bank)
    bank.house.transact(change_lead(bank.agent.id, bank.lead.id))
    ident = bank.asked_for()
    dependent(bank, ident, bank.lead)
    bank.granted(ident, bank.lead2)


def test_the_leads_lead_approves_where_the_contract_wants_another_line(bank):
    other_line(bank)
    bank.house.transact(change_lead(bank.agent.id, bank.lead2.id))
    bank.house.transact(change_lead(bank.lead2.id, bank.lead.id))
    dependent(bank, bank.asked_for(), bank.lead)


def unknown(bank, ident, by):
    """Neither seen nor decided: it does not exist for them."""
    with pytest.raises(NotFound) as none:
        bank.show(NOBODY, by)
    for attempt in (
        lambda: bank.show(ident, by),
        lambda: bank.decide(ident, by),
        lambda: bank.decide(ident, by, grant=False),
    ):
        before = bank.leaves()
        with pytest.raises(NotFound) as refused:
            attempt()
        assert (refused.value.message, refused.value.remedy) == (
            none.value.message,
            none.value.remedy,
        )
        assert bank.leaves() == before
    assert ident not in text_of(bank.listed(by))
    assert bank.state_of(ident) == "asked"


def test_an_agent_approves(bank):
    unknown(bank, bank.asked_for(), bank.other)


def test_a_lead_of_another_client_approves(bank):
    SecondClient(bank)
    stranger = bank.person("L0009", Role.LEAD, client="bank-02")
    unknown(bank, bank.asked_for(), stranger)


def test_an_administrator_without_an_assignment_approves(bank):
    unknown(bank, bank.asked_for(), bank.person("ADM2", Role.ADMIN, Role.SECURITY, client=""))


def test_a_user_of_the_client_approves_only_where_the_contract_says_so(bank):
    user = bank.person("U0001", Role.CLIENT_USER)
    unknown(bank, bank.asked_for(), user)
    bank.publish(WITH_APPROVAL + '\n[approval]\nroles = ["client_user"]\n')
    ident = bank.asked_for()
    unknown(bank, ident, bank.lead)
    bank.granted(ident, user)


@pytest.mark.parametrize("act", ["show", "decide"])
def test_a_suspended_approver(bank, act):
    ident = bank.asked_for()
    bank.suspend(bank.lead)
    with pytest.raises(Denied):
        getattr(bank, act)(ident)
    assert bank.state_of(ident) == "asked"


def test_an_approver_elsewhere(bank):
    networks = WITH_APPROVAL + '\n[networks]\nallowed = ["192.0.2.0/24"]\n'
    bank.publish(networks)
    bank.peer = "192.0.2.7"
    ident = bank.asked_for()
    bank.peer = "198.51.100.7"
    assert rules(bank.decide(ident)) == {"place.network"}
    assert ident not in text_of(bank.listed(bank.lead))
    assert bank.state_of(ident) == "asked"


def test_a_frozen_client_is_approved_nothing(bank):
    ident = bank.asked_for()
    freeze(bank)
    assert rules(bank.decide(ident)) == {"client.open"}
    assert rules(bank.show(ident)) == {"client.open"}


def test_a_pair_beyond_its_limit(bank):
    idents = [
        bank.asked_for(fields=fields) for fields in (["acct"], ["address"], ["acct", "address"])
    ]
    for ident in idents:
        bank.granted(ident)
    bank.connect("CT-2", channel="chat")
    fourth = bank.asked_for(contact="CT-2")
    with pytest.raises(Denied) as refused:
        bank.decide(fourth)
    assert refused.value.code == "approval_limit"
    assert bank.state_of(fourth) == "asked"
    bank.granted(fourth, bank.lead2)
    shares = [leaf["share"] for leaf in bank.leaves("approval.decided")]
    assert shares == [100, 100, 100, 25]


def test_a_pairs_share_is_told_to_the_client(bank):
    for number in range(1, 5):
        bank.connect(f"CT-{number}", channel="chat")
        by = bank.lead if number < 4 else bank.guard
        bank.granted(bank.asked_for(contact=f"CT-{number}"), by)
    assert not bank.leaves("signal.raised")
    bank.publish(WITH_APPROVAL + "\n[approval]\nper_pair = 9\n")
    bank.granted(bank.asked_for(contact="CT-1"))
    (signal,) = bank.leaves("signal.raised")
    assert (signal["signal"], signal["count"]) == ("approval.pair", 4)


# ── the preview ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_preview_shows_no_value_in_clear_and_leaves_a_line(bank):
    ident = bank.asked_for(fields=["acct", "address", "name"])
    shown = bank.show(ident)
    for name in ("acct", "address", "name", "phone"):
        assert customer(1)[name] not in text_of(shown)
    assert {one.shown for one in shown.fields.values()} == {"masked"}
    line = bank.leaves("decision.made")[-1]
    assert (line["op"], line["approval"], line["outcome"]) == ("approve", ident, "permit")
    assert line["fields"] == dict.fromkeys(["acct", "address", "name"], "masked")
    assert line["contact"]
    assert line["person"] != bank.leaves("approval.requested")[0]["person"]


def test_a_preview_costs_the_approvers_budget(bank):
    bank.publish(WITH_APPROVAL.replace("customers_hour = 20", "customers_hour = 1"))
    bank.show(bank.asked_for())
    bank.connect("CT-2", number=2, agent=bank.other)
    second = bank.ask(
        bank.reveal("C00002", ["acct"], contact="CT-2", agent=bank.other), agent=bank.other
    )
    assert rules(bank.show(second)) == {"budget.customers_hour"}
    assert rules(bank.decide(second)) == {"budget.customers_hour"}
    bank.granted(second, bank.lead2)


def test_approving_blindly_what_one_may_not_look_at_beside_what_one_may(bank):
    """A field that the approver sees does not carry another one that they are refused."""
    bank.publish(WITH_APPROVAL.replace("sensitive_fields_day = 60", "sensitive_fields_day = 1"))
    ident = bank.asked_for(fields=["acct", "balance"])
    assert {one.shown for one in bank.show(ident).fields.values()} == {"masked"}
    seen = bank.show(ident)
    assert {name: one.shown for name, one in seen.fields.items()} == {
        "acct": "masked",
        "balance": "withheld",
    }
    answer = bank.decide(ident)
    assert (answer.code, rules(answer)) == ("denied", {"budget.sensitive_day"})
    assert bank.state_of(ident) == "asked"
    assert bank.leaves("decision.made")[-1]["outcome"] == "deny"
    assert bank.decide(ident, bank.lead2).state == "granted"


def test_who_may_not_look_at_all_of_it_may_refuse_it(bank):
    bank.publish(WITH_APPROVAL.replace("sensitive_fields_day = 60", "sensitive_fields_day = 1"))
    ident = bank.asked_for(fields=["acct", "balance"])
    bank.show(ident)
    assert bank.decide(ident, grant=False).state == "refused"


ACT_APPROVED = 'reasons = ["contact-change"]\nproof'


@pytest.mark.parametrize(
    ("action", "values", "seen"),
    [
        (acting.RESET, {}, {"name": "masked"}),
        ("change_phone", {"phone": "+12025550166"}, {"name": "masked", "phone": "masked"}),
    ],
)
def test_the_preview_of_an_action_shows_whom_it_concerns_and_what_it_changes(
    bank, action, values, seen
):
    """As it is now, masked; the new value stands nowhere, so nobody is shown it."""
    bank.publish(
        WITH_APPROVAL.replace(ACT_APPROVED, ACT_APPROVED.replace("\n", "\napproval = true\n"))
    )
    proof = acting.ready(bank, "CT-9", step_up=False)
    ident = bank.ask(bank.act("C00001", action, [proof], values=values, contact="CT-9"))
    shown = bank.show(ident)
    assert {name: one.shown for name, one in shown.fields.items()} == seen
    assert shown.wanted[":action"] == action
    for told in (*customer(1).values(), *values.values()):
        assert len(told) < 4 or told == "retail" or told not in text_of(shown)
    line = bank.leaves("decision.made")[-1]
    assert (line["op"], line["fields"]) == ("approve", seen)
    assert bank.decide(ident).state == "granted"


def test_a_preview_of_what_is_only_compared(bank):
    ident = bank.ask(bank.reveal("C00001", ["acct", "dob"]))
    shown = bank.show(ident)
    assert shown.fields["dob"].shown == "withheld"
    assert customer(1)["dob"] not in text_of(shown)


def test_the_requester_sees_no_value_of_their_own_request(bank):
    ident = bank.asked_for()
    before = len(bank.leaves())
    shown = bank.show(ident, bank.agent)
    assert shown.own
    assert not shown.fields
    assert len(bank.leaves()) == before


def test_the_list_is_of_what_waits_and_of_ones_own(bank):
    first = bank.asked_for()
    bank.advance(1)  # ids sort by the millisecond
    second = bank.asked_for(fields=["address"])
    waiting = bank.listed(bank.lead, limit=1)
    assert [one.approval for one in waiting.approvals] == [first]
    more = bank.listed(bank.lead, after=waiting.next)
    assert [one.approval for one in more.approvals] == [second]
    bank.granted(first)
    assert [one.approval for one in bank.listed(bank.lead).approvals] == [second]
    own = bank.listed(bank.agent)
    assert [(one.approval, one.state) for one in own.approvals] == [
        (first, "granted"),
        (second, "asked"),
    ]
    assert not bank.listed(bank.other).approvals


def test_a_token_for_another_client_reads_ones_own_requests(bank):
    """Who carries it away learns nothing of the person's work elsewhere."""
    answer = bank.reveal("C00001", ["acct"])
    ident = bank.ask(answer)
    bounds = Bounds(client="bank-02")
    now = bank.clock.now_us()
    issued = bank.house.transact(
        issue(person=bank.agent.id, life_us=DAY_US, now_us=now, bounds=bounds)
    )
    thief = dataclasses.replace(bank.agent, token=issued.secret.reveal())
    assert bank.listed(bank.agent).approvals
    assert bank.listed(thief).approvals == ()
    with pytest.raises(NotFound):
        bank.show(ident, thief)
    with pytest.raises(NotFound):
        bank.ask(answer, agent=thief)


def test_no_value_stands_in_the_table(bank):
    ident = bank.granted(bank.asked_for(fields=["acct", "name", "address"]))
    row = json.dumps(bank.sql("SELECT * FROM approvals_request WHERE id = ?", ident), default=repr)
    for value in customer(1).values():
        if len(value) > 3 and value != "retail":
            assert value not in row


# ── all at once ─────────────────────────────────────────────────────────────────────────────────────────────────


def look(bank, ident, house, _number):
    asked = msgspec.structs.replace(bank.asked(), approval=ident)
    return partial(reveal, house, asked, bank.id_of("C00001"), ("acct",))


@pytest.mark.parametrize("at_once", [in_one_turn, in_threads])
def test_32_at_once_use_it_once(bank, at_once):
    ident = bank.granted(bank.asked_for())
    once(bank, ident, at_once(bank, partial(look, bank, ident)))


def once(bank, ident, answers):
    assert sum(isinstance(answer, Revealed) for answer in answers) == 1
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {value(answer) for answer in refused} == {"the approval is used"}
    used = [line for line in bank.leaves("decision.made") if line["approval"] == ident]
    assert len(used) == 1


def test_two_approvers_at_once_decide_once(bank):
    ident = bank.asked_for()

    def decide(house, number):
        by = (bank.lead, bank.lead2)[number - 1]
        return partial(decide_approval, house, bank.who(by, device="desk-9"), ident, grant=True)

    answers = in_threads(bank, decide, 2)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert len(bank.leaves("approval.decided")) == 1
