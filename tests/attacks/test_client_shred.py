"""A whole client is erased; somebody tries to do it alone, to go on all the same, or to find what is left."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CONTRACT, import_customers
from holdfast.kit.errors import Conflict, Denied, HoldfastError, IntegrityBroken
from holdfast.procedures.disposal.services import (
    find_customer,
    shred_client,
    shred_customer,
    statement_of,
)
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.ending.client_shred import Order, complete_client, request_client_shred
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.verify import Outcome
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.ledger.verify.run import Given, verify_bundle
from holdfast.spine.turn.answers import Refused
from holdfast.spine.vault.hierarchy import ensure_client_keys
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.shred import certificates_of
from holdfast.spine.vault.writer import BatchWriter
from support.bank import customer
from support.erasing import new_erasing
from support.exporting import Exporter
from support.recovery import CLIENT, HOUSE_LOG, LOG
from support.rows import insert, made_up, models
from support.signing import Signer
from support.stores import raw

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
    content = bank.bytes_of_stores(keys=True)
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


#: Tables whose rows say what the client, its people or its contract are, or of which an erasure consists.
OF_NO_CUSTOMER = {
    "classification_import",
    "decision_client",
    "decision_contract",
    "identity_assignment",
    "identity_credential",
    "keyring_kek",
    "keyring_tombstone",
    "purpose_outage",
    "signals_feed",
    "signals_feed_key",
    "vault_client_shred",
    "vault_collection",
    "vault_operation",
    "vault_shred",
}


def everything(bank):
    """Every row of every table of both stores, as text, but the logs: they stay, with references."""
    with bank.house.stores() as stores:
        for store in stores:
            for table in store.tables():
                if not table.startswith(("ledger_", "sqlite_")):
                    for row in raw(store, f"SELECT * FROM {table}"):
                        yield table, " ".join(repr(cell) for cell in row)


#: Rows that stay, and are cut of the link: whose privilege is suspended, which incidents there were, who is on a call.
CUT = {
    "purpose_provisional": {"customer": "", "state": "unreconciled"},
    "vault_hold": {"customer": "", "state": "lifted"},
    "purpose_presence": {"voice_contact": "", "voice_client": CLIENT},
}


def test_no_row_of_any_table_names_a_customer_or_what_a_feed_called_a_contact(bank):
    """A row that names one is planted in every table that has a client, those to come included."""
    someone, planted = bank.customers["C00001"], []
    for table, model in models().items():
        columns = {field.column for field in model._meta.concrete_fields}
        if "client" not in columns or table in OF_NO_CUSTOMER | CUT.keys():
            continue
        row = made_up(model, f"{someone} CT-EXTERNAL", client=CLIENT)
        insert(bank, table, row, keys=table.startswith("keyring_"))
        planted.append(table)
    assert {"purpose_contact", "approvals_request", "actions_permit"} <= set(planted)
    for table, given in CUT.items():
        (link,) = [name for name, value in given.items() if not value]
        row = made_up(models()[table], "x", **given) | {link: someone}
        insert(bank, table, row | {"client": CLIENT} if "client" in row else row)
    bank.shred_client()
    names = ("CT-EXTERNAL", someone)
    assert not {table for table, row in everything(bank) if any(name in row for name in names)}
    for table, given in CUT.items():
        (link,) = [name for name, value in given.items() if not value]
        assert bank.sql(f"SELECT {link} FROM {table}") == [("",)], table


def test_no_byte_of_either_store_names_a_customer(bank):
    bank.connect()
    bank.reveal("C00001", ["name"])
    bank.verify("C00001", {"dob": "1901-01-01"})
    bank.search("+12025550199")
    whole = bank.bytes_of_stores()
    ids = [name.encode() for name in bank.customers.values()]
    assert all(name in whole for name in ids)
    bank.shred_client()
    whole = bank.bytes_of_stores()
    assert not [name for name in ids if name in whole]


def test_a_row_that_names_a_customer_where_nobody_looked_for_it_withholds_the_certificate(bank):
    """Somebody's own table, or a bug: what is certified is what is there."""
    bank.sql("CREATE TABLE somebodys_notes (text TEXT)")
    bank.sql("INSERT INTO somebodys_notes VALUES (?)", f"call {bank.customers['C00002']} back")
    with pytest.raises(IntegrityBroken, match="data store still names customers"):
        bank.shred_client()
    assert not certificates_of(bank.home, CLIENT)
    assert bank.sql("SELECT state FROM decision_client") == [("shredding",)]
    bank.sql("DROP TABLE somebodys_notes")
    complete_client(bank.house, CLIENT)
    assert len(certificates_of(bank.home, CLIENT)) == 1


def test_who_opened_a_contact_that_no_feed_confirmed_is_not_cleared_by_it(bank):
    row = made_up(
        models()["purpose_provisional"],
        "x",
        client=CLIENT,
        person=bank.agent.id,
        state="unreconciled",
        basis="provisional",
        customer=bank.customers["C00001"],
    )
    insert(bank, "purpose_provisional", row)
    bank.shred_client()
    assert bank.sql("SELECT state, person, customer FROM purpose_provisional") == [
        ("unreconciled", bank.agent.id, "")
    ]
