"""People at the console: a real browser per person, a passkey in a virtual authenticator, and a strict look-out.

Whatever a page says to the browser's console as an error, and every violation of its own policy, is kept in
``Face.complaints``; :meth:`Faces.close` fails on any that the test did not expect.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.drills.bank.build import CLIENT
from holdfast.kit.secret import Secret
from holdfast.procedures.access.services import assignments, people
from holdfast.procedures.access.services.assignments import Line
from holdfast.procedures.network import services
from holdfast.vocabulary.levels import Role
from support.browser import CHROMIUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from support.live import LiveBank

SIZES = {"wide": (1280, 900), "phone": (360, 740)}
_PLATFORM = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Face:
    """One person's browser."""

    def __init__(self, faces: Faces, page: Page) -> None:
        self._faces = faces
        self.page = page
        self.complaints: list[str] = []
        self.expected: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("WebAuthn.enable")
        self.authenticator = self.devtools.send(
            "WebAuthn.addVirtualAuthenticator", {"options": _PLATFORM}
        )["authenticatorId"]

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def go(self, path: str) -> None:
        """Open an address of the console."""
        self.page.goto(self._faces.origin + path)

    def enrol(self, staff_id: str) -> None:
        """Open a link that somebody else made, and make a passkey; this signs the person in."""
        self.page.goto(self._faces.invite(staff_id))
        self.page.get_by_role("button", name="Make a passkey").click()
        self.page.wait_for_url("**/account")

    def sign_in(self) -> None:
        """Sign in with the passkey that is in the authenticator."""
        self.go("/sign-in")
        self.page.get_by_role("button", name="Use your passkey").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def sign_out(self) -> None:
        """Sign out."""
        self.page.get_by_role("button", name="Sign out", exact=True).click()
        self.page.wait_for_url("**/sign-in")

    def cookie(self) -> str:
        """The secret of the session's cookie."""
        return next(
            one["value"] for one in self.page.context.cookies() if "holdfast" in one["name"]
        )

    def expect(self, *parts: str) -> None:
        """Let complaints that contain one of these pass: a refusal is an error to the browser's console."""
        self.expected.extend(parts)

    def unexpected(self) -> list[str]:
        """What the browser complained of otherwise."""
        return [one for one in self.complaints if not any(part in one for part in self.expected)]


class Faces:
    """Browsers of several people before one served bank."""

    def __init__(self, bank: LiveBank, browser: Browser) -> None:
        self.bank = bank
        self._browser = browser
        self.origin = f"http://localhost:{bank.console_port}"
        self._open: list[Face] = []

    def open(self, size: str = "wide", **context: Any) -> Face:
        """A new browser with an empty authenticator."""
        width, height = SIZES[size]
        made = self._browser.new_context(viewport={"width": width, "height": height}, **context)
        face = Face(self, made.new_page())
        self._open.append(face)
        return face

    def invite(self, staff_id: str) -> str:
        """A link for somebody's first passkey, made in an administrator's name."""
        with self.acting() as house:
            made = house.transact(services.invite(house, staff_id, networks=()))
        return f"{self.origin}/enrol/{made.secret.reveal()}"

    def hire(self, staff_id: str, *roles: Role) -> str:
        """Add a person to the house, assigned to the cards programme in these roles (an agent's without); their id."""
        chosen = roles or (Role.AGENT,)
        with self.acting() as house:
            member, _ = house.transact(
                people.add_person(house, staff_id, employer="house", roles=chosen)
            )
            line = Line(CLIENT, "cards-in", ())
            house.transact(assignments.assign(house, staff_id, line, roles=chosen))
        return str(member.id)

    @contextmanager
    def acting(self) -> Iterator[Any]:
        """The house, in the administrator's name."""
        house = self.bank.house()
        house.settings = replace(house.settings, token=Secret(self.bank.admin_token))
        try:
            yield house
        finally:
            house.close()

    def close(self) -> None:
        """Close all browsers; none may have complained of anything that was not expected."""
        said = {one.page.url: one.unexpected() for one in self._open if one.unexpected()}
        for one in self._open:
            one.page.context.close()
        assert not said, said


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium under Playwright; skipped, with the reason, where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: `make setup-services` installs Debian's package")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()
