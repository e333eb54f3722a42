"""A person enrols a passkey by a link, signs in with it, adds and removes some, and ends sessions."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.codes import code_of

pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_a_person_enrols_signs_out_and_signs_in_again(faces):
    faces.hire("N0100")
    face = faces.open()
    face.go("/desk")
    expect(face.page).to_have_url(re.compile(r"/sign-in\?next=%2Fdesk"))
    face.enrol("N0100")
    expect(face.page.get_by_role("heading", name="N0100")).to_be_visible()
    expect(face.page.get_by_text("Only on its device")).to_be_visible()
    face.sign_out()
    face.sign_in()
    expect(face.page).to_have_url(re.compile("/desk"))


def test_one_goes_on_to_where_one_was_going(faces):
    faces.hire("N0101")
    face = faces.open()
    face.enrol("N0101")
    face.sign_out()
    face.go("/account")
    face.page.get_by_role("button", name="Use your passkey").click()
    expect(face.page).to_have_url(re.compile("/account$"))


@pytest.mark.parametrize(
    ("staff_id", "away"),
    [
        ("N0201", "//evil.example/"),
        ("N0202", "https://evil.example/"),
        ("N0203", "/\\evil.example"),
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(faces, staff_id, away):
    faces.hire(staff_id)
    face = faces.open()
    face.enrol(staff_id)
    face.sign_out()
    face.go(f"/sign-in?next={away}")
    face.page.get_by_role("button", name="Use your passkey").click()
    face.page.wait_for_url(lambda url: "/sign-in" not in url)
    assert face.page.url.startswith(faces.origin + "/")


def test_a_link_works_once(faces):
    faces.hire("N0001")
    link = faces.invite("N0001")
    face = faces.open()
    face.page.goto(link)
    face.page.get_by_role("button", name="Make a passkey").click()
    face.page.wait_for_url("**/account")
    other = faces.open()
    other.expect("404")
    other.page.goto(link)
    expect(other.page.get_by_text("This link is not good here")).to_be_visible()


def test_a_second_passkey_is_added_renamed_and_the_first_removed(faces):
    faces.hire("N0103")
    face = faces.open()
    face.enrol("N0103")
    before = face.page.get_by_role("button", name="Remove").count()
    face.devtools.send("WebAuthn.clearCredentials", {"authenticatorId": face.authenticator})
    face.page.get_by_role("link", name="Add a passkey").click()
    face.page.get_by_label("What you call it").fill("Blue key")
    face.page.get_by_role("button", name="Make a passkey").click()
    face.page.wait_for_url("**/account")
    expect(face.page.locator("input[value='Blue key']")).to_be_visible()
    expect(face.page.get_by_role("button", name="Remove")).to_have_count(before + 1)
    face.page.get_by_role("button", name="Remove").first.click()
    expect(face.page.get_by_role("button", name="Remove")).to_have_count(before)


def test_the_only_passkey_is_not_removed(faces):
    faces.hire("N0002")
    face = faces.open()
    face.enrol("N0002")
    face.expect("409")
    face.page.get_by_role("button", name="Remove").click()
    expect(face.page.get_by_text("This is your only passkey")).to_be_visible()


def test_signing_out_everywhere_else_ends_the_others_at_once(faces):
    faces.hire("N0003")
    here, there = faces.open(), faces.open()
    there.enrol("N0003")
    here.enrol("N0003")
    here.go("/account")
    here.page.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.page.get_by_text("Sign out there")).to_have_count(0)
    there.go("/account")
    expect(there.page).to_have_url(re.compile("/sign-in"))
    here.go("/account")
    expect(here.page.get_by_role("heading", name="N0003")).to_be_visible()


def test_a_passkey_without_a_verified_holder_does_not_sign_in(faces):
    faces.hire("N0104")
    face = faces.open()
    face.enrol("N0104")
    face.sign_out()
    face.devtools.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": face.authenticator, "isUserVerified": False},
    )
    face.page.get_by_role("button", name="Use your passkey").click()
    expect(face.page.get_by_text("Nothing was confirmed")).to_be_visible()
    expect(face.page).to_have_url(re.compile("/sign-in"))


def test_a_copy_of_a_passkey_is_noticed_by_its_counter(faces):
    """Whoever copied a key does not know how often the other copy was used since."""
    faces.hire("N0300")
    face = faces.open()
    face.enrol("N0300")
    (key,) = face.devtools.send("WebAuthn.getCredentials", {"authenticatorId": face.authenticator})[
        "credentials"
    ]
    face.sign_out()
    face.sign_in()
    face.sign_out()
    face.sign_in()
    face.sign_out()
    face.devtools.send("WebAuthn.clearCredentials", {"authenticatorId": face.authenticator})
    face.devtools.send(
        "WebAuthn.addCredential", {"authenticatorId": face.authenticator, "credential": key}
    )
    face.expect("422")
    face.page.get_by_role("button", name="Use your passkey").click()
    expect(face.page.get_by_text("This passkey was used from a copy")).to_be_visible()
    face.go("/account")
    expect(face.page).to_have_url(re.compile("/sign-in"))


def test_an_app_for_codes_is_added_and_signs_in(faces):
    faces.hire("N0110")
    face = faces.open()
    face.enrol("N0110")
    face.page.get_by_role("link", name="Add an app for codes").click()
    expect(face.page.locator(".picture svg path")).to_be_visible()
    secret = face.page.locator(".secret").inner_text()
    face.page.get_by_label("Code").fill(code_of(secret))
    face.page.get_by_role("button", name="Add the app").click()
    expect(face.page.get_by_text("App for codes", exact=True)).to_be_visible()
    face.sign_out()
    face.page.get_by_text("Other ways").click()
    face.page.get_by_role("link", name="With a code of your app").click()
    face.page.get_by_label("Staff id").fill("N0110")
    face.page.get_by_label("Code that your app shows").fill(code_of(secret, later=1))
    face.page.get_by_role("button", name="Sign in").click()
    expect(face.page).to_have_url(re.compile("/desk"))
