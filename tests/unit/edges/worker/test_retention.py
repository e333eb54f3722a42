"""Every table says what becomes of its rows, and the job that works through what they say does it."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.edges.worker.jobs import HANDLERS
from holdfast.edges.worker.retention import STAYS, TRIMS, Because, Trim
from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.spine.ledger.recorder import append_signal
from support.bank import new_bank
from support.rows import insert, made_up
from support.rows import models as all_models

#: Tables with a time in them that no age takes a row from. Whoever adds one says so here as well.
AGELESS = {
    "classification_import",
    "culture_report",
    "decision_client",
    "decision_contract",
    "decision_record",
    "identity_assignment",
    "identity_departure",
    "identity_directory",
    "identity_fact",
    "identity_person",
    "keyring_operation",
    "keyring_tombstone",
    "ledger_bundle",
    "ledger_checkpoint",
    "ledger_clock",
    "ledger_fold",
    "ledger_lease",
    "ledger_pending",
    "ledger_tree",
    "purpose_presence",
    "recovery_gap",
    "signals_feed",
    "signals_feed_key",
    "stream_parked",
    "stream_position",
    "stream_timeline",
    "vault_client_shred",
    "vault_collection",
    "vault_customer",
    "vault_hold",
    "vault_operation",
    "vault_shred",
    "vault_suppression",
}
#: Tables whose rows belong to a person whom the house must have.
OF_PEOPLE = {"identity_enrolment", "identity_session"}
#: What a row has to be so that its statement takes it.
ROWS = {
    "actions.clear_exports": {"state": "expired"},
    "identity.clear_step_ups": {"kind": "step_up"},
    "jobs.purge_dead": {"state": "dead"},
    "purpose.clear_on_word": {"state": "reconciled"},
    "purpose.clear_outages": {"ended_us": 5},
}


@pytest.fixture(scope="module")
def models():
    return all_models()


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


def test_every_table_says_what_becomes_of_its_rows_and_says_it_once(models):
    trimmed = {trim.table for trim in TRIMS}
    assert trimmed | STAYS.keys() == models.keys() | {"mfa_authenticator"}  # a library's
    assert not trimmed & STAYS.keys()


def test_a_table_with_a_time_in_it_is_trimmed_or_stands_in_this_tests_list(models):
    timed = {
        table
        for table, model in models.items()
        if any(field.column.endswith("_us") for field in model._meta.concrete_fields)
    }
    assert timed & STAYS.keys() == AGELESS
    assert {table for table, why in STAYS.items() if why is Because.SWEPT} == {
        "keyring_contact",
        "keyring_hold",
        "keyring_operation",
        "ledger_fold",
        "ledger_pending",
    }, "for each of these a test of its own shows the job"


def write(bank, models, trim: Trim, at: int, mark: str) -> None:
    """A row whose age is that of ``at``."""
    given = {trim.column: at, **ROWS.get(trim.statement.name, {})}
    if trim.table in OF_PEOPLE:
        given["person"] = bank.agent.id
    insert(bank, trim.table, made_up(models[trim.table], mark, **given))


def forget_after(bank, days: int) -> None:
    """A house that writes a leaf a day, and forgets meanwhile."""
    for _ in range(days):
        bank.advance(DAY_US / 1_000_000 + 60)
        bank.house.transact(a_leaf(bank))
        HANDLERS["forget"](bank.house)(None)


def a_leaf(bank):
    yield Round(data=(append_signal("house", "feed.malformed", bank.clock.now_us()),))


def ages(bank, trim):
    rows = bank.sql(f"SELECT {trim.column} FROM {trim.table}")
    return sorted(row[0] for row in rows if row[0] is not None)


@pytest.mark.parametrize("trim", TRIMS, ids=lambda trim: trim.statement.name)
def test_what_is_old_goes_and_what_is_young_stays(bank, models, trim):
    bank.sql(f"DELETE FROM {trim.table}")
    now_us = bank.clock.now_us()
    old, young = trim.before(now_us) - 1, trim.before(now_us + 90 * DAY_US)
    write(bank, models, trim, old, "old")
    write(bank, models, trim, young, "young")
    HANDLERS["forget"](bank.house)(None)
    if not trim.at_once:
        assert old in ages(bank, trim), "at the first check nothing is old"
    forget_after(bank, 3)
    found = ages(bank, trim)
    assert old not in found
    assert young in found


def test_the_name_that_a_feed_gave_a_contact_goes_with_it_and_not_before(bank):
    bank.connect("CT-1")
    bank.connect("CT-2")
    bank.end("CT-1")
    names = "SELECT external FROM keyring_contact ORDER BY 1"
    HANDLERS["forget"](bank.house)(None)
    assert bank.sql(names, keys=True) == [("CT-1",), ("CT-2",)]
    bank.sql("UPDATE purpose_contact SET last_event_us = 1 WHERE ended_us > 0")
    forget_after(bank, 3)
    assert bank.sql(names, keys=True) == [("CT-2",)]


def test_a_name_that_an_intake_left_without_a_contact_goes(bank):
    bank.sql("INSERT INTO keyring_contact VALUES (?, 'CT-77', 'ct_x')", CLIENT, keys=True)
    HANDLERS["forget"](bank.house)(None)
    assert bank.sql("SELECT 1 FROM keyring_contact", keys=True) == []


def test_every_page_of_names_has_its_turn(bank, monkeypatch):
    monkeypatch.setattr("holdfast.edges.worker.retention.MOST", 2)
    for n in range(5):
        bank.sql(
            "INSERT INTO keyring_contact VALUES (?, ?, ?)", CLIENT, f"X{n}", f"ct_{n}", keys=True
        )
    bank.connect("CT-1")
    forget = HANDLERS["forget"](bank.house)
    for _ in range(5):
        forget(None)
    assert bank.sql("SELECT external FROM keyring_contact", keys=True) == [("CT-1",)]
