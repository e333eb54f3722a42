"""From granian's ASGI to Django's WSGI: a request's body is read whole, within limits, before it takes a thread.

A body that comes a byte at a time would hold one of the few threads for as long as its sender likes.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

MOST_BYTES: Final = 1024 * 1024
PATIENCE_S: Final = 10.0
_BODILESS: Final = frozenset({"GET", "HEAD"})


class Doorway:
    """An ASGI application in front of a WSGI one, which runs on ``threads`` threads."""

    def __init__(self, application: WSGIApplication, *, threads: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="page")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or take part in start and end of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        body = await _body(scope, receive)
        if isinstance(body, int):
            await _answer(send, body, [(b"content-length", b"0"), (b"connection", b"close")], b"")
            return
        run = asyncio.get_running_loop().run_in_executor
        status, headers, content = await run(self._threads, self._run, environ_of(scope, body))
        await _answer(send, status, headers, content)

    def _run(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        said: list[tuple[int, list[tuple[bytes, bytes]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Any:
            raw = [
                (name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers
            ]
            said[:] = [(int(status[:3]), raw)]

        answer = self._application(environ, start)
        try:
            content = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return (*said[0], content)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self._threads.shutdown(wait=False)
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _body(scope: dict[str, Any], receive: Receive) -> bytes | int:
    """Return the body, or the status of its refusal: 413 for one that is too long, 408 for one that is too slow."""
    if scope["method"] in _BODILESS:
        return b""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return 413 if length.isdigit() else 400
    parts = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return 400
                parts += message.get("body", b"")
                if len(parts) > MOST_BYTES:
                    return 413
                if not message.get("more_body", False):
                    return bytes(parts)
    except TimeoutError:
        return 408


async def _answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def environ_of(scope: dict[str, Any], body: bytes) -> WSGIEnvironment:
    """Return what WSGI (PEP 3333) calls the request."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": str(client[0]),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key == "CONTENT_LENGTH":
            continue
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = (
            f"{environ[key]},{text}" if key in environ and key != "CONTENT_TYPE" else text
        )
    return environ
