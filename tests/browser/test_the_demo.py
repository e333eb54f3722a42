"""`holdfast demo` as a newcomer meets it: one click to be anybody, and every screen lives."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from support.server import environment, free_ports

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.storage("sqlite", reason="the demo stands in files"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, serving, and its console's address."""
    home = tmp_path_factory.mktemp("demo") / "house"
    console, data = free_ports(2)
    ports = {"HOLDFAST_CONSOLE_PORT": str(console), "HOLDFAST_DATA_PLANE_PORT": str(data)}
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", "demo"],
        env=environment(home, **ports, XDG_STATE_HOME=str(home.parent / "state")),
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if "simulated shift is running" in line:
            break
    else:
        pytest.fail("".join(told))
    yield f"http://localhost:{console}"
    process.send_signal(signal.SIGINT)
    process.stdout.close()
    assert process.wait(30) in {0, -signal.SIGINT, 130}


@pytest.fixture
def page(demo, browser):
    context = browser.new_context(base_url=demo)
    opened = context.new_page()
    opened.goto("/")
    yield opened
    context.close()


def test_the_agents_call_opens_by_itself_and_a_field_is_shown(page):
    page.get_by_role("button", name=re.compile("Agent A0001")).click()
    expect(page).to_have_url(re.compile("/desk/bank-01/ct_"), timeout=30_000)
    expect(page.get_by_role("heading", name="The caller")).to_be_visible()


def test_everybody_is_one_click_away_and_lands_where_their_work_is(page):
    buttons = page.locator(".personas button")
    expect(buttons).to_have_count(6)
    for number in range(6):
        page.goto("/sign-in")
        buttons.nth(number).click()
        expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
        expect(page.locator("h1")).to_be_visible()
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(page).to_have_url(re.compile("/sign-in"))
