"""A house for workloads: the demo's bank with wide limits, many agents, each on a call."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from collections.abc import Mapping

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
    """Found an empty house in the run's folder, on its storage."""
    home = Path(tempfile.mkdtemp(prefix="house-", dir=run.folder))
    (home / "holdfast.toml").write_text(run.storage.settings() + NO_LIMITS)
    settings = load_settings(home, {})
    # In a process of its own: Django, which makes the tables, is set up once a process and knows one house.
    subprocess.run([sys.executable, "-c", _FOUND, str(home)], check=True)
    return open_house(settings)


class BenchHouse:
    """Founded on the run's storage; agents 1..n, customer n on agent n's call."""

    def __init__(
        self,
        run: Run,
        *,
        agents: int,
        reasons: tuple[str, ...] = (),
        more: str = "",
        budgets: Mapping[str, int] = WIDE,
    ) -> None:
        """``more`` is further text of the contract; ``reasons`` of it come in on the agents' queue."""
        self.house = new_house(run)
        self.home = self.house.home
        self.agents = [f"A{n:04d}" for n in range(1, agents + 1)]
        contract, schema = _wide(reasons, more, budgets)
        self.facts = found_bank(self.house, agents=self.agents, contract=contract, schema=schema)
        rows = [
            customer(n, note1="a note", note2="another", note3="a third")
            for n in range(1, agents + 1)
        ]
        self.customers = import_customers(self.house, self.facts["admin"], rows)
        self.port = free_port()
        self.fields = FIELDS

    def connect_all(self, reason: str = "bench") -> None:
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
                "reason": reason,
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

    def reveals_with_proofs(self, count: int) -> list[bytes]:
        """``count`` raw HTTP requests, each with a proof of its own, under tokens bound to the agents' keys."""
        bound = [self._bound(n) for n in range(1, len(self.agents) + 1)]
        made = []
        for number in range(count):
            n = number % len(bound)
            holder, token = bound[n]
            proof = holder.proof(token, f"http://localhost:{self.port}/v1/reveal", number)
            plain = self._reveal(n + 1, FIELDS)
            old = self.facts["agents"][self.agents[n]]["token"]
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
