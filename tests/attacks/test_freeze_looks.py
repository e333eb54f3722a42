"""From the freeze's commit on nothing of the client is looked at: not by what was begun before, nor in another way."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT, COLLECTION, import_customers
from holdfast.kit.clock import HOUR_US
from holdfast.kit.config import load_settings
from holdfast.kit.errors import Denied
from holdfast.procedures.classification.services.importing import Target, _schema
from holdfast.procedures.disposal import services as disposal
from holdfast.spine.house import open_house
from holdfast.spine.operations.freeze import Step
from holdfast.spine.turn.answers import (
    Found,
    FreezeStands,
    ReasonChanged,
    Refused,
    Revealed,
    Verified,
)
from holdfast.vocabulary.levels import Role
from support.bank import Agent, customer, new_bank
from support.freezing import HOUR, acting, ask, person, publish
from support.stores import FakeClock

CUSTOMER = "C00001"
EXEMPT = '[freeze]\nexempt_reasons = ["card-lost"]'


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "bank")
    publish(bank, EXEMPT)
    bank.connect()
    yield bank
    bank.close()


@pytest.fixture
def users(bank):
    return person(bank, "U0001"), person(bank, "U0002")


def freeze(bank, users):
    assert isinstance(ask(bank, users[0]), FreezeStands)


def is_frozen(answer):
    assert isinstance(answer, Refused), answer
    assert [reason.rule for reason in answer.reasons] == ["client.open"]
    (reason,) = answer.reasons
    assert reason.value.startswith("frozen until 2026-11-2")


def test_every_look_that_was_good_a_moment_ago(bank, users):
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)
    freeze(bank, users)
    is_frozen(bank.reveal(CUSTOMER, ["name"]))
    is_frozen(bank.search(customer(1)["phone"]))
    is_frozen(bank.verify(CUSTOMER, {"dob": customer(1)["dob"]}))
    is_frozen(bank.update(CUSTOMER, {"email": "new@example.com"}))
    is_frozen(bank.change_reason("contact-change"))
    leaf = bank.leaves("decision.made")[-1]
    assert (leaf["outcome"], leaf["rules"], leaf["fields"]) == ("deny", ["client.open"], {})


def test_a_process_that_was_warm(bank, users):
    """Another process has the client's policies, keys and schema in its caches."""
    other = open_house(load_settings(bank.home, {}), bank.clock)
    asked = bank.asked()
    from holdfast.spine.operations.reveal import reveal

    customer_id = bank.id_of(CUSTOMER)
    assert isinstance(other.transact(reveal(other, asked, customer_id, ("name",))), Revealed)
    freeze(bank, users)
    is_frozen(other.transact(reveal(other, asked, customer_id, ("name",))))
    other.close()


def test_a_step_up_that_was_granted_before(bank, users):
    bank.connect("CT-2", reason="dispute")
    bank.take_step_up(bank.reveal(CUSTOMER, ["balance"], contact="CT-2").challenge)
    assert isinstance(bank.reveal(CUSTOMER, ["balance"], contact="CT-2"), Revealed)
    freeze(bank, users)
    is_frozen(bank.reveal(CUSTOMER, ["balance"], contact="CT-2"))


def test_a_repeated_request_that_was_paid_for(bank, users):
    key = ("k-1", b"same")
    assert isinstance(bank.reveal(CUSTOMER, ["name"], key=key), Revealed)
    freeze(bank, users)
    is_frozen(bank.reveal(CUSTOMER, ["name"], key=key))


def test_a_freeze_that_nobody_confirmed_ends_after_four_hours_and_not_before(bank, users):
    freeze(bank, users)
    bank.clock.advance(4 * HOUR_US - 1)
    bank.connect("CT-2")
    is_frozen(bank.reveal(CUSTOMER, ["name"], contact="CT-2"))
    bank.clock.advance(1)
    assert isinstance(bank.reveal(CUSTOMER, ["name"], contact="CT-2"), Revealed)


def test_the_clock_of_the_machine_is_set_back(bank, users):
    """It ends at the moment that was written: a clock that was set back brings that no nearer."""
    bank.advance(2 * HOUR)
    freeze(bank, users)
    (until,) = bank.leaves("client.frozen")
    behind = open_house(load_settings(bank.home, {}), FakeClock(bank.clock.now_us() - 3 * HOUR_US))
    asked = bank.asked("", agent=users[1], collection="")
    from holdfast.spine.operations.freeze import ask_to_freeze

    with pytest.raises(Exception, match="frozen already"):
        behind.transact(ask_to_freeze(behind, asked, Step.FREEZE))
    behind.clock.advance(4 * HOUR_US - 1)  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="frozen already"):
        behind.transact(ask_to_freeze(behind, asked, Step.FREEZE))
    behind.close()
    assert until["until"] == "2026-11-23T18:00:02Z"


def test_a_call_of_an_exempt_reason_goes_on_and_says_so(bank, users):
    bank.connect("CT-2", reason="card-lost")
    freeze(bank, users)
    answer = bank.reveal(CUSTOMER, ["name"], contact="CT-2")
    assert isinstance(answer, Revealed)
    leaf = bank.leaves("decision.made")[-1]
    assert leaf["rules"] == ["client.frozen_exempt"]
    is_frozen(bank.reveal(CUSTOMER, ["name"]))


def test_an_agent_changes_the_reason_to_an_exempt_one_before_the_freeze(bank, users):
    answer = bank.change_reason("card-lost")
    if isinstance(answer, Refused):
        bank.take_step_up(answer.challenge)
        answer = bank.change_reason("card-lost")
    assert isinstance(answer, ReasonChanged)
    assert isinstance(bank.reveal(CUSTOMER, ["name"]), Revealed)
    freeze(bank, users)
    is_frozen(bank.reveal(CUSTOMER, ["name"]))


def test_an_agent_changes_an_exempt_call_into_another(bank, users):
    """The exemption is for the call that the feed brought, not for whatever it is turned into."""
    bank.connect("CT-2", reason="card-lost")
    freeze(bank, users)
    answer = bank.change_reason("dispute", contact="CT-2")
    if isinstance(answer, Refused):
        bank.take_step_up(answer.challenge)
        answer = bank.change_reason("dispute", contact="CT-2")
    assert isinstance(answer, ReasonChanged)
    is_frozen(bank.reveal(CUSTOMER, ["name"], contact="CT-2"))


def test_a_call_for_which_the_feed_named_no_reason(bank, users):
    publish(bank, '[freeze]\nexempt_reasons = ["dispute"]')  # the queue's own first reason
    bank.connect("CT-2", reason=None)
    freeze(bank, users)
    is_frozen(bank.reveal(CUSTOMER, ["name"], contact="CT-2"))


def test_somebody_elses_exempt_call(bank, users):
    bank.connect("CT-2", reason="card-lost", agent=bank.other)
    freeze(bank, users)
    answer = bank.reveal(CUSTOMER, ["name"], contact="CT-2")
    assert isinstance(answer, Refused)


def test_a_contract_that_exempts_all_is_published_in_the_freeze(bank, users):
    freeze(bank, users)
    with pytest.raises(Denied) as refused:
        publish(bank, '[freeze]\nexempt_reasons = ["card-lost", "dispute"]')
    assert refused.value.code == "client_frozen"
    is_frozen(bank.reveal(CUSTOMER, ["name"]))


def test_an_import_in_the_freeze(bank, users):
    freeze(bank, users)
    with pytest.raises(Denied) as refused:
        import_customers(bank.house, bank.admin, [customer(6)])
    assert refused.value.code == "client_frozen"
    assert bank.sql("SELECT COUNT(*) FROM vault_customer") == [(5,)]
    # nor is it said which rows would be new
    admin = bank.new_token(Agent(bank.admin, "ADM1", "", ""))
    with acting(bank, admin), pytest.raises(Denied):
        bank.house.read(_schema(bank.house, Target(CLIENT, COLLECTION)))


def test_an_erasure_in_the_freeze(bank, users):
    """What a freeze is to keep is not destroyed meanwhile, and no number is looked up."""
    freeze(bank, users)
    dpo = person(bank, "D0001", house=(Role.DPO,), roles=())
    with acting(bank, dpo):
        for way in (disposal.shred_customer, disposal.find_customer):
            with pytest.raises(Denied) as refused:
                way(bank.house, CLIENT, CUSTOMER)
            assert refused.value.code == "client_frozen"
    assert bank.sql("SELECT COUNT(*) FROM vault_customer WHERE state = 'live'") == [(5,)]


def test_a_search_and_a_check_of_an_exempt_call_still_bind(bank, users):
    """What the exemption is for: a caller with a lost card is found, verified and helped."""
    bank.connect("CT-2", reason="card-lost", number=None)
    freeze(bank, users)
    assert isinstance(bank.search(customer(2)["phone"], contact="CT-2"), Found)
    answers = {"dob": customer(2)["dob"], "postcode": customer(2)["postcode"]}
    assert isinstance(bank.verify("C00002", answers, contact="CT-2"), Verified)
