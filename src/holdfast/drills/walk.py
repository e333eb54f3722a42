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

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Caller:
    """What the person on the line knows about themselves."""

    phone: str
    customer_no: str
    date_of_birth: str
    national_id_last4: str


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
        self, path: str, body: dict[str, Any], *, step_up: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Send ``body`` as the agent."""
        headers = {
            "Authorization": f"Bearer {self._desk.token}",
            "Content-Type": "application/json",
        }
        if step_up:
            headers["Holdfast-Step-Up"] = f"Bearer {step_up}"
        return self._send(path, json.dumps(body).encode(), headers)

    def event(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one signed event as the telephony system."""
        desk = self._desk
        body = json.dumps(event).encode()
        at = int(time.time())  # noqa: TID251 - the outside world has its own clock
        message = b".".join((desk.feed_kid.encode(), desk.feed.encode(), str(at).encode(), body))
        mac = hmac.new(desk.feed_secret.encode(), message, hashlib.sha256).hexdigest()
        signature = f"t={at},kid={desk.feed_kid},v1={mac}"
        return self._send(f"/v1/feeds/{desk.feed}", body, {"Holdfast-Signature": signature})

    def _send(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        request = Request(self._desk.url + path, data=body, headers=headers, method="POST")  # noqa: S310
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
            self.line(f"{marks[reason['state']]} {reason['rule']}: {reason['value']}")
            self.line(f"  → {reason['remedy']['text']}")


def now_text(clock: SystemClock | None = None, *, seconds_ago: int = 0) -> str:
    """The present time as events carry it."""
    return rfc3339((clock or SystemClock()).now_us() - seconds_ago * SECOND_US)
