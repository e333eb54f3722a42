"""A house is copied while it imports, changes, erases and sweeps: every record of every copy opens."""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress

import pytest

from holdfast.kit.errors import Unavailable
from holdfast.spine.recovery.backup import make_backup, read_backup
from holdfast.spine.vault.records import open_fields
from holdfast.spine.vault.roots import ROOT_FILE
from holdfast.spine.vault.shred import complete, request_shred
from holdfast.spine.vault.sweep import sweep
from support.vault import CLIENT, Vault, new_vault, row

COPIES = 6


class Load(threading.Thread):
    """Writes until it is told to stop: as the importing and the serving process do."""

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self.vault = Vault(vault.home, vault.clock)
        self.halt = threading.Event()
        self.rounds = 0
        self.round_ended = threading.Semaphore(0)
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            while not self.halt.is_set():
                self.round(self.rounds)
                self.rounds += 1
                self.round_ended.release()
        except Exception as error:  # noqa: BLE001  told to the test
            self.failed = error
            for _ in range(COPIES):
                self.round_ended.release()

    def round(self, number: int) -> None:
        vault, first = self.vault, 100 + number * 3
        vault.write(*(row(n) for n in range(first, first + 3)))
        vault.write(row(first, balance="7.25"))
        vault.update(first + 1, phone="+12025550155")
        customer = vault.customer(first + 2)
        work = request_shred(vault.keys, customer, by="p_dpo", now_us=vault.clock.now_us())
        operation = vault.house.transact(work)
        with suppress(Unavailable):  # the copy is a reader; the erasure goes on later
            complete(vault.house, CLIENT, operation)
        sweep(vault.house)


def opened(home) -> int:
    """Open every live record of a copy; return how many."""
    vault, count = Vault(home), 0
    try:
        for (customer,) in vault.sql("SELECT id FROM vault_customer WHERE state = 'live'"):
            for loaded in vault.load(customer):
                fields = open_fields(
                    vault.permit(customer, *vault.showable()), loaded, vault.schema
                )
                assert fields["name"].reveal()
                count += 1
    finally:
        vault.close()
    return count


@pytest.mark.slow
def test_every_record_of_a_copy_that_was_made_under_load_opens(tmp_path):
    vault = new_vault(tmp_path / "house")
    vault.write(*(row(n) for n in range(1, 20)))
    load = Load(vault)
    load.start()
    counts = []
    try:
        for number in range(COPIES):
            folder = tmp_path / f"copy-{number}"
            make_backup(vault.house, folder)
            read_backup(folder, vault.house.signing_keys)
            shutil.copy(vault.home / ROOT_FILE, folder)
            counts.append(opened(folder))
            load.round_ended.acquire()  # as many rounds as copies, however slow the machine
    finally:
        load.halt.set()
        load.join()
        load.vault.close()
        vault.close()
    assert load.failed is None
    assert counts[0] >= 19
    assert counts[-1] > 19, "nothing was written meanwhile: the test shows nothing"
