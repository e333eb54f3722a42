"""One contact from ``connected`` to ``ended``, over the real interfaces, told step by step.

The walk speaks HTTP to a running data plane exactly as a telephony system and an agent's desk would. ``Teller`` prints
what is asked and what comes back; the README's excerpt is its output.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from holdfast.kit.clock import SECOND_US, SystemClock, rfc3339
from holdfast.kit.errors import Unavailable
from holdfast.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Caller:
    """What the person on the line knows about themselves."""

    phone: str
    account: str
    date_of_birth: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the agent works: the data plane's address, their token, the client and its feed."""

    url: str
    token: str
    client: str
    collection: str
    agent: str
    feed: str
    feed_kid: str
    feed_secret: str


class Api:
    """A very small HTTP client: JSON in, status and JSON out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def post(
        self, path: str, body: dict[str, Any], *, step_up: str = "", approval: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Send ``body`` as the agent."""
        headers = {"Content-Type": "application/json"}
        if step_up:
            headers["Holdfast-Step-Up"] = f"Bearer {step_up}"
        if approval:
            headers["Holdfast-Approval"] = approval
        return self._send(path, json.dumps(body).encode(), headers, token=self._desk.token)

    def event(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one signed event as the telephony system."""
        desk = self._desk
        body = json.dumps(event).encode()
        at = int(time.time())  # noqa: TID251 - the outside world has its own clock
        message = b".".join((desk.feed_kid.encode(), desk.feed.encode(), str(at).encode(), body))
        mac = hmac.new(desk.feed_secret.encode(), message, hashlib.sha256).hexdigest()
        signature = f"t={at},kid={desk.feed_kid},v1={mac}"
        return self._send(f"/v1/feeds/{desk.feed}", body, {"Holdfast-Signature": signature})

    def _send(
        self, path: str, body: bytes, headers: dict[str, str], *, token: str = ""
    ) -> tuple[int, dict[str, Any]]:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = Request(self._desk.url + path, data=body, headers=headers)  # noqa: S310
        try:
            with urlopen(request, timeout=10) as response:  # noqa: S310
                return response.status, json.load(response)
        except HTTPError as refused:
            return refused.code, json.load(refused)


class Teller:
    """Tells the walk to a person, one step a paragraph."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._number = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self._number += 1
        self._write("")
        self._write(f"{self._number}. {title}")

    def line(self, text: str) -> None:
        """Say one line of a step."""
        self._write(f"   {text}")

    def fields(self, answer: dict[str, Any]) -> None:
        """Show the fields of an answer."""
        for name, shown in answer["fields"].items():
            value = shown.get("value")
            self.line(f"{name:<14} {value if value is not None else '—':<28} {shown['shown']}")

    def refusal(self, problem: dict[str, Any]) -> None:
        """Show a denial card."""
        marks = {"met": "✓", "unmet": "✗", "unknown": "?"}
        self.line(f"refused: {problem['code']}  ({problem['decision']})")
        for reason in problem.get("reasons", ()):
            told = f" ({reason['value']})" if reason["value"] else ""
            self.line(f"{marks[reason['state']]} {reason['label']}{told}")
            self.line(f"  → {reason['remedy']['text']}")


def now_text(clock: SystemClock | None = None, *, seconds_ago: int = 0) -> str:
    """The present time as events carry it."""
    return rfc3339((clock or SystemClock()).now_us() - seconds_ago * SECOND_US)


def walk(
    desk: Desk,
    caller: Caller,
    teller: Teller,
    *,
    run: Callable[..., str],
    folder: Path,
    vkeys: list[str],
    wrap_up_s: int,
) -> str:
    """Walk one contact through. ``run`` runs a command of ``holdfast`` on the house and returns its output.

    With ``by_lead`` it runs it in the name of the agent's lead. Returns the decision by which the field outside the set
    was refused. Raises :class:`Unavailable` when a step ends otherwise than it should: the walk is a demonstration and
    a test.
    """
    return _Walk(desk, caller, teller, new_id("CT", SystemClock().now_us())).all(
        run=run, folder=folder, vkeys=vkeys, wrap_up_s=wrap_up_s
    )


def otherwise(path: str, status: int, expect: int, answer: dict[str, Any]) -> Unavailable:
    """Say in words that a step ended otherwise: in those of the refusal, if it was one."""
    for reason in answer.get("reasons", ()):
        return Unavailable(
            f"{path} is refused by {reason['rule']}: {reason['value'] or reason['label']}",
            remedy=f"{reason['remedy']['text']} Or begin anew: `make clean`, then `make run`.",
        )
    return Unavailable(f"{path} answered {status} instead of {expect}: {answer}")


def _expected(path: str, answered: tuple[int, dict[str, Any]], expect: int) -> dict[str, Any]:
    status, answer = answered
    if status != expect:
        raise otherwise(path, status, expect, answer)
    return answer


class _Walk:
    def __init__(self, desk: Desk, caller: Caller, teller: Teller, contact: str) -> None:
        self._desk = desk
        self._caller = caller
        self._tell = teller
        self._contact = contact
        self._api = Api(desk)
        self._customer = ""
        self._proof: list[str] = []
        self._step_up = ""

    def all(
        self, *, run: Callable[..., str], folder: Path, vkeys: list[str], wrap_up_s: int
    ) -> str:
        """Every step in its order; see :func:`walk`."""
        self.connects()
        self.searches()
        self.reveals()
        refused = self.is_refused()
        self.verifies()
        self.steps_up(run)
        self.acts(run)
        decision = self.ends(wrap_up_s)
        self.proves(run, folder, vkeys, decision)
        return refused

    def _look(
        self, path: str, expect: int, *, step_up: str = "", approval: str = "", **body: Any
    ) -> dict[str, Any]:
        given = {
            "client": self._desk.client,
            "collection": self._desk.collection,
            "purpose": {"contact": self._contact},
            **body,
        }
        answered = self._api.post(path, given, step_up=step_up, approval=approval)
        return _expected(path, answered, expect)

    def _event(self, kind: str, **more: Any) -> None:
        event = {
            "id": new_id("evt", SystemClock().now_us()),
            "type": f"contact.{kind}",
            "occurred_at": now_text(),
            "client": self._desk.client,
            "contact": self._contact,
            "queue": "cards",
            **more,
        }
        status, answer = self._api.event(event)
        if status != 200 or answer["rejected"]:
            raise Unavailable(f"the event was answered {status}: {answer}")

    def connects(self) -> None:
        """The telephony system says who is on the line."""
        self._tell.step("A call comes in: the telephony system signs and sends the event.")
        by = {"customer": {"by": {"phone": self._caller.phone}}}
        self._event("connected", person=self._desk.agent, reason="dispute", **by)
        self._tell.line(f"contact.connected  queue cards, reason dispute, agent {self._desk.agent}")

    def searches(self) -> None:
        """The agent finds the caller."""
        self._tell.step("The agent searches by the account number that the caller gives.")
        answer = self._look("/v1/search", 200, by={"acct": self._caller.account})
        (hit,) = answer["hits"]
        self._customer = hit["customer"]
        self._tell.fields(hit)

    def reveals(self) -> None:
        """The field set of the call's reason is shown."""
        self._tell.step(
            "Reveal of what a dispute needs; the card exists as token and safe digits only."
        )
        fields = ["name", "phone", "acct", "card"]
        self._tell.fields(self._look("/v1/reveal", 200, customer=self._customer, fields=fields))

    def is_refused(self) -> str:
        """What the reason does not need is refused, with a remedy; returns the decision."""
        self._tell.step("A field outside the set is refused, and the refusal says what to do.")
        refused = self._look("/v1/reveal", 403, customer=self._customer, fields=["email"])
        self._tell.refusal(refused)
        decision: str = refused["decision"]
        return decision

    def verifies(self) -> None:
        """The caller is verified without showing the value."""
        self._tell.step(
            "Verify without reveal: the agent types the answer, the value is never shown."
        )
        for answer in (self._caller.date_of_birth, "1901-01-01"):
            told = self._look(
                "/v1/verify", 200, customer=self._customer, field="dob", answer=answer
            )
            if told["match"]:
                self._proof.append(told["decision"])
            word = "match" if told["match"] else "no match"
            self._tell.line(f"dob {answer}: {word}, attempts left: {told['attempts_left']}")

    def steps_up(self, run: Callable[..., str]) -> None:
        """A C3 field asks for a step-up."""
        self._tell.step(
            "A field of class C3 asks for a step-up; a second, short-lived token opens it."
        )
        look: dict[str, Any] = {"customer": self._customer, "fields": ["balance"]}
        refused = self._look("/v1/reveal", 403, **look)
        self._tell.refusal(refused)
        issued = json.loads(run("token", "step-up", refused["challenge"], "--json"))
        self._step_up = issued["token"]
        self._tell.fields(self._look("/v1/reveal", 200, step_up=self._step_up, **look))

    def acts(self, run: Callable[..., str]) -> None:
        """An action is permitted once, with the caller's proof and a second person's yes."""
        self._tell.step(
            "Blocking the card takes two answers of this call as proof, and a second person's yes."
        )
        second = {"field": "postcode", "answer": self._caller.postcode}
        told = self._look("/v1/verify", 200, customer=self._customer, **second)
        proof = [*self._proof, told["decision"]]
        action: dict[str, Any] = {
            "customer": self._customer,
            "action": "block_card",
            "proof": proof,
        }
        refused = self._look("/v1/act", 403, step_up=self._step_up, **action)
        self._tell.line(f"refused: {refused['code']}  ({refused['decision']})")
        asked = self._api.post("/v1/approvals", {"decision": refused["decision"]})
        approval = _expected("/v1/approvals", asked, 200)["approval"]
        seen = json.loads(run("approval", "show", approval, "--json", by_lead=True))
        what, name = seen["summary"]["action"], seen["preview"]["name"]
        self._tell.line(f"the lead sees: {what}, asked for by {seen['by']}, for {name}")
        run("approval", "approve", approval, by_lead=True)
        acted = self._look("/v1/act", 200, step_up=self._step_up, approval=approval, **action)
        self._tell.line(f"permitted: {acted['action']} by {acted['target']}, once, for a minute")

    def ends(self, wrap_up_s: int) -> str:
        """After the contact nothing is shown any more."""
        self._tell.step(
            f"The call ends; {wrap_up_s} seconds of wrap-up later nothing is shown any more."
        )
        self._event("ended")
        time.sleep(wrap_up_s + 0.3)
        refused = self._look("/v1/reveal", 403, customer=self._customer, fields=["name"])
        self._tell.refusal(refused)
        leaf: str = refused["leaf"]["id"]
        return leaf

    def proves(
        self, run: Callable[..., str], folder: Path, vkeys: list[str], decision: str
    ) -> None:
        """The client verifies its log with its own key and finds the refusal in it."""
        self._tell.step("The client takes its log away and verifies it with its own keys.")
        run("log", "export", self._desk.client, "--out", str(folder))
        keys = [part for vkey in vkeys for part in ("--key", vkey)]
        told = json.loads(run("verify", str(folder), *keys, "--json"))
        found = any(decision in line for line in (folder / "decisions.ndjson").open())
        self._tell.line(f"{told['size']} leaves, {told['outcome']}")
        self._tell.line(f"the refusal of step 8 stands in it: {'yes' if found else 'no'}")
        if not found:
            raise Unavailable("the refusal is not in the client's log")
