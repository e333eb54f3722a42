"""A caller who is verified, an agent who has confirmed who they are, and the target system behind its token."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from holdfast.kit.clock import DAY_US
from holdfast.spine.identity.credentials import Bounds, hash_secret, issue
from holdfast.spine.identity.presented import Caller
from holdfast.spine.operations.outcome import Report, report_outcome
from holdfast.spine.turn.answers import Acted

if TYPE_CHECKING:
    from support.bank import Bank

RESET = "reset_login"
SCOPE = "act:bank-01"


def ready(bank: Bank, contact: str = "CT-1", *, number: int = 1, step_up: bool = True) -> str:
    """Connect a caller, verify two answers, confirm the agent; return the decision that proves it."""
    bank.connect(contact, number=number, reason="contact-change")
    proof = bank.prove(number, contact=contact)
    if step_up:
        asked = bank.act(f"C{number:05d}", RESET, [proof], contact=contact)
        bank.take_step_up(asked.challenge)
    return proof


def permitted(bank: Bank, contact: str = "CT-1") -> Acted:
    """A permit to reset the first customer's login."""
    proof = ready(bank, contact)
    answer = bank.act("C00001", RESET, [proof], contact=contact)
    assert isinstance(answer, Acted), answer
    return answer


class Target:
    """A system that acts on permits: a service of the house with its own token."""

    def __init__(self, bank: Bank, name: str = "crm", *scopes: str) -> None:
        self._bank = bank
        issued = bank.house.transact(
            issue(
                service=name,
                life_us=DAY_US,
                now_us=bank.clock.now_us(),
                bounds=Bounds(scopes=scopes or (SCOPE,)),
            )
        )
        self._hash = hash_secret(issued.secret.reveal())
        self.credential = issued.id

    def report(self, act: str, permit: str | None, outcome: str = "claimed") -> Any:
        """Tell an outcome; the permit as text."""
        return report_as(self._bank, self._hash, Report(act, permit or "", outcome))


def report_as(bank: Bank, secret_hash: bytes, report: Report) -> Any:
    """Tell an outcome with any token."""
    caller = Caller(secret_hash=secret_hash, peer="127.0.0.1")
    return bank.house.transact(report_outcome(bank.house, caller, report))


def claims_of(permit: str | None) -> dict[str, Any]:
    """Read a permit's claims as anybody can."""
    part = (permit or "").split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def forged(permit: str | None, **changes: Any) -> str:
    """The same permit with other claims under the old signature."""
    header, _, signature = (permit or "").split(".")
    body = json.dumps({**claims_of(permit), **changes}, separators=(",", ":")).encode()
    return f"{header}.{base64.urlsafe_b64encode(body).decode().rstrip('=')}.{signature}"
