"""A client opens `verifier.html` in a real browser, chooses the folder and reads the verdict. Nobody else is asked."""

from __future__ import annotations

import json

import pytest

from holdfast.spine.ledger.page import verifier_page
from support.browser import Browser, needs_browser
from support.verdicts import FILE, content, lay_out

pytestmark = [pytest.mark.slow, needs_browser]
BOOK = json.loads(FILE.read_text())
CASES = {case["name"]: case for case in BOOK["cases"]}
LOOKS = [(1200, False), (1200, True), (390, False), (390, True)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def laid_out(folder, name):
    """The bundle of a case, as a client unpacks it, with the page in it; and the answers beside it."""
    case = CASES[name]
    bundle = folder / "bundle"
    lay_out(BOOK, case, bundle)
    (bundle / "verifier.html").write_bytes(verifier_page())
    answers = []
    for file, text in case["answers"].items():
        answers.append(folder / file)
        answers[-1].write_bytes(content(text))
    return bundle, answers, [BOOK["keys"].get(key, key) for key in case["keys"]]


def verify(browser, folder, name):
    bundle, answers, keys = laid_out(folder, name)
    browser.open(bundle / "verifier.html")
    browser.choose("folder", bundle)
    pasted = json.dumps("\n".join(keys))
    browser.run(f"document.getElementById('keys').value = {pasted}")
    if answers:
        browser.choose("answers", *answers)
    browser.run("document.querySelector('#choose button').click()")
    browser.wait(
        f"{shown('progress')} === null && ({shown('verdict-title')} || {shown('problem')})"
    )
    return {
        part: browser.run(shown(part))
        for part in ("verdict-title", "findings", "receipts", "certificates", "problem")
    }


def shown(part):
    """The text of a part of the page, or null when nobody sees it."""
    return (
        f"(() => {{ const it = document.getElementById('{part}');"
        " return it.checkVisibility() ? it.innerText : null; })()"
    )


@pytest.mark.parametrize(
    ("name", "verdict", "part", "text"),
    [
        ("an honest log", "Authentic", "", ""),
        ("an honest log without a key", "Consistent with itself, not authenticated", "", ""),
        ("an edited leaf", "Broken", "findings", "edited_leaf"),
        ("a forged Ed25519 line", "Broken", "findings", "bad_signature"),
        ("a receipt: kept", "Authentic", "receipts", "Kept"),
        ("a receipt: not due", "Authentic", "receipts", "Not yet due"),
        ("a receipt: broken", "Broken promise", "receipts", "Broken promise"),
        ("a receipt: by a stranger", "Broken", "findings", "forged_receipt"),
        ("a certificate: of one kept under a hold", "Authentic", "certificates", "Accepted"),
        ("a certificate: of a client", "Authentic", "certificates", "Accepted"),
        ("a certificate: of a client, not done", "Broken", "certificates", "Not accepted"),
    ],
)
def test_a_folder_that_is_chosen_gets_its_verdict(browser, tmp_path, name, verdict, part, text):
    found = verify(browser, tmp_path, name)
    assert found["verdict-title"] == verdict
    assert not found["problem"]
    if part:
        assert text in found[part]
    else:
        assert found["receipts"] is None
        assert found["certificates"] is None
    assert not browser.complaints()


def test_a_mistyped_key_is_a_question_to_the_reader_and_no_verdict(browser, tmp_path):
    found = verify(browser, tmp_path, "half a key")
    assert "key" in found["problem"]
    assert found["verdict-title"] is None


def test_a_leaf_is_proven_by_pressing_its_number(browser, tmp_path):
    verify(browser, tmp_path, "a log of two bundles")
    browser.run("document.querySelector('#leaves button').click()")
    browser.wait(shown("proof"))
    assert "In the log: 9 hashes lead" in browser.run(shown("proof-verdict"))
    browser.run("document.getElementById('later').click()")
    browser.wait(f"{shown('range')}.startsWith('Leaves 50 to 99')")
    assert not browser.complaints()


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_nothing_runs_off_the_screen_and_all_text_stands_out(browser, tmp_path, width, dark):
    browser.resize(width, dark=dark)
    for name in ("a receipt: broken", "a certificate: of one kept under a hold"):
        verify(browser, tmp_path / name, name)
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        assert not browser.run(FAINT)


#: Visible texts whose contrast against what is behind them is under 4.5 (WCAG 2.2, 1.4.3).
FAINT = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parts(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (it) => {
    const colour = getComputedStyle(it).backgroundColor;
    return parts(colour)[3] === 0 ? behind(it.parentElement) : colour;
  };
  return [...document.querySelectorAll("body *")].filter((it) => {
    const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !it.checkVisibility() || it.disabled) return false;
    const [one, other] = [light(getComputedStyle(it).color), light(behind(it))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05) < 4.5;
  }).map((it) => it.outerHTML.slice(0, 80)).join();
})()"""
