"""Attacks on receipts: a house that wants to take back what it promised, a client that claims what it was not.

A receipt is what an answer carries: the hash of its leaf and the signed promise that the leaf will be in the log.
"""

from __future__ import annotations

import json

import msgspec
import pytest

from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.errors import HoldfastError, IntegrityBroken
from holdfast.spine.ledger.checkpoint import base64_text, parse_head
from holdfast.spine.ledger.note import Ed25519Signer, open_checkpoint, parse_note, parse_vkey
from holdfast.spine.ledger.receipts import RECEIPT, receipts_for
from holdfast.spine.ledger.recorder import append, hash_of
from holdfast.spine.ledger.statements import SIGNATURE, sign_statement, statement_text
from holdfast.spine.ledger.verify import Given, Outcome, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from holdfast.spine.turn.answers import LeafPointer
from support.bundles import Client, codes
from support.ledger import BANK, SHOP, LedgerHouse, a_leaf
from support.stores import NOON_US


class Promised:
    """A house that answered three requests in one turn, with what it said about each leaf."""

    def __init__(self, folder):
        self.house = LedgerHouse(folder / "house")
        self.client = Client(self.house, folder / "client")
        self.house.grown(BANK, 5)
        self.at_us = self.house.clock.now_us()
        self.leaves = [a_leaf(self.at_us, number) for number in (11, 12, 13)]
        self.saved = self.receipts(BANK, self.leaves)

    def receipts(self, log, leaves):
        hashes = [hash_of(append(log, leaf)) for leaf in leaves]
        signer = self.house.signing.signers(log)[0]
        made = receipts_for(hashes, signer, self.at_us)
        return [
            msgspec.to_builtins(LeafPointer(log, leaf.id, base64_text(one), receipt))
            for leaf, one, receipt in zip(leaves, hashes, made, strict=True)
        ]

    def write(self, *leaves, log=BANK):
        self.house.append_leaves(log, leaves or self.leaves)
        self.house.tick()

    def pass_time(self, seconds):
        """Time goes by and somebody else's leaf is written."""
        self.house.clock.advance(int(seconds * SECOND_US))
        self.house.grown(BANK, 1)

    def verify(self, *saved, keys=None, bundle=None):
        given = Given(
            UserMemory(self.client.desk / "state"),
            NOON_US,
            self.client.keys if keys is None else keys,
            receipts=[(f"{n}.json", json.dumps(one).encode()) for n, one in enumerate(saved)],
        )
        return verify_bundle(bundle or self.client.export(), given)

    def close(self):
        self.house.close()


@pytest.fixture
def promised(tmp_path):
    promised = Promised(tmp_path)
    yield promised
    promised.close()


def refused(promised, saved, **given):
    report = promised.verify(saved, **given)
    assert report.outcome is Outcome.BROKEN
    assert not report.receipts
    return codes(report)


def with_receipt(saved, **changes):
    return {**saved, "receipt": {**saved["receipt"], **changes}}


def body_of(receipt):
    """What the signature of a receipt covers, as it is documented."""
    return {
        "type": RECEIPT,
        "log": receipt["origin"],
        "root": receipt["root"],
        "size": receipt["size"],
        "time": receipt["time"],
        "within_s": receipt["within_s"],
    }


def test_what_was_promised_and_written_is_found_where_it_stands(promised):
    promised.write()
    report = promised.verify(*promised.saved)
    assert report.outcome is Outcome.AUTHENTIC
    assert [(one.promise, one.index) for one in report.receipts] == [
        ("kept", 5),
        ("kept", 6),
        ("kept", 7),
    ]


def test_a_leaf_left_out_of_the_log_is_a_broken_promise(promised):
    promised.write(promised.leaves[0], promised.leaves[2])
    promised.pass_time(11)
    report = promised.verify(*promised.saved)
    assert report.outcome is Outcome.PROMISE_BROKEN
    assert codes(report) == {"broken_promise"}
    assert [one.promise for one in report.receipts] == ["kept", "broken", "kept"]


def test_a_leaf_rewritten_after_its_promise_is_a_broken_promise(promised):
    changed = a_leaf(promised.at_us, 99)
    promised.write(
        promised.leaves[0],
        changed.__class__(changed.type, promised.leaves[1].id, changed.at_us, changed.body),
    )
    promised.pass_time(11)
    assert promised.verify(promised.saved[1]).outcome is Outcome.PROMISE_BROKEN


def test_nobody_is_accused_before_the_promise_is_due(promised):
    promised.pass_time(9)
    report = promised.verify(promised.saved[0])
    assert report.outcome is Outcome.AUTHENTIC
    assert [one.promise for one in report.receipts] == ["not_yet_due"]


def test_an_old_bundle_does_not_break_a_younger_promise(promised):
    old = promised.client.export()
    promised.write()
    assert [one.promise for one in promised.verify(promised.saved[0], bundle=old).receipts] == [
        "not_yet_due"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"time": rfc3339(NOON_US - 60 * SECOND_US)},
        {"within_s": 1},
        {"size": 4},
        {"root": base64_text(bytes(32))},
        {"origin": "house.example/00000000/client-bank-01"},
    ],
)
def test_a_changed_promise_is_not_the_houses(promised, changes):
    promised.write()
    assert refused(promised, with_receipt(promised.saved[0], **changes)) == {"bad_signature"}


def test_the_path_of_a_neighbour_proves_nothing(promised):
    promised.write()
    first, second, _ = promised.saved
    swapped = with_receipt(first, path=second["receipt"]["path"])
    moved = with_receipt(first, index=1)
    for one in (swapped, moved):
        assert refused(promised, one) == {"bad_receipt"}


def test_a_receipt_does_not_vouch_for_a_leaf_that_was_not_among_them(promised):
    """The claim of a client that something else was promised."""
    invented = a_leaf(promised.at_us, 77)
    claim = {
        **promised.saved[0],
        "id": invented.id,
        "hash": base64_text(hash_of(append(BANK, invented))),
    }
    assert refused(promised, claim) == {"bad_receipt"}


def test_a_receipt_under_another_leafs_name_is_refused(promised):
    promised.write()
    renamed = {**promised.saved[0], "id": promised.saved[1]["id"]}
    assert refused(promised, renamed) == {"bad_receipt"}


def test_the_receipt_of_another_decision_under_an_answer_is_refused(promised):
    """The attempt of a house: the caller saw one decision, and what stands in the log is another."""
    promised.write()
    first, second, _ = promised.saved
    answers = [
        {"decision": leaf.body["decision"], "match": True, "leaf": saved}
        for leaf, saved in zip(promised.leaves, (first, second), strict=False)
    ]
    assert [one.promise for one in promised.verify(*answers).receipts] == ["kept", "kept"]
    assert refused(promised, {**answers[0], "leaf": second}) == {"bad_receipt"}
    assert refused(promised, {**answers[0], "leaf": {**first, "log": SHOP}}) == {"bad_receipt"}


def test_a_receipt_signed_by_another_house_is_forged(promised, tmp_path):
    other = Promised(tmp_path / "other")
    promised.write()
    assert refused(promised, other.saved[0]) == {"forged_receipt"}
    other.close()


def test_a_receipt_of_another_log_says_nothing_about_this_one(promised):
    theirs = promised.receipts(SHOP, promised.leaves)[0]
    both = (*promised.client.keys, *map(parse_vkey, promised.house.vkeys(SHOP)))
    report = promised.verify(theirs, keys=both)
    assert "bad_receipt" in codes(report)
    assert refused(promised, theirs) == {"forged_receipt"}


def test_the_key_of_one_log_does_not_promise_for_another(promised):
    saved = promised.saved[0]
    signer = promised.house.signing.signers(SHOP)[0]
    signed = sign_statement(body_of(saved["receipt"]), signer, promised.at_us)
    both = (*promised.client.keys, *map(parse_vkey, promised.house.vkeys(SHOP)))
    relabelled = with_receipt(saved, signature=signed[SIGNATURE])
    assert "bad_receipt" in codes(promised.verify(relabelled, keys=both))


def test_a_checkpoint_is_not_taken_for_a_receipt(promised):
    """The signature under a checkpoint, put where a receipt has its own."""
    promised.write()
    bundle = promised.client.export()
    note = parse_note((bundle / "checkpoint").read_bytes())
    head = parse_head(note.text)
    passed_off = with_receipt(
        promised.saved[0],
        size=head.size,
        root=base64_text(head.root),
        signature=note.lines[0].text.strip(),
    )
    assert refused(promised, passed_off, bundle=bundle) == {"bad_signature"}


def test_a_receipt_is_not_taken_for_a_checkpoint(promised):
    receipt = promised.saved[0]["receipt"]
    body = body_of(receipt)
    signed = f"{statement_text(body)}\n{receipt[SIGNATURE]}\n".encode()
    with pytest.raises(IntegrityBroken):
        open_checkpoint(signed, promised.client.keys)
    head = f"{receipt['origin']}\n{receipt['size']}\n{receipt['root']}\n"
    with pytest.raises(HoldfastError):
        open_checkpoint(f"{head}\n{receipt[SIGNATURE]}\n".encode(), promised.client.keys)


def test_another_statement_of_the_house_is_no_receipt(promised):
    """A certificate is signed by the same key and in the same form; only its type differs."""
    promised.write()
    receipt = promised.saved[0]["receipt"]
    signer = promised.house.signing.signers(BANK)[0]
    assert isinstance(signer, Ed25519Signer)
    body = {**body_of(receipt), "type": "holdfast/shred-certificate/v1"}
    statement = sign_statement(body, signer, promised.at_us)
    other = with_receipt(promised.saved[0], signature=statement[SIGNATURE])
    assert refused(promised, other) == {"bad_signature"}


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"leaf": 7}', b'{"id": "x", "receipt": {}}', b"[" * 100_000]
)
def test_what_is_no_receipt_is_refused_and_says_so(promised, raw):
    given = Given(
        UserMemory(promised.client.desk / "state"),
        NOON_US,
        promised.client.keys,
        receipts=[("r.json", raw)],
    )
    report = verify_bundle(promised.client.export(), given)
    assert (report.outcome, codes(report)) == (Outcome.BROKEN, {"bad_receipt"})


def test_without_a_key_a_receipt_proves_nothing(promised):
    """Else anybody could accuse a house, with a receipt that they wrote themselves."""
    promised.pass_time(60)
    report = promised.verify(promised.saved[0], keys=())
    assert report.outcome is Outcome.NOT_AUTHENTICATED
    assert [one.promise for one in report.receipts] == ["unknown"]
