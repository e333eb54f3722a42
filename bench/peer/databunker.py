"""Databunker over its HTTP API (github.com/securitybunker/databunker, API.md): one user record per customer.

A record is encrypted with a key of its own and found by token, login, e-mail or phone. It is read as a whole: of one
field, the other eleven travel along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.peer.port import Http, PeerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What the server answers to what it refuses, and to a record that it does not have.
REFUSED = 405


class Databunker:
    """The driver; ``token`` is the server's root token or one with its rights."""

    name = "Databunker"
    finds = True
    masks: frozenset[str] = frozenset()

    def __init__(self, url: str, token: str) -> None:
        self._http = Http(url, {"X-Bunker-Token": token})
        self._tokens: dict[str, str] = {}
        self._subjects: dict[str, str] = {}

    def store(self, subject: str, record: Mapping[str, str]) -> None:
        """Create a user; phone and e-mail are indexed by the server, and have to be unique."""
        answer = self._ok(self._http.ask("POST", "/v1/user", dict(record))[1])
        self._tokens[subject] = answer["token"]
        self._subjects[answer["token"]] = subject

    def read(self, subject: str, fields: Sequence[str]) -> dict[str, str]:
        """Get the user, and take the fields."""
        path = f"/v1/user/token/{quote(self._tokens[subject])}"
        data = self._ok(self._http.ask("GET", path)[1])["data"]
        return {field: data[field] for field in fields}

    def find(self, phone: str) -> str:
        """Get the user by phone."""
        path = f"/v1/user/phone/{quote(phone, safe='')}"
        status, answer = self._http.ask("GET", path, expect=(200, REFUSED))
        if status == REFUSED:
            return ""
        return self._subjects.get(self._ok(answer)["token"], "")

    def delete(self, subject: str) -> None:
        """Remove the user's record; the token remains."""
        token = self._tokens.pop(subject)
        self._ok(self._http.ask("DELETE", f"/v1/user/token/{quote(token)}")[1])
        del self._subjects[token]

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def _ok(self, answer: Any) -> Any:
        if not isinstance(answer, dict) or answer.get("status") != "ok":
            raise PeerFailed(f"{self.name} answered {answer!r:.200}")
        return answer
