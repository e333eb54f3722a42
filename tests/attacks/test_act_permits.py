"""Attacks on the permit itself: a piece of paper that a target system believes."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.kit.errors import NotFound
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.operations.outcome import Report, tell_missing
from holdfast.spine.turn.answers import OutcomeRefused, OutcomeTaken
from support.acting import Target, claims_of, forged, permitted, report_as
from support.bank import customer, new_bank


@pytest.fixture
def bank(tmp_path):
    bank = new_bank(tmp_path / "house")
    yield bank
    bank.close()


@pytest.fixture
def crm(bank):
    return Target(bank)


def signals(bank):
    return [leaf["signal"] for leaf in bank.leaves("signal.raised")]


def published(bank):
    """The keys that a target finds now."""
    return bank.house.permit_keys().jwk_set(bank.clock.now_us())["keys"]


def test_a_target_can_check_a_permit_with_what_is_published(bank):
    acted = permitted(bank)
    (jwk,) = published(bank)
    header, payload, signature = acted.permit.encode().split(b".")
    pad = lambda part: base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))  # noqa: E731
    Ed25519PublicKey.from_public_bytes(pad(jwk["x"].encode())).verify(
        pad(signature), header + b"." + payload
    )
    assert json.loads(pad(header)) == {"alg": "EdDSA", "kid": jwk["kid"], "typ": "holdfast-act+jwt"}
    claims = claims_of(acted.permit)
    number = customer(1)["customer_no"].encode()
    assert (
        hashlib.sha256(bytes.fromhex(claims["salt"]) + number).hexdigest()
        == claims["customer_number_sha256"]
    )
    assert claims["exp"] - claims["iat"] == 60
    assert (claims["aud"], claims["client"], claims["jti"]) == ("crm", "bank-01", acted.act)
    assert customer(1)["customer_no"] not in json.dumps(claims)


def test_a_permit_used_twice(bank, crm):
    acted = permitted(bank)
    assert isinstance(crm.report(acted.act, acted.permit), OutcomeTaken)
    again = crm.report(acted.act, acted.permit)
    assert again.code == "permit_used"
    assert isinstance(crm.report(acted.act, acted.permit, "done"), OutcomeTaken)
    assert crm.report(acted.act, acted.permit, "done").code == "permit_used"
    assert signals(bank) == ["act.permit_reused"]
    assert [leaf["outcome"] for leaf in bank.leaves("action.reported")] == ["claimed", "done"]


def test_a_permit_that_expired(bank, crm):
    acted = permitted(bank)
    bank.advance(60)
    for outcome in ("claimed", "done"):
        assert crm.report(acted.act, acted.permit, outcome).code == "permit_expired"
    assert isinstance(crm.report(acted.act, acted.permit, "not_done"), OutcomeTaken)


def test_an_outcome_long_after_the_claim(bank, crm):
    acted = permitted(bank)
    crm.report(acted.act, acted.permit)
    bank.advance(600)
    assert isinstance(crm.report(acted.act, acted.permit, "done"), OutcomeRefused)


@pytest.mark.parametrize(
    "change",
    [
        {"client": "bank-02"},
        {"action": "wire_money"},
        {"aud": "payroll"},
        {"exp": 2_000_000_000},
        {"customer_number_sha256": "0" * 64},
        {"sub": "c_another"},
    ],
)
def test_a_permit_for_something_else_under_the_old_signature(bank, crm, change):
    acted = permitted(bank)
    with pytest.raises(NotFound):
        crm.report(acted.act, forged(acted.permit, **change))


def test_a_permit_signed_by_somebody_else(bank, crm):
    acted = permitted(bank)
    head, payload, _ = acted.permit.encode().split(b".")
    signature = Ed25519PrivateKey.generate().sign(head + b"." + payload)
    mine = head + b"." + payload + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")
    with pytest.raises(NotFound):
        crm.report(acted.act, mine.decode())


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256", "typ": "holdfast-act+jwt"}])
def test_a_permit_that_chooses_its_own_algorithm(bank, crm, header):
    acted = permitted(bank)
    _, payload, signature = acted.permit.split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    for text in (f"{head}.{payload}.{signature}", f"{head}.{payload}.", f"{head}.{payload}"):
        with pytest.raises(NotFound):
            crm.report(acted.act, text)


def test_the_permit_of_another_act(bank):
    first = permitted(bank)
    bank.end()
    bank.advance(86_401)
    bank.step_up = None
    second = permitted(bank, "CT-2")
    with pytest.raises(NotFound):
        Target(bank).report(first.act, second.permit)


@pytest.mark.parametrize(
    ("name", "scope"),
    [("payroll", "act:bank-01"), ("crm", "act:bank-02"), ("crm", "log:bank-01")],
)
def test_a_service_that_it_is_not_for(bank, name, scope):
    acted = permitted(bank)
    with pytest.raises(NotFound):
        Target(bank, name, scope).report(acted.act, acted.permit)


def test_the_agent_reports_that_the_target_did_it(bank):
    acted = permitted(bank)
    report = Report(acted.act, acted.permit, "done")
    with pytest.raises(NotFound):
        report_as(bank, hash_secret(bank.agent.token), report)


def test_a_permit_that_is_never_used_is_told_once(bank, crm):
    permitted(bank)
    bank.advance(599)
    assert bank.house.transact(tell_missing(bank.clock.now_us())) == 0
    bank.advance(1)
    for _ in range(3):
        bank.house.transact(tell_missing(bank.clock.now_us()))
    assert signals(bank) == ["act.no_outcome"]
    ((missed,),) = bank.sql("SELECT missed_us FROM actions_permit")
    assert missed == bank.clock.now_us()


def test_a_claim_without_an_end_is_told(bank, crm):
    acted = permitted(bank)
    bank.advance(50)
    crm.report(acted.act, acted.permit)
    bank.advance(560)
    bank.house.transact(tell_missing(bank.clock.now_us()))
    assert signals(bank) == []
    bank.advance(40)
    bank.house.transact(tell_missing(bank.clock.now_us()))
    assert signals(bank) == ["act.no_outcome"]


def test_the_permit_is_kept_nowhere(bank):
    acted = permitted(bank)
    everything = bank.all_bytes()
    assert acted.permit.encode() not in everything
    assert acted.permit.rpartition(".")[2].encode() not in everything


def test_asking_again_with_the_same_key_gives_no_second_permit(bank):
    from holdfast.kit.errors import Conflict
    from support.acting import RESET, ready

    proof = ready(bank)
    key = ("one", b"d" * 32)
    assert bank.act("C00001", RESET, [proof], key=key).permit
    assert bank.act("C00001", RESET, [proof], key=key).code == "denied"  # the day's only one
    with pytest.raises(Conflict):
        bank.act("C00001", RESET, [proof], key=("one", b"x" * 32))
