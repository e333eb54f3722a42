"""Attacks with a token that is bound to a key, over the data plane's application: a live call, and nothing is shown.

Each first sees the value with an honest request, so that what refuses afterwards is the attack and nothing else.
"""

from __future__ import annotations

import json

import pytest

from holdfast.edges.dataplane.openapi import document
from holdfast.edges.worker.jobs import _forget
from support.api_examples import FILE
from support.bank import Bank
from support.desk import Desk
from support.holders import Holder

EXAMPLES = json.loads(FILE.read_text())
REFUSED = "no valid credential came with the request"


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "house")
    (answer,) = desk.reveal(desk.bound(desk.proof()))
    assert answer.status == 200, answer.body
    assert desk.bank.leaves("decision.made")[-1]["level"] == "possession"
    yield desk
    desk.bank.close()


def refused(desk, answer, why=REFUSED, lines=None):
    """401, the challenge for both schemes, and no line."""
    assert answer.status == 401, answer.body
    assert why in answer.body["detail"]
    challenges = [value for name, value in answer.headers if name == b"www-authenticate"]
    assert b'DPoP realm="holdfast", algs="ES256 EdDSA"' in challenges
    if lines is not None:
        assert len(desk.bank.leaves()) == lines


def test_a_stolen_bound_token_sent_as_a_bearers(desk):
    before = len(desk.bank.leaves())
    (answer,) = desk.reveal([("authorization", f"Bearer {desk.token}")])
    refused(desk, answer, lines=before)
    unknown = "hft_" + "x" * 43
    (other,) = desk.reveal([("authorization", f"Bearer {unknown}")])
    assert answer.body == other.body, "who holds a stolen token does not learn that it is one"


def test_a_stolen_bound_token_sent_as_a_bearers_with_a_proof_that_was_seen(desk):
    proof = desk.proof()
    (answer,) = desk.reveal([("authorization", f"Bearer {desk.token}"), ("dpop", proof)])
    refused(desk, answer)


def test_a_bound_token_without_a_proof(desk):
    (answer,) = desk.reveal([("authorization", f"DPoP {desk.token}")])
    refused(desk, answer, "DPoP header is missing")


def test_a_proof_by_the_thiefs_own_key(desk):
    (answer,) = desk.reveal(desk.bound(desk.proof(Holder())))
    refused(desk, answer)


def test_a_proof_by_the_key_of_a_colleague_who_has_a_bound_token_too(desk):
    other = Holder("EdDSA")
    mine = desk.bank.new_token(desk.bank.other, jkt=other.jkt)
    (answer,) = desk.reveal(desk.bound(desk.proof(other)))
    refused(desk, answer)
    (answer,) = desk.reveal(desk.bound(desk.proof(other, token=mine.token)))
    refused(desk, answer, "ath")


def test_a_proof_for_another_token_of_the_same_holder(desk):
    second = desk.bank.new_token(desk.bank.agent, jkt=desk.holder.jkt)
    (answer,) = desk.reveal(desk.bound(desk.proof(token=second.token)))
    refused(desk, answer, "ath")


@pytest.mark.parametrize(
    "claims",
    [
        {"htu": "http://localhost:8461/v1/search"},
        {"htu": "https://evil.example/v1/reveal"},
        {"htm": "GET"},
    ],
)
def test_a_proof_for_another_address_or_method(desk, claims):
    (answer,) = desk.reveal(desk.bound(desk.proof(**claims)))
    refused(desk, answer, "another")


@pytest.mark.parametrize("ago", [61, 3600, -61])
def test_a_proof_kept_for_later_or_made_in_advance(desk, ago):
    iat = desk.bank.clock.now_us() // 1_000_000 - ago
    (answer,) = desk.reveal(desk.bound(desk.proof(iat=iat)))
    refused(desk, answer, "iat")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
def test_a_proof_under_an_algorithm_of_the_attackers_choice(desk, algorithm):
    (answer,) = desk.reveal(desk.bound(desk.proof(header={"alg": algorithm})))
    refused(desk, answer, "alg must be")


def test_a_proof_that_carries_a_private_key(desk):
    jwk = {**desk.holder.jwk, "d": desk.holder.jwk["x"]}
    (answer,) = desk.reveal(desk.bound(desk.proof(header={"jwk": jwk})))
    refused(desk, answer, "private")


def test_two_proofs_in_one_request(desk):
    before = len(desk.bank.leaves())
    (answer,) = desk.reveal([*desk.bound(desk.proof()), ("dpop", desk.proof())])
    assert answer.status == 400
    assert answer.body["field"] == "dpop"
    assert len(desk.bank.leaves()) == before


def test_an_oversized_proof(desk):
    (answer,) = desk.reveal(desk.bound(desk.proof(more="x" * 5000)))
    refused(desk, answer, "bytes")


def test_a_proof_replayed_in_the_same_turn(desk):
    before = len(desk.bank.leaves())
    headers = desk.bound(desk.proof())
    answers = desk.reveal(*[headers] * 5)
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401, 401]
    for answer in answers:
        if answer.status == 401:
            refused(desk, answer, "used before")
    assert len(desk.bank.leaves()) == before + 1


def test_a_proof_replayed_in_the_next_turn(desk):
    headers = desk.bound(desk.proof())
    (first,) = desk.reveal(headers)
    (second,) = desk.reveal(headers)
    assert first.status == 200
    refused(desk, second, "used before")


def test_a_number_replayed_in_another_proof(desk):
    (first,) = desk.reveal(desk.bound(desk.proof(jti="one")))
    desk.bank.advance(1)
    (second,) = desk.reveal(desk.bound(desk.proof(jti="one")))
    assert first.status == 200
    refused(desk, second, "used before")


def test_a_proof_of_a_request_that_failed_replayed_under_another_body(desk):
    """A proof covers no body: who read along may not put their own under the proof of one that was refused."""
    proof = desk.bound(desk.proof())
    for body in (b"{", b'{"client": 7}', b"x" * 300_000):
        headers = desk.bound(desk.proof())
        (failed,) = desk.send("POST", "/v1/reveal", body, headers)
        assert failed.status in {400, 413}, failed.body
        (again,) = desk.reveal(headers)
        refused(desk, again, "used before")
    (failed,) = desk.reveal(proof, fields=("no_such_field",))
    assert (failed.status, failed.body["field"]) == (400, "fields[0]")
    (again,) = desk.reveal(proof)
    refused(desk, again, "used before")


def test_a_proof_replayed_after_a_conflict(desk):
    named = ("idempotency-key", "one")
    assert desk.reveal([*desk.bound(desk.proof()), named])[0].status == 200
    headers = desk.bound(desk.proof())
    (failed,) = desk.reveal([*headers, named], fields=("balance",))
    assert failed.body["code"] == "idempotency_conflict"
    (again,) = desk.reveal(headers)
    refused(desk, again, "used before")


def test_a_proof_replayed_after_nothing_was_found(desk):
    path = "/v1/approvals/apr_" + "0" * 26
    where = {"htm": "GET", "htu": f"http://localhost:8461{path}"}
    headers = desk.bound(desk.proof(**where))
    (failed,) = desk.send("GET", path, b"", headers)
    assert failed.status == 404
    (again,) = desk.send("GET", path, b"", headers)
    refused(desk, again, "used before")


def test_a_proof_replayed_after_an_internal_error(desk):
    desk.bank.sql("ALTER TABLE decision_record RENAME TO moved")
    headers = desk.bound(desk.proof())
    (failed,) = desk.reveal(headers)
    assert failed.status == 500
    desk.bank.sql("ALTER TABLE moved RENAME TO decision_record")
    (again,) = desk.reveal(headers)
    refused(desk, again, "used before")


def test_a_proof_replayed_after_a_restart_and_after_the_worker_has_tidied_up(desk):
    headers = desk.bound(desk.proof())
    (first,) = desk.reveal(headers)
    assert first.status == 200
    clock = desk.bank.clock
    clock.advance(59_000_000)
    desk.bank.close()
    desk.bank.house = Bank(desk.bank.home, clock).house
    _forget(desk.bank.house)(None)
    (second,) = desk.reveal(headers)
    refused(desk, second, "used before")


def test_a_proof_that_is_too_old_is_forgotten(desk):
    assert desk.bank.sql("SELECT COUNT(*) FROM identity_proof") == [(1,)]
    desk.bank.advance(121)
    _forget(desk.bank.house)(None)
    assert desk.bank.sql("SELECT COUNT(*) FROM identity_proof") == [(0,)]


def test_proofs_of_strangers_do_not_fill_the_store(desk):
    stranger = Holder()
    for _ in range(20):
        desk.reveal(desk.bound(desk.proof(stranger, token="hft_" + "x" * 43), "hft_" + "x" * 43))
        desk.reveal(desk.bound(desk.proof(stranger)))  # of a stolen token, by another key
        desk.send("POST", "/v1/reveal", b"{", desk.bound(desk.proof(stranger)))
    assert desk.bank.sql("SELECT COUNT(*) FROM identity_proof") == [(1,)]


def test_a_plain_token_is_lifted_by_no_proof(desk):
    plain = desk.bank.agent.token
    (answer,) = desk.reveal(desk.bound(desk.proof(token=plain), plain), fields=("balance",))
    assert answer.body["code"] == "step_up_required"
    assert desk.bank.leaves("decision.made")[-1]["level"] == "bearer"
    (answer,) = desk.reveal(desk.bound(desk.proof()), fields=("balance",))
    assert answer.status == 200, answer.body


def test_a_bound_token_of_a_suspended_person(desk):
    desk.bank.suspend(desk.bank.agent)
    (answer,) = desk.reveal(desk.bound(desk.proof()))
    assert answer.status == 403
    assert answer.body["reasons"][0]["rule"] == "person.not_suspended"


def test_a_bound_token_that_was_revoked(desk):
    desk.bank.revoke(desk.agent)
    (answer,) = desk.reveal(desk.bound(desk.proof()))
    refused(desk, answer)


def test_a_bound_token_on_the_other_addresses(desk):
    (made,) = desk.reveal(desk.bound(desk.proof()))
    path = f"/v1/decisions/{made.body['decision']}"
    where = {"htm": "GET", "htu": f"http://localhost:8461{path}"}
    headers = desk.bound(desk.proof(**where))
    (read,) = desk.send("GET", path, b"", headers)
    assert read.status == 200, read.body
    (again,) = desk.send("GET", path, b"", headers)
    refused(desk, again, "used before")
    (bearer,) = desk.send("GET", path, b"", [("authorization", f"Bearer {desk.token}")])
    refused(desk, bearer)
    (log,) = desk.send(
        "GET",
        "/logs/house/checkpoint",
        b"",
        [("authorization", f"Bearer {desk.token}")],
    )
    refused(desk, log)


IDS = {"id": "apr_" + "0" * 26, "log": "house", "level": "0", "index": "000"}
SECURED = [
    (method.upper(), path)
    for path, methods in json.loads(document())["paths"].items()
    for method, operation in methods.items()
    if operation.get("security") != []
]


WANTED = {"/v1/logs/{log}/timeline": "?reference=per_0"}  # what an address does not do without


def example(path):
    """A body that this address takes; none where it takes none."""
    start = f"POST {path.partition('{')[0]}"
    asked = [one["request"] for one in EXAMPLES.get(path, ())]
    fitting = (one["body"] for one in asked if one["line"].startswith(start) and one.get("body"))
    texts = (json.dumps(body, ensure_ascii=False) for body in fitting)
    return next(texts, "").replace("\u2026", "0" * 26).encode()


@pytest.mark.parametrize(("method", "path"), SECURED, ids=[" ".join(one) for one in SECURED])
def test_a_stolen_bound_token_at_any_address(desk, method, path):
    """Wherever a credential is wanted, also at an address that is added later, the token alone is nothing."""
    where, body = path.format(**IDS), example(path) if method == "POST" else b""
    where += WANTED.get(path, "")
    kind = ("content-type", "application/json")
    (bearer,) = desk.send(method, where, body, [("authorization", f"Bearer {desk.token}"), kind])
    refused(desk, bearer)
    (bare,) = desk.send(method, where, body, [("authorization", f"DPoP {desk.token}"), kind])
    refused(desk, bare, "without its proof")
