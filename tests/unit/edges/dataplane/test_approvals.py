"""Approvals over the HTTP interface: what is refused before anything is judged, and the way from asking to use."""

from __future__ import annotations

import pytest

from support.api_examples import Desk
from support.approving import approving_bank
from support.bank import customer

LOOK = {"client": "bank-01", "collection": "customers", "purpose": {"contact": "CT-1"}}
NOBODY = "apr_" + "0" * 26


@pytest.fixture
def desk(tmp_path):
    bank = approving_bank(tmp_path / "house")
    bank.connect()
    yield Desk(bank)
    bank.close()


def bearer(agent):
    return {"Authorization": f"Bearer {agent.token}"}


def look(desk, **headers):
    body = {**LOOK, "customer": desk.bank.id_of("C00001"), "fields": ["acct"]}
    return desk.send("POST", "/v1/reveal", body, **bearer(desk.bank.agent), **headers)


def asked(desk):
    decision = look(desk)["answer"]["decision"]
    return desk.ask("/v1/approvals", decision=decision)["answer"]["approval"]


def test_from_the_refusal_to_the_value(desk):
    refused = look(desk)
    assert (refused["status"], refused["answer"]["code"]) == (403, "approval_required")
    ident = asked(desk)
    lead = bearer(desk.bank.lead)
    waiting = desk.send("GET", "/v1/approvals", **lead)["answer"]
    assert [one["approval"] for one in waiting["approvals"]] == [ident]
    preview = desk.send("GET", f"/v1/approvals/{ident}", **lead)["answer"]
    assert preview["fields"]["acct"]["shown"] == "masked"
    assert customer(1)["acct"] not in str(preview)
    approved = desk.send("POST", f"/v1/approvals/{ident}/approve", **lead)
    assert (approved["status"], approved["answer"]["state"]) == (200, "granted")
    shown = look(desk, Holdfast_Approval=ident)["answer"]
    assert shown["fields"]["acct"]["value"] == customer(1)["acct"]


@pytest.mark.parametrize(
    "given", ["", "apr_", "apr_1", "dec_" + "0" * 26, "apr_" + "I" * 26, f"{NOBODY}, {NOBODY}"]
)
def test_an_approval_that_is_none_names_its_header(desk, given):
    answer = look(desk, Holdfast_Approval=given)
    if not given:
        assert answer["status"] == 403
        return
    assert (answer["status"], answer["answer"]["field"]) == (400, "Holdfast-Approval")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=%C2%B2", "limit"),
        ("all=1", "all"),
        ("limit=1&limit=2", "limit"),
        ("nonsense", "query"),
        ("after=%ff", "query"),
    ],
)
def test_a_parameter_that_is_none_is_named(desk, query, field):
    answer = desk.send("GET", f"/v1/approvals?{query}", **bearer(desk.bank.lead))
    assert (answer["status"], answer["answer"]["field"]) == (400, field)


@pytest.mark.parametrize("path", ["approve", "refuse"])
@pytest.mark.parametrize(
    ("body", "field"), [({"why": "x"}, "why"), ([], "body"), ("x", "body"), (0, "body")]
)
def test_deciding_takes_no_body(desk, path, body, field):
    ident = asked(desk)
    answer = desk.send("POST", f"/v1/approvals/{ident}/{path}", body, **bearer(desk.bank.lead))
    assert (answer["status"], answer["answer"]["field"]) == (400, field)
    assert desk.bank.state_of(ident) == "asked"


@pytest.mark.parametrize(("path", "state"), [("approve", "granted"), ("refuse", "refused")])
def test_an_empty_object_is_as_good_as_no_body(desk, path, state):
    answer = desk.send("POST", f"/v1/approvals/{asked(desk)}/{path}", {}, **bearer(desk.bank.lead))
    assert (answer["status"], answer["answer"]["state"]) == (200, state)


def test_a_break_glass_is_ended_with_an_empty_object(desk):
    answer = desk.send("POST", "/v1/break-glass/gls_0/end", {}, **bearer(desk.bank.agent))
    assert (answer["status"], answer["answer"]["code"]) == (404, "not_found")


def test_asking_names_a_decision_and_nothing_else(desk):
    answer = desk.ask("/v1/approvals", decision="dec_1", for_whom="me")
    assert (answer["status"], answer["answer"]["field"]) == (400, "for_whom")


def test_without_a_token_nothing_is_said(desk):
    ident = asked(desk)
    for method, path in (
        ("GET", "/v1/approvals"),
        ("GET", f"/v1/approvals/{ident}"),
        ("POST", f"/v1/approvals/{ident}/approve"),
        ("POST", f"/v1/approvals/{NOBODY}/approve"),
    ):
        assert desk.send(method, path)["status"] == 401


def test_a_service_neither_sees_nor_approves(desk):
    from holdfast.spine.identity.credentials import issue

    now_us = desk.bank.clock.now_us()
    work = issue(service="mirror", life_us=3_600_000_000, now_us=now_us)
    headers = {"Authorization": f"Bearer {desk.bank.house.transact(work).secret.reveal()}"}
    ident = asked(desk)
    for method, path in (
        ("GET", "/v1/approvals"),
        ("GET", f"/v1/approvals/{ident}"),
        ("POST", f"/v1/approvals/{ident}/approve"),
    ):
        assert desk.send(method, path, **headers)["status"] == 404
