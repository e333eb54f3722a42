"""A lead approves on a phone what an agent asked for; nobody approves their own, and a stranger sees nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from holdfast.drills.bank.build import CLIENT, CONTRACT, customer
from holdfast.vocabulary.levels import Role
from support.commands import run
from support.faces import Faces
from support.live import LiveBank
from support.server import environment

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A bank whose contract wants the account number approved."""
    folder = tmp_path_factory.mktemp("floor")
    contract = CONTRACT.replace(
        'fields.customers = ["name", "phone", "acct", "card", "balance", "address"]',
        'fields.customers = ["name", "phone", "acct", "card", "balance", "address"]\n'
        'approval.customers = ["acct"]',
    )
    contract = contract.replace('fields = ["name", "acct"]', 'fields = ["name"]')  # its own test
    assert "approval.customers" in contract
    (folder / "contract.toml").write_text(contract)
    bank = LiveBank(folder / "house")
    done = run(
        *("policy", "publish", CLIENT, "--contract", str(folder / "contract.toml")),
        env=environment(bank.home, HOLDFAST_TOKEN=bank.admin_token),
    )
    assert done.returncode == 0, done.stderr
    with bank:
        yield bank


def test_what_an_agent_asks_for_waits_is_approved_and_shown_once(faces: Faces):
    faces.hire("F0001")
    faces.hire("F0002", Role.LEAD)
    agent, lead = faces.open(), faces.open("phone")
    agent.enrol("F0001")
    lead.enrol("F0002")
    lead.go("/floor")
    asked = lead.page.get_by_role("link", name=re.compile("F0001 asks for acct"))
    expect(asked).to_have_count(0)
    by = {"customer": {"by": {"phone": customer(1)["phone"]}}}
    faces.bank.events(
        faces.bank.event("connected", "CT-floor", person="F0001", reason="dispute", **by)
    )
    agent.go("/desk")
    agent.expect("403")
    agent.page.get_by_role("button", name=re.compile("Show acct", re.IGNORECASE)).click()
    expect(agent.page.get_by_text("Somebody else has to approve this")).to_be_visible()
    agent.page.get_by_role("button", name="Ask for approval").click()
    expect(agent.page.get_by_role("region", name="Asked of somebody else")).to_be_visible()

    asked.click()  # it appeared by itself
    expect(lead.page.get_by_text(customer(1)["acct"])).to_have_count(0)
    expect(lead.page.get_by_text(re.compile("•"))).to_be_visible()
    lead.page.get_by_role("button", name="Approve once").click()
    expect(lead.page.get_by_text("Approved: once")).to_be_visible()

    agent.page.goto(f"{faces.origin}/floor")
    expect(agent.page.get_by_role("region", name="What you asked for")).to_contain_text("granted")
    agent.go("/desk")
    agent.page.get_by_role("button", name="Show acct once").click()
    expect(agent.page.locator("#field-acct .value.clear")).to_be_visible()
    agent.page.goto(agent.page.url.rpartition("/show/")[0] or agent.page.url)
    expect(agent.page.get_by_role("button", name="Show acct once")).to_have_count(0)


def test_nobody_approves_their_own_and_a_stranger_finds_nothing(faces: Faces):
    faces.hire("F0003", Role.AGENT, Role.LEAD)
    faces.hire("F0004")
    own, stranger = faces.open(), faces.open()
    own.enrol("F0003")
    stranger.enrol("F0004")
    by = {"customer": {"by": {"phone": customer(2)["phone"]}}}
    faces.bank.events(
        faces.bank.event("connected", "CT-own", person="F0003", reason="dispute", **by)
    )
    own.go("/desk")
    own.expect("403", "404")
    own.page.get_by_role("button", name=re.compile("Show acct", re.IGNORECASE)).click()
    own.page.get_by_role("button", name="Ask for approval").click()
    expect(own.page.get_by_role("region", name="Asked of somebody else")).to_be_visible()
    own.go("/floor")
    waiting = own.page.get_by_role("region", name="Waits for you")
    expect(waiting.get_by_role("link", name=re.compile("F0003"))).to_have_count(0)
    ((ident,),) = faces.bank.sql(
        "SELECT id FROM approvals_request WHERE state = 'asked' ORDER BY id DESC LIMIT 1"
    )
    stranger.expect("404")
    seen = []
    for path in (f"/floor/approvals/{ident}", "/floor/approvals/apr_none"):
        stranger.go(path)
        seen.append(stranger.page.locator("main").inner_html())
    assert seen[0] == seen[1]
