"""Somebody tries to read what was erased, what another root sealed, or what should never have been kept."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import Denied, IntegrityBroken, InvalidInput, NotFound
from holdfast.spine.decision.verdict import Permit, make_permit
from holdfast.spine.vault.drafting import draft
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import customer_reference, tombstone_mac
from holdfast.spine.vault.records import LoadedRecord, match_answers, open_fields
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.spine.vault.schema import compile_schema
from holdfast.spine.vault.shred import complete, request_shred
from holdfast.vocabulary.levels import Operation, Presentation
from support.stores import bytes_of, raw
from support.vault import CLIENT, SCHEMA_TOML, new_vault, row

CANARIES = {
    "name": "Quetzalcoatl Zzyzx",
    "phone": "+12025550142",
    "email": "zzyzx.canary@example.com",
    "dob": "1971-03-17",
    "national_id": "987-65-4320",
    "card": "4012888888881881",
    "balance": "31337.42",
    "account_no": "CANARY000777",
    "customer_no": "CANARY-9",
}


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    vault.write(row(1), row(2))
    yield vault
    vault.close()


def shred(vault, number):
    work = request_shred(
        vault.keys, vault.customer(number), by="p_dpo", now_us=vault.clock.now_us()
    )
    return complete(vault.house, CLIENT, vault.house.transact(work))


def test_an_erased_customer_put_back_from_a_copy_of_the_data_store_stays_unreadable(vault):
    customer = vault.customer(1)
    rows = vault.sql("SELECT * FROM vault_record WHERE customer = ?", customer)
    heads = vault.sql("SELECT * FROM keyring_head WHERE customer = ?", customer, store="keys")
    shred(vault, 1)
    for one in rows:
        vault.sql(f"INSERT INTO vault_record VALUES ({', '.join('?' * len(one))})", *one)
    for head in heads:
        vault.sql(
            f"INSERT INTO keyring_head VALUES ({', '.join('?' * len(head))})", *head, store="keys"
        )
    vault.sql("UPDATE vault_customer SET state = 'live' WHERE id = ?", customer)
    (loaded,) = vault.load(customer)
    with pytest.raises(IntegrityBroken, match="does not exist"):
        open_fields(vault.permit(customer, "name"), loaded, vault.schema)


def test_no_key_and_no_reference_is_made_again_for_an_erased_customer(vault):
    customer = vault.customer(1)
    shred(vault, 1)
    _, dek = vault.keys.new_class_key(customer, 1)
    with vault.house.stores() as stores:
        stores.keys.execute(
            keyring.ADD_DEK(
                client=CLIENT,
                customer=customer,
                operation="op_x",
                mac=tombstone_mac(customer),
                **dek._asdict(),
            )
        )
    assert vault.ask_keys(keyring.DEKS, client=CLIENT, customer=customer) == []
    with pytest.raises(NotFound):
        vault.house.read(customer_reference(CLIENT, customer))


def test_an_import_that_had_looked_before_the_erasure_writes_nothing_of_the_customer(vault):
    with vault.writer() as writer:
        read, _ = writer._read([row(1, balance="9")])
        stale = draft(writer._tools, read, writer._known(read), now_us=vault.clock.now_us())
        customer = vault.customer(1)
        shred(vault, 1)
        assert not writer._add_keys(stale)
        assert writer.write([row(1, balance="9")])[:4] == (0, 0, 0, 1)
    assert vault.sql(
        "SELECT COUNT(*) FROM keyring_index WHERE customer = ?", customer, store="keys"
    ) == [(0,)]


def test_an_import_whose_keys_were_added_before_the_erasure_does_not_commit(vault):
    with vault.writer() as writer:
        read, _ = writer._read([row(1, balance="9")])
        stale = draft(writer._tools, read, writer._known(read), now_us=vault.clock.now_us())
        assert writer._add_keys(stale)
        shred(vault, 1)
        assert not writer._commit(stale)
        writer._withdraw(stale)


def test_another_root_opens_nothing(vault):
    (vault.home / ROOT_FILE).unlink()
    FileRoot.create(vault.home / ROOT_FILE)
    vault.reopen()
    with pytest.raises(IntegrityBroken):
        vault.reveal(1, "name")


def test_both_stores_without_the_root_file_are_of_no_use(vault):
    (vault.home / ROOT_FILE).unlink()
    vault.reopen()
    with pytest.raises(NotFound):
        vault.reveal(1, "name")


def test_a_permit_is_not_forged():
    with pytest.raises(TypeError):
        Permit(CLIENT, "cus_1", "accounts", Operation.REVEAL, {"dob": Presentation.CLEAR}, object())


def test_a_permit_to_reveal_is_no_permit_to_try_answers(vault):
    customer = vault.customer(1)
    (loaded,) = vault.load(customer)
    permit = make_permit(
        CLIENT,
        customer,
        "accounts",
        operation=Operation.REVEAL,
        fields={"dob": Presentation.MASKED},
    )
    with pytest.raises(Denied):
        match_answers(permit, loaded, vault.schema, {"dob": "1990-02-02"})


def test_a_collection_with_a_card_security_code_is_refused():
    for name in ("cvv", "card_cvc2", "security_code", "atm_pin"):
        text = f'{SCHEMA_TOML}\n[fields.{name}]\ntype = "text"\nclass = "C4"\nhandling = "verify_only"\n'
        with pytest.raises(InvalidInput) as refused:
            compile_schema(text, name="accounts")
        assert refused.value.code == "never_kept"


def test_a_mask_that_gives_an_answer_away_is_refused():
    text = f'{SCHEMA_TOML}\n[fields.ssn_last4]\ntype = "text"\nclass = "C3"\nhandling = "verify_only"\n'
    with pytest.raises(InvalidInput) as refused:
        compile_schema(text, name="accounts")
    assert refused.value.field == "fields.national_id.mask"


def test_planted_values_are_in_no_file_and_no_text_of_the_house(vault, capsys, caplog):
    with (
        vault.house.stores() as reader
    ):  # keeps both logs from being cut: what was written stays in the files
        for store in reader:
            store.begin_reading()
            raw(store, "SELECT COUNT(*) FROM django_migrations")
        vault.write(CANARIES, {**CANARIES, "account_no": "CANARY000778", "dob": "bad 1971-03-17"})
        vault.write({**CANARIES, "balance": "31337.43"})
        customer = vault.sql("SELECT id FROM vault_customer ORDER BY id DESC LIMIT 1")[0][0]
        (loaded,) = vault.load(customer)
        opened = open_fields(vault.permit(customer, *vault.showable()), loaded, vault.schema)
        with pytest.raises(Exception) as error:  # noqa: PT011
            open_fields(
                vault.permit(customer, "name"), LoadedRecord(*loaded[:2], [], []), vault.schema
            )
        texts = [
            repr(opened),
            repr(loaded),
            repr(error.value),
            "".join(capsys.readouterr()),
            caplog.text,
        ]
        seen = b"".join(path.read_bytes() for path in vault.home.rglob("*") if path.is_file())
        seen += b"".join(bytes_of(store) for store in reader)
    assert customer.encode() in seen
    for value in [*CANARIES.values(), "987654320", "31337.43", "Quetzalcoatl", "zzyzx"]:
        assert value.encode() not in seen, value
        assert all(value not in text for text in texts), value
