"""What the HTTP interface's reference shows: one call, asked of the real application and written down.

``python tests/support/api_examples.py`` (from the checkout, with its virtual environment) writes
``docs/reference/api-examples.json`` anew. Ids and secrets are shortened, so that two runs write the same.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from holdfast.drills.bank.build import CONTRACT, FEED
from holdfast.edges.dataplane import authzen
from holdfast.edges.dataplane.assembled import assemble
from holdfast.kit.clock import SECOND_US
from holdfast.kit.secret import Secret
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.requests import load
from holdfast.spine.approvals.rules import Party
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.vocabulary.levels import Role
from support.approving import ApprovingBank, approving_bank
from support.authzen import ARCHIVED, BOB, ONE, RULES, WRITE, question
from support.bank import Bank, customer, new_bank, new_punctual_bank
from support.following import follow
from support.freezing import person

FILE = Path(__file__).parents[2] / "docs" / "reference" / "api-examples.json"
_ID = re.compile(r"\b([a-z]{1,4})_[0-9a-z]{26}\b")
_SECRET = re.compile(r"\b(hf[ts])_[\w-]{43}")
_HASH = re.compile(r"(?<=\")[\w+/]{43}=(?=\")")
_ORIGIN = re.compile(r"localhost/[0-9a-f]{8}/(\S+?)(\")")
_SIGNED = re.compile(r"\u2014 localhost/[0-9a-f]{8}/(\S+) [\w+/=]{92}")
_JWS = re.compile(r"\b(eyJ)[\w-]+\.[\w-]+\.[\w-]+")
_HEX = re.compile(r"\b[0-9a-f]{64}\b")
_LOOK = {
    "client": "bank-01",
    "collection": "customers",
    "purpose": {"contact": "CT-1"},
}

Shown = dict[str, Any]


class Desk:
    """The bank's data plane, called without a network; each call is kept as an example."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.step_up = ""

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Shown:
        """Send one request and return it with its answer, both as a reader sees them."""
        raw = b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        status, answered = asyncio.run(self._call(method, path, raw, given))
        text = answered.decode()
        return {
            "request": {"line": f"{method} {path}", "headers": given, "body": body},
            "status": status,
            "answer": json.loads(text) if text.startswith("{") else text,
        }

    def ask(self, path: str, **body: Any) -> Shown:
        """Send one request of the agent."""
        headers = {"Authorization": f"Bearer {self.bank.agent.token}"}
        if self.step_up:
            headers["Holdfast_Step_Up"] = f"Bearer {self.step_up}"
        return self.send("POST", path, body, **headers)

    def look(self, operation: str, **more: Any) -> Shown:
        """Send a look at the customer on the line."""
        return self.ask(f"/v1/{operation}", **_LOOK, **more)

    def tell(self, **event: Any) -> Shown:
        """Send one signed event of the telephone system."""
        kid, secret = self.bank.feed_key
        raw = json.dumps(event).encode()
        key = FeedKey(kid, Secret(secret.encode()))
        header = sign(key, FEED, self.bank.clock.now_us() // SECOND_US, raw)
        return self.send("POST", f"/v1/feeds/{FEED}", event, Holdfast_Signature=header)

    async def _call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        plane = assemble(self.bank.house, asyncio.get_running_loop(), frozenset({"localhost"}))
        await plane.runner.open()
        sent: list[dict[str, Any]] = []
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "client": ("127.0.0.1", 1),
            "headers": [(b"host", b"localhost"), *raw],
        }
        await plane.app(scope, receive, send)
        await plane.runner.close()
        return sent[0]["status"], sent[1]["body"]


def examples(home: Path) -> dict[str, list[Shown]]:
    """One call and what is asked beside it, by operation; the first of each is granted."""
    bank = new_bank(home)
    try:
        found = _calls(Desk(bank))
    finally:
        bank.close()
    approving = approving_bank(home.with_name("approving"))
    try:
        found |= _approvals(Desk(approving), approving)
    finally:
        approving.close()
    punctual = new_punctual_bank(home.with_name("punctual"))
    try:
        found["/v1/provisional"] = _provisional(Desk(punctual))
    finally:
        punctual.close()
    text = json.dumps(found, ensure_ascii=False)
    text = _JWS.sub(r"\1…", text)
    text = _HEX.sub("…", _SECRET.sub(r"\1_…", _ID.sub(r"\1_…", text)))
    text = _SIGNED.sub("\u2014 localhost/…/\\1 …", _HASH.sub("…", text))
    shown: dict[str, list[Shown]] = json.loads(_ORIGIN.sub(r"localhost/…/\1\2", text))
    return shown


def _calls(desk: Desk) -> dict[str, list[Shown]]:
    bank = desk.bank
    caller = bank.customers["C00001"]
    connected = bank.event(
        "connected", reason="dispute", customer={"by": {"phone": customer(1)["phone"]}}
    )
    connected["id"] = "acd-1001"
    feed = [
        desk.tell(**connected),
        desk.tell(**{**connected, "id": "acd-1002", "queue": "loans"}),
        desk.send(
            "POST", f"/v1/feeds/{FEED}", connected, Holdfast_Signature=f"t=1,kid=fk_1,v1={'0' * 64}"
        ),
    ]
    search = [
        desk.look("search", by={"phone": customer(1)["phone"]}),
        desk.look("search", by={"email": "robin@example.com"}),
    ]
    verify = [
        desk.look("verify", customer=caller, field="dob", answer=customer(1)["dob"]),
        desk.look("verify", customer=caller, field="name", answer="Robin"),
    ]
    reveal = [
        desk.look("reveal", customer=caller, fields=["name", "acct", "email"]),
        desk.look("reveal", customer=caller, fields=["balance"]),
        desk.look("reveal", customer=bank.customers["C00002"], fields=["name"]),
    ]
    desk.step_up = bank.take_step_up(reveal[1]["answer"]["challenge"])
    reveal.insert(2, desk.look("reveal", customer=caller, fields=["balance"]))
    desk.step_up = ""
    decision = desk.send(
        "GET",
        f"/v1/decisions/{reveal[1]['answer']['decision']}",
        Authorization=f"Bearer {bank.agent.token}",
    )
    wider = desk.ask("/v1/reason", contact="CT-1", reason="contact-change")
    desk.step_up = bank.take_step_up(wider["answer"]["challenge"])
    reason = [desk.ask("/v1/reason", contact="CT-1", reason="contact-change"), wider]
    update = [
        desk.look("update", customer=caller, values={"address": "9 New Street, Springfield"}),
        desk.look("update", customer=caller, values={"name": "Robin Other"}),
    ]
    acts, outcomes = _acts(desk, verify[0]["answer"]["decision"])
    desk.step_up = ""
    freeze, confirm, lift = _freeze(desk)
    one, several = _authzen(desk)
    return {
        "/access/v1/evaluation": one,
        "/access/v1/evaluations": several,
        authzen.METADATA: [desk.send("GET", authzen.METADATA)],
        "/v1/freeze": freeze,
        "/v1/freeze/confirm": confirm,
        "/v1/unfreeze": lift,
        "/v1/search": search,
        "/v1/reveal": reveal,
        "/v1/verify": verify,
        "/v1/update": update,
        "/v1/act": acts,
        "/v1/export": _export(desk),
        "/v1/act/{id}/outcome": outcomes,
        "/v1/reason": reason,
        "/v1/decisions/{id}": [decision, _other(desk)],
        "/v1/feeds/{name}": feed,
        **_logs(desk),
        "/.well-known/jwks.json": [_keys(desk)],
        "/healthz": [desk.send("GET", "/healthz")],
        "/readyz": [desk.send("GET", "/readyz")],
    }


def _approvals(desk: Desk, bank: ApprovingBank) -> dict[str, list[Shown]]:
    """An approval from the refusal that asks for it to its use, with a refusal of each step."""
    bank.connect()
    lead = f"Bearer {bank.lead.token}"
    look = {"customer": bank.customers["C00001"], "fields": ["acct"]}

    def at(path: str, ident: str, method: str = "POST") -> Shown:
        return desk.send(method, path.replace("{id}", ident), Authorization=lead)

    refused = desk.look("reveal", **look)
    decision = refused["answer"]["decision"]
    ask = [desk.ask("/v1/approvals", decision=decision)]
    ident = ask[0]["answer"]["approval"]
    every = desk.send("GET", "/v1/approvals", Authorization=lead)
    one = "/v1/approvals/{id}"
    shown = [at(one, ident, "GET"), at(one, "apr_" + "0" * 26, "GET")]
    other = desk.ask("/v1/approvals", decision=desk.look("reveal", **look)["answer"]["decision"])
    agent = f"Bearer {bank.agent.token}"
    own = desk.send("POST", f"/v1/approvals/{ident}/approve", Authorization=agent)
    approve = [at(f"{one}/approve", ident), own]
    with_it = {"Holdfast_Approval": ident, "Authorization": agent}
    used = desk.send("POST", "/v1/reveal", {**_LOOK, **look}, **with_it)
    ask += [used, desk.ask("/v1/approvals", decision=used["answer"]["decision"])]
    again = desk.ask("/v1/approvals", decision=desk.look("reveal", **look)["answer"]["decision"])
    assert other["answer"]["approval"] == ident
    wanted = {
        "client": "bank-01",
        "reason": "life_safety",
        "call": "card-lost",
        "customers_at_most": 1,
        "minutes": 10,
    }
    broken = [
        desk.ask("/v1/break-glass", **wanted),
        desk.ask("/v1/break-glass", **{**wanted, "client": "bank-99"}),
    ]
    asked = broken[0]["answer"]["approval"]
    at(f"{one}/approve", asked)
    glass = desk.send("GET", f"/v1/approvals/{asked}", Authorization=agent)["answer"]["glass"]
    end = f"/v1/break-glass/{glass}/end"
    ended = [desk.send("POST", end, Authorization=agent) for _ in range(2)]
    last = again["answer"]["approval"]
    return {
        "/v1/break-glass": broken,
        "/v1/break-glass/{id}/end": ended,
        "/v1/approvals": [refused, *ask, every],
        one: shown,
        f"{one}/approve": approve,
        f"{one}/refuse": [at(f"{one}/refuse", last), at(f"{one}/refuse", last)],
    }


def _provisional(desk: Desk) -> list[Shown]:
    """A contact on the agent's word while the feed is silent, and one while it is not."""
    asked = {"client": "bank-01", "contact": "CT-9", "queue": "cards", "reason": "dispute"}
    punctual = desk.ask("/v1/provisional", **asked)
    desk.bank.advance(90)
    return [desk.ask("/v1/provisional", **asked), punctual]


def _freeze(desk: Desk) -> tuple[list[Shown], list[Shown], list[Shown]]:
    """A freeze from its beginning to its end, each step with a refusal."""
    bank = desk.bank
    first, second = person(bank, "U0001"), person(bank, "U0002")
    body = {"client": "bank-01", "reason": "misuse"}

    def ask(path: str, token: str, **body: str) -> Shown:
        return desk.send("POST", path, body, Authorization=f"Bearer {token}")

    freeze = [
        ask("/v1/freeze", first.token, **body),
        ask("/v1/freeze", bank.agent.token, **body),
    ]
    confirm = [
        ask("/v1/freeze/confirm", second.token, client="bank-01"),
        ask("/v1/freeze/confirm", first.token, client="bank-01"),
    ]
    refused = ask("/v1/unfreeze", bank.agent.token, client="bank-01")
    lift = [ask("/v1/unfreeze", first.token, client="bank-01"), refused]
    return freeze, confirm, lift


def _acts(desk: Desk, birthday: str) -> tuple[list[Shown], list[Shown]]:
    """An action with its proof, one without enough, and what the target system says of the permit."""
    house = desk.bank.house
    asked = {
        "client": "bank-01",
        "customer": desk.bank.customers["C00001"],
        "action": "reset_login",
        "purpose": {"contact": "CT-1"},
    }
    postcode = desk.look("verify", customer=asked["customer"], field="postcode", answer="10001")
    proof = [birthday, postcode["answer"]["decision"]]
    short = desk.ask("/v1/act", **asked, proof=proof[:1])
    acts = [desk.ask("/v1/act", **asked, proof=proof), short]
    work = issue(
        service="crm",
        life_us=3600 * SECOND_US,
        now_us=house.clock.now_us(),
        bounds=Bounds(scopes=("act:bank-01",)),
    )
    headers = {"Authorization": f"Bearer {house.transact(work).secret.reveal()}"}
    path = f"/v1/act/{acts[0]['answer']['act']}/outcome"
    permit = acts[0]["answer"]["permit"]
    bodies = [{"permit": permit, "outcome": what} for what in ("claimed", "done", "claimed")]
    return acts, [desk.send("POST", path, body, **headers) for body in bodies]


def _export(desk: Desk) -> list[Shown]:
    """An export that a second person approves, and what is answered until then."""
    bank = desk.bank
    house, now = bank.house, bank.clock.now_us()
    token = house.transact(issue(person=bank.admin, life_us=3600 * SECOND_US, now_us=now))
    body = {
        "client": "bank-01",
        "collection": "customers",
        "fields": ["name", "acct"],
        "customers": ["C00001"],
        "recipient": "bank-complaints",
        "reason": "complaint",
    }
    headers = {"Authorization": f"Bearer {token.secret.reveal()}"}
    waiting = desk.send("POST", "/v1/export", body, **headers)
    ((ident,),) = bank.sql("SELECT id FROM approvals_request WHERE operation = 'export'")
    request = house.transact(load(ident))
    assert request is not None
    second = person(bank, "H0002", house=(Role.ADMIN,), roles=())
    house.transact(decide(request, Party(second.id), grant=True, now_us=now))
    granted = desk.send("POST", "/v1/export", body, **headers)
    granted["answer"]["salt"] = "…"
    return [granted, waiting]


def _keys(desk: Desk) -> Shown:
    shown = desk.send("GET", "/.well-known/jwks.json")
    for key in shown["answer"]["keys"]:
        key.update(kid="…", x="…")
    return shown


def _authzen(desk: Desk) -> tuple[list[Shown], list[Shown]]:
    """Questions about records of the client's own, by the rules of the certification's fixture."""
    bank = desk.bank
    text = CONTRACT + RULES
    digest = sha256(text.encode()).hexdigest()
    bank.sql("UPDATE decision_contract SET text = ?, digest = ?", text, digest)
    bank.sql("UPDATE decision_client SET fence = fence + 1")
    now = bank.clock.now_us()
    work = issue(
        service="records", life_us=10**12, now_us=now, bounds=Bounds(scopes=("pdp:bank-01",))
    )
    token = bank.house.transact(work).secret.reveal()

    def ask(path: str, body: Shown, token: str = token) -> Shown:
        headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
        return desk.send("POST", path, body, **headers)

    batch = question(
        action=WRITE, resource=None, evaluations=[{"resource": r} for r in (ONE, ARCHIVED)]
    )
    one = [
        ask(authzen.EVALUATION, question()),
        ask(authzen.EVALUATION, question(BOB, WRITE)),
        ask(authzen.EVALUATION, question(), bank.agent.token),
    ]
    several = [
        ask(authzen.EVALUATIONS, batch),
        ask(authzen.EVALUATIONS, batch, bank.agent.token),
    ]
    return one, several


def _other(desk: Desk) -> Shown:
    bearer = f"Bearer {desk.bank.agent.token}"
    return desk.send("GET", "/v1/decisions/dec_00000000000000000000000000", Authorization=bearer)


def _logs(desk: Desk) -> dict[str, list[Shown]]:
    bank, house = desk.bank, desk.bank.house
    registrar = Registrar(house, house.signing_keys)
    registrar.tick()
    registrar.close()
    follow(house)
    work = issue(
        service="bank-01-mirror",
        life_us=3600 * SECOND_US,
        now_us=house.clock.now_us(),
        bounds=Bounds(scopes=("log:bank-01",)),
    )
    tokens = (house.transact(work).secret.reveal(), bank.agent.token)
    query = "SELECT ref FROM identity_reference WHERE person = ? AND log = 'client-bank-01'"
    ((person,),) = bank.sql(query, bank.agent.id)
    paths = {
        "/v1/logs/{log}/timeline": f"/v1/logs/client-bank-01/timeline?reference={person}&limit=2",
        "/v1/logs/{log}/tally": "/v1/logs/client-bank-01/tally?days=1",
        "/logs/{log}/checkpoint": "/logs/client-bank-01/checkpoint",
    }
    found = {
        name: [desk.send("GET", path, Authorization=f"Bearer {token}") for token in tokens]
        for name, path in paths.items()
    }
    found["/logs/{log}/checkpoint"][0]["answer"] = "localhost/…/client-bank-01\n…"
    counted = found["/v1/logs/{log}/tally"][0]["answer"]
    counted["lines"] = [one for one in counted["lines"] if one["rule"]][:2]
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = examples(Path(folder) / "house")
    FILE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
