"""Somebody tries to hold, to open what was kept, or to keep more, without being the one who may."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import Conflict, Denied, HoldfastError, InvalidInput, NotFound
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import draft
from holdfast.spine.operations.holding import expire_holds, holds_of, place
from holdfast.spine.turn.answers import Refused as LookRefused
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.writer import BatchWriter
from support.bank import CONTRACT, customer
from support.freezing import publish
from support.holding import INCIDENT, KEPT, NOTIFY, new_holding
from support.recovery import CLIENT
from support.stores import ON_POSTGRES


@pytest.fixture
def bank(tmp_path):
    bank = new_holding(tmp_path / "house")
    yield bank
    bank.close()


def test_an_agent_opens_what_was_kept_and_learns_nothing_of_it(bank):
    hold = bank.hold()
    bank.erase()
    with bank.acting_as(bank.agent.id):
        with pytest.raises(Denied) as one:
            bank.open_alone(hold)
        with pytest.raises(Denied) as none:
            bank.open_alone(hold._replace(id="hld_none"))
        with pytest.raises(Denied):
            bank.house.transact(holds_of(bank.house, CLIENT))
    assert one.value.message == none.value.message


def test_an_agent_places_a_hold(bank):
    with pytest.raises(Refused):
        bank.hold(by=bank.agent.id)
    assert bank.sql("SELECT COUNT(*) FROM vault_hold") == [(0,)]


def test_one_administrator_alone_opens_it(bank):
    hold = bank.hold()
    bank.erase()
    bank.ask_to_open(hold)
    with bank.acting_as(bank.admin), pytest.raises(NeedsSecondPerson):
        bank.open_alone(hold)
    assert bank.told("hold.opened") == []


def test_the_same_person_twice(bank):
    hold = bank.hold()
    bank.erase()
    ident = bank.ask_to_open(hold)
    with pytest.raises(HoldfastError):
        bank.approve(ident, by=bank.admin)
    with bank.acting_as(bank.admin), pytest.raises(NeedsSecondPerson):
        bank.open_alone(hold)


def test_an_approval_opens_it_once_and_the_client_reads_who(bank):
    hold = bank.hold()
    bank.erase()
    assert bank.open(hold) == [KEPT]
    (leaf,) = bank.told("hold.opened")
    assert leaf["by"] != leaf["second"]
    assert leaf["fields"] == ["customers.email", "customers.name"]
    with bank.acting_as(bank.admin), pytest.raises(NeedsSecondPerson):
        bank.open_alone(hold)


def test_an_approval_of_one_hold_opens_another(bank):
    first, other = bank.hold(), bank.hold("C00002")
    bank.erase()
    bank.erase("C00002")
    bank.approve(bank.ask_to_open(first))
    with bank.acting_as(bank.admin), pytest.raises(NeedsSecondPerson):
        bank.open_alone(other)


def test_after_its_time(bank):
    hold = bank.hold(days=2)
    bank.erase()
    bank.approve(bank.ask_to_open(hold))
    bank.advance(2 * 86_400)
    with bank.acting_as(bank.admin), pytest.raises(Denied, match="time is over"):
        bank.open_alone(hold)
    key = bank.hold_keys()
    bank.hold("C00003")  # whose leaf tells the time
    expire_holds(bank.house)
    assert bank.hold_keys() == key, "destroyed only when it was due for a day"
    bank.advance(86_400)
    bank.hold("C00002")
    expire_holds(bank.house)
    (leaf,) = bank.told("hold.expired")
    assert leaf["kept"] is True
    assert bank.hold_keys() == []
    with bank.acting_as(bank.admin), pytest.raises(Conflict, match="expired"):
        bank.open_alone(hold)


def test_after_it_was_lifted(bank):
    hold = bank.hold()
    bank.erase()
    bank.approve(bank.ask_to_open(hold))
    (key,) = bank.hold_keys()
    bank.lift(hold)
    assert bank.hold_keys() == []
    content = bank.bytes_of_stores(keys=True, log=not ON_POSTGRES)
    assert key not in content
    assert hold.id.encode() not in content
    assert bank.sql("SELECT state, body, customer FROM vault_hold") == [("lifted", b"", "")]
    with bank.acting_as(bank.admin), pytest.raises(Conflict, match="lifted"):
        bank.open_alone(hold)


def test_before_anything_was_kept(bank):
    hold = bank.hold()
    with bank.acting_as(bank.admin), pytest.raises(Conflict, match="not erased"):
        bank.open_alone(hold)


def test_placed_after_the_erasure(bank):
    certificate = bank.erase()
    for name in (bank.customers["C00001"], "C00001", certificate["customer"]):
        with pytest.raises((Conflict, NotFound)):
            bank.hold(name)
    assert "held" not in certificate
    assert bank.hold_keys() == []


@pytest.mark.parametrize("days", [0, -1, 401])
def test_a_hold_without_an_end(bank, days):
    with pytest.raises(InvalidInput, match="hold"):
        bank.hold(days=days)


@pytest.mark.parametrize("code", ["", "Robin Example1", "a" * 65, "INC_7", "robin@example.com"])
def test_free_text_instead_of_a_code(bank, code):
    with pytest.raises(InvalidInput):
        bank.hold(incident=code)


def test_a_hold_where_the_contract_keeps_nothing(tmp_path):
    bank = new_holding(tmp_path / "house", notify="")
    with pytest.raises(Denied, match="names no field"):
        bank.hold()
    bank.close()


def test_the_same_incident_twice(bank):
    bank.hold()
    with pytest.raises(Conflict):
        bank.hold(bank.customers["C00001"])
    assert bank.hold(incident="INC-OTHER").reference


@pytest.mark.parametrize("field", ["postcode", "card", "national_id", "nowhere"])
def test_a_contract_that_keeps_what_is_never_shown(bank, field):
    schema = bank.house.read(load_collection(CLIENT, "customers"))
    text = f'{CONTRACT}\n[incident]\nnotify.customers = ["name", "{field}"]\n'
    with pytest.raises(InvalidInput, match=r"incident\.notify"):
        draft(text, schemas={"customers": schema})


@pytest.mark.parametrize(
    "wrong", ["keep = true", 'notify = ["name"]', "notify.customers = 1", 'notify.Bad = ["name"]']
)
def test_a_contract_that_says_it_otherwise(wrong):
    with pytest.raises(InvalidInput):
        compile_contract(f"{CONTRACT}\n[incident]\n{wrong}\n")


def test_while_it_is_held_nobody_sees_anything_of_the_customer(bank):
    bank.connect()
    assert bank.reveal("C00001", ["name"])
    bank.hold()
    bank.erase()
    erased, nobody = bank.reveal("C00001", ["name"]), bank.reveal("cus_nobody", ["name"])
    assert isinstance(erased, LookRefused)
    assert isinstance(nobody, LookRefused)
    assert {reason.rule for reason in erased.reasons} == {reason.rule for reason in nobody.reasons}
    assert bank.search(customer(1)["phone"]).hits == ()
    assert isinstance(bank.verify("C00001", {"dob": customer(1)["dob"]}), LookRefused)
    schema = bank.house.read(load_collection(CLIENT, "customers"))
    with BatchWriter(bank.house, CLIENT, schema, operation="op_again", by="p_x") as writer:
        assert writer.write([customer(1)]).suppressed == 1


def test_in_a_freeze_nothing_is_opened(bank):
    hold = bank.hold()
    bank.erase()
    bank.sql("UPDATE decision_client SET frozen_until_us = 9000000000000000")
    with bank.acting_as(bank.admin), pytest.raises(Denied) as caught:
        bank.open_alone(hold)
    assert not isinstance(caught.value, NeedsSecondPerson)


def test_a_wider_contract_afterwards_keeps_no_more(bank):
    hold = bank.hold()
    bank.erase()
    publish(bank, NOTIFY.replace('"email"', '"email", "phone", "address"'))
    assert bank.open(hold) == [KEPT]


def test_a_reference_of_the_log_names_a_customer_to_hold(bank):
    reference = bank.hold().reference
    until_us = bank.clock.now_us() + 1
    with bank.acting_as(bank.admin):
        held = bank.house.transact(
            place(bank.house, CLIENT, reference, incident="INC-2", until_us=until_us)
        )
    assert held.customer == bank.customers["C00001"]
    assert {leaf["incident"] for leaf in bank.told("hold.placed")} == {INCIDENT, "INC-2"}
