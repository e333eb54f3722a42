"""What changes through one process holds in another on its very next request: two data planes on one PostgreSQL house.

Each time B has just shown a value, so that what it may keep in memory it keeps; then something changes through A or the
command line, which are other processes.
"""

from __future__ import annotations

import json

import pytest

from holdfast.drills.bank.build import CLIENT, CONTRACT, FEED
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
