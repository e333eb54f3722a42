"""A browser that is signed in, without a browser: its cookie, and what it says of where a request comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from holdfast.edges.console.store import ADD_BROWSER
from holdfast.kit.clock import HOUR_US
from holdfast.kit.db import Round
from holdfast.kit.ids import new_secret_text
from holdfast.procedures.network import services
from holdfast.spine.identity.sessions import Browser, hash_cookie
from holdfast.vocabulary.levels import SignIn

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from support.live import LiveBank


def _state(house: House, hashed: bytes) -> Work[None]:
    """The browser's own row: without one, whatever a page wants to remember begins another browser."""
    sealed = house.console_key.seal("browser", b"{}", about=hashed)
    until_us = house.clock.now_us() + HOUR_US
    yield Round(data=(ADD_BROWSER(hash=hashed, sealed=sealed, expires_us=until_us),))


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


@dataclass
class Page:
    """An answer."""

    status: int
    text: str
    to: str = ""


class SignedIn:
    """Somebody's browser before a served house."""

    def __init__(self, bank: LiveBank, person: str) -> None:
        self.origin = f"http://localhost:{bank.console_port}"
        self.cookie = new_secret_text("tst")
        house = bank.house()
        house.transact(
            services.sign_in(
                *(house, person, hash_cookie(self.cookie)),
                method=SignIn.PASSKEY_DEVICE_BOUND,
                factor="1",
                seen_by="",
                browser=Browser(peer="127.0.0.1", agent="a test"),
            )
        )
        house.transact(_state(house, hash_cookie(self.cookie)))
        house.close()

    def get(self, path: str) -> Page:
        """Open an address."""
        return self._ask("GET", path, None, {})

    def post(
        self, path: str, fields: dict[str, Any] | None = None, *, site: str = "same-origin"
    ) -> Page:
        """Send a form."""
        data = urlencode(fields or {}, doseq=True).encode()
        return self._ask("POST", path, data, {"Sec-Fetch-Site": site})

    def upload(self, path: str, content: bytes, kind: str) -> Page:
        """Send a body as it is."""
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}
        return self._ask("POST", path, content, headers)

    def _ask(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Page:
        sent = {"Cookie": f"holdfast={self.cookie}", **headers}
        request = Request(self.origin + path, data, sent, method=method)
        try:
            with build_opener(_Stay()).open(request, timeout=20) as answer:
                return Page(answer.status, answer.read().decode())
        except HTTPError as answer:
            with answer:
                return Page(answer.code, answer.read().decode(), answer.headers.get("Location", ""))
