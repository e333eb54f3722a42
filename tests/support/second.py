"""A second client in the bank's house: its own contract, collection, feed and customers."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from holdfast.drills.bank.build import COLLECTION, CONTRACT, SCHEMA, customer
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.ids import new_id
from holdfast.spine.decision.publish import By, add_client, draft
from holdfast.spine.identity.references import reference_of
from holdfast.spine.identity.store import ADD_ASSIGNMENT
from holdfast.spine.signals.envelope import sign
from holdfast.spine.signals.intake import receive
from holdfast.spine.signals.known import known_of
from holdfast.spine.signals.registry import (
    NewFeed,
    add_feed,
    add_key,
    check_feed,
    make_digest_key,
    make_key,
)
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import client_keys, ensure_client_keys
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.schema import compile_schema, encode_schema
from holdfast.spine.vault.writer import BatchWriter

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from support.bank import Agent, Bank

SECOND = "bank-02"
FEED = "second-acd"


class SecondClient:
    """Bank 02, next to Bank 01. ``changes`` replace words of Bank 01's contract."""

    def __init__(self, bank: Bank, **changes: str) -> None:
        self.bank = bank
        house, now = bank.house, bank.clock.now_us()
        text = CONTRACT.replace("bank-01", SECOND).replace("Bank 01", "Bank 02")
        for before, after in changes.items():
            text = text.replace(before, after)
        schema = compile_schema(SCHEMA, name=COLLECTION)
        house.transact(ensure_client_keys(house.root, SECOND))
        by = By(bank.admin, partial(reference_of, bank.admin))
        made = draft(text, schemas={COLLECTION: schema})
        house.transact(add_client(made, by, vkey="vkey", now_us=now))
        collection = vault.ADD_COLLECTION(
            client=SECOND,
            name=COLLECTION,
            version=1,
            schema_toml=SCHEMA,
            compiled=encode_schema(schema),
            digest=schema.digest,
            added_us=now,
        )
        house.transact(_write(collection))
        feed = check_feed(NewFeed(FEED, SECOND), house.read(known_of(house, SECOND)), ("generic",))
        digest_key = make_digest_key(house.root, FEED)
        house.transact(add_feed(feed, digest_key, by=by.reference, now_us=now))
        self.key, sealed = make_key(house.root, FEED, now)
        house.transact(add_key(FEED, self.key.kid, sealed, by=by.reference, now_us=now))

    def assign(self, agent: Agent) -> None:
        """Let an agent work for this client."""
        now = self.bank.clock.now_us()
        row = ADD_ASSIGNMENT(
            id=new_id("asg", now),
            person=agent.id,
            client=SECOND,
            programme="cards-in",
            queues="",
            roles="agent",
            starts_us=now,
            ends_us=None,
        )
        self.bank.house.transact(_write(row))

    def import_customer(self, number: int) -> str:
        """Import one customer; return its id."""
        house = self.bank.house
        schema = house.read(load_collection(SECOND, COLLECTION))
        assert schema is not None
        operation = new_id("op", self.bank.clock.now_us())
        with BatchWriter(house, SECOND, schema, operation=operation, by="p_import") as writer:
            assert not writer.write([customer(number)]).rejected
        keys = house.read(client_keys(house.keks, SECOND, 1))
        token = customer_token(keys, customer(number)["customer_no"])
        rows = self.bank.sql(
            "SELECT customer FROM keyring_import_key WHERE client = ? AND collection = '' AND token = ?",
            SECOND,
            token,
            keys=True,
        )
        return str(rows[0][0])

    def connect(self, contact: str, agent: Agent, number: int) -> None:
        """Connect a call of this client's customer."""
        now = self.bank.clock.now_us()
        event = {
            "id": new_id("evt", now),
            "type": "contact.connected",
            "occurred_at": rfc3339(now),
            "client": SECOND,
            "contact": contact,
            "queue": "cards",
            "reason": "dispute",
            "person": agent.staff_id,
            "customer": {"by": {"phone": customer(number)["phone"]}},
        }
        body = json.dumps(event).encode()
        header = sign(self.key, FEED, now // SECOND_US, body)
        assert not receive(self.bank.house, FEED, header, body).rejected


def _write(query: object) -> Work[None]:
    yield Round(data=(query,))  # type: ignore[arg-type]


__all__ = ["SECOND", "SecondClient"]
