"""One list of bundles, good and bad: `holdfast verify` and the page in the bundle judge each of them alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.page import verifier_script
from holdfast.spine.ledger.verify import Given, verify_bundle
from holdfast.spine.ledger.verify.history import UserMemory
from support.stores import NOON_US
from support.verdicts import FILE, content, lay_out, made

DRIVER = Path(__file__).parents[3] / "support" / "verifier.js"
NODE = shutil.which("node")
COMMITTED = json.loads(FILE.read_text())
NAMES = [case["name"] for case in COMMITTED["cases"]]


@pytest.fixture(scope="module")
def today():
    """What the code signs and lays out today, beside what it did when the file was written."""
    return made()


def by_the_command(book, case, folder):
    lay_out(book, case, folder)
    try:
        given = Given(
            UserMemory(folder.parent / "state"),
            NOON_US,
            tuple(parse_vkey(book["keys"].get(key, key)) for key in case["keys"]),
            content(case["since"]) if case["since"] is not None else None,
            [(file, content(text)) for file, text in case["answers"].items()],
        )
        report = verify_bundle(folder, given)
    except InvalidInput:
        return {"outcome": "bad_input", "codes": []}
    return judged(report.as_data())


def by_the_page(book, tmp_path):
    (tmp_path / "book.json").write_text(json.dumps(book))
    (tmp_path / "page.js").write_text(verifier_script())
    words = [
        NODE,
        str(DRIVER),
        str(tmp_path / "page.js"),
        "book",
        json.dumps(str(tmp_path / "book.json")),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    reports = json.loads(done.stdout)
    return [
        {"outcome": "bad_input", "codes": []} if "badInput" in one else judged(one)
        for one in reports
    ]


def judged(report):
    return {
        "outcome": report["outcome"],
        "codes": sorted({finding["code"] for finding in report["findings"]}),
        "receipts": [one["promise"] for one in report["receipts"]],
        "certificates": [one["accepted"] for one in report["certificates"]],
    }


def differing(expected, found):
    return {
        name: (found.get(name), told) for name, told in expected.items() if found.get(name) != told
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_command_gives_each_bundle_its_verdict(name, tmp_path):
    case = COMMITTED["cases"][NAMES.index(name)]
    (tmp_path / "bundle").mkdir()
    found = by_the_command(COMMITTED, case, tmp_path / "bundle")
    assert not differing(case["expect"], found)


def test_what_the_code_makes_today_gets_the_same_verdicts(today, tmp_path):
    assert [case["name"] for case in today["cases"]] == NAMES, "run `python -m support.verdicts`"
    for number, (case, committed) in enumerate(
        zip(today["cases"], COMMITTED["cases"], strict=True)
    ):
        assert case["expect"] == committed["expect"]
        folder = tmp_path / str(number) / "bundle"
        folder.mkdir(parents=True)
        assert not differing(case["expect"], by_the_command(today, case, folder)), case["name"]


@pytest.mark.skipif(NODE is None, reason="node is not installed: the page's script cannot run here")
def test_the_page_gives_each_bundle_the_same_verdict(today, tmp_path):
    wrong = {}
    for book in (COMMITTED, today):
        for case, found in zip(book["cases"], by_the_page(book, tmp_path), strict=True):
            odd = differing(case.get("page", case["expect"]), found)
            if odd:
                wrong[case["name"]] = odd
    assert not wrong


def test_the_page_says_otherwise_only_where_it_lacks_the_means():
    """What is in the list twice is a promise of the docs: no ML-DSA in a browser."""
    apart = [case["name"] for case in COMMITTED["cases"] if "page" in case]
    assert len(apart) == 3
    assert all("ML-DSA" in name for name in apart)
