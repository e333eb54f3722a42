"""A data plane put together for one house: the turn with its clock and its receipts, the handlers, the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.edges.dataplane.app import App
from holdfast.edges.dataplane.door import Door
from holdfast.edges.dataplane.handlers import routes
from holdfast.edges.dataplane.keeping import Keeping
from holdfast.edges.dataplane.metrics import Metrics
from holdfast.edges.dataplane.receipts import Receipts
from holdfast.edges.dataplane.turn import Turns
from holdfast.spine.identity.accept import use_up

if TYPE_CHECKING:
    import asyncio

    from holdfast.spine.house import House, Stores
    from holdfast.spine.identity.presented import Presented


class DataPlane(NamedTuple):
    """The parts of one data plane."""

    app: App
    turns: Turns
    metrics: Metrics
    keeping: Keeping


def assemble(
    house: House, stores: Stores, loop: asyncio.AbstractEventLoop, hosts: frozenset[str]
) -> DataPlane:
    """Put a data plane together on ``stores``, which it alone uses; it answers to the names in ``hosts``."""
    turns = Turns(stores, loop, opens=house.keep_time, seals=Receipts(house).attach)
    metrics = Metrics()
    metrics.watch(turns)
    door = Door(house.settings, house.clock)

    async def uses_up(shown: list[Presented]) -> None:
        await turns.submit(lambda: use_up(shown, house.clock.now_us()))

    app = App(routes(house, turns, metrics), hosts, metrics, door, uses_up=uses_up)
    return DataPlane(app, turns, metrics, Keeping(house, turns, metrics))
