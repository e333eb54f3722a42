"""An administrator brings somebody in, moves them, and lets them go, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from holdfast.vocabulary.levels import Role

pytestmark = [pytest.mark.server, pytest.mark.slow]
LINE = "bank-01/cards-in"


def test_an_administrator_brings_somebody_in_and_lets_them_go(faces):
    faces.hire("N0400", Role.ADMIN)
    face = faces.open()
    page = face.page
    face.enrol("N0400")
    page.get_by_role("link", name="People", exact=True).click()
    expect(page.get_by_role("heading", name="People")).to_be_visible()

    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Staff id, as feeds name the person").fill("N 0401")
    page.get_by_label("Employer").fill("house")
    page.get_by_label("Name in lists").fill("Front desk 1")
    page.get_by_label("Line").select_option(LINE)
    face.expect("422")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(
        "a staff id is up to 64 letters", ignore_case=True
    )
    expect(page.get_by_label("Name in lists")).to_have_value("Front desk 1")
    page.get_by_label("Staff id, as feeds name the person").fill("N0401")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Front desk 1")).to_be_visible()
    expect(page.get_by_text(LINE).first).to_be_visible()
    path = page.url

    page.get_by_role("button", name="Make a link for a passkey").click()
    link = page.locator("#link").inner_text()
    newcomer = faces.open()
    newcomer.page.goto(link)
    newcomer.page.get_by_role("button", name="Make a passkey").click()
    newcomer.page.wait_for_url("**/account")

    page.goto(path)
    expect(page.get_by_text("1 passkey")).to_be_visible()
    page.get_by_role("button", name="Suspend").click()
    expect(page.locator(".verdict")).to_have_text("Suspended")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".verdict")).to_have_text("Active")

    page.get_by_text("Let this person go").click()
    page.get_by_label("Type N0401 to confirm").fill("N0402")
    page.get_by_role("button", name="Let go for good").click()
    expect(page.get_by_role("alert")).to_contain_text("exactly as it stands")
    page.get_by_label("Type N0401 to confirm").fill("N0401")
    page.get_by_role("button", name="Let go for good").click()
    expect(page.locator(".verdict")).to_have_text("Left")
    newcomer.go("/desk")
    expect(newcomer.page).to_have_url(re.compile("/sign-in"))

    face.go("/people?text=N0401&state=left")
    expect(page.get_by_role("link", name="Front desk 1").first).to_be_visible()
    page.get_by_role("button", name="It is back").click()
    expect(page.get_by_text("Badges to take back")).to_have_count(0)
