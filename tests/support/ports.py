"""Loopback ports for the servers of the tests."""

from __future__ import annotations

import itertools
import os
import socket

#: Under the ports that the system gives to whoever connects, or asks for any: it gives those away while a server of
#: ours, which is to come back on its own, is down.
_FIRST, _COUNT = 12_000, 20_000
#: Processes of one run, whose ids are close, start far from each other.
_numbers = itertools.count(os.getpid() * 2003)


def free_ports(count: int) -> list[int]:
    """Find free ports, apart from each other and from all that this process was given before."""
    found: list[int] = []
    while len(found) < count:
        port = _FIRST + next(_numbers) % _COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


__all__ = ["free_ports"]
