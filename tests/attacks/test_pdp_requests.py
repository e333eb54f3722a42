"""Attacks on the policy decision point: with other credentials, with odd values, with far too much."""

from __future__ import annotations

import pytest

from holdfast.drills.bank.build import CONTRACT
from support.authzen import ADMIN, ALICE, ARCHIVED, ONE, READ, RULES, WRITE, question
from support.holders import Holder
from support.pdp import PolicyDecisionPoint

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


@pytest.fixture
def pdp(tmp_path):
    pdp = PolicyDecisionPoint(tmp_path / "house", CONTRACT + RULES)
    assert pdp.post(EVALUATION, question()).body == {"decision": True}
    yield pdp
    pdp.close()


def evaluated(pdp):
    return pdp.bank.leaves("decision.evaluated")


def may_not_ask(pdp, token, status=403, code="scope_missing"):
    before = len(pdp.bank.leaves())
    for path, body in ((EVALUATION, question()), (EVALUATIONS, {"evaluations": [question()]})):
        answer = pdp.post(path, body, token=token)
        assert (answer.status, answer.body["code"]) == (status, code)
    assert len(pdp.bank.leaves()) == before


def test_a_persons_token(pdp):
    may_not_ask(pdp, pdp.bank.agent.token)


@pytest.mark.parametrize("scopes", [(), ("log:bank-01",), ("act_for:bank-01",)])
def test_a_service_that_may_do_something_else(pdp, scopes):
    may_not_ask(pdp, pdp.issue(*scopes))


def test_a_service_that_would_choose_whose_rules_it_asks(pdp):
    may_not_ask(pdp, pdp.issue("pdp:bank-01", "pdp:bank-02"))


def test_a_token_for_another_clients_rules(pdp):
    may_not_ask(pdp, pdp.issue("pdp:bank-02"), 404, "not_found")


def test_an_unknown_token(pdp):
    may_not_ask(pdp, "hft_" + "x" * 43, 401, "not_authenticated")


def test_a_token_from_another_network(pdp):
    may_not_ask(pdp, pdp.issue("pdp:bank-01", networks=("192.0.2.0/24",)), code="other_network")


def test_a_stolen_bound_token(pdp):
    may_not_ask(pdp, pdp.issue("pdp:bank-01", jkt=Holder().jkt), 401, "not_authenticated")


def test_the_token_on_the_way_to_the_vault(pdp):
    headers = [("authorization", f"Bearer {pdp.service}")]
    (answer,) = pdp.reveal(headers)
    assert (answer.status, answer.body["code"]) == (401, "not_authenticated")
    for path in ("/logs/client-bank-01/checkpoint", "/v1/decisions/dec_0"):
        (answer,) = pdp.send("GET", path, b"", headers)
        assert answer.status == 404
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {pdp.bank.agent.token}")
    (answer,) = pdp.reveal([*headers, on_behalf])
    assert (answer.status, answer.body["code"]) == (401, "not_on_behalf")


def test_a_service_asks_on_nobodys_behalf(pdp):
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {pdp.bank.agent.token}")
    answer = pdp.post(EVALUATION, question(), headers=[on_behalf])
    assert (answer.status, answer.body["code"]) == (401, "not_on_behalf")


def test_a_batch_of_ten_thousand(pdp):
    before = len(pdp.bank.leaves())
    answer = pdp.post(EVALUATIONS, question(evaluations=[{}] * 10_000))
    assert (answer.status, answer.body["field"]) == (413, "evaluations")
    answer = pdp.post(EVALUATIONS, question(evaluations=[question()] * 10_000))
    assert (answer.status, answer.body["field"]) == (413, "body")
    assert len(pdp.bank.leaves()) == before
    answer = pdp.post(EVALUATIONS, question(evaluations=[{}] * 100))
    assert len(answer.body["evaluations"]) == 100


@pytest.mark.parametrize("status", [["archived"], {"is": "archived"}, 1, True, None])
def test_a_value_of_another_type_does_not_slip_past_a_rule(pdp, status):
    resource = {**ONE, "properties": {"status": status}}
    answer = pdp.post(EVALUATION, question(action=WRITE, resource=resource))
    assert answer.body == {"decision": False, "context": {"reason": "malformed"}}


def test_a_property_that_says_it_is_somebody_else(pdp):
    resource = {**ARCHIVED, "kind": "note", "props": {}}
    mallory = {
        "type": "user",
        "id": "mallory",
        "name": "alice",
        "properties": {"id": "alice", "name": "alice"},
    }
    assert not pdp.post(EVALUATION, question(mallory)).body["decision"]
    assert not pdp.post(EVALUATION, question(ALICE, WRITE, resource)).body["decision"]


@pytest.mark.parametrize(
    "text", ['alice", "x', 'alice"]) || true //', "alice\\", "ALICE", "alice "]
)
def test_a_name_that_would_be_more_than_a_name(pdp, text):
    assert not pdp.post(EVALUATION, question({"type": "user", "id": text})).body["decision"]


@pytest.mark.parametrize("number", [2**63, -(2**70), 1e400, 1.5])
def test_a_number_that_no_rule_can_hold(tmp_path, number):
    rule = '[[pdp]]\nid = "a"\nresource_type = "r"\nresource.size = [1]\n'
    pdp = PolicyDecisionPoint(tmp_path / "other", CONTRACT + rule)
    resource = {"type": "r", "id": "1", "properties": {"size": number}}
    answer = pdp.post(EVALUATION, question(resource=resource))
    assert answer.status in {200, 400}
    assert not answer.body.get("decision")
    resource["properties"]["size"] = 1
    assert pdp.post(EVALUATION, question(resource=resource)).body["decision"]
    pdp.close()


def test_without_rules_nothing_is_permitted(tmp_path):
    pdp = PolicyDecisionPoint(tmp_path / "other", CONTRACT)
    answer = pdp.post(EVALUATION, question(ADMIN))
    assert answer.body == {"decision": False, "context": {"reason": "denied"}}
    pdp.close()


def test_a_client_that_is_frozen_permits_nothing(pdp):
    pdp.bank.sql("UPDATE decision_client SET frozen_until_us = ?", 2**62)
    answer = pdp.post(EVALUATION, question())
    assert answer.body == {"decision": False, "context": {"reason": "client_closed"}}


def test_every_question_is_counted_and_none_is_told(pdp):
    before = len(evaluated(pdp))
    pdp.post(EVALUATION, question(action=WRITE, resource=ARCHIVED))
    pdp.post(EVALUATIONS, question(evaluations=[{}, {"action": WRITE}, {"action": {}}]))
    body = question(evaluations=[{"action": WRITE}, {}], resource=ARCHIVED)
    pdp.post(EVALUATIONS, {**body, "options": {"evaluations_semantic": "deny_on_first_deny"}})
    new = evaluated(pdp)[before:]
    assert [(leaf["asked"], leaf["permitted"]) for leaf in new] == [(1, 0), (3, 3), (1, 0)]
    text = str(new)
    assert not any(word in text for word in ("alice", "record", "archived", "write"))


def test_a_refusal_says_no_more_than_that_it_is_one(pdp):
    """Not which rule, and not what is known of the object: the asker could read the contract out of that."""
    for body in (
        question(action=WRITE, resource=ARCHIVED),
        question(resource={**ONE, "type": "x"}),
    ):
        answer = pdp.post(EVALUATION, body)
        assert answer.body == {"decision": False, "context": {"reason": "denied"}}


@pytest.mark.parametrize("ident", ["x" * 129, "a b", "\x7f", "ä"])
def test_a_request_id_that_is_none_is_not_given_back(pdp, ident):
    answer = pdp.post(EVALUATION, question(), headers=[("x-request-id", ident)])
    assert answer.status == 200
    assert b"x-request-id" not in dict(answer.headers)


def test_more_than_one_body_can_hold(pdp):
    body = question(context={"more": "x" * 300_000})
    assert pdp.post(EVALUATION, body).status == 413
    nested = b'{"subject":' * 5000 + b"1" + b"}" * 5000
    assert pdp.post(EVALUATION, nested).status == 400
    assert pdp.post(EVALUATION, question(action=READ)).body["decision"]
