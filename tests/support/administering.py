"""A small house with a client under contract and administrators, to publish, approve and make keys in their names."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.edges.cli.feed import _made
from holdfast.kit.db import Round
from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import tokens
from holdfast.procedures.protocols.services import contracts
from holdfast.spine.administration.approving import decide_request
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.publish import By, add_client, contract_in_force, draft
from holdfast.spine.identity.credentials import Bounds
from holdfast.spine.identity.references import reference_of
from holdfast.spine.signals.envelope import FeedKey
from holdfast.spine.signals.store import ADD_FEED
from holdfast.vocabulary.levels import Role
from support.admin import AdminHouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.spine.decision.publish import InForce
    from holdfast.spine.identity.credentials import IssuedToken

CLIENT = "tel-01"
FEED = "tel-acd"
CONTRACT = """
[client]
id = "tel-01"
name = "Example Telco"
[[programme]]
id = "cards"
[[queue]]
id = "bills"
programme = "cards"
reasons = ["bill"]
[[reason]]
id = "bill"
fields.subscribers = ["name"]
[[rule]]
id = "quiet"
says = "It is no quiet hour."
remedy = "Come back later."
collections = ["secrets"]
"""
WIDER = CONTRACT.replace('["name"]', '["name", "plan"]')
WIDEST = CONTRACT.replace('["name"]', '["name", "plan", "passport"]')


class Office(AdminHouse):
    """The client ``tel-01`` with a feed, three administrators (``root``, ``second``, ``third``) and an agent."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        by = By(self.root, lambda log: reference_of(self.root, log))
        now_us = self.clock.now_us()
        self.transact(add_client(draft(CONTRACT), by, vkey="vkey", now_us=now_us))
        self.transact(_feed(now_us))
        self.second = self.person("second", Role.ADMIN)
        self.third = self.person("third", Role.ADMIN)
        self.agent = self.person("A1", Role.AGENT, client=CLIENT)
        self._keys = 0

    @contextmanager
    def by(self, person: str) -> Iterator[None]:
        """Act in somebody's name; the first administrator acts without a token."""
        if person == self.root:
            yield
            return
        with self.acting_as(person):
            yield

    def publish(self, text: str, *, by: str = "", signature: bytes = b"") -> InForce:
        """Publish a contract as the command does."""
        before, version = self.read(contract_in_force(CLIENT))
        in_force = compile_contract(before, version=version)
        made = draft(text, signature=signature, in_force=in_force)
        with self.by(by or self.root):
            return self.transact(contracts.published(self, made))  # type: ignore[arg-type]

    def asked(self, text: str, *, by: str = "") -> str:
        """Try to publish what takes a second person; return the id of the request."""
        with pytest.raises(NeedsSecondPerson) as needed:
            self.publish(text, by=by)
        assert needed.value.approval in needed.value.remedy
        return needed.value.approval

    def decide(self, approval: str, *, by: str = "", grant: bool = True) -> Any:
        """Approve or refuse as the command does."""
        with self.by(by or self.second):
            return self.transact(decide_request(self, approval, grant=grant))

    def version(self) -> int:
        """The version in force."""
        return self.read(contract_in_force(CLIENT))[1]

    def make_key(self, *, by: str = "") -> str:
        """Make a key of the client's feed as the command does; return its id."""
        self._keys += 1
        made = FeedKey(f"fk_{self._keys}", Secret(b"hfk_planted"))
        with self.by(by or self.root):
            self.transact(_made(self, FEED, made, b"sealed"))  # type: ignore[arg-type]
        return made.kid

    def told(self, kind: str, log: str = f"client-{CLIENT}") -> list[dict[str, Any]]:
        """Leaves of one type in one log."""
        return [leaf for where, leaf in self.leaves() if where == log and leaf["type"] == kind]


def issued(office: Office, person: str, **bounds: Any) -> IssuedToken:
    """Issue a token in the name of who acts now, who then has seen it."""
    work = tokens.create_for_person(office, person, life_us=None, bounds=Bounds(**bounds))
    return office.transact(work)


@contextmanager
def as_holder(office: Office, token: IssuedToken, *, key: str = "") -> Iterator[None]:
    """Act as who holds ``token``, and the private ``key``."""
    before = office.settings
    secret = Secret(token.secret.reveal())
    held = Secret(key) if key else None
    office.settings = dataclasses.replace(before, token=secret, token_key=held)
    yield
    office.settings = before


def _feed(now_us: int) -> Work[None]:
    row = ADD_FEED(
        name=FEED,
        client=CLIENT,
        types="",
        programmes="",
        sites="",
        zone="",
        adaptor="generic",
        digest_key=b"key",
        created_us=now_us,
    )
    yield Round(data=(row,))
