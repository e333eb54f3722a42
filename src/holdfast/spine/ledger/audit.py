"""Whether the stores, the signer's memory and the published files tell one history (SPINE 26): asked before serving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.growth import State
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.publish import bodies_of, published
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.ledger.signer import LOGS, examine, last_signed, own_head
from holdfast.spine.ledger.verify.replay import Replay
from holdfast.spine.ledger.verify.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.spine.ledger.checkpoint import Head
    from holdfast.spine.ledger.keys import SigningKeys
    from holdfast.spine.ledger.tiles import Tile

T = TypeVar("T")


class Readable(Protocol):
    """A house, as far as its logs can be read."""

    @property
    def home(self) -> Path:
        """Folder of the house."""
        ...

    def read(self, work: Work[T]) -> T:
        """Run outside a transaction."""
        ...


def disagreements(house: Readable, keys: SigningKeys) -> dict[str, str]:
    """Return the logs whose committed state does not continue what was signed or published, with the reason.

    Nothing is written, and a house that is serving meanwhile is not mistaken for one that was set back.
    :class:`IntegrityBroken` when the signer's memory cannot be read.
    """
    # Memory and files first, the store last: while the house serves, it is ahead of them.
    memory = Memory.open(house.home / FOLDER)
    before = {log: _published(house.home, log, keys) for log in _known(house.home, memory, keys)}
    states = {state.log: state for state in house.read(heads())}
    found: dict[str, str] = {}
    for log in sorted(states.keys() | before.keys()):
        try:
            known = memory.last(keys.origin(log))
            last = last_signed(log, known, before.get(log))
            house.read(examine(states.get(log, State.new(log)), last))
        except IntegrityBroken as error:
            found[log] = error.message
    return found


def _known(home: Path, memory: Memory, keys: SigningKeys) -> set[str]:
    """Logs that were signed, and logs that stand published."""
    signed = {log_of(origin) for origin in memory.origins()}
    folder = home / LOGS
    out = {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    return {log for log in signed if memory.last(keys.origin(log))} | out


def _published(home: Path, log: str, keys: SigningKeys) -> Head | None:
    try:
        return own_head(keys, log, published(log_folder(home, log)))
    except InvalidInput:  # a folder that somebody made by hand
        return None


class _Stored:
    """The tiles of a log as they stand in the store."""

    def __init__(self, house: Readable, log: str) -> None:
        self._house = house
        self._log = log

    def tile(self, tile: Tile) -> bytes:
        ((_, body),) = self._house.read(bodies_of(self._log, (tile,)))
        return body


def recompute(house: Readable, keys: SigningKeys) -> tuple[State, ...]:
    """Build every log's tree anew from its entries in the store, and compare each tile and the head with it.

    Returns the heads. :class:`IntegrityBroken` when one differs, or does not continue what was signed or published.
    """
    for log, reason in disagreements(house, keys).items():
        raise IntegrityBroken(f"log {log}: {reason}", code="history_broken")
    states = tuple(sorted(house.read(heads())))
    for state in states:
        report = Report(state.log)
        replay = Replay(_Stored(house, state.log), state.size, report, ())
        complete = replay.run(lambda _index, _entry: None)
        if not (complete and report.whole) or replay.roots[state.size] != state.root:
            wrong = report.findings[0].message if report.findings else "its head has another root"
            raise IntegrityBroken(f"log {state.log}: {wrong}", code="history_broken")
    return states
