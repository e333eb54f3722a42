"""Attacks on what may leave the house: more rows, other fields, another recipient, nobody's yes."""

from __future__ import annotations

import dataclasses

import pytest

from holdfast.kit.errors import Denied, InvalidInput
from holdfast.spine.administration.approving import decide_request
from holdfast.spine.administration.refusals import Refused
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.identity.acting import Acting
from holdfast.spine.identity.people import change_lead
from holdfast.vocabulary.levels import PersonState, Role
from support import freezing
from support.bank import Agent
from support.exporting import Exporter
from support.second import SECOND, SecondClient


@pytest.fixture
def exporter(tmp_path):
    exporter = Exporter(tmp_path / "house")
    yield exporter
    exporter.bank.close()


def refused(exporter, **changes):
    """The rules that refuse an order; nothing is ordered."""
    with pytest.raises(Refused) as error:
        exporter.ask(**changes)
    assert exporter.bank.sql("SELECT COUNT(*) FROM actions_export") == [(0,)]
    return set(error.value.rules)


def test_without_a_second_person(exporter):
    for _ in range(2):
        with pytest.raises(NeedsSecondPerson):
            exporter.ask()
    assert exporter.bank.sql("SELECT COUNT(*) FROM actions_export, jobs_job") == [(0,)]


def test_the_own_yes(exporter):
    with pytest.raises(NeedsSecondPerson) as error:
        exporter.ask()
    with pytest.raises(Denied):
        exporter.approve(error.value, by=exporter.admin)
    with pytest.raises(NeedsSecondPerson):
        exporter.ask()


def test_the_yes_of_ones_own_lead_where_the_contract_wants_another_line(exporter):
    bank = exporter.bank
    ((text,),) = bank.sql("SELECT text FROM decision_contract")
    freezing.publish(bank, contract=f"{text}\n[approval]\nother_line = true\n")
    assert bank.house.transact(change_lead(exporter.admin.person, exporter.dpo.person))
    with pytest.raises(NeedsSecondPerson) as error:
        exporter.ask()
    lead = bank.new_token(Agent(exporter.dpo.person, "", "", ""))
    with freezing.acting(bank, lead), pytest.raises(Denied) as alone:
        bank.house.transact(decide_request(bank.house, error.value.approval, grant=True))
    assert alone.value.code == "not_independent"


@pytest.mark.parametrize(
    "change",
    [
        {"fields": ("name", "balance")},
        {"customers": ("C00001",)},
    ],
)
def test_a_yes_to_something_else(exporter, change):
    with pytest.raises(NeedsSecondPerson) as error:
        exporter.ask()
    exporter.approve(error.value)
    with pytest.raises(NeedsSecondPerson):
        exporter.ask(**change)


def test_a_yes_used_twice(exporter):
    exporter.ordered()
    with pytest.raises(NeedsSecondPerson):
        exporter.ask()


def test_more_rows_than_the_contract_allows(tmp_path):
    exporter = Exporter(tmp_path / "house", rows_at_most=4)
    assert refused(exporter) == {"export.rows"}
    exporter.bank.close()


def test_a_recipient_whom_the_contract_does_not_name(exporter):
    assert refused(exporter, recipient="mallory") == {"export.recipient"}


def test_a_reason_that_the_contract_does_not_name(exporter):
    assert refused(exporter, reason="curiosity") == {"export.reason"}


def test_a_field_that_the_contract_does_not_name(exporter):
    assert refused(exporter, fields=("name", "email")) == {"export.fields"}


def test_a_field_that_is_only_ever_compared(exporter):
    assert refused(exporter, fields=("name", "dob")) == {"export.fields", "export.verify_only"}


def test_a_contract_that_names_a_field_that_is_only_ever_compared(tmp_path):
    from holdfast.drills.bank.build import CONTRACT, SCHEMA
    from holdfast.spine.decision.contract import compile_contract
    from holdfast.spine.vault.schema import compile_schema
    from support.exporting import EXPORT, new_key

    text = EXPORT.replace("KEY", new_key()[0]).replace('"balance",', '"dob",')
    schema = compile_schema(SCHEMA, name="customers")
    with pytest.raises(InvalidInput, match="only ever compared"):
        compile_contract(CONTRACT.replace("\n[verification]\nneeded", text), {"customers": schema})


def test_a_customer_who_does_not_exist(exporter):
    with pytest.raises(InvalidInput) as error:
        exporter.ask(customers=("C00001", "C99999"))
    assert error.value.field == "customers[1]"


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.AUDITOR, Role.CLIENT_USER])
def test_by_somebody_who_may_not(exporter, role):
    """A user of another client is one of them."""
    someone = Acting(exporter.dpo.person, frozenset({role}))
    with pytest.raises(Refused):
        exporter.ask(acting=someone)
    done = exporter.ordered()
    exporter.run(done)
    with pytest.raises(Refused):
        exporter.fetch(done, acting=someone)


def test_by_somebody_who_is_suspended(exporter):
    gone = dataclasses.replace(exporter.admin, state=PersonState.SUSPENDED)
    with pytest.raises(Refused):
        exporter.ask(acting=gone)


def test_the_client_sees_who_asked_who_approved_and_what(exporter):
    exporter.ordered()
    (leaf,) = exporter.bank.leaves("export.requested")
    assert leaf["count"] == 5
    assert leaf["fields"] == {
        "name": "clear",
        "phone": "masked",
        "balance": "clear",
        "card": "masked",
    }
    assert leaf["by"] != leaf["second"]
    assert leaf["by"].startswith("p_")
    assert leaf["second"].startswith("p_")
    assert leaf["recipient"] == "bank-dpo"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"customers": ("C00001",)},
        {"customers": ("C99999",)},
        {"collection": "nothing"},
        {"fields": ("nothing",)},
    ],
    ids=["all", "a customer", "no customer", "no collection", "no field"],
)
def test_a_user_of_one_client_asks_what_another_has(exporter, changes):
    """A client of others, with or without such a customer, is answered as one that does not exist."""
    bank = exporter.bank
    second = SecondClient(bank)
    second.import_customer(1)
    user = freezing.person(bank, "U0001")
    acting = Acting(user.id, frozenset({Role.CLIENT_USER}))
    said = []
    for client in (SECOND, "bank-99"):
        with pytest.raises(Refused) as error:
            exporter.ask(acting=acting, **{**changes, "client": client})
        said.append((error.value.message, error.value.remedy, error.value.rules))
    assert said[0] == said[1]
