"""The bank with a contract that wants a second person for some fields, and people who may be that person."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.drills.bank.build import CLIENT, CONTRACT, customer, found_bank, import_customers
from holdfast.kit.clock import SECOND_US
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.house import open_house
from holdfast.spine.identity import people
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.spine.operations.act import Wanted, act
from holdfast.spine.operations.approve import decide_approval, show_approval
from holdfast.spine.operations.asking import ask_approval
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.update import update
from holdfast.spine.operations.verify import verify
from holdfast.spine.operations.waiting import list_approvals
from holdfast.spine.turn.answers import ApprovalShown, Asked
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from holdfast.vocabulary.levels import Role
from support import freezing
from support.bank import Agent, Bank
from support.stores import NOON_US, FakeClock, copy_house, template

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path as Folder

FIELDS = 'fields.customers = ["name", "phone", "acct", "card", "balance", "address"]'
APPROVED = (
    FIELDS
    + '\napproval.customers = ["acct", "address", "balance"]\nupdates.customers = ["address"]'
)
WITH_APPROVAL = CONTRACT.replace(FIELDS, APPROVED, 1)


class ApprovingBank(Bank):
    """``agent`` and ``other`` are agents; ``lead``, ``lead2`` and ``guard`` (security) may approve."""

    def __init__(self, home: Folder, clock: FakeClock) -> None:
        super().__init__(home, clock)
        facts = json.loads((home / "bank.json").read_text())
        self.lead = Agent(**facts["agents"]["L0001"])
        self.lead2 = Agent(**facts["agents"]["L0002"])
        self.guard = Agent(**facts["agents"]["S0001"])

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def who(self, agent: Agent | None = None, *, device: str | None = None) -> Asked:
        """The caller alone, as the addresses of approvals take it."""
        asked = self.asked("", agent=agent, client="", collection="")
        return asked if device is None else _on(asked, device)

    def ask(self, answer: Any, *, agent: Agent | None = None, device: str = "desk-1") -> str:
        """Ask for the approval that an answer said is needed; return its id."""
        work = ask_approval(self.house, self.who(agent, device=device), answer.decision)
        return self.house.transact(work).approval

    def asked_for(
        self, name: str = "C00001", fields: Iterable[str] = ("acct",), **more: Any
    ) -> str:
        """Look, be told that a second person has to approve, and ask for it."""
        return self.ask(self.reveal(name, fields, **more))

    def show(self, ident: str, by: Agent | None = None) -> Any:
        return self.house.transact(
            show_approval(self.house, self.who(by or self.lead, device="desk-9"), ident)
        )

    def decide(
        self, ident: str, by: Agent | None = None, *, grant: bool = True, device: str = "desk-9"
    ) -> Any:
        asked = self.who(by or self.lead, device=device)
        return self.house.transact(decide_approval(self.house, asked, ident, grant=grant))

    def granted(self, ident: str, by: Agent | None = None) -> str:
        """Let ``by`` (a lead) approve; return the id."""
        answer = self.decide(ident, by)
        assert isinstance(answer, ApprovalShown), answer
        assert answer.state == "granted"
        return ident

    def listed(self, by: Agent, *, after: str = "", limit: int = 100) -> Any:
        work = list_approvals(self.house, self.who(by), after=after, limit=limit)
        return self.house.transact(work)

    # ── looking with an approval ────────────────────────────────────────────────────────────────────────────────

    def reveal_with(
        self, approval: str, name: str = "C00001", fields: Iterable[str] = ("acct",), **more: Any
    ) -> Any:
        given = _with(self.asked(**more), approval)
        return self.house.transact(reveal(self.house, given, self.id_of(name), tuple(fields)))

    def update_with(self, approval: str, name: str, values: dict[str, str], **more: Any) -> Any:
        given = _with(self.asked(**more), approval)
        return self.house.transact(update(self.house, given, self.id_of(name), values))

    def act_with(self, approval: str, name: str, wanted: Wanted, **more: Any) -> Any:
        given = _with(self.asked(**more), approval)
        return self.house.transact(act(self.house, given, self.id_of(name), wanted))

    def verify_with(self, approval: str, name: str, answers: dict[str, str], **more: Any) -> Any:
        record = more.pop("record", None)
        given = _with(self.asked(**more), approval)
        work = verify(self.house, given, self.id_of(name), answers, record=record)
        return self.house.transact(work)

    def state_of(self, ident: str) -> str:
        ((state,),) = self.sql("SELECT state FROM approvals_request WHERE id = ?", ident)
        return str(state)

    # ── the house ───────────────────────────────────────────────────────────────────────────────────────────────

    def person(self, staff_id: str, *roles: Role, client: str = CLIENT) -> Agent:
        """Another person with a token, assigned to the client's one programme."""
        return Agent(**self.house.transact(_person(self.clock.now_us(), staff_id, roles, client)))

    def publish(self, contract: str) -> None:
        """Publish another version of the contract."""
        freezing.publish(self, contract=contract)


def _with(asked: Asked, approval: str) -> Asked:
    return _replace(asked, approval=approval)


def _on(asked: Asked, device: str) -> Asked:
    return _replace(asked, device=device)


def _replace(asked: Asked, **more: Any) -> Asked:
    return msgspec.structs.replace(asked, **more)


def _person(now: int, staff_id: str, roles: Iterable[Role], client: str) -> Any:
    chosen = tuple(roles)
    person = yield from people.add_person(
        staff_id=staff_id, employer="house", roles=chosen, now_us=now
    )
    if client:
        row = ADD_ASSIGNMENT(
            id=new_id("asg", now),
            person=person,
            client=client,
            programme="cards-in",
            queues="",
            roles=",".join(sorted(chosen)),
            starts_us=now,
            ends_us=None,
        )
        yield Round(data=(row,))
    token = yield from issue(person=person, life_us=10 * 86_400 * SECOND_US, now_us=now)
    return {
        "id": person,
        "staff_id": staff_id,
        "token": token.secret.reveal(),
        "credential": token.id,
    }


def approving_bank(home: Folder) -> ApprovingBank:
    """Copy the template house into ``home`` and open it at noon."""
    copy_house(_template(), home)
    return ApprovingBank(home, FakeClock())


@lru_cache(maxsize=1)
def _template() -> Path:
    home = Path(mkdtemp(prefix="holdfast-approving-"))
    copy_house(template(), home)
    FileRoot.create(home / ROOT_FILE, None)
    house = open_house(load_settings(home, {}), FakeClock(NOON_US - 60 * SECOND_US))
    facts = found_bank(house, contract=WITH_APPROVAL)
    facts["customers"] = import_customers(house, facts["admin"], [customer(n) for n in range(1, 6)])
    now = house.clock.now_us()
    for staff_id, role in (("L0001", Role.LEAD), ("L0002", Role.LEAD), ("S0001", Role.SECURITY)):
        facts["agents"][staff_id] = house.transact(_person(now, staff_id, (role,), CLIENT))
    house.close()
    (home / "bank.json").write_text(json.dumps(facts))
    return home
