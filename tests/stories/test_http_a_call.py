"""One call over HTTP, against a real server: a desk's requests, a step-up, and what the reader of a decision gets."""

from __future__ import annotations

import json

import pytest

from support.live import LiveBank, customer
from support.server import holdfast

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("live") / "house") as bank:
        yield bank


def test_a_call_from_its_first_second_to_its_last(bank):
    bank.connect("CT-A")
    call = {"purpose": {"contact": "CT-A"}}
    found = bank.post(
        "/v1/search",
        bank.look(customer=None, fields=None, by={"phone": customer(1)["phone"]}, **call),
        bank.token,
    )
    assert found.status == 200
    assert [hit["customer"] for hit in found.body["hits"]] == [bank.customers["C00001"]]

    shown = bank.post("/v1/reveal", bank.look(fields=["name", "acct", "email"], **call), bank.token)
    assert shown.status == 200
    assert shown.body["outcome"] == "partial"
    assert shown.body["fields"]["acct"]["value"] == customer(1)["acct"]
    assert shown.body["fields"]["email"]["reasons"][0]["remedy"]["text"]
    assert shown.headers["cache-control"] == "no-store"

    answers = {"answers": {"dob": customer(1)["dob"], "postcode": "99999"}}
    verified = bank.post("/v1/verify", bank.look(fields=None, **answers, **call), bank.token)
    assert (verified.status, verified.body["match"]) == (200, False)

    own = bank.request(
        "GET",
        f"/v1/decisions/{shown.body['decision']}",
        headers={"Authorization": f"Bearer {bank.token}"},
    )
    assert (own.status, own.body["own"], own.body["outcome"]) == (200, True, "partial")

    assert bank.events(bank.event("ended", "CT-A")).status == 200


def test_a_step_up_from_challenge_to_value(bank):
    """Another person answers the challenge on the command line; the second token opens this call and no other."""
    bank.connect("CT-B")
    body = bank.look(fields=["balance"], purpose={"contact": "CT-B"})
    refused = bank.post("/v1/reveal", body, bank.token)
    assert (refused.status, refused.body["code"]) == (403, "step_up_required")
    challenge = refused.body["challenge"]
    done = holdfast(
        bank.home, "token", "step-up", challenge, "--json", HOLDFAST_TOKEN=bank.admin_token
    )
    assert done.returncode == 0, done.stderr
    second = f"Bearer {json.loads(done.stdout)['token']}"

    shown = bank.post("/v1/reveal", body, bank.token, Holdfast_Step_Up=second)
    assert shown.status == 200
    assert shown.body["fields"]["balance"]["value"] == customer(1)["balance"]

    again = holdfast(
        bank.home, "token", "step-up", challenge, "--json", HOLDFAST_TOKEN=bank.admin_token
    )
    assert again.returncode != 0
    other = bank.post("/v1/reveal", body, bank.other_token, Holdfast_Step_Up=second)
    assert other.status == 403
    alone = bank.request("POST", "/v1/reveal", body, {"Authorization": second})
    assert alone.status == 401


def test_a_repeated_request_is_the_same_decision(bank):
    bank.connect("CT-C")
    body = bank.look(purpose={"contact": "CT-C"})
    first = bank.post("/v1/reveal", body, bank.token, Idempotency_Key="once")
    again = bank.post("/v1/reveal", body, bank.token, Idempotency_Key="once")
    assert first.body["decision"] == again.body["decision"]
    assert first.body["leaf"] != again.body["leaf"]
    body["fields"] = ["acct"]
    other = bank.post("/v1/reveal", body, bank.token, Idempotency_Key="once")
    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")


def test_a_reason_is_changed_by_the_contact_alone(bank):
    bank.connect("CT-D")
    answer = bank.post("/v1/reason", {"contact": "CT-D", "reason": "dispute"}, bank.token)
    assert (answer.status, answer.body["changes_left"]) == (200, 1)
    refused = bank.post("/v1/reason", {"contact": "CT-D", "reason": "card-lost"}, bank.token)
    assert refused.body["code"] == "step_up_required"
