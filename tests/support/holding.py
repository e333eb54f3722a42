"""The bank with two administrators, a contract that lets something be kept, and the short ways to hold and erase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdfast.kit.clock import DAY_US
from holdfast.procedures.disposal.services import shred_customer
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.ledger.entries import leaf_of
from holdfast.spine.operations.holding import lift, open_kept, place
from holdfast.spine.vault.holds import Hold, destroy_ended
from holdfast.spine.vault.shred import complete
from support.bank import customer
from support.erasing import Erasing, new_erasing
from support.freezing import publish
from support.recovery import CLIENT

if TYPE_CHECKING:
    from pathlib import Path

NOTIFY = '[incident]\nnotify.customers = ["name", "email"]'
INCIDENT = "INC-2026-07"
KEPT = {name: customer(1)[name] for name in ("name", "email")}


class Holding(Erasing):
    """Commands are run by ``admin`` unless another is named."""

    def hold(
        self, number: str = "C00001", *, days: int = 90, incident: str = INCIDENT, by: str = ""
    ) -> Hold:
        """Place a hold."""
        until_us = self.clock.now_us() + days * DAY_US
        with self.acting_as(by or self.admin):
            return self.house.transact(
                place(self.house, CLIENT, number, incident=incident, until_us=until_us)
            )

    def erase(self, number: str = "C00001") -> dict[str, Any]:
        """Erase a customer; return the certificate."""
        with self.acting_as(self.admin):
            certificate = shred_customer(self.house, CLIENT, number).certificate
        assert certificate is not None
        return certificate

    def lift(self, hold: Hold) -> None:
        """Lift a hold as the command does."""
        with self.acting_as(self.admin):
            self.house.transact(lift(self.house, CLIENT, hold.id))
        destroy_ended(self.house)

    def ask_to_open(self, hold: Hold) -> str:
        """Try to open it alone; return which approval it waits for."""
        with self.acting_as(self.admin), pytest.raises(NeedsSecondPerson) as asked:
            self.open_alone(hold)
        return asked.value.approval

    def open_alone(self, hold: Hold) -> list[dict[str, str]]:
        """Open it, as whoever acts."""
        opened = self.house.transact(open_kept(self.house, CLIENT, hold.id))
        return [{n: value.reveal() for n, value in one.fields.items()} for one in opened.kept]

    def open(self, hold: Hold) -> list[dict[str, str]]:
        """Ask, let the second administrator approve, open."""
        self.approve(self.ask_to_open(hold))
        with self.acting_as(self.admin):
            return self.open_alone(hold)

    def complete(self, operation: str) -> dict[str, Any]:
        return complete(self.house, CLIENT, operation)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Leaves of a type in the client's log that are not published yet."""
        rows = self.sql("SELECT entry FROM ledger_pending ORDER BY at_us, leaf")
        leaves = [leaf_of(bytes(row[0])) for row in rows]
        return [leaf for leaf in leaves if leaf["type"] == kind]

    def hold_keys(self) -> list[bytes]:
        return [bytes(row[0]) for row in self.sql("SELECT wrapped FROM keyring_hold", keys=True)]


def new_holding(home: Path, notify: str = NOTIFY) -> Holding:
    """The bank at noon."""
    made = new_erasing(home)
    made.close()
    bank = Holding(home, made.clock)
    bank.second = made.second
    if notify:
        publish(bank, notify)
    return bank
