from __future__ import annotations

import json
from contextlib import closing

import pytest

from holdfast.kit.errors import Conflict, NotFound, Unavailable
from holdfast.kit.jobs.queue import run_due
from holdfast.spine.ledger.statements import verify_statement
from holdfast.spine.vault.erasing import Bytes
from holdfast.spine.vault.load import customer_reference
from holdfast.spine.vault.shred import (
    SHRED_JOB,
    certificates_of,
    complete,
    complete_together,
    complete_unfinished,
    request_shred,
    run_shred,
)
from support.stores import ON_POSTGRES, bytes_of, raw
from support.vault import CLIENT, new_vault, row


@pytest.fixture
def vault(tmp_path):
    vault = new_vault(tmp_path)
    vault.write(*(row(n) for n in range(1, 5)))
    yield vault
    vault.close()


class Impatient:
    """A house whose connections wait for nobody."""

    def __init__(self, house):
        self._house = house

    def __getattr__(self, name):
        return getattr(self._house, name)

    def stores(self):
        return closing(self._house.connect(busy_timeout_ms=0))


def request(vault, number=1):
    vault.clock.advance(1)
    work = request_shred(
        vault.keys, vault.customer(number), by="p_dpo", now_us=vault.clock.now_us()
    )
    operation = vault.house.transact(work)
    vault.clock.advance(1_000_000)
    return operation


def shred(vault, number=1):
    return complete(vault.house, CLIENT, request(vault, number))


def state(vault, customer):
    return vault.sql("SELECT state FROM vault_customer WHERE id = ?", customer)[0][0]


def leaves(vault):
    return [json.loads(entry) for entry in vault.leaves()]


def test_an_erased_customer_has_no_key_and_no_row_and_others_have_theirs(vault):
    customer = vault.customer(1)
    shred(vault, 1)
    assert state(vault, customer) == "shredded"
    assert vault.load(customer) == []
    for table in ("dek", "index", "import_key", "head", "customer"):
        text = f"SELECT COUNT(*) FROM keyring_{table} WHERE customer = ?"
        assert vault.sql(text, customer, store="keys") == [(0,)], table
    assert vault.reveal(2, "name") == {"name": "Ana Cruz c"}


def test_refusal_is_immediate_and_erasure_follows(vault):
    customer = vault.customer(1)
    operation = request(vault)
    assert state(vault, customer) == "shredding"
    assert [leaf["type"] for leaf in leaves(vault)] == ["records.imported", "shred.requested"]
    complete(vault.house, CLIENT, operation)
    assert [leaf["type"] for leaf in leaves(vault)][2:] == ["shred.done"]


def test_the_certificate_says_what_the_leaves_say_and_is_signed_by_the_log_s_key(vault):
    certificate = shred(vault)
    body, _ = verify_statement(
        certificate, vault.house.signing_keys.verifier_keys(f"client-{CLIENT}")
    )
    requested, done = leaves(vault)[1:]
    assert body["type"] == "holdfast/shred-certificate/v1"
    assert body["log"] == f"client-{CLIENT}"
    assert body["copies"] == "not determined"
    assert body["customer"] == requested["customer"] == done["customer"]
    assert [leaf["id"] for leaf in body["leaves"]] == [requested["id"], done["id"]]
    assert body["refused_at"] == requested["time"]
    assert body["erased_at"] == done["erased"] > body["refused_at"]
    assert (body["records"], body["classes"]) == (1, ["C1", "C2", "C3", "C4"])
    (name, kept), *rest = certificates_of(vault.home, CLIENT).items()
    assert (name, json.loads(kept), rest) == (f"{body['operation']}.json", certificate, [])


def test_nothing_of_the_customer_is_in_the_files(vault):
    customer = vault.customer(1)
    wrapped = [dek[2] for dek in vault.load(customer)[0].deks]
    assert stands(vault, customer.encode())
    shred(vault)
    assert not stands(vault, customer.encode())
    assert stands(vault, vault.customer(2).encode())
    with vault.house.stores() as stores:
        assert not stores.keys.holds(Bytes(wrapped))


def stands(vault, needle):
    """Whether a byte string stands in the files of the keys store; a server's log tells of ``data``, too."""
    with vault.house.stores() as stores:
        return needle in bytes_of(stores.keys, log=not ON_POSTGRES)


def test_the_link_between_customer_and_reference_is_gone(vault):
    customer = vault.customer(1)
    reference = shred(vault)["customer"]
    assert vault.sql("SELECT customer, reference FROM vault_shred") == [("", reference)]
    with pytest.raises(NotFound):
        vault.house.read(customer_reference(CLIENT, customer))


def test_a_later_import_does_not_bring_the_customer_back(vault):
    shred(vault)
    assert vault.write(row(1), row(2), row(1, account_no="ACC999999999"))[:4] == (0, 0, 1, 2)
    assert vault.sql("SELECT COUNT(*) FROM vault_customer") == [(4,)]


def test_an_import_during_the_erasure_is_suppressed(vault):
    request(vault)
    assert vault.write(row(1, balance="9"))[:4] == (0, 0, 0, 1)


def test_a_customer_is_erased_once(vault):
    customer = vault.customer(1)
    first = request(vault)
    assert request(vault) == first
    complete(vault.house, CLIENT, first)
    assert complete(vault.house, CLIENT, first)["operation"] == first
    with pytest.raises(Conflict, match="already"):
        vault.house.transact(request_shred(vault.keys, customer, by="p_dpo", now_us=1))
    with pytest.raises(NotFound):
        vault.house.transact(request_shred(vault.keys, "cus_nobody", by="p_dpo", now_us=1))


def test_a_reader_delays_the_erasure_but_not_the_refusal(vault):
    customer = vault.customer(1)
    operation = request(vault)
    with vault.house.stores() as reader:
        reader.keys.begin_reading()
        raw(reader.keys, "SELECT COUNT(*) FROM keyring_dek")
        impatient = Impatient(vault.house)
        with pytest.raises(Unavailable):
            complete(impatient, CLIENT, operation)
        assert state(vault, customer) == "shredding"
        assert vault.sql("SELECT erased_us FROM vault_shred") == [(0,)]
        assert complete_unfinished(impatient) == 0
        reader.keys.commit()
    assert complete_unfinished(vault.house) == 1
    assert complete_unfinished(vault.house) == 0
    assert state(vault, customer) == "shredded"


def test_the_job_that_was_enqueued_with_the_request_completes_it(vault):
    customer = vault.customer(1)
    request(vault)
    handlers = {SHRED_JOB: lambda run: run_shred(vault.house, run.payload)}
    assert run_due(vault.house, handlers)
    assert state(vault, customer) == "shredded"


def test_a_lost_certificate_is_written_again_the_same(vault):
    certificate = shred(vault)
    path = vault.home / "certificates" / CLIENT / f"{certificate['operation']}.json"
    before = path.read_bytes()
    path.unlink()
    complete(vault.house, CLIENT, certificate["operation"])
    assert path.read_bytes() == before


def test_a_number_that_another_customer_shares_stays_that_customer_s(vault):
    vault.write(row(7, phone="+12025550188"), row(8, phone="+12025550188"))
    shred(vault, 7)
    assert vault.reveal(8, "phone") == {"phone": "••••••••88"}


def test_leaves_and_certificate_hold_no_value_and_no_id_of_the_customer(vault):
    customer = vault.customer(1)
    certificate = shred(vault)
    published = b"".join(vault.leaves()) + json.dumps(certificate).encode()
    for value in (*row(1).values(), customer):
        assert value.encode() not in published


def test_without_an_erasure_there_is_no_certificate(tmp_path):
    assert certificates_of(tmp_path, CLIENT) == {}


def test_an_erasure_right_after_a_change_leaves_nothing_of_the_change(vault):
    customer = vault.customer(1)
    vault.update(1, phone="+12025550155", email="new@example.com")
    shred(vault)
    assert not stands(vault, customer.encode())


def test_one_erasure_that_finds_bytes_of_its_customer_does_not_hold_up_the_others(vault):
    first, second = vault.customer(1), vault.customer(2)
    request(vault, 1)
    request(vault, 2)
    with vault.house.stores() as stores:  # bytes of the first stand where no erasure looks for rows
        raw(stores.keys, "CREATE TABLE elsewhere (text TEXT)")
        raw(stores.keys, "INSERT INTO elsewhere VALUES (?)", (first,))
    assert complete_unfinished(vault.house) == 1
    assert (state(vault, first), state(vault, second)) == ("shredding", "shredded")
    assert certificates_of(vault.home, CLIENT).keys() == {f"{certified(vault)}.json"}
    vault.sql("DROP TABLE elsewhere", store="keys")
    assert complete_unfinished(vault.house) == 1
    assert state(vault, first) == "shredded"


def certified(vault):
    return vault.sql("SELECT operation FROM vault_shred WHERE state = 'certified'")[0][0]


def test_erasures_that_wait_are_completed_by_the_job_of_one(vault):
    customers = [vault.customer(n) for n in (1, 2, 3)]
    operations = [request(vault, n) for n in (1, 2, 3)]
    run_shred(vault.house, {"client": CLIENT, "operation": operations[1]})
    assert sorted(certificates_of(vault.home, CLIENT)) == sorted(
        f"{one}.json" for one in operations
    )
    for customer in customers:
        assert state(vault, customer) == "shredded"
        assert not stands(vault, customer.encode())
    assert vault.reveal(4, "name")


def test_together_each_has_its_own_leaf_and_certificate(vault):
    operations = [request(vault, n) for n in (1, 2)]
    certificates = complete_together(vault.house, [(CLIENT, one) for one in operations])
    verifier = vault.house.signing_keys.verifier_keys(f"client-{CLIENT}")
    bodies = [verify_statement(one, verifier)[0] for one in certificates]
    assert [body["operation"] for body in bodies] == operations
    done = [leaf["operation"] for leaf in leaves(vault) if leaf["type"] == "shred.done"]
    assert sorted(done) == sorted(operations)


def test_what_holds_one_erasure_up_does_not_hold_up_another(vault):
    sound, other = request(vault, 2), "op_without_keys"
    vault.sql(
        """INSERT INTO vault_shred SELECT 'nobody', ?, customer, reference, state, requested_leaf, done_leaf,
        refused_us, erased_us, records, classes, certificate FROM vault_shred WHERE operation = ?""",
        other,
        sound,
    )
    run_shred(vault.house, {"client": CLIENT, "operation": sound})
    assert f"{sound}.json" in certificates_of(vault.home, CLIENT)
    assert vault.sql("SELECT state FROM vault_shred WHERE operation = ?", other) == [("requested",)]


@pytest.mark.parametrize("at", range(17))
@pytest.mark.parametrize("needles", [2, 100])
def test_a_byte_string_is_found_wherever_it_stands(at, needles):
    wanted = [
        bytes([n, n + 1]) * 4 + bytes([n]) * 12 + bytes([255 - n]) * 12 for n in range(needles)
    ]
    traces = Bytes(wanted)
    for end in range(9):
        assert traces.stand_in(bytes(at) + wanted[-1] + bytes(end))
        assert not traces.stand_in(bytes(at) + wanted[-1][:-1] + bytes(end + 1))
    assert Bytes([*wanted, b"short"]).stand_in(bytes(at) + b"short")
