"""A data plane put together for one house: the turn with its clock and its receipts, the handlers, the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.edges.dataplane.app import App
from holdfast.edges.dataplane.door import Door
from holdfast.edges.dataplane.evidence import Evidence
from holdfast.edges.dataplane.handlers import routes
from holdfast.edges.dataplane.keeping import Keeping
from holdfast.edges.dataplane.metrics import Metrics
from holdfast.edges.dataplane.receipts import Receipts
from holdfast.edges.dataplane.runner import runner_for
from holdfast.spine.identity.accept import use_up

if TYPE_CHECKING:
    import asyncio

    from holdfast.edges.dataplane.runner import Runner
    from holdfast.spine.house import House
    from holdfast.spine.identity.presented import Presented


class DataPlane(NamedTuple):
    """The parts of one data plane."""

    app: App
    runner: Runner
    metrics: Metrics
    keeping: Keeping
    evidence: Evidence


def assemble(house: House, loop: asyncio.AbstractEventLoop, hosts: frozenset[str]) -> DataPlane:
    """Put a data plane together; it answers to the names in ``hosts``. Its runner is to be opened, and closed."""
    runner = runner_for(house, loop, opens=house.keep_time, seals=Receipts(house).attach)
    metrics = Metrics()
    metrics.watch(runner)
    door = Door(house.settings, house.clock)

    async def uses_up(shown: list[Presented]) -> None:
        await runner.submit(lambda: use_up(shown, house.clock.now_us()))

    evidence = Evidence(house.settings, runner)
    app = App(routes(house, runner, metrics, evidence), hosts, metrics, door, uses_up=uses_up)
    return DataPlane(app, runner, metrics, Keeping(house, runner, metrics), evidence)
