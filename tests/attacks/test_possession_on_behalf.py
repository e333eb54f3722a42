"""Attacks by a service that asks on behalf of a person: both credentials are needed, and the weaker one counts."""

from __future__ import annotations

import pytest

from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.identity.references import credential_reference
from support.desk import Desk
from support.holders import Holder

NOBODY = "no valid credential came with the request"


class Crm(Desk):
    """The desk, and a CRM that may act for persons at the bank, with a token bound to its key."""

    def __init__(self, home):
        super().__init__(home)
        self.key = Holder("EdDSA")
        self.service = self.service_token("crm", "act_for:bank-01", jkt=self.key.jkt)

    def service_token(self, name, *scopes, **bounds):
        now = self.bank.clock.now_us()
        work = issue(
            service=name, life_us=10**12, now_us=now, bounds=Bounds(scopes=scopes, **bounds)
        )
        return self.bank.house.transact(work)

    def headers(self, person=None, *, service=None, proof=None):
        """What the CRM sends for a person's plain token."""
        token = (service or self.service).secret.reveal()
        proof = proof or self.key.proof(token, self.bank.clock.now_us())
        sent = [("authorization", f"DPoP {token}"), ("dpop", proof)]
        if person is not None:
            sent.append(("holdfast-on-behalf-of", f"Bearer {person}"))
        return sent

    def bearer(self, name, *scopes, **bounds):
        token = self.service_token(name, *scopes, **bounds).secret.reveal()
        return [("authorization", f"Bearer {token}")]


@pytest.fixture
def crm(tmp_path):
    crm = Crm(tmp_path / "house")
    (answer,) = crm.reveal(crm.headers(crm.bank.agent.token))
    assert answer.status == 200, answer.body
    (leaf,) = crm.bank.leaves("decision.made")
    assert (leaf["token"], leaf["service"]) == tuple(
        credential_reference(one, "client-bank-01")
        for one in (crm.bank.agent.credential, crm.service.id)
    )
    assert leaf["level"] == "bearer"
    yield crm
    crm.close()


def not_let_in(crm, headers, code="not_authenticated"):
    before = len(crm.bank.leaves())
    (answer,) = crm.reveal(headers)
    assert (answer.status, answer.body["code"]) == (401, code), answer.body
    assert len(crm.bank.leaves()) == before


def test_a_service_without_anybodys_session(crm):
    not_let_in(crm, crm.headers())


@pytest.mark.parametrize("token", ["hft_" + "x" * 43, "hfs_" + "x" * 43])
def test_a_service_with_an_invented_session(crm, token):
    not_let_in(crm, crm.headers(token))


def test_a_service_with_a_session_that_was_revoked_or_has_expired(crm):
    second = crm.bank.new_token(crm.bank.agent)
    crm.bank.revoke(crm.bank.agent)
    not_let_in(crm, crm.headers(crm.bank.agent.token))
    assert crm.reveal(crm.headers(second.token))[0].status == 200
    crm.bank.advance(12 * 3600)
    not_let_in(crm, crm.headers(second.token))


def test_a_service_with_its_own_token_as_the_session(crm):
    not_let_in(crm, crm.headers(crm.service.secret.reveal()))


def test_a_person_who_poses_as_a_service(crm):
    colleague = [("authorization", f"Bearer {crm.bank.other.token}")]
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    not_let_in(crm, [*colleague, on_behalf], "not_on_behalf")


@pytest.mark.parametrize("scopes", [(), ("log:bank-01",), ("pdp:bank-01",), ("act_for:bank-02",)])
def test_a_service_that_may_do_something_else(crm, scopes):
    headers = crm.bearer("mirror", *scopes)
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    not_let_in(crm, [*headers, on_behalf], "not_on_behalf")


def test_a_service_from_another_network(crm):
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    headers = crm.bearer("crm", "act_for:bank-01", networks=("127.0.0.0/8",))
    assert crm.reveal([*headers, on_behalf])[0].status == 200
    headers = crm.bearer("crm", "act_for:bank-01", networks=("192.0.2.0/24",))
    not_let_in(crm, [*headers, on_behalf])


def test_the_stolen_key_bound_token_of_the_service_without_its_key(crm):
    token = crm.service.secret.reveal()
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    not_let_in(crm, [("authorization", f"Bearer {token}"), on_behalf])
    stolen = Holder().proof(token, crm.bank.clock.now_us())
    not_let_in(crm, crm.headers(crm.bank.agent.token, proof=stolen))


def test_the_proof_of_the_service_replayed_for_another_session(crm):
    headers = crm.headers(crm.bank.agent.token)
    assert crm.reveal(headers)[0].status == 200
    second = crm.bank.new_token(crm.bank.agent).token
    again = [*headers[:2], ("holdfast-on-behalf-of", f"Bearer {second}")]
    not_let_in(crm, again, "invalid_dpop_proof")


@pytest.mark.parametrize("named", ["hft_" + "x" * 43, "none"])
def test_the_proof_of_the_service_replayed_after_a_session_was_refused(crm, named):
    headers = crm.headers(named)
    (failed,) = crm.reveal(headers)
    assert failed.status == 401
    live = [*headers[:2], ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")]
    not_let_in(crm, live, "invalid_dpop_proof")


def test_a_session_of_another_client(crm):
    other = crm.bank.new_token(crm.bank.agent, client="bank-02")
    (answer,) = crm.reveal(crm.headers(other.token))
    assert answer.status == 403
    assert "person.assigned" in {reason["rule"] for reason in answer.body["reasons"]}


def test_a_suspended_persons_session(crm):
    crm.bank.suspend(crm.bank.agent)
    (answer,) = crm.reveal(crm.headers(crm.bank.agent.token))
    assert answer.status == 403
    leaf = crm.bank.leaves("decision.made")[-1]
    service = credential_reference(crm.service.id, "client-bank-01")
    assert (leaf["outcome"], leaf["service"]) == ("deny", service)
    assert leaf["rules"] == ["person.not_suspended"]


def test_a_session_that_is_bound_to_the_service_used_without_it(crm):
    bound = crm.bank.new_token(crm.bank.agent, via="crm")
    assert crm.reveal(crm.headers(bound.token))[0].status == 200
    before = len(crm.bank.leaves())
    (answer,) = crm.reveal([("authorization", f"Bearer {bound.token}")])
    assert (answer.status, answer.body["detail"]) == (401, NOBODY)
    assert len(crm.bank.leaves()) == before
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {bound.token}")
    not_let_in(crm, [*crm.bearer("dialler", "act_for:bank-01"), on_behalf])


def test_a_bound_session_sent_by_the_service_as_a_plain_one(crm):
    person = Holder()
    bound = crm.bank.new_token(crm.bank.agent, jkt=person.jkt)
    not_let_in(crm, crm.headers(bound.token))
    named = ("holdfast-on-behalf-of", f"DPoP {bound.token}")
    not_let_in(crm, [*crm.headers(), named], "invalid_dpop_proof")


def test_the_level_is_the_lower_of_both(crm):
    person = Holder()
    bound = crm.bank.new_token(crm.bank.agent, jkt=person.jkt)

    def sent(headers):
        proof = person.proof(bound.token, crm.bank.clock.now_us())
        return [
            *headers,
            ("holdfast-on-behalf-of", f"DPoP {bound.token}"),
            ("holdfast-on-behalf-of-proof", proof),
        ]

    (answer,) = crm.reveal(sent(crm.headers()), fields=("balance",))
    assert answer.status == 200, answer.body
    assert crm.bank.leaves("decision.made")[-1]["level"] == "possession"
    plain = crm.bearer("crm", "act_for:bank-01")
    (answer,) = crm.reveal(sent(plain), fields=("balance",))
    assert answer.status == 403
    assert crm.bank.leaves("decision.made")[-1]["level"] == "bearer"


def test_a_step_up_does_not_lift_a_service_with_a_plain_token(crm):
    plain = crm.bearer("crm", "act_for:bank-01")
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    (refused,) = crm.reveal([*plain, on_behalf], fields=("balance",))
    second = crm.bank.take_step_up(refused.body["challenge"])
    lifted = [on_behalf, ("holdfast-step-up", f"Bearer {second}")]
    (answer,) = crm.reveal([*plain, *lifted], fields=("balance",))
    assert answer.status == 403
    (answer,) = crm.reveal([*crm.headers(), *lifted], fields=("balance",))
    assert answer.status == 200, answer.body


def test_a_service_reads_no_decision_and_no_log_on_a_persons_behalf(crm):
    (made,) = crm.reveal(crm.headers(crm.bank.agent.token))
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    headers = [*crm.bearer("crm", "act_for:bank-01", "log:bank-01"), on_behalf]
    for path in (f"/v1/decisions/{made.body['decision']}", "/logs/client-bank-01/checkpoint"):
        (answer,) = crm.send("GET", path, b"", headers)
        assert (answer.status, answer.body["code"]) == (401, "not_on_behalf")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/approvals", b""),
        ("GET", "/v1/approvals/{approval}", b""),
        ("POST", "/v1/approvals", b'{"decision": "{decision}"}'),
        ("POST", "/v1/approvals/{approval}/approve", b""),
        ("POST", "/v1/approvals/{approval}/refuse", b""),
        ("POST", "/v1/break-glass/gls_0/end", b""),
    ],
)
def test_a_service_asks_for_one_person_and_approves_for_another(crm, method, path, body):
    """Whatever its scopes: it holds both sessions, so it would be both persons."""
    (made,) = crm.reveal(crm.headers(crm.bank.agent.token))
    path = path.replace("{approval}", "apr_" + "0" * 26)
    body = body.replace(b"{decision}", made.body["decision"].encode())
    on_behalf = ("holdfast-on-behalf-of", f"Bearer {crm.bank.agent.token}")
    (answer,) = crm.send(method, path, body, [*crm.bearer("crm", "act_for:bank-01"), on_behalf])
    assert (answer.status, answer.body["code"]) == (401, "not_on_behalf")
    assert "the person's own" in answer.body["remedy"]


@pytest.mark.parametrize("name", ["holdfast-on-behalf-of", "holdfast-on-behalf-of-proof"])
def test_two_sessions_in_one_request(crm, name):
    headers = [*crm.headers(), (name, f"Bearer {crm.bank.agent.token}")]
    (answer,) = crm.reveal([*headers, (name, f"Bearer {crm.bank.other.token}")])
    assert (answer.status, answer.body["field"]) == (400, name)
