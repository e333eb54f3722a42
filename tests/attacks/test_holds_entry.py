"""What an erasure keeps under a hold is moved, edited, brought back, or looked through for more than it may hold."""

from __future__ import annotations

import json

import pytest

from holdfast.kit.canonical import canonical_json
from holdfast.kit.errors import Conflict, IntegrityBroken, NotFound
from holdfast.spine.ledger.export import export_bundle
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.statements import sign_statement
from holdfast.spine.ledger.verify import Outcome
from holdfast.spine.ledger.verify.certificates import _is_shred
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.ledger.verify.run import Given, verify_bundle
from holdfast.spine.vault.shred import certificates_of
from support.bank import customer
from support.holding import KEPT, new_holding
from support.recovery import CLIENT, LOG
from support.stores import ON_POSTGRES

SOON = "2026-12-01T00:00:00.000000Z"


@pytest.fixture
def bank(tmp_path):
    bank = new_holding(tmp_path / "house")
    yield bank
    bank.close()


def refused(bank, hold, error=IntegrityBroken):
    bank.approve(bank.ask_to_open(hold))
    with bank.acting_as(bank.admin), pytest.raises(error):
        bank.open_alone(hold)


@pytest.fixture
def two(bank):
    holds = bank.hold(), bank.hold("C00002")
    bank.erase()
    bank.erase("C00002")
    return holds


def test_an_entry_moved_to_another_hold(bank, two):
    first, other = two
    bank.sql(
        "UPDATE vault_hold SET body = (SELECT body FROM vault_hold WHERE id = ?) WHERE id = ?",
        first.id,
        other.id,
    )
    refused(bank, other)
    assert bank.open(first) == [KEPT]


def test_an_entry_and_its_key_moved_to_another_hold(bank, two):
    first, other = two
    bank.sql(
        "UPDATE vault_hold SET body = (SELECT body FROM vault_hold WHERE id = ?) WHERE id = ?",
        first.id,
        other.id,
    )
    bank.sql(
        "UPDATE keyring_hold SET wrapped = (SELECT wrapped FROM keyring_hold WHERE hold = ?) WHERE hold = ?",
        first.id,
        other.id,
        keys=True,
    )
    refused(bank, other)


def test_an_entry_given_to_another_reference(bank, two):
    first, other = two
    bank.sql("UPDATE vault_hold SET reference = ? WHERE id = ?", other.reference, first.id)
    refused(bank, first)


def test_an_entry_moved_to_another_client(bank, two):
    first, _ = two
    keys = bank.sql("SELECT wrapped FROM keyring_hold WHERE hold = ?", first.id, keys=True)
    opened = bank.house.keks.opened(
        CLIENT, bank.sql("SELECT purpose, epoch, wrapped FROM keyring_kek", keys=True)
    )
    assert opened.open_hold_key(first.id, first.reference, bytes(keys[0][0]))
    opened.client = "bank-02"
    with pytest.raises(IntegrityBroken):
        opened.open_hold_key(first.id, first.reference, bytes(keys[0][0]))


def test_an_entry_that_was_edited(bank, two):
    first, _ = two
    (row,) = bank.sql("SELECT body FROM vault_hold WHERE id = ?", first.id)
    body = bytearray(row[0])
    body[-1] ^= 1
    bank.sql("UPDATE vault_hold SET body = ? WHERE id = ?", bytes(body), first.id)
    refused(bank, first)


def test_an_entry_whose_key_is_gone(bank, two):
    first, _ = two
    bank.sql("DELETE FROM keyring_hold WHERE hold = ?", first.id, keys=True)
    refused(bank, first, NotFound)


def test_fields_beyond_the_contracts_list_are_nowhere_after_the_erasure(bank):
    """Values that are not to be told stand nowhere; those that are stand nowhere in plain text."""
    hold = bank.hold()
    bank.erase()
    bank.approve(bank.ask_to_open(hold))
    with bank.acting_as(bank.admin):
        (entry,) = bank.open_alone(hold)
    assert set(entry) == {"name", "email"}
    text = bank.bytes_of_stores()
    for name, value in customer(1).items():
        if len(value) > 6:
            assert value.encode() not in text, name


def test_a_doctored_schema_does_not_let_more_be_kept(bank):
    """The contract is checked when it is published; what may never be shown is left out again when it is kept."""
    hold = bank.hold()
    (row,) = bank.sql("SELECT text FROM decision_contract ORDER BY version DESC LIMIT 1")
    wider = row[0].replace('["name", "email"]', '["name", "email", "dob", "card", "national_id"]')
    assert wider != row[0]
    bank.sql("UPDATE decision_contract SET text = ? WHERE text = ?", wider, row[0])
    bank.erase()
    assert bank.open(hold) == [KEPT]


def test_the_keys_store_names_no_customer_beside_the_kept_key(bank):
    hold = bank.hold()
    bank.erase()
    ident = bank.customers["C00001"].encode()
    content = bank.bytes_of_stores(keys=True, log=not ON_POSTGRES)  # a server's log is of both
    assert ident not in content
    assert hold.reference.encode() not in content


def test_the_certificate_and_the_log_say_what_is_kept(bank):
    bank.hold(days=30)
    hold = bank.hold(days=90, incident="INC-OTHER")
    certificate = bank.erase()
    leaves = bank.told("hold.kept")
    by_hold = {leaf["hold"]: leaf for leaf in leaves}
    assert certificate["held"] == {"fields": 2, "until": by_hold[hold.id]["until"]}
    assert {leaf["id"] for leaf in leaves} < {leaf["id"] for leaf in certificate["leaves"]}
    assert len(by_hold) == 2
    text = json.dumps(leaves)
    assert not any(value in text for value in KEPT.values())


@pytest.mark.parametrize(
    "held",
    [
        {},
        None,
        [],
        {"fields": 2},
        {"fields": 0, "until": SOON},
        {"fields": True, "until": SOON},
        {"fields": 1, "until": "soon"},
        {"fields": 1, "until": SOON, "more": 1},
        {"ended": 1},
    ],
)
def test_a_certificate_that_says_it_otherwise(bank, held):
    certificate = bank.erase()
    assert _is_shred(certificate)
    assert not _is_shred({**certificate, "held": held})


def verified(bank, folder, **changes):
    """The report on the client's bundle; ``changes`` are made to the certificate, which the house then signs."""
    bank.publish()
    ((name, raw),) = certificates_of(bank.home, CLIENT).items()
    body = {key: value for key, value in json.loads(raw).items() if key != "signature"} | changes
    body = {key: value for key, value in body.items() if value is not None}
    signed = sign_statement(body, bank.house.signing_keys.signers(LOG)[0], bank.clock.now_us())
    vkeys = bank.house.signing_keys.vkeys(LOG)
    out = folder / f"bundle-{len(changes)}"
    made = {name: canonical_json(signed)}
    export_bundle(log_folder(bank.home, LOG), out, vkeys=vkeys, certificates=made)
    memory = UserMemory(folder / f"state-{len(changes)}")
    return verify_bundle(out, Given(memory, bank.clock.now_us(), [parse_vkey(k) for k in vkeys]))


@pytest.mark.parametrize("held", [None, {"fields": 1, "until": SOON}, {"fields": 2, "until": SOON}])
def test_a_signed_certificate_says_less_than_the_log(bank, tmp_path, held):
    bank.hold()
    certificate = bank.erase()
    honest = verified(bank, tmp_path)
    assert honest.outcome is Outcome.AUTHENTIC
    assert f"until {certificate['held']['until']}: 2 fields" in honest.certificates[0].says
    report = verified(bank, tmp_path, held=held)
    assert report.outcome is not Outcome.AUTHENTIC
    assert not report.certificates[0].accepted


def test_what_was_kept_ends_with_the_client(bank):
    hold = bank.hold()
    bank.erase()
    certificate = bank.shred_client()
    assert certificate["held"] == {"ended": 1}
    assert bank.hold_keys() == []
    assert bank.sql("SELECT state, body FROM vault_hold") == [("ended", b"")]
    with bank.acting_as(bank.admin), pytest.raises(Conflict):
        bank.open_alone(hold)


def test_an_entry_lifted_since_the_copy_comes_back_with_it(bank):
    hold = bank.hold()
    bank.erase()
    bank.publish()
    folder = bank.backup()
    bank.lift(hold)
    bank.publish()
    bank.restore(folder)
    assert bank.hold_keys() == []
    assert bank.sql("SELECT state, body FROM vault_hold") == [("lifted", b"")]


def test_a_customer_erased_since_the_copy_is_erased_again_and_its_entry_kept_again(bank):
    bank.publish()
    folder = bank.backup()
    hold = bank.hold()
    certificate = bank.erase()
    bank.publish()
    bank.restore(folder)
    assert bank.sql("SELECT state FROM vault_hold") == [("kept",)]
    assert bank.open(hold) == [KEPT]
    assert certificates_of(bank.home, CLIENT)
    assert certificate["held"]["fields"] == 2
