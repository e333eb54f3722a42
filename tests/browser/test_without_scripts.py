"""Whoever has scripts switched off works the desk by links and forms: only the passkey itself needs one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.signed import SignedIn

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def page(served, browser, faces):
    """A browser without scripts, in the session of an agent who has a call."""
    person = faces.hire("S0100")
    served.events(
        served.event(
            "connected",
            "CT-plain",
            person="S0100",
            reason="dispute",
            customer={"by": {"phone": "+12025550102"}},
        )
    )
    context = browser.new_context(java_script_enabled=False, base_url=faces.origin)
    opened = context.new_page()
    opened.goto("/sign-in")
    cookie = SignedIn(served, person).cookie
    context.add_cookies([{"name": "holdfast", "value": cookie, "url": faces.origin}])
    yield opened
    context.close()


def test_the_call_a_field_a_refusal_and_a_question(page):
    page.goto("/desk")
    expect(page).to_have_url(re.compile("/desk/bank-01/"))
    page.get_by_role("button", name=re.compile("Show acct", re.IGNORECASE)).click()
    expect(page.locator(".value.clear").filter(has_text=re.compile(r"\d{4}"))).not_to_have_count(0)
    page.get_by_role("button", name=re.compile("Show balance", re.IGNORECASE)).click()
    expect(page.get_by_text("Confirm first that it is you")).to_be_visible()
    page.get_by_role("link", name="Back to the contact").click()
    page.get_by_label("Postcode").fill("0000")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("They do not match.")).to_be_visible()
