"""A small house with two clients, an administrator bound to this account, and a way to act as anybody."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.secret import Secret
from holdfast.spine.decision import store as decisions
from holdfast.spine.identity import store
from holdfast.spine.identity.acting import os_user
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.people import add_person
from holdfast.vocabulary.levels import Role
from support.stores import SmallHouse, raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.db import Query, Rows, Work

CLIENTS = ("bank-01", "bank-02")


def ask(*queries: Query) -> Work[list[Rows]]:
    """Run queries in one round."""
    return (yield Round(data=queries))


class AdminHouse(SmallHouse):
    """``root`` is the first administrator's id."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.transact(ask(store.ADD_EMPLOYER(id="house", name="House")))
        self.root = self.person("root", Role.ADMIN, os_user=os_user())
        self.transact(
            ask(
                *(decisions.ADD_CLIENT(client=c, name=c, added_us=0) for c in CLIENTS),
            )
        )

    def person(self, staff_id: str, *roles: Role, client: str = "", **more: Any) -> str:
        """Add a person without any leaf, assigned to the client's programme ``cards`` if one is named."""
        now = self.clock.now_us()
        person = self.transact(
            add_person(staff_id=staff_id, employer="house", roles=roles, now_us=now, **more)
        )
        if client:
            row = store.ADD_ASSIGNMENT(
                id=f"asg_{staff_id}",
                person=person,
                client=client,
                programme="cards",
                queues="",
                roles=",".join(sorted(roles)),
                starts_us=now,
                ends_us=None,
            )
            self.transact(ask(row))
        return person

    @contextmanager
    def acting_as(self, person: str) -> Iterator[None]:
        """Administer with a token of ``person``."""
        token = self.transact(issue(person=person, life_us=DAY_US, now_us=self.clock.now_us()))
        before = self.settings
        self.settings = dataclasses.replace(before, token=Secret(token.secret.reveal()))
        try:
            yield
        finally:
            self.settings = before

    def challenge(
        self, ident: str, person: str, *, client: str = "bank-01", life_us: int = DAY_US
    ) -> str:
        """Ask for a step-up as a look does."""
        now = self.clock.now_us()
        row = decisions.ADD_CHALLENGE(
            id=ident,
            client=client,
            person=person,
            contact="ct_1",
            level=2,
            decision="dec_1",
            created_us=now,
            expires_us=now + life_us,
        )
        self.transact(ask(row))
        return ident

    def leaves(self) -> list[tuple[str, dict[str, Any]]]:
        """All leaves so far, as log and content."""
        rows = raw(self.data, "SELECT log, entry FROM ledger_pending ORDER BY id")
        return [(log, json.loads(bytes(entry))) for log, entry in rows]

    def fence(self, client: str) -> int:
        """The client's fence."""
        rows = self.read(ask(decisions.CLIENT(client=client)))[0]
        return int(rows[0][3])
