"""Checks of the root of all keys: before the house serves, the root must open what it sealed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import Skipped, doubtful, wrong
from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.db.opening import connect, is_there
from holdfast.kit.db.shell import drive
from holdfast.kit.errors import HoldfastError
from holdfast.spine.decision import store as clients
from holdfast.spine.house import open_house
from holdfast.spine.vault.hierarchy import Keks, client_keys
from holdfast.spine.vault.roots import ROOT_FILE, open_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.vocabulary.manifest import Finding

PERMIT_KEY_DAYS: Final = 365


def root_opens(settings: Settings) -> Iterator[Finding]:
    """Open the root key file; what is refused (no file, mode, passphrase, damage) says so itself."""
    if not settings.home.is_dir():
        raise Skipped
    open_root(settings.home, settings.root_passphrase)
    yield from ()


def clients_open(settings: Settings) -> Iterator[Finding]:
    """Unwrap every client's keys once: a root file of another house would open none."""
    if not (settings.home / ROOT_FILE).exists() or not is_there(settings.keys):
        raise Skipped
    keks = Keks(open_root(settings.home, settings.root_passphrase))
    with (
        closing(connect(settings.data)) as data,
        closing(connect(settings.keys)) as keys,
    ):
        for client, fence in drive(_all_clients(), data, keys):
            try:
                drive(client_keys(keks, client, fence), data, keys)
            except HoldfastError as error:
                yield wrong(
                    f"the keys of client {client} do not open ({error.message})",
                    f"Put back the {ROOT_FILE} and the key store that belong together.",
                )


def permit_key_age(settings: Settings) -> Iterator[Finding]:
    """Say how old the key is that signs permits, once it is older than a year; without making one."""
    if not (settings.home / ROOT_FILE).exists() or not is_there(settings.keys):
        raise Skipped
    with closing(open_house(settings)) as house:
        keys, now_us = house.permit_key_file.read(), house.clock.now_us()
    if keys is None:  # it is made for the first permit
        return
    days = (now_us - keys.held[-1].from_us) // DAY_US
    if days > PERMIT_KEY_DAYS:
        yield doubtful(
            f"the key that signs permits for target systems is {days} days old",
            "`holdfast permit-key rotate` lets another take its place.",
        )


def _all_clients() -> Work[list[tuple[str, int]]]:
    (rows,) = yield Round(data=(clients.CLIENTS(),))
    gone = clients.CLIENT_ERASED_STATES  # their keys are destroyed
    return [(row[0], row[3]) for row in rows if row[2] not in gone]
