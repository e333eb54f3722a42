"""The bank as a policy decision point: its contract with ``[[pdp]]`` rules, and a service that asks."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from holdfast.spine.identity.credentials import Bounds, issue
from support.desk import Answer, Desk

if TYPE_CHECKING:
    from pathlib import Path


class PolicyDecisionPoint(Desk):
    """The application with a service's token of the scope ``pdp:bank-01``."""

    def __init__(self, home: Path, contract: str) -> None:
        super().__init__(home)
        digest = sha256(contract.encode()).hexdigest()
        self.bank.sql("UPDATE decision_contract SET text = ?, digest = ?", contract, digest)
        self.bank.sql("UPDATE decision_client SET fence = fence + 1")
        self.service = self.issue("pdp:bank-01")

    def issue(self, *scopes: str, **bounds: Any) -> str:
        """A service's token."""
        now = self.bank.clock.now_us()
        work = issue(
            service="app", life_us=10**12, now_us=now, bounds=Bounds(scopes=scopes, **bounds)
        )
        return self.bank.house.transact(work).secret.reveal()

    def post(
        self,
        path: str,
        body: Any,
        *,
        token: str = "",
        media: str | None = "application/json",
        headers: list[tuple[str, str]] | None = None,
    ) -> Answer:
        """Ask once."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = [("authorization", f"Bearer {token or self.service}"), *(headers or [])]
        if media is not None:
            sent.append(("content-type", media))
        return self.send("POST", path, raw, sent)[0]

    def get(self, path: str) -> Answer:
        """Ask without a token."""
        return self.send("GET", path, b"", [])[0]
