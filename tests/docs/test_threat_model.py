"""The threat model names every adversary, says of each attempt what becomes of it, and its tests exist."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

import pytest

from architecture.source import ROOT
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.signals import Signal

PAGE = ROOT / "docs" / "explanation" / "threat-model.md"
ADVERSARIES = (
    "Agent",
    "Lead",
    "House administrator",
    "Database administrator",
    "Holder of root and signing key",
    "Vendor",
    "Client's user",
    "Outsider",
)
PROMISES = {"reason", "no more", "no thief", "check", "erased", "stop"}
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
WORDS = re.compile(r"(prevented|detected|not detected)\b")


def rows() -> list[tuple[str, str, str, str]]:
    """Adversary, attempt, promise and outcome of each line."""
    found = []
    for heading, body in re.findall(
        r"^## (.+?)$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    ):
        for line in body.splitlines():
            if line.startswith("| ") and not line.startswith(("| tries", "|---")):
                _, tries, promise, outcome, _ = re.split(r"\s*\|\s*", line, maxsplit=4)
                found.append((heading, tries, promise, outcome))
    return found


ROWS = rows()


@lru_cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    )


def test_every_adversary_has_a_table_and_nobody_else():
    assert tuple(dict.fromkeys(row[0] for row in ROWS)) == ADVERSARIES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1]}")
def test_each_attempt_says_what_becomes_of_it(row):
    _, tries, promise, outcome = row
    assert tries
    assert promise in PROMISES
    assert WORDS.match(outcome), outcome
    named = NAMED.findall(outcome)
    if outcome.startswith("prevented"):
        assert named, "what is prevented names its test"
    if outcome.startswith("detected"):
        assert re.match(r"detected(?: by [\w' ]+)?[,:;]", outcome), "by whom, and in what"
    for path, name in named:
        assert name in names_in(path), f"{path} has no {name}"


def test_the_lines_and_signals_that_it_names_exist():
    known = {kind.value for kind in LeafType} | {signal.value for signal in Signal}
    words = {word for *_, outcome in ROWS for word in re.findall(r"`([a-z]+\.[a-z_]+)`", outcome)}
    assert words
    assert words <= known


def test_every_promise_is_attacked():
    assert {row[2] for row in ROWS} == PROMISES


def test_every_kind_of_attack_is_named_somewhere():
    """A new kind of attack (the first word of its file's name) finds its adversary."""
    named = {_kind(path) for *_, outcome in ROWS for path, _ in NAMED.findall(outcome)}
    assert {_kind(path.name) for path in (ROOT / "tests" / "attacks").glob("test_*.py")} <= named


def _kind(path: str) -> str:
    return path.rpartition("/")[2].removeprefix("test_").partition("_")[0]
