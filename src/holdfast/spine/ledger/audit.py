"""Whether the stores, the signer's memory and the published files tell one history (SPINE 26): asked before serving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.growth import State
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.memory import Memory
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.publish import published
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.ledger.signer import examine, last_signed, own_head

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.spine.ledger.keys import SigningKeys

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

    Nothing is written. :class:`IntegrityBroken` when the signer's memory cannot be read.
    """
    memory = Memory.open(house.home / FOLDER)
    states = {state.log: state for state in house.read(heads())}
    ours = {log_of(origin) for origin in memory.origins() if origin == keys.origin(log_of(origin))}
    found: dict[str, str] = {}
    for log in sorted(states.keys() | ours):
        state = states.get(log, State.new(log))
        try:
            out = own_head(keys, log, published(log_folder(house.home, log)))
            house.read(examine(state, last_signed(log, memory.last(keys.origin(log)), out)))
        except IntegrityBroken as error:
            found[log] = error.message
    return found
