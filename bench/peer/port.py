"""What is asked of each store of customers' fields, and the connection that asks it."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Peer(Protocol):
    """Keeps records of customers. ``subject`` is the caller's name for a customer, such as a customer number."""

    name: str
    finds: bool
    """Whether it can find a customer by phone."""
    masks: frozenset[str]
    """Fields that it shows otherwise than they were given."""

    def store(self, subject: str, record: Mapping[str, str]) -> None:
        """Keep a record."""
        ...

    def read(self, subject: str, fields: Sequence[str]) -> dict[str, str]:
        """Return fields of a record."""
        ...

    def find(self, phone: str) -> str:
        """Return whose phone it is; empty where nobody's is."""
        ...

    def delete(self, subject: str) -> None:
        """Remove a customer, keys and all."""
        ...


class PeerFailed(Exception):
    """A peer answered something else than its documentation says."""


class Http:
    """One kept-alive connection to a base address; requests and answers are JSON."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PeerFailed(f"{url} is no address like http://127.0.0.1:8200")
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port)
        self._base = parts.path
        self._headers = {"Content-Type": "application/json", **headers}

    def ask(
        self, method: str, path: str, body: Any = None, *, expect: Sequence[int] = (200,)
    ) -> tuple[int, Any]:
        """Send a request; return status and answer. :class:`PeerFailed` for a status not in ``expect``."""
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, self._base + path, sent, self._headers)
        answer = self._connection.getresponse()
        raw = answer.read()
        if answer.status not in expect:
            raise PeerFailed(f"{method} {path} answered {answer.status}: {raw[:200]!r}")
        return answer.status, json.loads(raw) if raw else None

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
