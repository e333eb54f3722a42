"""In a declared outage a contact shows least of all: nothing before the caller is verified, then masked (SPINE 3)."""

from __future__ import annotations

import pytest

from holdfast.edges.cli.outage import declared_by_acting
from holdfast.kit.clock import HOUR_US
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.requests import load
from holdfast.spine.approvals.rules import Party
from holdfast.spine.identity import people
from holdfast.spine.identity.references import reference_of
from holdfast.spine.purpose.settle import declare_outage, end_outage, tell_outages_over
from holdfast.spine.turn.answers import Found, ProvisionalOpened, Revealed, Verified
from holdfast.vocabulary.levels import Role
from support.answers import rules
from support.bank import CLIENT, bank_with, customer, new_bank, new_punctual_bank
from support.freezing import acting, person

MINE, THEIRS = "C00001", "C00002"
ON_WORD = {"contact": "CT-9"}


def answers(number=1):
    return {"dob": customer(number)["dob"], "postcode": customer(number)["postcode"]}


def declare(bank, hours=2):
    """Declare an outage as two administrators do; how they come to it is tested below."""

    def first(log):
        return reference_of(bank.admin, log)

    def work():
        second = yield from people.add_person(
            staff_id=f"ADM-{bank.clock.now_us()}",
            employer="house",
            roles=(Role.ADMIN,),
            now_us=bank.clock.now_us(),
        )
        return (
            yield from declare_outage(
                CLIENT, "feed_down", hours, by=(first, second), now_us=bank.clock.now_us()
            )
        )

    return bank.house.transact(work())


def end(bank):
    def by(log):
        return reference_of(bank.admin, log)

    return bank.house.transact(end_outage(CLIENT, by=by, now_us=bank.clock.now_us()))


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path)
    yield bank
    bank.close()


@pytest.fixture
def outage(bank):
    declare(bank)
    assert isinstance(bank.open_on_word("CT-9", outage=True), ProvisionalOpened)
    return bank


@pytest.fixture
def found(outage):
    answer = outage.search(customer(1)["phone"], **ON_WORD)
    assert isinstance(answer, Found)
    assert [hit.customer for hit in answer.hits] == [outage.id_of(MINE)]
    return outage


@pytest.fixture
def verified(found):
    answer = found.verify(MINE, answers(), **ON_WORD)
    assert isinstance(answer, Verified)
    assert answer.bound
    return found


# ── who declares it, and for how long ───────────────────────────────────────────────────────────────────────────
def test_without_a_declared_outage(bank):
    assert rules(bank.open_on_word(outage=True)) == {"outage.declared"}


def admin(bank, staff_id, role=Role.ADMIN):
    return person(bank, staff_id, house=(role,), roles=())


def declare_here(bank, who, hours=2, reason="feed_down"):
    """Run the command with the person's token."""
    with acting(bank, who):
        return bank.house.transact(declared_by_acting(bank.house, CLIENT, hours, reason))


def approve(bank, ident, who):
    request = bank.house.read(load(ident))
    party = Party(who.id, credential=who.credential)
    bank.house.transact(decide(request, party, grant=True, now_us=bank.clock.now_us()))


def test_one_administrator_declares_it_alone(bank):
    one = admin(bank, "H0001")
    with pytest.raises(NeedsSecondPerson) as needs:
        declare_here(bank, one)
    with pytest.raises(Denied, match="nobody approves for themselves"):
        approve(bank, needs.value.approval, one)
    with pytest.raises(NeedsSecondPerson):
        declare_here(bank, one)
    assert rules(bank.open_on_word(outage=True)) == {"outage.declared"}
    assert bank.leaves("outage.declared") == []


def test_the_approval_of_two_hours_declares_four(bank):
    one, two = admin(bank, "H0001"), admin(bank, "H0002")
    with pytest.raises(NeedsSecondPerson) as needs:
        declare_here(bank, one, 2)
    approve(bank, needs.value.approval, two)
    with pytest.raises(NeedsSecondPerson):
        declare_here(bank, one, 4)
    with pytest.raises(InvalidInput, match="1 to 4 hours"):
        declare_here(bank, one, 5)
    assert declare_here(bank, one, 2).stands(bank.clock.now_us())
    leaf = bank.leaves("outage.declared")[-1]
    assert leaf["second"].startswith("p_")
    assert leaf["by"] != leaf["second"]


def test_the_approval_of_one_outage_declares_the_next(bank):
    one, two = admin(bank, "H0001"), admin(bank, "H0002")
    with pytest.raises(NeedsSecondPerson) as needs:
        declare_here(bank, one)
    approve(bank, needs.value.approval, two)
    declare_here(bank, one)
    end(bank)
    with pytest.raises(NeedsSecondPerson):
        declare_here(bank, one)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.AUDITOR, Role.DPO])
def test_somebody_without_the_role_declares_it(bank, role):
    with pytest.raises(Refused):
        declare_here(bank, admin(bank, "H0001", role))


def test_an_outage_of_a_client_that_does_not_exist(bank):
    with acting(bank, admin(bank, "H0001")), pytest.raises(NotFound):
        bank.house.transact(declared_by_acting(bank.house, "bank-99", 2, "feed_down"))


def test_a_reason_in_ones_own_words(bank):
    with pytest.raises(InvalidInput, match="feed_down"):
        declare_here(bank, admin(bank, "H0001"), reason="because")


def test_an_outage_of_five_hours(bank):
    with pytest.raises(InvalidInput, match="1 to 4 hours"):
        declare(bank, 5)
    with pytest.raises(InvalidInput):
        declare(bank, 0)


def test_a_second_one_while_the_first_stands(bank):
    declare(bank)
    with pytest.raises(Conflict):
        declare(bank, 4)
    assert len(bank.leaves("outage.declared")) == 1


def test_beyond_its_hours_nothing_has_to_run(bank):
    declare(bank, 1)
    bank.advance(3600)
    assert rules(bank.open_on_word(outage=True)) == {"outage.declared"}


def test_a_contact_does_not_outlive_the_outage(bank):
    declare(bank, 1)
    bank.advance(3590)
    opened = bank.open_on_word("CT-9", outage=True)
    assert isinstance(opened, ProvisionalOpened)
    bank.search(customer(1)["phone"], **ON_WORD)
    bank.verify(MINE, answers(), **ON_WORD)
    assert isinstance(bank.reveal(MINE, ["name"], **ON_WORD), Revealed)
    bank.advance(10)
    assert rules(bank.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}


def test_nor_does_one_survive_when_somebody_ends_it(verified):
    end(verified)
    assert rules(verified.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}
    assert rules(verified.open_on_word("CT-10", outage=True)) == {"outage.declared"}
    with pytest.raises(NotFound):
        end(verified)


def test_another_clients_outage_is_none_of_this_clients(bank):
    declare(bank)
    assert rules(bank.open_on_word(outage=True, client="bank-99")) == {"person.assigned"}


def test_a_person_who_is_not_assigned_to_the_queue(bank):
    declare(bank)
    assert rules(bank.open_on_word(queue="elsewhere", outage=True)) == {"contact.queue"}


# ── what it shows ───────────────────────────────────────────────────────────────────────────────────────────────
def test_a_hit_shows_nothing(outage):
    answer = outage.search(customer(1)["phone"], **ON_WORD)
    assert [hit.fields for hit in answer.hits] == [{}]
    assert outage.leaves("decision.made")[-1]["fields"] == {}


def test_nothing_is_shown_before_the_caller_is_verified(found):
    assert "outage.verified" in rules(found.reveal(MINE, ["name"], **ON_WORD))


def test_one_right_answer_is_not_enough(found):
    few = found.verify(MINE, {"dob": customer(1)["dob"]}, **ON_WORD)
    assert rules(few) == {"verify.combined"}
    wrong = found.verify(MINE, {**answers(), "postcode": "00000"}, **ON_WORD)
    assert not wrong.bound
    assert "outage.verified" in rules(found.reveal(MINE, ["name"], **ON_WORD))


def test_after_it_everything_is_masked(verified):
    shown = verified.reveal(MINE, ["name", "acct", "phone", "address"], **ON_WORD)
    assert isinstance(shown, Revealed)
    assert {field.shown for field in shown.fields.values()} == {"masked"}
    values = {field.value for field in shown.fields.values()}
    assert values.isdisjoint(customer(1).values())


def test_sensitive_fields_stay_closed(verified):
    for name in ("card", "balance"):
        assert "provisional.class" in rules(verified.reveal(MINE, [name], **ON_WORD))


def test_nothing_is_changed(verified):
    changed = verified.update(MINE, {"address": "9 Example Road"}, **ON_WORD)
    assert "provisional.change" in rules(changed)


def test_every_line_says_that_it_was_in_an_outage(verified):
    verified.reveal(MINE, ["name"], **ON_WORD)
    looks = [leaf for leaf in verified.leaves("decision.made") if leaf["op"] != "outage"]
    assert {leaf["basis"] for leaf in looks} == {"outage"}
    assert verified.leaves("provisional.opened")[-1]["basis"] == "outage"


def test_two_customers_at_once(verified):
    assert isinstance(verified.open_on_word("CT-10", outage=True), ProvisionalOpened)
    second = verified.search(customer(2)["phone"], contact="CT-10")
    assert isinstance(second, Found)
    verified.verify(THEIRS, answers(2), contact="CT-10")
    assert isinstance(verified.reveal(THEIRS, ["name"], contact="CT-10"), Revealed)
    assert rules(verified.reveal(MINE, ["name"], **ON_WORD)) == {"contact.live"}


def test_half_of_the_budget_is_all(tmp_path):
    bank = bank_with(tmp_path, ("customers_hour = 20", "customers_hour = 5"))
    declare(bank)
    for number in (1, 2):
        contact = f"CT-{number}"
        bank.open_on_word(contact, outage=True)
        bank.search(customer(number)["phone"], contact=contact)
        assert isinstance(bank.verify(f"C{number:05d}", answers(number), contact=contact), Verified)
    bank.open_on_word("CT-3", outage=True)
    bank.search(customer(3)["phone"], contact="CT-3")
    third = bank.verify("C00003", answers(3), contact="CT-3")
    assert "budget.customers_hour" in rules(third)
    bank.connect("CT-4", number=3)  # the feed is back: the whole budget is
    assert isinstance(bank.reveal("C00003", ["name"], contact="CT-4"), Revealed)
    bank.close()


def test_a_suspended_privilege_is_suspended_here_too(tmp_path):
    bank = new_punctual_bank(tmp_path)
    bank.advance(90)
    assert isinstance(bank.open_on_word("CT-8"), ProvisionalOpened)
    bank.advance(15 * 60 + 1)
    declare(bank)
    assert "provisional.trusted" in rules(bank.open_on_word("CT-9", outage=True))
    bank.close()


# ── what the feed says afterwards ───────────────────────────────────────────────────────────────────────────────
def test_late_events_are_matched_and_counted(verified):
    verified.advance(1)
    verified.open_on_word("CT-10", outage=True)
    verified.search(customer(2)["phone"], contact="CT-10")
    verified.advance(3000)
    verified.hear_late("CT-9", ago=3001)
    verified.hear_late("CT-10", ago=3000, number=3)
    end(verified)
    told = verified.leaves("outage.ended")[-1]
    assert (told["contacts"], told["reconciled"], told["unreconciled"]) == (2, 1, 1)
    assert [leaf["contact"] for leaf in verified.leaves("provisional.reconciled")] == [
        verified.leaves("provisional.opened")[0]["contact"]
    ]


def test_a_late_event_of_an_outage_opens_nothing(verified):
    verified.advance(600)
    verified.hear_late("CT-9", ago=600)
    shown = verified.reveal(MINE, ["name"], **ON_WORD)
    assert "clear" not in {field.shown for field in getattr(shown, "fields", {}).values()}


def test_the_client_is_told_of_one_whose_time_is_over(outage):
    outage.advance(2 * 3600 + 14 * 60)
    assert outage.house.transact(tell_outages_over(outage.clock.now_us())) == 0
    outage.advance(61)
    assert outage.house.transact(tell_outages_over(outage.clock.now_us())) == 1
    told = outage.leaves("outage.ended")[-1]
    assert (told["by"], told["contacts"], told["unreconciled"]) == ("", 1, 1)
    assert outage.house.transact(tell_outages_over(outage.clock.now_us())) == 0


def test_an_outage_lasts_as_long_as_was_said(bank):
    declared = declare(bank, 4)
    assert declared.until_us - declared.declared_us == 4 * HOUR_US
    leaf = bank.leaves("outage.declared")[-1]
    assert leaf["by"] != leaf["second"]
