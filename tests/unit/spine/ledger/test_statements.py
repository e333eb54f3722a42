"""A statement of the house is as good as its signature."""

from __future__ import annotations

import json

import pytest

from holdfast.kit.crypto.signing import Ed25519Key, MlDsa44Key
from holdfast.kit.errors import IntegrityBroken, NotAuthenticated
from holdfast.kit.secret import Secret
from holdfast.spine.ledger.note import Ed25519Signer, MlDsa44Signer, sign_note
from holdfast.spine.ledger.statements import (
    sign_statement,
    statement_text,
    verify_statement,
)

SIGNER = Ed25519Signer("house.example/1a2b3c4d/client-bank-01", Ed25519Key(Secret(b"\x01" * 32)))
OTHER = Ed25519Signer("house.example/1a2b3c4d/client-bank-01", Ed25519Key(Secret(b"\x03" * 32)))
ML_DSA = MlDsa44Signer("house.example/1a2b3c4d/client-bank-01", MlDsa44Key(Secret(b"\x02" * 32)))
BODY = {"type": "holdfast/shred-certificate/v1", "leaves": [{"id": "lf_1"}], "copies": "—"}


def test_a_statement_survives_json_and_verifies():
    signed = json.loads(json.dumps(sign_statement(BODY, SIGNER, 0)))
    assert verify_statement(signed, [ML_DSA.key, OTHER.key, SIGNER.key]) == (BODY, SIGNER.key)


@pytest.mark.parametrize(
    "changes",
    [{"copies": "none"}, {"extra": 1}, {"leaves": [{"id": "lf_2"}]}, {"type": None}],
)
def test_an_edited_statement_is_refused(changes):
    with pytest.raises(IntegrityBroken):
        verify_statement({**sign_statement(BODY, SIGNER, 0), **changes}, [SIGNER.key])


@pytest.mark.parametrize("signature", [None, "", 7, "— x", "nonsense", "— a b\n\n— c d"])
def test_a_statement_without_a_proper_signature_is_refused(signature):
    with pytest.raises(IntegrityBroken):
        verify_statement({**BODY, "signature": signature}, [SIGNER.key])


def test_a_statement_by_a_stranger_authenticates_nothing():
    with pytest.raises(NotAuthenticated):
        verify_statement(sign_statement(BODY, OTHER, 0), [SIGNER.key])


def test_a_statement_without_canonical_form_is_refused():
    with pytest.raises(IntegrityBroken):
        statement_text({"half": 0.5})
    with pytest.raises(IntegrityBroken):
        statement_text({"lone": "\ud800"})
    with pytest.raises(ValueError, match="signed already"):
        sign_statement({"signature": ""}, SIGNER, 0)


def test_a_signed_checkpoint_is_no_statement_and_the_other_way_round():
    signed = sign_statement(BODY, SIGNER, 0)
    assert not statement_text(BODY).split("\n")[1].isdecimal()
    note = sign_note("holdfast/statement/v2\n{}\n", [SIGNER], 0).decode()
    moved = {**BODY, "signature": note.splitlines()[-1]}
    with pytest.raises(IntegrityBroken):
        verify_statement(moved, [SIGNER.key])
    assert verify_statement(signed, [SIGNER.key])
