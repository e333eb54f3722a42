"""What runs operations for a data plane: turns on SQLite, lanes on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from holdfast.edges.dataplane.turn import Turns
from holdfast.kit.db.address import PostgresDatabase

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from holdfast.kit.db import Work
    from holdfast.spine.house import House

T = TypeVar("T")


class Runner(Protocol):
    """Runs operations, each in a transaction; no answer leaves before its leaf is durable."""

    turns: int  # groups of answers that left together
    operations: int
    busy_retries: int
    refused: int

    def submit(self, work: Callable[[], Work[T]], *, together: bool = False) -> asyncio.Future[T]:
        """Take an operation; the future resolves once it is durable. :class:`Unavailable` when too many wait.

        ``together`` is said of operations that arrive by :func:`~holdfast.spine.turn.arrival.arrive`: others of their
        turn may take their steps with them.
        """
        ...

    async def open(self) -> None:
        """Connect; before the first operation."""
        ...

    async def close(self) -> None:
        """Let what runs end, and disconnect."""
        ...


def runner_for(
    house: House,
    loop: asyncio.AbstractEventLoop,
    *,
    opens: Callable[[], Work[None]],
    seals: Callable[[list[Any]], list[Any]],
) -> Runner:
    """Return what runs operations where the house's stores stand."""
    data, keys = house.settings.data, house.settings.keys
    if isinstance(data, PostgresDatabase) and isinstance(keys, PostgresDatabase):
        from holdfast.edges.dataplane.lanes import Lanes  # noqa: PLC0415  a house in files starts without the driver

        return Lanes(data, keys, loop, opens=opens, seals=seals)
    return Turns(house.connect(busy_timeout_ms=0), loop, opens=opens, seals=seals)
