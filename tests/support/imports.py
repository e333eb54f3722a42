"""A house with an empty collection, into which tests import; what is in it can be read back."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from holdfast.drills.bank.build import CLIENT, COLLECTION, found_bank
from holdfast.kit.config import load_settings
from holdfast.kit.secret import Secret
from holdfast.kit.terminal import Quiet
from holdfast.procedures.classification.services.importing import (
    Options,
    Outcome,
    Target,
    import_file,
)
from holdfast.spine.house import open_house
from holdfast.spine.identity.credentials import issue
from holdfast.spine.vault import tokens
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.load import load_collection, load_records
from holdfast.spine.vault.records import _open
from holdfast.spine.vault.roots import ROOT_FILE, FileRoot
from support.server import holdfast
from support.stores import NOON_US, FakeClock, copy_house, raw, template

if TYPE_CHECKING:
    import subprocess

DAY_US = 86_400_000_000


class ImportHouse:
    """The bank's house without customers; the acting person is its administrator, by a token."""

    def __init__(self, home: Path) -> None:
        copy_house(_template(), home)
        self.home = home
        self.token = (home / "token").read_text()
        self.clock = FakeClock()
        settings = dataclasses.replace(load_settings(home, {}), token=Secret(self.token))
        self.house = open_house(settings, self.clock)

    def act_as_agent(self) -> None:
        """From here on the acting person is an agent."""
        token = Secret((self.home / "agent").read_text())
        self.house.settings = dataclasses.replace(self.house.settings, token=token)

    def close(self) -> None:
        """Close the stores."""
        self.house.close()

    def run(self, path: Path, **options: Any) -> Outcome:
        """Import a file into the bank's collection, in this process."""
        target = Target(CLIENT, COLLECTION)
        return import_file(self.house, target, path, options=Options(**options), told=Quiet())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line, in a process of its own."""
        return holdfast(self.home, *arguments, HOLDFAST_TOKEN=self.token)

    def records(self) -> dict[str, dict[str, str]]:
        """Every record by customer number, opened; a card as its safe parts."""
        house = self.house
        schema = house.read(load_collection(CLIENT, COLLECTION))
        keys = house.read(client_keys(house.keks, CLIENT, 1))
        numbers = schema.by_number
        found = {}
        with house.stores() as stores:
            customers = raw(
                stores.data,
                "SELECT DISTINCT customer FROM vault_record WHERE client = ?",
                (CLIENT,),
            )
        for (customer,) in customers:
            for loaded in house.read(load_records(keys, customer, COLLECTION)):
                opened = _open(loaded, list(numbers))
                record = {numbers[n].name: value for n, value in opened.items()}
                card = record.pop("card", b"")
                values = {name: value.decode() for name, value in record.items()}
                values["card"] = tokens.unpack(card).masked() if card else ""
                found[values["customer_no"]] = values
        return found

    def versions(self) -> dict[int, int]:
        """How many records stand at each version."""
        with self.house.stores() as stores:
            rows = raw(
                stores.data,
                "SELECT version, COUNT(*) FROM vault_record WHERE client = ? GROUP BY version",
                (CLIENT,),
            )
        return dict(rows)

    def leaves(self, kind: str) -> list[dict[str, Any]]:
        """The leaves of a type in the client's log that are not sequenced yet."""
        with self.house.stores() as stores:
            rows = raw(
                stores.data,
                "SELECT entry FROM ledger_pending WHERE log = ? ORDER BY id",
                (f"client-{CLIENT}",),
            )
        leaves = [json.loads(bytes(entry)) for (entry,) in rows]
        return [leaf for leaf in leaves if leaf["type"] == kind]

    def under_way(self) -> int:
        """How many imports are noted as not ended."""
        with self.house.stores() as stores:
            (count,) = raw(stores.data, "SELECT COUNT(*) FROM classification_import")[0]
        return int(count)


@lru_cache(maxsize=1)
def _template() -> Path:
    home = Path(mkdtemp(prefix="holdfast-import-"))
    copy_house(template(), home)
    FileRoot.create(home / ROOT_FILE, None)
    house = open_house(load_settings(home, {}), FakeClock(NOON_US - 60_000_000))
    facts = found_bank(house)
    token = house.transact(
        issue(person=facts["admin"], life_us=30 * DAY_US, now_us=house.clock.now_us())
    )
    (home / "token").write_text(token.secret.reveal())
    (home / "agent").write_text(facts["agents"]["A0001"]["token"])
    house.close()
    return home
