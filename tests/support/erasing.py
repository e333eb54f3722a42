"""The restorable bank with two administrators, and the short ways to erase all of its client."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.kit.clock import DAY_US
from holdfast.kit.secret import Secret
from holdfast.procedures.disposal.services import shred_client
from holdfast.spine.administration.approving import decide_request
from holdfast.spine.administration.second import NeedsSecondPerson
from holdfast.spine.identity.credentials import issue
from holdfast.spine.identity.people import add_person
from holdfast.vocabulary.levels import Role
from support.recovery import CLIENT, Restorable, new_restorable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Erasing(Restorable):
    """``admin`` and ``second`` are administrators."""

    second = ""

    @contextmanager
    def acting_as(self, person: str) -> Iterator[None]:
        """Administer with a token of ``person``."""
        now = self.clock.now_us()
        token = self.house.transact(issue(person=person, life_us=DAY_US, now_us=now))
        before = self.house.settings
        secret = Secret(token.secret.reveal())
        self.house.settings = dataclasses.replace(before, token=secret)
        try:
            yield
        finally:
            self.house.settings = before

    def approve(self, ident: str, by: str = "") -> None:
        """Let the second administrator say yes."""
        with self.acting_as(by or self.second):
            self.house.transact(decide_request(self.house, ident, grant=True))

    def ask_for_client_shred(self, **more: Any) -> str:
        """Order the erasure as the first administrator; return which approval it waits for."""
        with self.acting_as(self.admin), pytest.raises(NeedsSecondPerson) as asked:
            shred_client(self.house, CLIENT, **more)
        return asked.value.approval

    def shred_client(self, **more: Any) -> dict[str, Any]:
        """Order, approve, erase."""
        self.approve(self.ask_for_client_shred(**more))
        with self.acting_as(self.admin):
            certificate = shred_client(self.house, CLIENT, **more).certificate
        assert certificate is not None
        return certificate


def new_erasing(home: Path) -> Erasing:
    """The bank at noon, all its leaves published."""
    made = new_restorable(home)
    made.close()
    bank = Erasing(home, made.clock)
    work = add_person(
        staff_id="ADM2", employer="house", roles=(Role.ADMIN,), now_us=bank.clock.now_us()
    )
    bank.second = bank.house.transact(work)
    return bank
