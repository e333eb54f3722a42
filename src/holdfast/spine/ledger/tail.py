"""Following a log: its leaves from a stored position, in order, each once (DESIGN §7).

The position is the index of the next leaf. A reader stores it together with what it made of the leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kit.db import Round
from holdfast.spine.ledger import store
from holdfast.spine.ledger.tiles import WIDTH, decode_bundle

if TYPE_CHECKING:
    from holdfast.kit.db import Work

MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class LoggedLeaf:
    """A leaf with its place."""

    index: int
    entry: bytes


def newest_us() -> Work[int]:
    """Return the time of the newest leaf that has a place, or of the house's last tick if that is later."""
    (rows,) = yield Round(data=(store.HEARTBEAT(),))
    newest: int = max(rows[0])
    return newest


def leaves_from(log: str, position: int, *, most: int = MOST) -> Work[tuple[LoggedLeaf, ...]]:
    """Return up to ``most`` committed leaves from ``position`` on; none when nothing is new."""
    bundles = (position % WIDTH + most + WIDTH - 1) // WIDTH
    asked = store.BUNDLES_FROM(log=log, n=position // WIDTH, most=bundles)
    (rows,) = yield Round(data=(asked,))
    found = [
        LoggedLeaf(n * WIDTH + at, entry)
        for n, _width, body in rows
        for at, entry in enumerate(decode_bundle(bytes(body)))
    ]
    skipped = position % WIDTH
    return tuple(found[skipped : skipped + most])
