"""A house for workloads: the demo's bank with wide limits, many agents, each on a call."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from holdfast.drills.bank.build import (
    CLIENT,
    COLLECTION,
    CONTRACT,
    FEED,
    SCHEMA,
    customer,
    found_bank,
    import_customers,
)
from holdfast.edges.cli.house import found
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.secret import Secret
from holdfast.spine.house import open_house
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.signals.intake import receive

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = (
    "name",
    "phone",
    "email",
    "address",
    "segment",
    "customer_no",
    "acct",
    "card",
    "balance",
    "note1",
    "note2",
    "note3",
)
REASON = f"""
[[reason]]
id = "bench"
fields.customers = {json.dumps(list(FIELDS))}
masked.customers = ["phone"]
"""


class BenchHouse:
    """Founded in ``home``; agents 1..n, customer n on agent n's call."""

    def __init__(self, home: Path, *, agents: int) -> None:
        self.home = home
        settings = load_settings(home, {})
        found(settings)
        self.house = open_house(settings)
        self.agents = [f"A{n:04d}" for n in range(1, agents + 1)]
        contract, schema = _wide()
        self.facts = found_bank(self.house, agents=self.agents, contract=contract, schema=schema)
        rows = [
            customer(n, note1="a note", note2="another", note3="a third")
            for n in range(1, agents + 1)
        ]
        self.customers = import_customers(self.house, self.facts["admin"], rows)
        self.port = free_port()
        self.fields = FIELDS

    def connect_all(self) -> None:
        """Put every agent on a call with their customer, whom the feed knows by phone."""
        now_us = self.house.clock.now_us()
        events = [
            {
                "id": f"evt-{n}",
                "type": "contact.connected",
                "occurred_at": rfc3339(now_us),
                "client": CLIENT,
                "contact": f"CT-{n}",
                "queue": "cards",
                "reason": "bench",
                "person": agent,
                "customer": {"by": {"phone": customer(n)["phone"]}},
            }
            for n, agent in enumerate(self.agents, start=1)
        ]
        body = b"\n".join(json.dumps(event).encode() for event in events)
        key = FeedKey(self.facts["feed_kid"], Secret(self.facts["feed_secret"].encode()))
        report = receive(self.house, FEED, sign(key, FEED, now_us // SECOND_US, body), body)
        if report.rejected:
            raise SystemExit(f"events were rejected: {report.rejected}")

    def reveals(self, fields: tuple[str, ...] = FIELDS) -> list[bytes]:
        """One raw HTTP request per agent."""
        return [self._reveal(n, fields) for n in range(1, len(self.agents) + 1)]

    def _reveal(self, n: int, fields: tuple[str, ...]) -> bytes:
        body = json.dumps(
            {
                "client": CLIENT,
                "collection": COLLECTION,
                "customer": self.customers[f"C{n:05d}"],
                "fields": list(fields),
                "purpose": {"contact": f"CT-{n}"},
            }
        ).encode()
        token = self.facts["agents"][self.agents[n - 1]]["token"]
        head = (
            f"POST /v1/reveal HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _wide() -> tuple[str, str]:
    contract = CONTRACT.replace('"card-lost"]', '"card-lost", "bench"]') + REASON
    contract = contract.replace("sensitive_fields_day = 60", "sensitive_fields_day = 1000000")
    # One field of class C3 is a reference (masked at any level), one is clear at C2 here: no step-up in the loop.
    schema = SCHEMA.replace('type = "decimal"\nclass = "C3"', 'type = "decimal"\nclass = "C2"')
    for n in (1, 2, 3):
        schema += f'\n[fields.note{n}]\ntype = "text"\nclass = "C1"\nhandling = "clear"\n'
    return contract, schema


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
