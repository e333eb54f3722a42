"""A bank whose contract lets customers' names and balances leave the house, and the recipient's key."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from holdfast.drills.bank.build import CLIENT
from holdfast.kit.clock import DAY_US
from holdfast.spine.actions.exports import FOLDER
from holdfast.spine.actions.sealed_file import open_file
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.approvals.deciding import decide
from holdfast.spine.approvals.requests import load
from holdfast.spine.approvals.rules import Party
from holdfast.spine.identity.acting import Acting
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.people import add_person
from holdfast.spine.operations.export import ExportShown, Wanted, fetch_export, request_export
from holdfast.spine.operations.export_job import run_export
from holdfast.vocabulary.levels import Role
from support.bank import bank_with

if TYPE_CHECKING:
    from pathlib import Path

    from support.bank import Bank

EXPORT = """
[[export]]
id = "monthly"
label = "Monthly review by the bank"
fields.customers = ["name", "phone", "balance", "card"]
masked.customers = ["phone"]
recipients = [{ id = "bank-dpo", key = "KEY" }]
reasons = ["review"]
rows_at_most = 4
hours = 48

[verification]
needed"""
FIELDS = ("name", "phone", "balance", "card")


def new_key() -> tuple[str, bytes]:
    """A recipient's public key as contracts name it, and the private one as a PEM file holds it."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(public).decode(), pem


def the_file(home: Path, export: str) -> Path:
    """The one file that an export has, whole."""
    (file,) = (home / FOLDER / CLIENT).glob(f"{export}.*")
    assert file.suffix == ".hfex"
    return file


class Exporter:
    """A house with an administrator, a data protection officer, and a recipient outside."""

    def __init__(self, home: Path, rows_at_most: int = 5) -> None:
        keys = new_key()
        text = EXPORT.replace("KEY", keys[0])
        text = text.replace("rows_at_most = 4", f"rows_at_most = {rows_at_most}")
        self._begin(bank_with(home, ("\n[verification]\nneeded", text)), keys)

    @classmethod
    def at(cls, bank: Bank, keys: tuple[str, bytes]) -> Exporter:
        """At a bank whose contract has the export already, to the recipient with this key."""
        made = cls.__new__(cls)
        made._begin(bank, keys)
        return made

    def _begin(self, bank: Bank, keys: tuple[str, bytes]) -> None:
        self.bank, (self.public, self.private) = bank, keys
        self.house = self.bank.house
        self.admin = Acting(self.bank.admin, frozenset({Role.ADMIN}))
        now = self.bank.clock.now_us()
        add = add_person(staff_id="DPO1", employer="house", roles=(Role.DPO,), now_us=now)
        self.dpo = Acting(self.house.transact(add), frozenset({Role.DPO}))
        self.beats = 0

    def wanted(self, **changes: Any) -> Wanted:
        """All customers' names and balances for the bank's DPO, unless changed."""
        base = Wanted("bank-01", "customers", FIELDS, None, "bank-dpo", "review")
        return base._replace(**changes)

    def ask(self, acting: Acting | None = None, **changes: Any) -> ExportShown:
        """Ask once."""
        work = request_export(self.house, acting or self.admin, self.wanted(**changes))
        return self.house.transact(work)

    def approve(self, error: NeedsSecondPerson, by: Acting | None = None) -> None:
        """Let a second person approve."""
        now = self.bank.clock.now_us()
        request = self.house.transact(load(error.approval))
        assert request is not None
        party = Party((by or self.dpo).person)
        self.house.transact(decide(request, party, grant=True, now_us=now))

    def ordered(self, **changes: Any) -> ExportShown:
        """Ask, have it approved, ask again."""
        try:
            self.ask(**changes)
        except NeedsSecondPerson as error:
            self.approve(error)
            return self.ask(**changes)
        raise AssertionError("no second person was needed")

    def beat(self) -> None:
        """Count the worker's heartbeats."""
        self.beats += 1

    def run(self, export: ExportShown) -> None:
        """Let the worker do its part."""
        run_export(self.house, {"export": export.export}, self.beat)

    def fetch(self, export: ExportShown, acting: Acting | None = None) -> bytes:
        """Take the sealed file."""
        path = self.house.transact(fetch_export(self.house, acting or self.admin, export.export))
        return path.read_bytes()

    def file(self, export: ExportShown) -> Path:
        """The one file of a finished export."""
        return the_file(self.bank.home, export.export)

    def opened(self, sealed: bytes, key: bytes | None = None) -> list[dict[str, str]]:
        """Open a sealed file as its recipient does."""
        text = b"".join(open_file(BytesIO(sealed), key or self.private)).decode()
        return [json.loads(line) for line in text.splitlines()]

    def state(self, export: ExportShown) -> str:
        """How the export stands."""
        ((state,),) = self.bank.sql("SELECT state FROM actions_export WHERE id = ?", export.export)
        return str(state)

    def token(self, acting: Acting) -> str:
        """A token of somebody, for the command line."""
        issued = issue(person=acting.person, life_us=DAY_US, now_us=self.bank.clock.now_us())
        return self.house.transact(issued).secret.reveal()
