"""A shift that runs by itself beside the demo: calls come in, agents look, some looks are refused, one waits.

It speaks HTTP to the running data plane with the tokens of simulated agents, as telephony and desks do; what it does
stands in the client's log like everything else. The persona's own agent gets a call whenever none is with them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from holdfast.drills.demo_data import customer
from holdfast.drills.walk import Api, now_text
from holdfast.kit.clock import SECOND_US, SystemClock, monotonic_s
from holdfast.kit.ids import new_id

if TYPE_CHECKING:
    from holdfast.drills.walk import Desk

EVERY_S: Final = 6.0
#: The persona's calls last so long; then another comes.
OWN_CALL_S: Final = 240.0
_OWN_REASONS: Final = ("dispute", "card-lost", "estate", "contact-change")
_LOOKS: Final = (
    ("dispute", ("name", "phone", "acct")),
    ("dispute", ("name", "email")),  # the reason does not need an address: refused
    ("contact-change", ("name", "phone", "address")),
    ("card-lost", ("name", "card")),
    ("card-lost", ("national_id",)),  # it asks for a step-up that nobody gives
)


class Shift:
    """Runs on a thread of its own until it is stopped. ``agents`` maps staff ids to tokens."""

    def __init__(self, desk: Desk, agents: dict[str, str], *, customers: int) -> None:
        self._desk = desk
        self._agents = agents
        self._customers = customers
        self._stop = Event()
        self._thread = Thread(target=self._run, name="shift", daemon=True)
        self._own: tuple[str, float] | None = None
        self._number = 0
        self._seen = SystemClock().now_us() // SECOND_US

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the step that is under way."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(
                OSError, KeyError, ValueError
            ):  # the house is stopping, or was changed by hand
                self.step()
            self._stop.wait(EVERY_S)

    def step(self) -> None:
        """One round: the persona's call is looked after, and one simulated agent takes a call."""
        self._look_after_own()
        self._number += 1
        staff = sorted(self._agents)[self._number % len(self._agents)]
        if self._number % 20 == 2:
            self._asks_for_approval(staff)
            return
        reason, fields = _LOOKS[self._number % len(_LOOKS)]
        contact, found = self._call(staff, reason)
        self._look(staff, contact, found, fields)
        self._event("ended", contact)

    def _look_after_own(self) -> None:
        """Give the persona's agent a call if their last one is over."""
        now_s = monotonic_s()
        if self._own is not None and now_s < self._own[1]:
            return
        if self._own is not None:
            self._event("ended", self._own[0])
        reason = _OWN_REASONS[self._number % len(_OWN_REASONS)]
        contact = self._connect(self._desk.agent, reason, self._caller())
        self._own = contact, now_s + OWN_CALL_S

    def _asks_for_approval(self, staff: str) -> None:
        """A look that the contract wants approved; it waits for whoever is the lead."""
        contact, found = self._call(staff, "estate")
        refused = self._look(staff, contact, found, ("acct",))
        if refused.get("code") == "approval_required":
            self._api(staff).post("/v1/approvals", {"decision": refused["decision"]})

    def _call(self, staff: str, reason: str) -> tuple[str, str]:
        """Connect a caller and find them; return the contact and the customer."""
        one = self._caller()
        contact = self._connect(staff, reason, one)
        body = {**self._asked(contact), "by": {"acct": customer(one).account}}
        _, answer = self._api(staff).post("/v1/search", body)
        hits = answer.get("hits") or [{"customer": ""}]
        return contact, str(hits[0]["customer"])

    def _look(
        self, staff: str, contact: str, found: str, fields: tuple[str, ...]
    ) -> dict[str, Any]:
        body = {**self._asked(contact), "customer": found, "fields": list(fields)}
        return self._api(staff).post("/v1/reveal", body)[1]

    def _connect(self, staff: str, reason: str, one: int) -> str:
        contact = new_id("CT", SystemClock().now_us())
        by = {"customer": {"by": {"phone": customer(one).phone}}}
        self._event("connected", contact, person=staff, reason=reason, **by)
        return contact

    def _event(self, kind: str, contact: str, **more: Any) -> None:
        event = {
            "id": new_id("evt", SystemClock().now_us()),
            "type": f"contact.{kind}",
            "occurred_at": now_text(),
            "client": self._desk.client,
            "contact": contact,
            "queue": "cards",
            **more,
        }
        self._api(self._desk.agent).event(event)

    def _api(self, staff: str) -> Api:
        return Api(replace(self._desk, token=self._agents.get(staff, self._desk.token)))

    def _asked(self, contact: str) -> dict[str, Any]:
        return {
            "client": self._desk.client,
            "collection": self._desk.collection,
            "purpose": {"contact": contact},
        }

    def _caller(self) -> int:
        """Another customer each time: what is looked at, and tried, is limited per customer."""
        self._seen += 1
        return int(self._seen * 7919 % self._customers)
