"""The bank behind its data plane's application, without a socket: requests with any header, from any address."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from holdfast.drills.bank.build import CLIENT, COLLECTION
from holdfast.edges.dataplane.assembled import assemble
from support.bank import new_bank
from support.holders import Holder
from support.stores import ON_POSTGRES

CUSTOMER = "C00001"


class Desk:
    """The bank behind its data plane; requests of one call run in the same turn."""

    def __init__(self, home):
        self.bank = new_bank(home)
        self.bank.connect()
        self.holder = Holder()
        self.agent = self.bank.new_token(self.bank.agent, jkt=self.holder.jkt)
        self.token = self.agent.token

    def close(self):
        self.bank.close()

    def settings(self, **changes: Any) -> None:
        """Change settings of the house; they count from the next request on."""
        self.bank.house.settings = dataclasses.replace(self.bank.house.settings, **changes)

    def proof(self, holder=None, token=None, **claims):
        now = self.bank.clock.now_us()
        return (holder or self.holder).proof(token or self.token, now, **claims)

    def reveal(self, *headers, fields=("name",)):
        """Reveal once for each set of headers, all in one turn."""
        body = {
            "client": CLIENT,
            "collection": COLLECTION,
            "customer": self.bank.customers[CUSTOMER],
            "fields": list(fields),
            "purpose": {"contact": "CT-1"},
        }
        return self.send("POST", "/v1/reveal", json.dumps(body).encode(), *headers)

    def bound(self, proof, token=None):
        return [("authorization", f"DPoP {token or self.token}"), ("dpop", proof)]

    def send(self, method, path, body, *headers):
        return asyncio.run(self._send(method, path, body, headers))

    async def _send(self, method, path, body, headers):
        house = self.bank.house
        plane = assemble(house, asyncio.get_running_loop(), frozenset({"localhost"}))
        app, runner = plane.app, plane.runner
        await runner.open()
        calls = (self._call(app, method, path, body, one) for one in headers)
        answers = await asyncio.gather(*calls)
        # The second uses up the proofs of what failed. On PostgreSQL each request has its own.
        assert runner.turns <= 2 or ON_POSTGRES
        await runner.close()
        return answers

    async def _call(self, app, method, path, body, headers):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        raw = [("host", "localhost"), *headers]
        scope = {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "client": (self.bank.peer, 50_000),
            "headers": [(name.encode(), value.encode()) for name, value in raw],
        }
        await app(scope, receive, send)
        return Answer(sent[0]["status"], sent[0]["headers"], json.loads(sent[1]["body"]))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Authority:
    """An authority that issues certificates; files stand in ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._certificate, self._key = made("authority", authority=True)
        self.file = self._write("authority.pem", self._certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Return the files of a certificate and its key."""
        certificate, key = made(name, by=(self._certificate, self._key))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (
            self._write(f"{name}.pem", certificate.public_bytes(Encoding.PEM)),
            self._write(f"{name}.key", private),
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path


def certificate() -> bytes:
    """Some client's certificate, DER."""
    return made("desk-7")[0].public_bytes(Encoding.DER)


def made(
    name: str, *, by: tuple[x509.Certificate, Any] | None = None, authority: bool = False
) -> tuple[x509.Certificate, Any]:
    """A certificate, signed by itself or by another, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(by[1] if by else key, SHA256())
    )
    return certificate, key
