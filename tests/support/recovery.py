"""The bank with its logs published, a copy of its stores, and the ways back from it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from holdfast.drills.bank.build import CLIENT
from holdfast.edges.checks import logs
from holdfast.edges.checks.findings import Skipped
from holdfast.kit.config import load_settings
from holdfast.kit.db import Round
from holdfast.kit.db.address import SqliteFile
from holdfast.kit.errors import HoldfastError
from holdfast.spine.house import open_house
from holdfast.spine.ledger.registrar import Registrar
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.recovery.alone import alone
from holdfast.spine.recovery.backup import DATA, KEYS, make_backup, read_backup
from holdfast.spine.recovery.copies import copy_in
from holdfast.spine.recovery.run import Recovered, recover
from holdfast.spine.recovery.swap import MARKER, begin_swap
from holdfast.spine.vault.erasing import Bytes
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.shred import complete, request_shred
from holdfast.vocabulary.ids import HOUSE_LOG, client_log
from support.bank import Bank, new_bank
from support.stores import raw

if TYPE_CHECKING:
    from pathlib import Path

LOG = client_log(CLIENT)
__all__ = ["CLIENT", "HOUSE_LOG", "LOG", "Restorable", "new_restorable"]


class Restorable(Bank):
    """The bank, with what a backup and a restore need."""

    def publish(self) -> None:
        """Give every leaf its place; sign and publish."""
        self.advance(1)
        registrar = Registrar(self.house, self.house.signing_keys)
        try:
            assert registrar.tick().refused == {}
        finally:
            registrar.close()

    def backup(self, name: str = "backup") -> Path:
        """Copy the stores."""
        folder = self.home.parent / name
        make_backup(self.house, folder)
        return folder

    def put_back_by_hand(self, folder: Path, *, data: bool = True, keys: bool = True) -> None:
        """What an operator does who knows no `restore`: copies files over."""
        self.house.close()
        settings = self.house.settings
        for wanted, store, name in (
            (data, settings.data, DATA),
            (keys, settings.keys, KEYS),
        ):
            if wanted and isinstance(store, SqliteFile):
                for old in store.path.parent.glob(f"{store.path.name}*"):
                    old.unlink()
                shutil.copy(folder / name, store.path)
            elif wanted:
                copy_in(folder / name, store, name.partition(".")[0])
        self.reopen()

    def restore(self, folder: Path, **options: Any) -> Recovered:
        """Restore as the command does."""
        settings = self.house.settings
        self.house.close()
        with alone(settings):
            house = open_house(settings, self.clock)
            made = read_backup(folder, house.signing_keys)
            begin_swap(settings, made, by=self.admin, now_us=self.clock.now_us())
            try:
                return recover(house, **options)
            finally:
                house.close()
                self.reopen()

    def repair(self, **options: Any) -> Recovered:
        """`restore --repair`."""
        self.house.close()
        with alone(self.house.settings):
            house = open_house(self.house.settings, self.clock)
            try:
                return recover(house, **options)
            finally:
                house.close()
                self.reopen()

    def reopen(self) -> None:
        """Forget everything that this process knows."""
        self.house.close()
        self.house = open_house(load_settings(self.home, {}), self.clock)

    def refusals(self) -> dict[str, list[str]]:
        """What keeps the house from serving, by check."""
        settings = self.house.settings
        checks = {
            "logs.E002": logs.continue_what_was_signed,
            "logs.E003": logs.nothing_unfinished,
            "keys.E003": logs.erased_stays_erased,
        }
        found = {}
        for name, check in checks.items():
            try:
                found[name] = [finding.message for finding in check(settings)]
            except Skipped:
                continue
            except HoldfastError as error:
                found[name] = [error.message]
        return {name: messages for name, messages in found.items() if messages}

    def is_untouched(self) -> bool:
        """Whether these are still the stores that a restore was to replace: nothing of it stands written."""
        if (self.home / MARKER).exists():
            return False
        return not self.sql("SELECT 1 FROM recovery_gap") and "logs.E002" not in self.refusals()

    def is_told(self) -> bool:
        """Whether a recovery stands written as ended."""
        rows = self.sql("SELECT DISTINCT state FROM recovery_gap")
        return rows == [("told",)]

    def shred(self, number: str, *, finish: bool = True) -> str:
        """Erase a customer."""
        keys = self.house.read(client_keys(self.house.keks, CLIENT, self.fence()))
        now = self.clock.now_us()
        work = request_shred(keys, self.customers[number], by="p_dpo", now_us=now)
        operation = self.house.transact(work)
        if finish:
            complete(self.house, CLIENT, operation)
        return operation

    def fence(self) -> int:
        return int(self.sql("SELECT fence FROM decision_client WHERE client = ?", CLIENT)[0][0])

    def published_leaves(self, log: str, kind: str = "") -> list[dict[str, Any]]:
        """Leaves that have their place."""
        leaves = [json.loads(one.entry) for one in self.house.read(leaves_from(log, 0, most=9999))]
        return [leaf for leaf in leaves if not kind or leaf["type"] == kind]

    def keys_hold(self, text: str) -> bool:
        """Whether the bytes stand anywhere in the files of the keys store."""
        with self.house.stores() as stores:
            return stores.keys.holds(Bytes([text.encode()]))

    def do_raw(self, text: str, *params: Any) -> None:
        """Write to the data store, as somebody with the file would."""
        with self.house.stores() as stores:
            raw(stores.data, text, params)

    def do(self, *queries: Any) -> Any:
        """Run queries in one transaction."""

        def work() -> Any:
            return (yield Round(data=tuple(queries)))

        return self.house.transact(work())


def new_restorable(home: Path) -> Restorable:
    """The bank at noon, all its leaves published."""
    made = new_bank(home)
    made.close()
    bank = Restorable(home, made.clock)
    bank.publish()
    return bank
