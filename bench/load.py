"""Closed-loop HTTP load: N connections, each sends its next request when the last answer is in.

Runs in its own process, so that its CPU time is not the server's: ``python -m bench.load HOST PORT CLIENTS SECONDS``
reads prepared requests (one raw HTTP request per NUL-separated block) from standard input and prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop

from bench.measure import percentile


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, load: Load, number: int) -> None:
        self._load = load
        self._next = number
        self._buffer = b""
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        requests = self._load.requests
        self._begun = time.perf_counter()
        self._transport.write(requests[self._next % len(requests)])
        self._next += self._load.clients

    def data_received(self, data: bytes) -> None:
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
        self._load.done(self._buffer[9:12], time.perf_counter() - self._begun)
        self._buffer = b""
        if not self._load.over:
            self._send()
        else:
            self._transport.close()


class Load:
    """Counts and times."""

    def __init__(self, requests: list[bytes], clients: int) -> None:
        self.requests = requests
        self.clients = clients
        self.over = False
        self.times: list[float] = []
        self.statuses: dict[str, int] = {}

    def done(self, status: bytes, seconds: float) -> None:
        self.times.append(seconds)
        key = status.decode()
        self.statuses[key] = self.statuses.get(key, 0) + 1


async def run(host: str, port: int, clients: int, seconds: float) -> None:
    requests = [block for block in sys.stdin.buffer.read().split(b"\0") if block]
    load = Load(requests, clients)
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    for number in range(clients):
        await loop.create_connection(lambda n=number: Connection(load, n), host, port)
    await asyncio.sleep(seconds)
    load.over = True
    took = time.perf_counter() - begun
    count = len(load.times)
    sys.stdout.write(
        json.dumps(
            {
                "clients": clients,
                "seconds": round(took, 2),
                "requests": count,
                "per_second": round(count / took, 1),
                "p50_ms": round(percentile(load.times, 0.5) * 1e3, 3),
                "p99_ms": round(percentile(load.times, 0.99) * 1e3, 3),
                "statuses": load.statuses,
            }
        )
    )


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
