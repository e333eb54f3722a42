"""Every page: clean for assistive technology, usable at 320 pixels, without scripts, and within its own policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from holdfast.vocabulary.levels import Role

pytestmark = [pytest.mark.server, pytest.mark.slow]
AXE = (Path(__file__).parents[1] / "vendor" / "axe-4.14.1.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Pages by the role of who opens them; what a page needs is set up once for the module.
PAGES = {
    "": ["/sign-in", "/none"],
    "agent": ["/desk?list", "/account", "/account/passkeys/add", "CONTACT"],
    "admin": ["/people", "/people/add", "/people/import", "PERSON"],
}


@pytest.fixture(scope="module")
def people(served, browser):
    """A signed-in browser for each role that pages name, and the agent's contact."""
    from support.faces import Faces

    faces = Faces(served, browser)
    faces.hire("Q0001", Role.AGENT)
    faces.hire("Q0002", Role.LEAD)
    faces.hire("Q0003", Role.ADMIN)
    opened = {"": faces.open()}
    for role, staff_id in (("agent", "Q0001"), ("lead", "Q0002"), ("admin", "Q0003")):
        opened[role] = faces.open()
        opened[role].enrol(staff_id)
    served.events(
        served.event(
            "connected",
            "CT-quality",
            person="Q0001",
            reason="dispute",
            customer={"by": {"phone": "+12025550101"}},
        )
    )
    yield opened
    for face in opened.values():
        face.page.context.close()


def go(people, role, path):
    face = people[role]
    if path == "CONTACT":
        face.go("/desk")
        expect(face.page).to_have_url(re.compile("/desk/bank-01/"))
    elif path == "PERSON":
        face.go("/people?text=Q0001")
        face.page.get_by_role("link", name="Q0001").click()
    else:
        face.go(path)
    return face.page


EACH = [(role, path) for role, paths in PAGES.items() for path in paths]


@pytest.mark.parametrize(("role", "path"), EACH)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_no_fault(people, role, path, scheme):
    page = go(people, role, path)
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AXE)
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(v => "
        "[v.id, v.nodes.map(n => n.html.slice(0, 120))]))",
        TAGS,
    )
    assert found == []


@pytest.mark.parametrize(("role", "path"), EACH)
@pytest.mark.parametrize("width", [320, 3840])
def test_nothing_is_cut_off_or_scrolls_sideways(people, role, path, width):
    page = go(people, role, path)
    page.set_viewport_size({"width": width, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert wide <= width


@pytest.mark.parametrize(("role", "path"), EACH)
def test_everything_is_reached_by_the_keyboard_and_shows_where_it_is(people, role, path):
    page = go(people, role, path)
    wanted = page.locator("main a:visible, main button:visible, main input:visible").count()
    seen = set()
    for _ in range(wanted + 30):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.closest('main') !== null && e.id !== 'main', e.outerHTML.slice(0, 200), s.outlineStyle,"
            " [...document.querySelectorAll('*')].indexOf(e)]; }"
        )
        if at[0]:
            assert at[2] != "none", at[1]
            seen.add(at[3])
    assert len(seen) >= wanted
