"""OpenBao's transit engine over its HTTP API (openbao.org/api-docs/secret/transit; Vault's is the same).

It keeps keys, not records: each customer has a key of their own, all fields of a record go through it in one batch, and
the caller keeps the ciphertexts, here in memory. It cannot find anybody. A field's name is bound to it as associated
data. The engine has to be enabled: ``bao secrets enable transit``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.peer.port import Http, PeerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DONE = (200, 204)


class OpenBao:
    """The driver; ``url`` is the server's, ``token`` may use the engine that is mounted at ``mount``."""

    name = "OpenBao transit"
    finds = False
    masks: frozenset[str] = frozenset()

    def __init__(self, url: str, token: str, mount: str = "transit") -> None:
        self._http = Http(url, {"X-Vault-Token": token})
        self._mount = mount.strip("/")
        self._kept: dict[str, dict[str, str]] = {}

    def store(self, subject: str, record: Mapping[str, str]) -> None:
        """Make the customer's key, and encrypt all fields with it."""
        self._ask("POST", "keys", subject, {"type": "aes256-gcm96"}, expect=DONE)
        items = [
            {"plaintext": _coded(value), "associated_data": _coded(field), "reference": field}
            for field, value in record.items()
        ]
        sealed = self._batch("encrypt", subject, items, "ciphertext")
        self._kept[subject] = dict(zip(record, sealed, strict=True))

    def read(self, subject: str, fields: Sequence[str]) -> dict[str, str]:
        """Decrypt the fields in one batch."""
        kept = self._kept[subject]
        items = [
            {"ciphertext": kept[field], "associated_data": _coded(field), "reference": field}
            for field in fields
        ]
        opened = self._batch("decrypt", subject, items, "plaintext")
        return {
            field: b64decode(value).decode() for field, value in zip(fields, opened, strict=True)
        }

    def find(self, phone: str) -> str:
        """It cannot."""
        raise PeerFailed(f"{self.name} finds nobody, least of all {phone}")

    def delete(self, subject: str) -> None:
        """Destroy the key; a key may be deleted only once that was allowed."""
        self._ask("POST", "keys", f"{subject}/config", {"deletion_allowed": True}, expect=DONE)
        self._ask("DELETE", "keys", subject, expect=DONE)
        del self._kept[subject]

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def _ask(
        self, method: str, what: str, name: str, body: Any = None, *, expect: Sequence[int] = (200,)
    ) -> Any:
        path = f"/v1/{self._mount}/{what}/{quote(name)}"
        return self._http.ask(method, path, body, expect=expect)[1]

    def _batch(self, what: str, subject: str, items: Sequence[Any], member: str) -> list[str]:
        answer = self._ask("POST", what, subject, {"batch_input": items})
        results = answer["data"]["batch_results"]
        told = [result["error"] for result in results if result.get("error")]
        if told or len(results) != len(items):
            raise PeerFailed(f"{what}: {told or 'results are missing'}")
        return [result[member] for result in results]


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode()
