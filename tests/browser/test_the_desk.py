"""An agent's five tasks: the card as the call lands, the caller verified, one field shown, an action, a report."""

from __future__ import annotations

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from holdfast.drills.bank.build import customer
from holdfast.vocabulary.levels import Role

pytestmark = [pytest.mark.server, pytest.mark.slow]
_NUMBER = count(1)


@pytest.fixture
def agent(faces):
    """An agent at their desk, waiting for a call."""
    number = next(_NUMBER)
    staff_id = f"D{number:04d}"
    faces.hire(staff_id)
    face = faces.open()
    face.enrol(staff_id)
    face.staff_id = staff_id
    face.go("/desk")
    return face


def ring(faces, face, number=1, reason="dispute", *, known=True):
    """A call connects to the agent, from somebody whom the feed knows or does not."""
    bank = faces.bank
    by = {"customer": {"by": {"phone": customer(number)["phone"]}}} if known else {}
    event = bank.event(
        "connected",
        f"CT-{face.staff_id}-{number}-{reason}",
        person=face.staff_id,
        reason=reason,
        **by,
    )
    answer = bank.events(event)
    assert (answer.status, answer.body["accepted"]) == (200, 1), answer.raw


def test_the_call_opens_by_itself_with_the_callers_card(faces, agent):
    expect(agent.page.get_by_text("No call is with you")).to_be_visible()
    ring(faces, agent)
    expect(agent.page).to_have_url(re.compile("/desk/bank-01/"))
    card = agent.page.get_by_role("region", name="The caller")
    expect(card.get_by_text(customer(1)["name"])).to_be_visible()
    expect(card.get_by_text(customer(1)["acct"])).to_have_count(0)


def test_one_key_shows_one_field_for_a_while(faces, agent):
    ring(faces, agent)
    expect(agent.page.get_by_role("region", name="The caller")).to_be_visible()
    button = agent.page.get_by_role("button", name=re.compile("Show acct", re.IGNORECASE))
    agent.page.keyboard.press(button.get_attribute("data-key"))
    expect(agent.page.locator(".value.clear + .left")).to_have_text(re.compile(r"[45]:\d\d"))
    expect(button).to_have_count(0)


def test_a_step_up_is_made_in_place_and_the_field_is_shown(faces, agent):
    ring(faces, agent)
    agent.expect("403")
    agent.page.get_by_role("button", name=re.compile("Show balance", re.IGNORECASE)).click()
    expect(agent.page.get_by_text("Confirm first that it is you")).to_be_visible()
    at = agent.page.url
    agent.page.get_by_role("button", name="Confirm with your passkey").click()
    expect(agent.page.locator("#field-balance .value.clear")).to_be_visible()
    assert agent.page.url == at, "the page was not lost"


def test_a_caller_nobody_knows_is_found_and_verified(faces, agent):
    ring(faces, agent, number=2, known=False)
    page = agent.page
    expect(page.get_by_text("Who is calling?")).to_be_visible()
    page.get_by_label("Find by").select_option("acct")
    page.get_by_label("What the caller says").fill("0000-0000-0000")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Nobody is found by that")).to_be_visible()
    assert page.get_by_label("What the caller says").input_value() == "0000-0000-0000"
    page.get_by_label("What the caller says").fill(customer(2)["acct"])
    page.get_by_role("button", name="Find").click()
    page.get_by_label("Dob").fill(customer(2)["dob"])
    page.get_by_label("Postcode").fill(customer(2)["postcode"])
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("This call is now about this customer.")).to_be_visible()
    expect(page.get_by_role("region", name="The caller")).to_be_visible()


def test_an_action_is_permitted_by_what_the_caller_has_proven(faces, agent):
    ring(faces, agent, number=3, reason="contact-change")
    page = agent.page
    reset = page.get_by_role("button", name="Reset of the online login")
    for field in ("dob", "postcode"):
        page.get_by_label(field.capitalize()).fill(customer(3)[field])
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_text("The answers match.")).to_be_visible()
    agent.expect("403")
    reset.click()
    expect(page.get_by_text("Confirm first that it is you")).to_be_visible()
    page.get_by_role("button", name="Confirm with your passkey").click()
    expect(page.get_by_role("region", name="The caller")).to_be_visible()
    reset.click()
    expect(page.get_by_text("permitted, once, for a minute")).to_be_visible()


def test_what_is_copied_from_the_card_is_told_to_the_clients_log(faces, agent):
    ring(faces, agent)
    expect(agent.page.get_by_role("region", name="The caller")).to_be_visible()
    with agent.page.expect_response(lambda answer: "/taken" in answer.url) as told:
        agent.page.evaluate(
            "document.querySelector('.fields').dispatchEvent(new ClipboardEvent('copy', {bubbles: true}))"
        )
    assert told.value.status == 204


def test_something_odd_is_reported_without_a_name_and_with_one_and_answered(faces, agent):
    page = agent.page
    for anonymous in (True, False):
        page.get_by_role("link", name="Report something odd").click()
        page.get_by_label("Money or a favour was offered for data").check()
        page.get_by_label("What did you see or hear?").fill(
            "<b>Somebody</b> offered 500 for a list"
        )
        if anonymous:
            page.get_by_label(re.compile("Without my name")).check()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Thank you.")).to_be_visible()
    own = page.get_by_role("region", name="What you reported").get_by_role("listitem")
    expect(own).to_have_count(1)
    faces.hire("DSEC1", Role.SECURITY)
    security = faces.open()
    security.enrol("DSEC1")
    security.go("/reports")
    expect(security.page.get_by_text("<b>Somebody</b> offered").first).to_be_visible()
    expect(security.page.get_by_text("without a name")).to_have_count(1)
    security.page.get_by_role("listitem").filter(has_text="per_").get_by_label("Answer").fill(
        "We look"
    )
    security.page.get_by_role("listitem").filter(has_text="per_").get_by_role("button").click()
    page.reload()
    expect(page.get_by_text("We look")).to_be_visible()


def test_a_colleagues_contact_is_as_one_that_does_not_exist(faces, agent):
    ring(faces, agent)
    expect(agent.page).to_have_url(re.compile("/desk/bank-01/"))
    theirs = agent.page.url.removeprefix(faces.origin)
    faces.hire(f"{agent.staff_id}X")
    other = faces.open()
    other.enrol(f"{agent.staff_id}X")
    other.expect("404")
    pages = []
    for path in (theirs, "/desk/bank-01/ct_none", "/desk/bank-99/ct_none"):
        other.go(path)
        pages.append(other.page.locator("main").inner_html())
    assert len(set(pages)) == 1


def test_an_agent_reads_no_reports(agent):
    agent.expect("403")
    agent.go("/reports")
    expect(agent.page.get_by_text("This page is not for you")).to_be_visible()
