"""Attacks by somebody who can write to the store: what was edited, moved or rolled back is never shown.

Each ends in a refusal that says so, a line in the client's log, a signal, and no value. The last section is about
policies that cannot be evaluated: they permit nothing.
"""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CONTRACT
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.turn.answers import Refused, Revealed
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import complete, request_shred
from support.answers import rules, text_of
from support.bank import Bank, customer, new_bank

MINE, THEIRS = "C00001", "C00002"


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    bank.connect()
    assert isinstance(bank.reveal(MINE, ["name", "acct"]), Revealed)
    yield bank
    bank.close()


def is_refused_and_signalled(bank, answer):
    assert rules(answer) == {"vault.integrity"}
    assert all(value not in text_of(answer) for value in customer(1).values())
    line = bank.leaves("decision.made")[-1]
    assert (line["id"], line["outcome"]) == (answer.leaf.id, "deny")
    assert line["rules"] == ["vault.integrity"]
    assert set(line["fields"].values()) <= {"withheld"}
    signal = bank.leaves("signal.raised")[-1]
    assert signal["signal"] == "vault.integrity"


def row_of(bank, name):
    ((body, version, operation),) = bank.sql(
        "SELECT body, version, operation FROM vault_record WHERE customer = ?",
        bank.customers[name],
    )
    return bytes(body), version, operation


@pytest.mark.parametrize("place", [0, 5, 20, -40, -1])
def test_one_flipped_bit_of_a_row(bank, place):
    body = bytearray(row_of(bank, MINE)[0])
    body[place] ^= 1
    bank.sql("UPDATE vault_record SET body = ? WHERE customer = ?", bytes(body), bank.id_of(MINE))
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name", "acct"]))


def test_a_row_of_another_customer_in_this_ones_place(bank):
    theirs = row_of(bank, THEIRS)[0]
    bank.sql("UPDATE vault_record SET body = ? WHERE customer = ?", theirs, bank.id_of(MINE))
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name"]))


def test_a_whole_row_handed_to_another_customer(bank):
    bank.sql("DELETE FROM vault_record WHERE customer = ?", bank.id_of(MINE))
    bank.sql(
        "UPDATE vault_record SET customer = ? WHERE customer = ?",
        bank.id_of(MINE),
        bank.id_of(THEIRS),
    )
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name"]))


def test_a_row_and_its_head_and_keys_handed_to_another_customer(bank):
    """The keys store too: but a data key is sealed for its own customer."""
    mine, theirs = bank.id_of(MINE), bank.id_of(THEIRS)
    bank.sql("DELETE FROM vault_record WHERE customer = ?", mine)
    bank.sql("UPDATE vault_record SET customer = ? WHERE customer = ?", mine, theirs)
    for table in ("keyring_head", "keyring_dek"):
        bank.sql(f"DELETE FROM {table} WHERE customer = ?", mine, keys=True)
        bank.sql(f"UPDATE {table} SET customer = ? WHERE customer = ?", mine, theirs, keys=True)
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name"]))


@pytest.fixture
def updated(bank):
    """The bank after an update, with the row as it stood before."""
    before = row_of(bank, MINE)
    bank.take_step_up(bank.change_reason("contact-change").challenge)
    bank.change_reason("contact-change")
    bank.update(MINE, {"address": "9 New Street"})
    assert bank.reveal(MINE, ["address"]).fields["address"].value == "9 New Street"
    return bank, before


def test_a_row_rolled_back_to_its_older_version(updated):
    bank, (body, version, operation) = updated
    bank.sql(
        "UPDATE vault_record SET body = ?, version = ?, operation = ? WHERE customer = ?",
        body,
        version,
        operation,
        bank.id_of(MINE),
    )
    is_refused_and_signalled(bank, bank.reveal(MINE, ["address"]))
    is_refused_and_signalled(bank, bank.update(MINE, {"address": "1 Elsewhere"}))
    is_refused_and_signalled(bank, bank.search(customer(1)["phone"]))


def test_an_older_body_under_the_new_version(updated):
    bank, (body, _, _) = updated
    bank.sql("UPDATE vault_record SET body = ? WHERE customer = ?", body, bank.id_of(MINE))
    is_refused_and_signalled(bank, bank.reveal(MINE, ["address"]))


def test_a_head_that_is_gone(bank):
    bank.sql("DELETE FROM keyring_head WHERE customer = ?", bank.id_of(MINE), keys=True)
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name"]))


def test_a_data_key_that_is_gone(bank):
    bank.sql("DELETE FROM keyring_dek WHERE customer = ?", bank.id_of(MINE), keys=True)
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name"]))


def test_an_edited_data_key(bank):
    bank.sql(
        "UPDATE keyring_dek SET wrapped = ? WHERE customer = ?",
        bytes(60),
        bank.id_of(MINE),
        keys=True,
    )
    is_refused_and_signalled(bank, bank.reveal(MINE, ["name"]))


def test_a_row_that_does_not_verify_is_compared_with_nothing(bank):
    bank.sql("UPDATE vault_record SET body = ? WHERE customer = ?", b"\0", bank.id_of(MINE))
    is_refused_and_signalled(bank, bank.verify(MINE, {"dob": customer(1)["dob"]}))


def test_a_row_that_does_not_verify_is_found_by_no_search(bank):
    bank.sql("UPDATE vault_record SET body = ? WHERE customer = ?", b"\0", bank.id_of(MINE))
    is_refused_and_signalled(bank, bank.search(customer(1)["phone"]))


def test_an_index_entry_turned_to_another_customer_finds_nobody(bank):
    """The record confirms each entry: one that was pointed elsewhere is not of its value."""
    bank.sql(
        "UPDATE keyring_index SET customer = ? WHERE customer = ?",
        bank.id_of(THEIRS),
        bank.id_of(MINE),
        keys=True,
    )
    hits = bank.search(customer(1)["phone"]).hits
    assert hits == ()


def test_a_customer_who_was_erased_is_answered_like_one_who_never_was(bank):
    keys = bank.house.read(client_keys(bank.house.keks, "bank-01", 1))
    work = request_shred(keys, bank.id_of(MINE), by="p_someone", now_us=bank.clock.now_us())
    operation = bank.house.transact(work)
    never = "cus_0000000000000000000000000n"
    for _ in ("requested", "done"):
        assert rules(bank.reveal(MINE, ["name"])) == rules(bank.reveal(never, ["name"]))
        assert rules(bank.verify(MINE, {"dob": customer(1)["dob"]})) == {"customer.bound"}
        assert bank.search(customer(1)["phone"]).hits == ()
        complete(bank.house, "bank-01", operation)


def test_a_contract_that_was_edited_in_the_store(bank):
    """A process that has read the published one goes on with it; one that has not shows nothing."""
    narrow, wide = '"phone", "acct"', '"phone", "email"'
    bank.sql("UPDATE decision_contract SET text = replace(text, ?, ?)", narrow, wide)
    bank.sql("UPDATE decision_client SET fence = fence + 1")
    assert rules(bank.reveal(MINE, ["email"])) == {"field.set"}
    again = Bank(bank.home, bank.clock)
    with pytest.raises(IntegrityBroken, match="not the one published"):
        again.reveal(MINE, ["name"])
    again.close()


def test_policies_that_cannot_be_evaluated_permit_nothing_and_are_a_signal(bank):
    """Here: those of another client, which no request may be judged by."""
    ((fence,),) = bank.sql("SELECT fence FROM decision_client")
    other = compile_policies(compile_contract(CONTRACT.replace("bank-01", "bank-02")))
    bank.house.policies._entries["bank-01"] = (fence, other)
    answer = bank.reveal(MINE, ["name"])
    assert rules(answer) == {"engine"}
    assert bank.leaves("decision.made")[-1]["outcome"] == "deny"
    assert bank.leaves("signal.raised")[-1]["signal"] == "decision.not_evaluated"
    assert isinstance(bank.search(customer(1)["phone"]), Refused)
    assert isinstance(bank.verify(MINE, {"dob": customer(1)["dob"]}), Refused)


def test_a_leaf_that_cannot_be_written_shows_nothing(bank):
    bank.sql("DROP TABLE decision_record")
    with pytest.raises(Exception, match="decision_record"):
        bank.reveal(MINE, ["name"])


def test_a_person_who_cannot_be_read_is_let_in_nowhere(bank):
    bank.sql("UPDATE identity_assignment SET roles = 'nonsense'")
    assert isinstance(bank.reveal(MINE, ["name"]), Refused)
