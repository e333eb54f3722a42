"""Checks of the logs: what stands in the store must continue what was signed and published (SPINE 25)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from holdfast.edges.checks.findings import Skipped, wrong
from holdfast.kit.db import sqlite
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.house import open_house
from holdfast.spine.ledger import keys as signing
from holdfast.spine.ledger import sequencer
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.publish import published
from holdfast.spine.ledger.signer import LOGS, examine, last_signed, own_head
from holdfast.spine.vault.roots import ROOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.kit.config import Settings
    from holdfast.spine.ledger.checkpoint import Head
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.vocabulary.manifest import Finding


def keys_open(settings: Settings) -> Iterator[Finding]:
    """Open the signing keys and the signer's memory, without making any."""
    _keys(settings)
    Memory.open(settings.home / signing.FOLDER)
    yield from ()


def continue_what_was_signed(settings: Settings) -> Iterator[Finding]:
    """Compare each log's committed head with the signer's memory and the published checkpoint."""
    keys = _keys(settings)
    # Memory and files first: a house that is serving meanwhile only ever moves ahead of them.
    memory = Memory.open(settings.home / signing.FOLDER)
    heads = _published_heads(settings.home, keys)
    with (
        closing(sqlite.connect(settings.data_path)) as data,
        closing(sqlite.connect(settings.keys_path)) as other,
    ):
        states = sqlite.drive(sequencer.heads(), data, other)
        for state in states:
            try:
                known = memory.last(keys.origin(state.log))
                last = last_signed(state.log, known, heads.pop(state.log, None))
                sqlite.drive(examine(state, last), data, other)
            except IntegrityBroken as error:
                yield wrong(error.message, error.remedy or "Stop, keep a copy, and find out why.")
    for log, head in heads.items():
        if head is not None and head.size:
            yield wrong(
                f"log {log} is published with {head.size} leaves, but the data store knows nothing of it",
                "The data store was set back. Put the newer one back, or keep both and find out which is true.",
            )


def _keys(settings: Settings) -> SigningKeys:
    if not (settings.home / ROOT_FILE).exists() or not settings.data_path.exists():
        raise Skipped
    if not (settings.home / signing.FOLDER / signing.FILE).exists():
        raise IntegrityBroken(
            "the house has no signing keys",
            remedy=f"Put the folder {signing.FOLDER} back from its safe copy.",
        )
    return open_house(settings).signing_keys


def _published_heads(home: Path, keys: SigningKeys) -> dict[str, Head | None]:
    folder = home / LOGS
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return {name: own_head(keys, name, published(log_folder(home, name))) for name in names}
