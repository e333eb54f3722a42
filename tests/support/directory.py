"""An employer's directory before a served house: requests as it sends them, and the token by which it does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from holdfast.kit.clock import HOUR_US
from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import people, tokens
from holdfast.spine.identity.credentials import Bounds

if TYPE_CHECKING:
    from support.live import LiveBank

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Said:
    """An answer: its status, headers, and what stands in it."""

    status: int
    headers: Any
    body: Any


class Directory:
    """The directory of one employer, which is added when it is new."""

    def __init__(self, bank: LiveBank, employer: str, *scopes: str, **bounds: Any) -> None:
        self.origin = f"http://localhost:{bank.console_port}"
        self.base = f"{self.origin}/scim/v2"
        self.token = issued(bank, employer, *(scopes or (f"scim:{employer}",)), **bounds)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        """Send a request; ``headers`` replace the usual ones, None leaves one out."""
        usual = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/scim+json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        data = None if body is None else json.dumps(body).encode()
        sent = {name: value for name, value in usual.items() if value is not None}
        request = Request(self.base + path, data, sent, method=method)
        try:
            with urlopen(request, timeout=20) as answer:
                return _said(answer.status, answer.headers, answer.read())
        except HTTPError as answer:
            with answer:
                return _said(answer.code, answer.headers, answer.read())

    def add(self, user_name: str, **more: Any) -> Said:
        """Add a user."""
        return self.ask("POST", "/Users", {"schemas": [USER], "userName": user_name, **more})

    def patch(self, ident: str, *operations: dict[str, Any]) -> Said:
        """Change a user."""
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self.ask("PATCH", f"/Users/{ident}", body)


def _said(status: int, headers: Any, content: bytes) -> Said:
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = content
    return Said(status, headers, body)


def issued(bank: LiveBank, employer: str, *scopes: str, **bounds: Any) -> str:
    """A service's token with these scopes, issued in the administrator's name."""
    house = bank.house()
    house.settings = replace(house.settings, token=Secret(bank.admin_token))
    try:
        known = [one["employer"] for one in house.transact(people.employers(house))]
        if employer not in known:
            house.transact(people.add_employer(house, employer, ""))
        made = house.transact(
            tokens.create_for_service(
                house, "hr", life_us=HOUR_US, bounds=Bounds(scopes=scopes, **bounds)
            )
        )
        return str(made.secret.reveal())
    finally:
        house.close()
