"""Checks of the logs: what stands in the store must continue what was signed and published (SPINE 25)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from holdfast.edges.checks.findings import Skipped, wrong
from holdfast.edges.checks.opened import name_of, require_stores
from holdfast.kit.db.opening import is_there
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.house import open_house
from holdfast.spine.ledger import keys as signing
from holdfast.spine.ledger.audit import disagreements
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.recovery.erasures import unsettled
from holdfast.spine.recovery.run import unfinished_recovery
from holdfast.spine.recovery.swap import MARKER
from holdfast.spine.vault.roots import ROOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.vocabulary.manifest import Finding

_SET_BACK: Final = (
    "Put the newer data store back; or, if a copy was put back on purpose, let `holdfast restore --repair` bring it"
    " up to what was published."
)
_GO_ON: Final = "`holdfast restore --repair` goes on from where it stands."


def keys_open(settings: Settings) -> Iterator[Finding]:
    """Open the signing keys and the signer's memory, without making any."""
    _keys(settings)
    Memory.open(settings.home / signing.FOLDER)
    yield from ()


def continue_what_was_signed(settings: Settings) -> Iterator[Finding]:
    """Compare each log's committed head with the signer's memory and the published checkpoint."""
    keys = _keys(settings)
    with closing(open_house(settings)) as house:
        for reason in disagreements(house, keys).values():
            yield wrong(reason, _SET_BACK)


def nothing_unfinished(settings: Settings) -> Iterator[Finding]:
    """A store that was put back serves when the leaves it lacked are worked through, and not before."""
    if (settings.home / MARKER).exists():
        yield wrong("a restore was begun and has not ended", _GO_ON)
        return
    require_stores(settings)
    with closing(open_house(settings)) as house:
        unfinished = unfinished_recovery(house)
    if unfinished:
        yield wrong(f"a restore has not ended: {unfinished}", _GO_ON)


def erased_stays_erased(settings: Settings) -> Iterator[Finding]:
    """Each store remembers who was erased: where one does not, it is an older copy."""
    require_stores(settings)
    data, keys = name_of(settings), name_of(settings, keys=True)
    with closing(open_house(settings)) as house:
        for one in unsettled(house):
            if one.whole:
                yield wrong(
                    f"client {one.client} was erased, but {keys} has its keys: it is an older copy",
                    "`holdfast restore --repair` destroys them again.",
                )
                continue
            yield wrong(
                f"client {one.client}: {len(one.back)} erased customers are not erased in {keys},"
                f" {one.forgotten} not in {data}: one of the two is an older copy",
                "`holdfast restore --repair` erases them again.",
            )


def _keys(settings: Settings) -> SigningKeys:
    if not (settings.home / ROOT_FILE).exists() or not is_there(settings.data):
        raise Skipped
    if not (settings.home / signing.FOLDER / signing.FILE).exists():
        raise IntegrityBroken(
            "the house has no signing keys",
            remedy=f"Put the folder {signing.FOLDER} back from its safe copy.",
        )
    return open_house(settings).signing_keys
