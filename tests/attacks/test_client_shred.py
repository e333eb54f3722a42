"""A whole client is erased; somebody tries to do it alone, to go on all the same, or to find what is left."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CONTRACT, import_customers
from holdfast.kit.errors import Conflict, Denied, HoldfastError
from holdfast.procedures.disposal.services import (
    find_customer,
    shred_client,
    shred_customer,
    statement_of,
)
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.verify import Outcome
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.ledger.verify.run import Given, verify_bundle
from holdfast.spine.turn.answers import Refused
from holdfast.spine.vault.client_shred import Order, complete_client, request_client_shred
from holdfast.spine.vault.hierarchy import ensure_client_keys
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.shred import certificates_of
from holdfast.spine.vault.writer import BatchWriter
from support.bank import customer
from support.erasing import new_erasing
from support.exporting import Exporter
from support.recovery import CLIENT, HOUSE_LOG, LOG
from support.signing import Signer

_KEYRING = ("kek", "record_key", "dek", "index", "import_key", "head", "customer", "contact")


@pytest.fixture
def bank(tmp_path):
    bank = new_erasing(tmp_path / "house")
    yield bank
    bank.close()


def wrapped_keys(bank):
    """Bytes that must be nowhere afterwards: client keys, record keys, data keys."""
    rows = bank.sql("SELECT wrapped FROM keyring_kek", keys=True)
    rows += bank.sql("SELECT wrapped FROM keyring_record_key", keys=True)
    rows += bank.sql("SELECT wrapped FROM keyring_dek", keys=True)
    return [bytes(row[0]) for row in rows]


def test_one_administrator_alone_erases_no_client(bank):
    ident = bank.ask_for_client_shred()
    with bank.acting_as(bank.admin), pytest.raises(NeedsSecondPerson):
        shred_client(bank.house, CLIENT)
    with pytest.raises(HoldfastError):
        bank.approve(ident, by=bank.admin)
    assert bank.sql("SELECT state FROM decision_client") == [("open",)]


def test_an_agent_erases_no_client_and_learns_nothing_of_it(bank):
    with bank.acting_as(bank.agent.id):
        with pytest.raises(Denied) as one:
            shred_client(bank.house, CLIENT)
        with pytest.raises(Denied) as none:
            shred_client(bank.house, "no-such-client")
    assert one.value.message == none.value.message


def test_an_approval_for_another_order_does_not_count(bank):
    bank.approve(bank.ask_for_client_shred())
    with bank.acting_as(bank.second), pytest.raises(NeedsSecondPerson):
        shred_client(bank.house, CLIENT)


def test_no_key_of_the_client_is_left_in_any_file_of_the_keys_store(bank):
    bank.connect()
    bank.reveal("C00001", ["name"])
    needles = wrapped_keys(bank)
    assert len(needles) > 10
    bank.shred_client()
    path = bank.house.settings.keys_path
    content = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert not [needle for needle in needles if needle in content]
    assert not [one for one in bank.customers.values() if one.encode() in content]
    for table in _KEYRING:
        assert bank.sql(f"SELECT COUNT(*) FROM keyring_{table}", keys=True) == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM vault_record") == [(0,)]


def test_an_agent_on_the_line_is_refused_as_for_a_client_that_does_not_exist(bank):
    bank.connect()
    bank.shred_client()
    gone = bank.reveal("C00001", ["name"])
    never = bank.reveal("C00001", ["name"], client="no-such-client")
    assert isinstance(gone, Refused)
    assert (gone.code, gone.reasons) == (never.code, never.reasons)
    assert isinstance(bank.search("+12025550101"), Refused)


def test_an_administrator_is_told_plainly(bank):
    bank.shred_client()
    with bank.acting_as(bank.admin):
        for act in (
            lambda: shred_customer(bank.house, CLIENT, "C00001"),
            lambda: find_customer(bank.house, CLIENT, "C00001"),
        ):
            with pytest.raises(Denied, match="was erased"):
                act()
        with pytest.raises(Conflict, match="erased already"):
            shred_client(bank.house, CLIENT)


def test_an_import_neither_begins_nor_goes_on(bank):
    schema = bank.house.read(load_collection(CLIENT, "customers"))
    with BatchWriter(bank.house, CLIENT, schema, operation="op_x", by="p_x") as writer:
        bank.shred_client()
        with pytest.raises(Denied, match="was erased"):
            writer.write([customer(9)])
    with pytest.raises(Denied, match="was erased"):
        import_customers(bank.house, bank.admin, [customer(9)])
    assert bank.sql("SELECT COUNT(*) FROM vault_customer") == [(0,)]


def test_its_keys_are_not_made_anew(bank):
    bank.shred_client()
    bank.house.read(ensure_client_keys(bank.house.root, CLIENT))
    assert bank.sql("SELECT COUNT(*) FROM keyring_kek", keys=True) == [(0,)]


def test_whoever_was_let_in_is_out(bank):
    bank.connect()
    bank.shred_client()
    assert bank.sql("SELECT COUNT(*) FROM identity_assignment WHERE ends_us IS NULL") == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM signals_feed_key WHERE retired_us IS NULL") == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM purpose_contact WHERE ended_us = 0") == [(0,)]


def test_both_logs_say_so_and_the_clients_log_still_verifies_with_its_certificate(bank, tmp_path):
    certificate = bank.shred_client()
    bank.publish()
    for log in (LOG, HOUSE_LOG):
        (ordered,) = bank.published_leaves(log, "client.shred_requested")
        (done,) = bank.published_leaves(log, "client.shredded")
        assert ordered["second"]
        assert (done["customers"], done["records"]) == (5, 5)
    vkeys = bank.house.signing_keys.vkeys(LOG)
    out = tmp_path / "bundle"
    found = certificates_of(bank.home, CLIENT)
    export_bundle(log_folder(bank.home, LOG), out, vkeys=vkeys, certificates=found)
    given = Given(
        UserMemory(tmp_path / "state"), bank.clock.now_us(), [parse_vkey(k) for k in vkeys]
    )
    report = verify_bundle(out, given)
    assert report.outcome is Outcome.AUTHENTIC
    assert [(one.customer, one.accepted) for one in report.certificates] == [(CLIENT, True)]
    assert certificate["copies"] == "not determined"


def test_an_older_keys_store_brings_no_key_back(bank):
    copy = bank.backup()
    bank.shred_client()
    bank.publish()
    bank.put_back_by_hand(copy, data=False)
    assert "keys.E003" in bank.refusals()
    bank.repair()
    assert bank.refusals() == {}
    assert bank.sql("SELECT COUNT(*) FROM keyring_kek", keys=True) == [(0,)]


def test_older_stores_bring_no_client_back(bank):
    copy = bank.backup()
    certificate = bank.shred_client()
    bank.publish()
    bank.restore(copy)
    assert bank.sql("SELECT state FROM decision_client") == [("shredded",)]
    assert bank.sql("SELECT COUNT(*) FROM keyring_dek", keys=True) == [(0,)]
    assert bank.sql("SELECT COUNT(*) FROM vault_record") == [(0,)]
    (found,) = certificates_of(bank.home, CLIENT).values()
    assert certificate["signature"].encode() in found
    bank.publish()
    assert len(bank.published_leaves(LOG, "client.shredded")) == 1


# ── the client's signature ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def signing(bank):
    """The client has a key now; returned is what signs with it."""
    signer = Signer()
    text = signer.contract(CONTRACT, 1)
    bank.do_raw("UPDATE decision_contract SET text = ?", text)
    bank.reopen()
    return signer


def test_a_client_that_gave_a_key_is_erased_by_its_signature_only(bank, signing):
    with bank.acting_as(bank.admin):
        with pytest.raises(Denied, match="ordered with the client's signature"):
            shred_client(bank.house, CLIENT)
        with pytest.raises(Denied, match="not the client's"):
            shred_client(bank.house, CLIENT, signature=b"\x00" * 64)
        other = signing.sign(statement_of(bank.house, "bank-02"))
        with pytest.raises(Denied, match="not the client's"):
            shred_client(bank.house, CLIENT, signature=other)
    good = signing.sign(statement_of(bank.house, CLIENT))
    bank.shred_client(signature=good)
    assert bank.leaves("client.shred_requested")[0]["signed"] is True


# ── what it leaves behind beside the vault ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def exporter(tmp_path):
    """A client that exported: the sealed file stands in the house, another one waits to be written."""
    exporter = Exporter(tmp_path / "house")
    yield exporter
    exporter.bank.close()


def erase(exporter):
    """Erase the client; who may order that is tested above."""
    logs = (LOG, HOUSE_LOG)
    order = Order(dict.fromkeys(logs, "p_1"), dict.fromkeys(logs, "p_2"), signed=False)
    house = exporter.house
    house.transact(request_client_shred(CLIENT, order, (), now_us=house.clock.now_us()))
    complete_client(house, CLIENT)


def test_no_export_and_no_decision_record_outlives_the_client(exporter):
    bank = exporter.bank
    bank.connect()
    bank.reveal("C00001", ["name"])
    done, waits = exporter.ordered(), exporter.ordered(customers=("C00001",))
    exporter.run(done)
    sealed = exporter.fetch(done)
    assert sealed in bank.all_bytes()
    erase(exporter)
    assert sealed[-64:] not in bank.all_bytes()
    assert not (bank.home / "exports" / CLIENT).exists()
    for table in ("actions_export", "actions_permit", "actions_quarantine", "decision_record"):
        assert bank.sql(f"SELECT COUNT(*) FROM {table}") == [(0,)], table
    for table in ("budget_customer", "verify_attempt", "idempotency", "challenge"):
        assert bank.sql(f"SELECT COUNT(*) FROM decision_{table}") == [(0,)], table
    exporter.run(waits)
    assert not (bank.home / "exports" / CLIENT).exists()


def test_an_export_that_is_being_written_meanwhile_leaves_no_file(exporter):
    waits = exporter.ordered()
    logs = (LOG, HOUSE_LOG)
    order = Order(dict.fromkeys(logs, "p_1"), dict.fromkeys(logs, "p_2"), signed=False)
    house = exporter.house
    house.transact(request_client_shred(CLIENT, order, (), now_us=house.clock.now_us()))
    with pytest.raises(Denied, match="was erased"):
        exporter.run(waits)
    assert not list((exporter.bank.home / "exports" / CLIENT).iterdir())
