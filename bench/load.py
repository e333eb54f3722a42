"""Closed-loop HTTP load: N connections, each sends its next request when the last answer is in.

Runs in a process of its own, so that its CPU time is not the server's:
``python -m bench.load HOST PORT CLIENTS SECONDS [EACH]`` reads prepared requests (one raw HTTP request per
NUL-separated block) from standard input and prints JSON. With EACH, a connection sends so many and then closes,
and sends again what was too busy to be answered; the end is when all have, or the seconds are over.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from bench.measure import percentile

BUSY = b"503"
DRAIN_S = 60.0


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, load: Load, number: int) -> None:
        self._load = load
        self._next = number
        self._left = load.each
        self._buffer = b""
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send()

    def _send(self) -> None:
        requests = self._load.requests
        self._begun = time.perf_counter()
        self._transport.write(requests[self._next % len(requests)])
        self._next += self._load.clients

    def data_received(self, data: bytes) -> None:
        """Collect an answer; when it is whole, send the next request."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._buffer[:head].lower()
        at = lower.find(b"content-length:")
        end = lower.find(b"\r\n", at)
        length = int(lower[at + 15 : end if end > 0 else head])
        if len(self._buffer) < head + 4 + length:
            return
        status = self._buffer[9:12]
        self._load.done(status, time.perf_counter() - self._begun)
        self._buffer = b""
        if self._load.each and status == BUSY and not self._load.over:
            self._next -= self._load.clients
            self._send()
            return
        self._left -= 1
        if self._load.over or not self._left:
            self._load.ended()
            self._transport.close()
        else:
            self._send()


class Load:
    """Counts and times."""

    def __init__(self, requests: list[bytes], clients: int, each: int) -> None:
        self.requests = requests
        self.clients = clients
        self.each = each
        self.over = False
        self.all_ended = asyncio.Event()
        self.times: list[float] = []
        self.statuses: dict[str, int] = {}
        self._open = clients

    def done(self, status: bytes, seconds: float) -> None:
        """Note an answer."""
        self.times.append(seconds)
        key = status.decode()
        self.statuses[key] = self.statuses.get(key, 0) + 1

    def ended(self) -> None:
        """Note that a connection has sent all that it was to send."""
        self._open -= 1
        if not self._open:
            self.all_ended.set()


async def run(host: str, port: int, load: Load, seconds: float) -> None:
    """Send, and print what was seen."""
    loop = asyncio.get_running_loop()
    begun, cpu = time.perf_counter(), time.process_time()
    for number in range(load.clients):
        await loop.create_connection(lambda n=number: Connection(load, n), host, port)  # type: ignore[misc]
    try:
        await asyncio.wait_for(load.all_ended.wait(), seconds)
    except TimeoutError:
        load.over = True  # what is under way is waited for: its CPU time is counted, too
        await asyncio.wait_for(load.all_ended.wait(), DRAIN_S)
    took = time.perf_counter() - begun
    count = len(load.times)
    sys.stdout.write(
        json.dumps(
            {
                "clients": load.clients,
                "seconds": round(took, 3),
                "requests": count,
                "per_second": round(count / took, 1),
                "p50_ms": round(percentile(load.times, 0.5) * 1e3, 3),
                "p99_ms": round(percentile(load.times, 0.99) * 1e3, 3),
                "cpu_s": round(time.process_time() - cpu, 3),
                "statuses": load.statuses,
                "times_s": load.times if load.each else [],
            }
        )
    )


async def main() -> None:
    """Read the requests and run."""
    host, port, clients, seconds, each, *_ = [*sys.argv[1:], "0"]
    blocks = [block for block in sys.stdin.buffer.read().split(b"\0") if block]
    await run(host, int(port), Load(blocks, int(clients), int(each)), float(seconds))


if __name__ == "__main__":
    uvloop.run(main())
