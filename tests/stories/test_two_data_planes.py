"""What changes through one process holds in another on its very next request: two data planes on one PostgreSQL house.

Each time B has just shown a value, so that what it may keep in memory it keeps; then something changes through A or the
command line, which are other processes.
"""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from holdfast.drills.bank.build import CLIENT, CONTRACT, FEED
from holdfast.spine.identity.references import reference_of
from holdfast.spine.purpose.settle import declare_outage, end_outage
from support.live import LiveBank, customer
from support.server import Server, holdfast
from support.stores import ON_POSTGRES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(not ON_POSTGRES, reason="one data plane serves a house on SQLite"),
]


class Two:
    """A: data plane, console and worker. B: a second supervisor on the same host, of a data plane alone."""

    def __init__(self, a, b):
        self.a = a
        self.b = b
        self.calls = 0

    def call(self, number=1):
        """A new call of a customer, connected through A; the body of a look in it."""
        self.calls += 1
        contact = f"CT-{self.calls}"
        self.a.connect(contact, number)
        who = self.a.customers[f"C{number:05}"]
        return self.a.look(customer=who, purpose={"contact": contact})

    def looks(self, server, body, token=""):
        return server.post("/v1/reveal", body, token or self.a.token)

    def shown(self, number=1):
        """A call in which B has just shown the name."""
        body = self.call(number)
        answer = self.looks(self.b, body)
        assert answer.status == 200, answer.raw
        return body

    def refused(self, body, status, code, token=""):
        answer = self.looks(self.b, body, token)
        assert (answer.status, answer.body["code"]) == (status, code), answer.raw

    def run(self, *words, token="", **env):
        done = holdfast(self.a.home, *words, HOLDFAST_TOKEN=token or self.a.admin_token, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout


def an_idempotency_key_that_one_has_seen_the_other_knows(two, _tmp_path):
    body = two.call()
    first = two.a.post("/v1/reveal", body, two.a.token, Idempotency_Key="once")
    again = two.b.post("/v1/reveal", body, two.a.token, Idempotency_Key="once")
    assert first.body["decision"] == again.body["decision"]
    other = two.b.post(
        "/v1/reveal", {**body, "fields": ["acct"]}, two.a.token, Idempotency_Key="once"
    )
    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")


def a_second_token_that_one_has_taken_is_used_up_at_the_other(two, _tmp_path):
    body = {**two.call(), "fields": ["balance"]}
    challenge = two.looks(two.a, body).body["challenge"]
    given = json.loads(two.run("token", "step-up", challenge, "--json"))["token"]
    second = {"Holdfast_Step_Up": f"Bearer {given}"}
    shown = two.a.post("/v1/reveal", body, two.a.token, **second)
    assert shown.status == 200
    other = {**two.call(), "fields": ["balance"]}
    assert two.b.post("/v1/reveal", other, two.a.token, **second).status in {401, 403}


def a_permit_that_was_used_at_one_is_used_up_at_the_other(two, _tmp_path):
    event = two.a.event(
        *("connected", "CT-act"),
        person="A0001",
        reason="contact-change",
        customer={"by": {"phone": customer(1)["phone"]}},
    )
    assert two.a.events(event).body["accepted"] == 1
    body = two.a.look(fields=None, purpose={"contact": "CT-act"})
    answers = {name: customer(1)[name] for name in ("dob", "postcode")}
    proof = two.b.post("/v1/verify", {**body, "answers": answers}, two.a.token).body["decision"]
    act = {**body, "action": "reset_login", "proof": [proof]}
    challenge = two.a.post("/v1/act", act, two.a.token).body["challenge"]
    given = json.loads(two.run("token", "step-up", challenge, "--json"))["token"]
    acted = two.a.post("/v1/act", act, two.a.token, Holdfast_Step_Up=f"Bearer {given}")
    assert acted.status == 200, acted.raw
    service = ("--service", "crm", "--scope", f"act:{CLIENT}")
    crm = two.run("token", "create", *service).strip()

    def tells(server, outcome):
        report = {"permit": acted.body["permit"], "outcome": outcome}
        answer = server.post(f"/v1/act/{acted.body['act']}/outcome", report, crm)
        return answer.status, answer.body.get("code")

    assert tells(two.a, "claimed") == (200, None)
    assert tells(two.b, "claimed") == (409, "permit_used")
    assert tells(two.b, "done") == (200, None)
    assert tells(two.a, "done") == (409, "permit_used")


def an_outage_holds_and_ends_at_once(two, _tmp_path):
    house = two.a.house()
    ((admin,),) = two.a.sql("SELECT id FROM identity_person WHERE staff_id = 'ADM1'")

    def by(log):
        return reference_of(admin, log)

    def opened(server, contact):
        body = {"client": CLIENT, "contact": contact, "queue": "cards", "outage": True}
        return server.post("/v1/provisional", body, two.a.token).status

    def found(server):
        by = {"phone": customer(2)["phone"]}
        body = two.a.look(customer=None, fields=None, by=by, purpose={"contact": "OUT-1"})
        return server.post("/v1/search", body, two.a.token)

    with closing(house):
        assert opened(two.b, "OUT-0") == 403
        now_us = house.clock.now_us()
        house.transact(declare_outage(CLIENT, "feed_down", 1, by=(by, admin), now_us=now_us))
        assert opened(two.b, "OUT-1") == 200
        assert found(two.a).status == found(two.b).status == 200
        house.transact(end_outage(CLIENT, by=by, now_us=house.clock.now_us()))
        assert found(two.b).status == found(two.a).status == 403
        assert opened(two.b, "OUT-2") == opened(two.a, "OUT-2") == 403


def a_suspension_holds_and_ends_at_once(two, _tmp_path):
    body = two.shown()
    two.run("person", "suspend", "A0001")
    refusal = two.looks(two.b, body)
    assert refusal.status in {401, 403}, refusal.raw
    two.run("person", "restore", "A0001")
    assert two.looks(two.b, body).status == 200


def a_narrower_contract_holds_at_once(two, tmp_path):
    body = {**two.call(), "fields": ["name", "acct"]}
    before = two.looks(two.b, body).body["fields"]
    assert "value" in before["acct"]
    narrow = tmp_path / "contract.toml"
    text = CONTRACT.replace('"phone", "acct", ', '"phone", ').replace(
        '["name", "acct"]', '["name"]'
    )
    assert text != CONTRACT
    narrow.write_text(text)
    two.run("policy", "publish", CLIENT, "--contract", str(narrow))
    after = two.looks(two.b, body)
    assert "value" not in after.body["fields"]["acct"], after.raw


def an_erased_customer_is_gone_at_once(two, _tmp_path):
    body = two.shown(5)
    two.run("customer", "shred", CLIENT, two.a.customers["C00005"])
    answer = two.looks(two.b, body)
    assert answer.status in {403, 404}, answer.raw
    assert customer(5)["name"].encode() not in answer.raw


def another_key_for_permits_is_published_by_both(two, _tmp_path):
    def kids(server):
        answer = server.request("GET", "/.well-known/jwks.json")
        return {key["kid"] for key in answer.body["keys"]}

    before = kids(two.b)
    two.run("permit-key", "rotate")
    assert before < kids(two.b) == kids(two.a)


def a_revoked_token_is_none(two, _tmp_path):
    made = json.loads(two.run("token", "create", "--person", "A0002", "--json"))
    body = two.call()
    assert two.looks(two.b, body, made["token"]).status == 403
    two.run("token", "revoke", made["id"])
    two.refused(body, 401, "not_authenticated", made["token"])


def who_is_unassigned_sees_nothing_more(two, _tmp_path):
    body = two.shown()
    whose = ("A0001", "--client", CLIENT, "--programme", "cards-in")
    two.run("person", "unassign", *whose)
    assert two.looks(two.b, body).status in {403, 404}
    two.run("person", "assign", *whose)
    assert two.looks(two.b, body).status == 200


def a_freeze_holds_at_once(two, tmp_path):
    key = str(tmp_path / "key.pem")
    whose = ("--client", CLIENT, "--programme", "cards-in", "--role", "client_user")
    two.run("person", "add", "CU1", "--employer", "house", "--role", "client_user")
    two.run("person", "assign", "CU1", *whose)
    two.run("token", "key", key)
    token = two.run("token", "create", "--person", "CU1", "--dpop-key", key).strip()
    body = two.shown(2)
    freeze = ("client", "freeze", CLIENT, "--reason", "drill")
    two.run(*freeze, token=token, HOLDFAST_TOKEN_KEY_FILE=key)
    answer = two.looks(two.b, body)
    assert answer.status == 403, answer.raw
    assert "frozen" in answer.raw.decode()


def a_feed_key_that_was_retired_signs_nothing_more(two, _tmp_path):
    event = two.a.event("connected", "CT-late", person="A0001", reason="dispute")
    a, two.a.port = two.a.port, two.b.port
    try:
        assert two.a.events(event).status == 200
        two.run("feed", "key", FEED, "--retire", two.a.key.kid)
        assert two.a.events(event).status == 401
    finally:
        two.a.port = a


CHANGES = (
    an_idempotency_key_that_one_has_seen_the_other_knows,
    a_second_token_that_one_has_taken_is_used_up_at_the_other,
    a_permit_that_was_used_at_one_is_used_up_at_the_other,
    an_outage_holds_and_ends_at_once,
    a_suspension_holds_and_ends_at_once,
    a_narrower_contract_holds_at_once,
    an_erased_customer_is_gone_at_once,
    another_key_for_permits_is_published_by_both,
    a_revoked_token_is_none,
    who_is_unassigned_sees_nothing_more,
    a_freeze_holds_at_once,
    a_feed_key_that_was_retired_signs_nothing_more,
)  # in this order: the last ones leave less and less


def test_what_changes_at_one_holds_at_the_other_on_its_next_request(tmp_path):
    home = tmp_path / "house"
    with LiveBank(home) as a, Server(home, "--only", "data") as b:
        two = Two(a, b)
        for changes in CHANGES:
            changes(two, tmp_path)
