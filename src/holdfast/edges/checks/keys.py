"""Checks of the root of all keys: before the house serves, the root must open what it sealed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from holdfast.edges.checks.findings import Skipped, wrong
from holdfast.kit.db import Round, sqlite
from holdfast.kit.errors import HoldfastError
from holdfast.spine.decision import store as clients
from holdfast.spine.vault.hierarchy import Keks, client_keys
from holdfast.spine.vault.roots import ROOT_FILE, open_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.kit.db import Work
    from holdfast.vocabulary.manifest import Finding


def root_opens(settings: Settings) -> Iterator[Finding]:
    """Open the root key file; what is refused (no file, mode, passphrase, damage) says so itself."""
    if not settings.home.is_dir():
        raise Skipped
    open_root(settings.home, settings.root_passphrase)
    yield from ()


def clients_open(settings: Settings) -> Iterator[Finding]:
    """Unwrap every client's keys once: a root file of another house would open none."""
    if not (settings.home / ROOT_FILE).exists() or not settings.keys_path.exists():
        raise Skipped
    keks = Keks(open_root(settings.home, settings.root_passphrase))
    with (
        closing(sqlite.connect(settings.data_path)) as data,
        closing(sqlite.connect(settings.keys_path)) as keys,
    ):
        for client, fence in sqlite.drive(_all_clients(), data, keys):
            try:
                sqlite.drive(client_keys(keks, client, fence), data, keys)
            except HoldfastError as error:
                yield wrong(
                    f"the keys of client {client} do not open ({error.message})",
                    f"Put back the {ROOT_FILE} and the key store that belong together.",
                )


def _all_clients() -> Work[list[tuple[str, int]]]:
    (rows,) = yield Round(data=(clients.CLIENTS(),))
    gone = clients.CLIENT_ERASED_STATES  # their keys are destroyed
    return [(row[0], row[3]) for row in rows if row[2] not in gone]
