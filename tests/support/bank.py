"""A whole house in a folder: the demo's bank, five customers, agents on a contact, tokens; with a clock that obeys.

Everything is real: stores, keys, policies, vault, ledger. Requests go straight to the spine's operations under the
synchronous shell; ``tests/stories`` has the same over HTTP.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from holdfast.drills.bank.build import (
    CLIENT,
    COLLECTION,
    CONTRACT,
    FEED,
    customer,
    found_bank,
    import_customers,
)
from holdfast.kit.clock import HOUR_US, SECOND_US, rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.ids import new_id
from holdfast.kit.secret import Secret
from holdfast.spine.house import House, open_house
from holdfast.spine.identity import people
from holdfast.spine.identity.credentials import Bounds, hash_secret, issue, issue_step_up, revoke
from holdfast.spine.identity.presented import UNPROVED, Caller
from holdfast.spine.operations.act import Wanted, act
from holdfast.spine.operations.provisional import open_contact
from holdfast.spine.operations.reason import change_reason
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.search import search
from holdfast.spine.operations.update import update
from holdfast.spine.operations.verify import verify
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.signals.intake import Report, receive
from holdfast.spine.turn.answers import Asked
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.vocabulary.levels import PersonState
from support.stores import (
    NOON_US,
    ON_POSTGRES,
    FakeClock,
    FakeDisk,
    bytes_of,
    copy_house,
    raw,
    template,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Bank", "customer", "new_bank", "new_punctual_bank"]

DELIVERIES = 25  # enough for a feed to have a normal pace
EVERY_S = 2


@dataclass(frozen=True)
class Agent:
    """A person with a token."""

    id: str
    staff_id: str
    token: str
    credential: str


class Bank:
    """The house in a folder. Make one with :func:`new_bank`."""

    def __init__(self, home: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.disk = FakeDisk()
        self.house: House = open_house(load_settings(home, {}), clock, self.disk)
        self.home = home
        facts = json.loads((home / "bank.json").read_text())
        self.admin: str = facts["admin"]
        self.agent = Agent(**facts["agents"]["A0001"])
        self.other = Agent(**facts["agents"]["A0002"])
        self.feed_key = facts["feed_kid"], facts["feed_secret"]
        self.customers: dict[str, str] = facts["customers"]
        self.step_up: str | None = None
        self.peer = "127.0.0.1"
        self.device = ""
        self.proved = UNPROVED
        self._events = 0

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────────

    def asked(
        self,
        contact: str = "CT-1",
        *,
        agent: Agent | None = None,
        client: str = CLIENT,
        collection: str = COLLECTION,
        key: tuple[str, bytes] | None = None,
    ) -> Asked:
        caller = self.caller(agent)
        return Asked(
            client=client,
            collection=collection,
            contact=contact,
            secret_hash=caller.secret_hash,
            proved=caller.proved,
            step_up_hash=hash_secret(self.step_up) if self.step_up else None,
            peer=caller.peer,
            device=caller.device,
            idempotency=key,
        )

    def caller(self, agent: Agent | None = None) -> Caller:
        """Who asks, as the edge hands it over."""
        return Caller(
            secret_hash=hash_secret((agent or self.agent).token),
            proved=self.proved,
            peer=self.peer,
            device=self.device,
        )

    def reveal(
        self, name: str, fields: Iterable[str], *, record: str | None = None, **asked: Any
    ) -> Any:
        """Reveal fields of the customer with this number (or id)."""
        given = self.asked(**asked)
        work = reveal(self.house, given, self.id_of(name), tuple(fields), record=record)
        return self.house.transact(work)

    def search(self, value: str, *, by: str = "phone", **asked: Any) -> Any:
        """Search by an identifier."""
        return self.house.transact(search(self.house, self.asked(**asked), by, value))

    def verify(self, name: str, answers: dict[str, str], **asked: Any) -> Any:
        """Verify answers."""
        return self.house.transact(
            verify(self.house, self.asked(**asked), self.id_of(name), answers)
        )

    def update(self, name: str, values: dict[str, str], **asked: Any) -> Any:
        """Change fields."""
        return self.house.transact(
            update(self.house, self.asked(**asked), self.id_of(name), values)
        )

    def act(self, name: str, action: str, proof: Iterable[str] = (), **more: Any) -> Any:
        """Ask for an action; ``values``, ``target`` and ``record`` are the act's own, the rest is of the request."""
        own = {key: more.pop(key) for key in ("values", "target", "record") if key in more}
        wanted = Wanted(action, tuple(proof), **own)
        return self.house.transact(act(self.house, self.asked(**more), self.id_of(name), wanted))

    def prove(self, number: int = 1, *fields: str, **asked: Any) -> str:
        """Verify right answers of a customer; return the decision."""
        names = fields or ("dob", "postcode")
        answers = {name: customer(number)[name] for name in names}
        found = self.verify(f"C{number:05d}", answers, **asked)
        assert found.match, found
        return str(found.decision)

    def change_reason(self, reason: str, **asked: Any) -> Any:
        """Change the contact's reason."""
        given = self.asked(**asked, collection="")
        return self.house.transact(change_reason(self.house, given, reason))

    def open_on_word(
        self,
        contact: str = "CT-9",
        *,
        queue: str = "cards",
        reason: str = "",
        outage: bool = False,
        **asked: Any,
    ) -> Any:
        """Open a contact that no feed has told."""
        given = self.asked(contact, **asked, collection="")
        work = open_contact(self.house, given, queue, reason, outage=outage)
        return self.house.transact(work)

    def id_of(self, name: str) -> str:
        return self.customers.get(name, name)

    # ── the telephony feed ──────────────────────────────────────────────────────────────────────────────────────

    def event(
        self, kind: str, contact: str = "CT-1", *, ago: float = 0, **more: Any
    ) -> dict[str, Any]:
        """A canonical event that happened ``ago`` seconds before now."""
        self._events += 1
        event = {
            "id": f"evt-{self._events}-{new_id('e', self.clock.now_us())}",
            "type": f"contact.{kind}",
            "occurred_at": rfc3339(self.clock.now_us() - int(ago * SECOND_US)),
            "client": CLIENT,
            "contact": contact,
            "queue": "cards",
            **({"person": self.agent.staff_id} if kind == "connected" else {}),
            **more,
        }
        return {name: value for name, value in event.items() if value is not None}

    def send(self, *events: dict[str, Any]) -> Report:
        """Send events, signed now, all of which are taken in."""
        report = self.deliver(*events)
        assert not report.rejected, report
        return report

    def deliver(self, *events: dict[str, Any]) -> Report:
        """Send events, signed now."""
        body = b"\n".join(json.dumps(event).encode() for event in events)
        kid, secret = self.feed_key
        key = FeedKey(kid, Secret(secret.encode()))
        header = sign(key, FEED, self.clock.now_us() // SECOND_US, body)
        return receive(self.house, FEED, header, body)

    def connect(
        self,
        contact: str = "CT-1",
        *,
        number: int | None = 1,
        agent: Agent | None = None,
        **more: Any,
    ) -> None:
        """Connect a call; the feed knows the caller's phone unless ``number`` is None."""
        by = {"customer": {"by": {"phone": customer(number)["phone"]}}} if number else {}
        person = (agent or self.agent).staff_id
        given = {"person": person, "reason": "dispute", **by, **more}
        self.send(self.event("connected", contact, **given))

    def be_punctual(self, deliveries: int = DELIVERIES) -> None:
        """Let the feed speak for a while, on time: it has a normal pace then."""
        for number in range(deliveries):
            self.send(self.event("queued", f"CT-beat-{number}"))
            self.advance(EVERY_S)

    def hear_late(
        self, contact: str = "CT-9", *, ago: float, number: int | None = 1, **more: Any
    ) -> Report:
        """Let the feed tell a connected call ``ago`` seconds after it was."""
        by = {"customer": {"by": {"phone": customer(number)["phone"]}}} if number else {}
        told = {"reason": "dispute", **by, **more}
        return self.deliver(self.event("connected", contact, ago=ago, **told))

    def end(self, contact: str = "CT-1") -> None:
        """End a call."""
        self.send(self.event("ended", contact))

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────

    def take_step_up(self, challenge: str) -> str:
        """Answer a challenge, and send its token from now on."""
        rows = self.sql("SELECT person, contact FROM decision_challenge WHERE id = ?", challenge)
        person, contact = rows[0]
        work = issue_step_up(
            person=person,
            client=CLIENT,
            contact=contact,
            challenge=challenge,
            now_us=self.clock.now_us(),
        )
        self.step_up = self.house.transact(work).secret.reveal()
        return self.step_up

    def by(self, person: str, work: Callable[[House], Any]) -> Any:
        """Do an administrative act in a person's name: ``work`` makes it of the house."""
        now_us = self.clock.now_us()
        token = self.house.transact(issue(person=person, life_us=HOUR_US, now_us=now_us))
        before = self.house.settings
        self.house.settings = replace(before, token=Secret(token.secret.reveal()))
        try:
            return self.house.transact(work(self.house))
        finally:
            self.house.settings = before

    def suspend(self, agent: Agent) -> None:
        work = people.change_state(agent.id, PersonState.ACTIVE, PersonState.SUSPENDED)
        assert self.house.transact(work)

    def revoke(self, agent: Agent) -> None:
        assert self.house.transact(revoke(agent.credential, self.clock.now_us()))

    def new_token(self, agent: Agent, *, issued_by: str = "", **bounds: Any) -> Agent:
        """Another token for the same person; ``issued_by`` has seen it."""
        issued = self.house.transact(
            issue(
                person=agent.id,
                life_us=12 * 3600 * SECOND_US,
                now_us=self.clock.now_us(),
                bounds=Bounds(**bounds),
                issued_by=issued_by,
            )
        )
        return Agent(agent.id, agent.staff_id, issued.secret.reveal(), issued.id)

    # ── what is written ─────────────────────────────────────────────────────────────────────────────────────────

    def advance(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_US))

    def sql(self, text: str, *params: Any, keys: bool = False) -> list[tuple[Any, ...]]:
        """Look into a store, as somebody with the file would."""
        with self.house.stores() as stores:
            connection = stores.keys if keys else stores.data
            return raw(connection, text, params)

    def leaves(self, kind: str = "") -> list[dict[str, Any]]:
        """Leaves that wait for the sequencer, of all logs, oldest first."""
        rows = self.sql("SELECT entry FROM ledger_pending ORDER BY id")
        all_leaves = [json.loads(entry) for (entry,) in rows]
        return [leaf for leaf in all_leaves if not kind or leaf["type"] == kind]

    def bytes_of_stores(self, *, keys: bool = False, log: bool = True) -> bytes:
        """All bytes that the database keeps of both stores, or of ``keys`` alone."""
        with self.house.stores() as stores:
            return b"".join(bytes_of(one, log=log) for one in (stores[1:] if keys else stores))

    def all_bytes(self) -> bytes:
        """All bytes of all files of the house, and of its stores where these stand elsewhere."""
        files = [path for path in sorted(self.home.rglob("*")) if path.is_file()]
        apart = self.bytes_of_stores() if ON_POSTGRES else b""
        return b"".join([apart, *(path.read_bytes() for path in files)])

    def close(self) -> None:
        self.house.close()


def new_bank(home: Path) -> Bank:
    """Copy the template house into ``home`` and open it at noon."""
    copy_house(bank_template(), home)
    return Bank(home, FakeClock())


def bank_with(home: Path, *changes: tuple[str, str]) -> Bank:
    """A bank whose contract reads otherwise: pairs of what stands there and what is to stand there."""
    text = CONTRACT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    _found(home, text)
    return Bank(home, FakeClock())


def new_punctual_bank(home: Path) -> Bank:
    """The same, a minute later: its feed has spoken on time all the while, so that it has a normal pace."""
    copy_house(punctual_template(), home)
    return Bank(home, FakeClock(NOON_US + DELIVERIES * EVERY_S * SECOND_US))


@lru_cache(maxsize=1)
def punctual_template() -> Path:
    """A house with the bank whose feed has a normal pace, made once per process."""
    home = Path(mkdtemp(prefix="holdfast-punctual-"))
    bank = new_bank(home)
    bank.be_punctual()
    bank.close()
    return home


@lru_cache(maxsize=1)
def bank_template() -> Path:
    """A house with the bank, made once per process."""
    home = Path(mkdtemp(prefix="holdfast-bank-"))
    _found(home, CONTRACT)
    return home


def _found(home: Path, contract: str) -> None:
    copy_house(template(), home)
    FileRoot.create(home / ROOT_FILE, None)
    house = open_house(load_settings(home, {}), FakeClock(NOON_US - 60 * SECOND_US))
    facts = found_bank(house, contract=contract)
    facts["customers"] = import_customers(house, facts["admin"], [customer(n) for n in range(1, 6)])
    house.close()
    (home / "bank.json").write_text(json.dumps(facts))
