"""The data plane as a process: ``python -m holdfast.edges.dataplane.process <parent pid>``.

It dies with its parent, leaves no core dump, runs the checks once more before it binds, and exits with a message when
it cannot serve.
"""

from __future__ import annotations

import holdfast.kit.db.sqlite  # noqa: F401 - swaps in a safe SQLite before anything else opens one

import asyncio
import gc
import signal
import sys

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from holdfast.edges.checks.run import require_sound
from holdfast.edges.dataplane.assembled import assemble
from holdfast.edges.listening import bounds
from holdfast.kit.config import Settings, load_settings
from holdfast.kit.log import configure
from holdfast.kit.process import die_with_parent, forbid_core_dumps, refuse_taken_port
from holdfast.spine.decision.policies import warm
from holdfast.spine.house import open_house
from holdfast.spine.timekeeping import begin

COLLECT_AFTER = 20_000  # objects; a request leaves next to no cycles


def hosts_of(settings: Settings) -> frozenset[str]:
    """Names by which the data plane answers: loopback, its own address, and the public origin's host."""
    public = settings.origin.partition("://")[2].rsplit(":", 1)[0]
    return frozenset(("localhost", "127.0.0.1", "[::1]", settings.data_plane_host, public))


async def _serve(settings: Settings) -> None:
    house = open_house(settings)
    house.root  # noqa: B018 - opened now: a house whose keys cannot be read must not bind
    begin(house)
    house.read(warm(house.policies))
    loop = asyncio.get_running_loop()
    # What stands now stands until the end: collecting garbage in it again and again would only stop requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 50, 50)
    plane = assemble(house, loop, hosts_of(settings))
    await plane.runner.open()
    await plane.evidence.open()
    server = Server(
        plane.app,
        address=settings.data_plane_host,
        port=settings.data_plane_port,
        interface=Interfaces.ASGINL,
        log_enabled=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_ca=settings.tls_client_ca,
        ssl_client_verify=settings.tls_client_ca is not None,
        **bounds(),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    plane.keeping.start(loop)
    try:
        await server.serve()
    finally:
        await plane.evidence.close()
        await plane.runner.close()


def main() -> None:
    """Serve until told to stop."""
    if len(sys.argv) > 1:
        die_with_parent(int(sys.argv[1]))
    forbid_core_dumps()
    settings = load_settings()
    configure(settings.log_level)
    require_sound(settings)
    if settings.workers == 1:  # several share the port; who started them has looked
        refuse_taken_port(settings.data_plane_host, settings.data_plane_port)
    uvloop.run(_serve(settings))


if __name__ == "__main__":
    main()
