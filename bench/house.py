"""A house for workloads: the demo's bank with wide limits, many agents, each on a call."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

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
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.config import load_settings
from holdfast.kit.secret import Secret
from holdfast.spine.house import open_house
from holdfast.spine.identity.credentials import Bounds, issue
from holdfast.spine.signals.envelope import FeedKey, sign
from holdfast.spine.signals.intake import receive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.workload import Run
    from holdfast.spine.house import House

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


NO_LIMITS = """[flood]
per_credential = "1000000/1000000"
per_client = "1000000/1000000"
"""
HOUSE_FILE = "looks.json"
#: Limits of the bank's contract that a workload would meet otherwise.
WIDE = {"sensitive_fields_day": 1_000_000, "searches_day": 1_000_000}


_FOUND = """
import sys
from pathlib import Path
from holdfast.edges.cli.house import found
from holdfast.kit.config import load_settings
found(load_settings(Path(sys.argv[1]), {}))
"""


def new_house(run: Run) -> House:
    """Found an empty house in the run's folder, on its storage.

    On SQLite, where ``BENCH_BLANK`` names a folder with such a house, copy that: the tests do, who run all workloads.
    """
    home = Path(tempfile.mkdtemp(prefix="house-", dir=run.folder))
    (home / "holdfast.toml").write_text(run.storage.settings() + NO_LIMITS)
    settings = load_settings(home, {})
    blank = os.environ.get("BENCH_BLANK")
    if blank and settings.embedded:
        shutil.copytree(blank, home, dirs_exist_ok=True)
    else:
        found(home)
    return open_house(settings)


def found(home: Path) -> None:
    """Found a house, in a process of its own: Django, which makes the tables, is set up once a process."""
    subprocess.run([sys.executable, "-c", _FOUND, str(home)], check=True)


def stored(house: House) -> int:
    """Bytes of the data store."""
    with house.stores() as stores:
        return stores.data.size_bytes()


def record(number: int, **changes: str) -> dict[str, str]:
    """A customer as this schema has them: the demo's, and three notes."""
    notes = {"note1": "a note", "note2": "another", "note3": "a third"}
    return customer(number, **{**notes, **changes})


class Call(NamedTuple):
    """A contact of an agent with the customer of this number."""

    contact: str
    agent: str
    customer: int


class BenchHouse:
    """Founded on the run's storage; agents 1..n, customer n on agent n's call."""

    def __init__(
        self,
        run: Run,
        *,
        agents: int,
        customers: int = 0,
        reasons: tuple[str, ...] = (),
        more: str = "",
        budgets: Mapping[str, int] = WIDE,
    ) -> None:
        """``more`` is further text of the contract; ``reasons`` of it come in on the agents' queue.

        There are as many ``customers`` as agents, or more.
        """
        self.house = new_house(run)
        self.home = self.house.home
        self.agents = [f"A{n:04d}" for n in range(1, agents + 1)]
        contract, schema = _wide(reasons, more, budgets)
        self.facts = found_bank(self.house, agents=self.agents, contract=contract, schema=schema)
        self.customers: dict[str, str] = {}
        self.add_customers(range(1, (customers or agents) + 1))
        self.port = free_port()
        self.fields = FIELDS

    def add_customers(self, numbers: Iterable[int], **changes: str) -> None:
        """Import customers, or what has changed of them."""
        rows = [record(n, **changes) for n in numbers]
        for start in range(0, len(rows), 1000):
            batch = rows[start : start + 1000]
            self.customers |= import_customers(self.house, self.facts["admin"], batch)

    def subject_of(self, phone: str) -> str:
        """Whose phone it is, by customer number."""
        return next(name for name in self.customers if record(int(name[1:]))["phone"] == phone)

    def connect_all(self, reason: str = "bench") -> None:
        """Put every agent on a call with their customer, whom the feed knows by phone."""
        calls = enumerate(self.agents, start=1)
        self.connect([Call(f"CT-{n}", agent, n) for n, agent in calls], reason=reason)

    def connect(self, calls: Sequence[Call], **more: str) -> None:
        """Connect contacts; ``more`` are members of each event."""
        now_us = self.house.clock.now_us()
        events = [
            {
                "id": f"evt-{call.contact}",
                "type": "contact.connected",
                "occurred_at": rfc3339(now_us),
                "client": CLIENT,
                "contact": call.contact,
                "queue": "cards",
                "person": call.agent,
                "customer": {"by": {"phone": customer(call.customer)["phone"]}},
                **more,
            }
            for call in calls
        ]
        body = b"\n".join(json.dumps(event).encode() for event in events)
        key = FeedKey(self.facts["feed_kid"], Secret(self.facts["feed_secret"].encode()))
        report = receive(self.house, FEED, sign(key, FEED, now_us // SECOND_US, body), body)
        if report.rejected:
            raise SystemExit(f"events were rejected: {report.rejected}")

    def reveals(self, fields: tuple[str, ...] = FIELDS) -> list[bytes]:
        """One raw HTTP request per agent."""
        return [self._reveal(n, fields) for n in range(1, len(self.agents) + 1)]

    def reveals_with_proofs(self, count: int) -> list[bytes]:
        """``count`` raw HTTP requests, each with a proof of its own, under tokens bound to the agents' keys."""
        bound = [self._bound(n) for n in range(1, len(self.agents) + 1)]
        made = []
        for number in range(count):
            n = number % len(bound)
            holder, token = bound[n]
            proof = holder.proof(token, f"http://localhost:{self.port}/v1/reveal", number)
            plain = self._reveal(n + 1, FIELDS)
            old = self.token(self.agents[n])
            new = f"DPoP {token}\r\nDPoP: {proof}"
            made.append(plain.replace(f"Bearer {old}".encode(), new.encode()))
        return made

    def _bound(self, n: int) -> tuple[Holder, str]:
        holder = Holder()
        person = self.facts["agents"][self.agents[n - 1]]["id"]
        work = issue(
            person=person,
            life_us=3600 * SECOND_US,
            now_us=self.house.clock.now_us(),
            bounds=Bounds(jkt=holder.jkt),
        )
        return holder, self.house.transact(work).secret.reveal()

    def _reveal(self, n: int, fields: tuple[str, ...]) -> bytes:
        return self.look(Call(f"CT-{n}", self.agents[n - 1], n), fields)

    def look(self, call: Call, fields: Sequence[str]) -> bytes:
        """One raw HTTP request: the agent of a contact looks at its customer."""
        customer_id = self.customers[f"C{call.customer:05d}"]
        return self.request("/v1/reveal", call, customer=customer_id, fields=list(fields))

    def request(self, path: str, call: Call, **members: Any) -> bytes:
        """One raw HTTP request about a contact."""
        purpose = {"contact": call.contact}
        about = {"client": CLIENT, "collection": COLLECTION, "purpose": purpose}
        body = json.dumps({**about, **members}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.token(call.agent)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def write_down(self) -> None:
        """Write who looks at whom beside the house, for a process that asks without HTTP."""
        looks = [
            {
                "contact": f"CT-{n}",
                "token": self.token(agent),
                "customer": self.customers[f"C{n:05d}"],
            }
            for n, agent in enumerate(self.agents, start=1)
        ]
        (self.home / HOUSE_FILE).write_text(json.dumps(looks))

    def token(self, agent: str) -> str:
        """An agent's credential."""
        token: str = self.facts["agents"][agent]["token"]
        return token


class Holder:
    """A key on P-256 and the proofs (RFC 9449) that it signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        x, y = (_b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
        self.jkt = _b64(hashlib.sha256(_compact(jwk)).digest())
        self._head = _b64(_compact({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}))

    def proof(self, token: str, htu: str, number: int) -> str:
        """One proof, made now."""
        body = {
            "jti": f"{number:016d}",
            "htm": "POST",
            "htu": htu,
            "iat": int(time.time()),
            "ath": _b64(hashlib.sha256(token.encode()).digest()),
        }
        signed = f"{self._head}.{_b64(_compact(body))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _wide(reasons: tuple[str, ...], more: str, budgets: Mapping[str, int]) -> tuple[str, str]:
    names = "".join(f', "{name}"' for name in ("bench", *reasons))
    contract = CONTRACT.replace('"card-lost"]', f'"card-lost"{names}]') + REASON + more
    for name, most in budgets.items():
        contract, changed = re.subn(rf"(?m)^{name} = \d+$", f"{name} = {most}", contract)
        assert changed == 1, f"the contract has no {name}"
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
