"""AuthZEN Authorization API 1.0, certification scenario: Basic, Batch and Discovery, test by test.

The numbers are those of the scenario (openid/authzen, certification/authorization-api-1_0-scenario.md).
"""

from __future__ import annotations

import json

import pytest

from holdfast.drills.bank.build import CONTRACT
from support.authzen import (
    ACTIVE,
    ADMIN,
    ALICE,
    ARCHIVED,
    BOB,
    DELETE,
    ONE,
    READ,
    RULES,
    WRITE,
    question,
)
from support.pdp import PolicyDecisionPoint

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


@pytest.fixture(scope="module")
def pdp(tmp_path_factory):
    pdp = PolicyDecisionPoint(tmp_path_factory.mktemp("pdp") / "house", CONTRACT + RULES)
    yield pdp
    pdp.close()


def decision(pdp, body):
    answer = pdp.post(EVALUATION, body)
    assert answer.status == 200, answer.body
    assert dict(answer.headers)[b"content-type"] == b"application/json"
    assert isinstance(answer.body["decision"], bool)
    assert isinstance(answer.body.get("context", {}), dict)
    return answer.body["decision"]


def decisions(pdp, body):
    answer = pdp.post(EVALUATIONS, body)
    assert answer.status == 200, answer.body
    assert "decision" not in answer.body
    return [one["decision"] for one in answer.body["evaluations"]]


def delete(soft):
    return {**DELETE, "properties": {"soft": soft}}


MORE = question(
    {**ALICE, "properties": {"department": "Sales", "role": "manager"}},
    {**READ, "properties": {"method": "GET"}},
    {**ONE, "properties": {"status": "active", "owner": "bob"}},
)
CONTEXT = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (question(), True),  # 2.2.1, rule 1
        (question(action=WRITE), True),  # rule 2
        (question(BOB), True),  # rule 3
        (question(BOB, WRITE), False),  # 2.2.2, rule 4
        (question(context=CONTEXT), True),  # 2.2.3
        (question(ALICE, WRITE, ARCHIVED), False),  # 2.2.4, rule 5
        (question(ADMIN, WRITE, ARCHIVED), True),  # 2.2.5, rule 6
        (question(action=delete(True)), True),  # 2.2.6, rule 7
        (question(action=delete(False)), False),  # 2.2.7, rule 8
        (MORE, True),  # 2.2.8
        ({**question(), "foo": "bar", "futureField": {"nested": True}}, True),  # 2.2.9
    ],
)
def test_basic_decisions(pdp, body, expected):
    assert [decision(pdp, body) for _ in range(3)] == [expected] * 3  # 2.6: each time the same


@pytest.mark.parametrize("member", ["subject", "action", "resource"])
def test_a_missing_member_is_a_400_that_names_it(pdp, member):  # 2.4.1
    answer = pdp.post(EVALUATION, question(**{member: None}))
    assert (answer.status, answer.body["field"]) == (400, member)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (question({"id": "alice"}), "subject.type"),
        (question({"type": "user"}), "subject.id"),
        (question(action={}), "action.name"),
        (question(resource={"id": "record-1"}), "resource.type"),
        (question(resource={"type": "record"}), "resource.id"),
        (question("alice"), "subject"),  # 2.4.6
        (question(action={"name": 123}), "action.name"),
    ],
)
def test_a_missing_or_mistyped_member_within_is_a_400_that_names_it(
    pdp, body, field
):  # 2.4.2, 2.4.6
    answer = pdp.post(EVALUATION, body)
    assert (answer.status, answer.body["field"]) == (400, field)


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
@pytest.mark.parametrize(
    ("raw", "media"),
    [
        (json.dumps(question()).encode(), "text/plain"),  # 2.4.3
        (json.dumps(question()).encode(), None),
        (b"{", "application/json"),  # 2.4.4
        (b"", "application/json"),  # 2.4.5
        (b"[]", "application/json"),
    ],
)
def test_what_is_no_json_is_a_400(pdp, path, raw, media):
    assert pdp.post(path, raw, media=media).status == 400


@pytest.mark.parametrize("body", [question(), question(subject=None)])
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_the_requests_id_comes_back(pdp, path, body):  # 2.5.1, 2.5.2
    ident = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
    answer = pdp.post(path, body, headers=[("x-request-id", ident)])
    assert (b"x-request-id", ident.encode()) in answer.headers
    assert b"x-request-id" not in dict(pdp.post(path, body).headers)


def test_the_media_type_may_name_a_charset(pdp):
    raw = json.dumps(question()).encode()
    assert pdp.post(EVALUATION, raw, media="application/json; charset=utf-8").status == 200


TWO = [{"resource": ONE}, {"resource": {"type": "record", "id": "record-2"}}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (question(resource=None, evaluations=TWO), [True, True]),  # 3.2.1
        (
            question(BOB, None, evaluations=[{"action": READ}, {"action": WRITE}]),
            [True, False],
        ),  # 3.2.2
        (
            question(
                action=WRITE,
                resource=None,
                evaluations=[{"resource": ACTIVE}, {"resource": ARCHIVED}],
            ),
            [True, False],
        ),  # 3.2.3
        (
            question(None, WRITE, ARCHIVED, evaluations=[{"subject": ALICE}, {"subject": ADMIN}]),
            [False, True],
        ),  # 3.2.4
        ({"evaluations": [question(), question(BOB, WRITE)]}, [True, False]),  # 3.2.5
        (
            question(
                resource=None,
                context={"time": "2025-06-27T18:03-07:00"},
                evaluations=[TWO[0], {**TWO[1], "context": {"source": "batch-override"}}],
            ),
            [True, True],
        ),  # 3.2.6
        (
            question(
                action=WRITE,
                resource={"type": "record"},
                evaluations=[
                    {"resource": {"id": "record-1", "properties": {"status": "active"}}},
                    {"resource": ARCHIVED},
                ],
            ),
            [True, False],
        ),  # 3.2.7
        (
            question(action=WRITE, resource=ARCHIVED, evaluations=[{"resource": ONE}]),
            [True],
        ),  # properties are not inherited: an entity is replaced as a whole
        (question(resource=None, evaluations=[{"resource": ONE}, {}]), [True, False]),  # 3.4.1
        (
            question(
                evaluations=[{"action": "read"}, {"subject": {"id": 7}}, {"resource": []}, {}]
            ),
            [False, False, False, True],
        ),
    ],
)
def test_batch_decisions(pdp, body, expected):
    assert decisions(pdp, body) == expected


def test_an_evaluation_that_fails_says_so_in_its_own_place(pdp):
    answer = pdp.post(EVALUATIONS, question(resource=None, evaluations=[{"resource": ONE}, {}]))
    assert answer.body["evaluations"][1]["context"] == {"reason": "malformed"}


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_without_evaluations_it_is_one_evaluation(pdp, more):  # 3.4.2, 3.4.3
    answer = pdp.post(EVALUATIONS, question(**more))
    assert (answer.status, answer.body) == (200, {"decision": True})
    answer = pdp.post(EVALUATIONS, question(resource=None, **more))
    assert (answer.status, answer.body["field"]) == (400, "resource")


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_batch_can_end_early(pdp, semantic, expected):
    options = {"options": {"evaluations_semantic": semantic}} if semantic else {}
    each = [{"action": READ}, {"action": WRITE}, {"action": READ}]
    assert decisions(pdp, question(BOB, None, evaluations=each, **options)) == expected


def test_a_semantic_that_nobody_knows_is_a_400(pdp):
    for odd in ("execute_some", 7, None, ["execute_all"]):
        body = question(evaluations=[{}], options={"evaluations_semantic": odd})
        answer = pdp.post(EVALUATIONS, body)
        assert (answer.status, answer.body["field"]) == (400, "options.evaluations_semantic")


def test_discovery(pdp):  # 6.3, 6.5
    pdp.settings(public_origin="https://pdp.example.com")
    answer = pdp.get("/.well-known/authzen-configuration")
    assert answer.status == 200
    assert dict(answer.headers)[b"content-type"] == b"application/json"
    assert answer.body == {
        "policy_decision_point": "https://pdp.example.com",
        "access_evaluation_endpoint": "https://pdp.example.com/access/v1/evaluation",
        "access_evaluations_endpoint": "https://pdp.example.com/access/v1/evaluations",
    }
