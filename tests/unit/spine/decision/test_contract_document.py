"""docs/reference/contract.md does what it says: its example passes its tests, its tables are the code's."""

from __future__ import annotations

import re

import pytest

from architecture.source import ROOT
from holdfast.spine.decision.cases import run_cases
from holdfast.spine.decision.contract import compile_contract, read_contract
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.decision.toml import Document
from holdfast.spine.vault.schema import compile_schema

PAGE = (ROOT / "docs" / "reference" / "contract.md").read_text()
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
CUSTOMERS = """
owner = "Data protection"
customer_ref = "customer_no"
record_key = "customer_no"
region = "PH"
[fields]
customer_no = { type = "account", class = "C2", handling = "clear", required = true }
name = { type = "name", class = "C1", handling = "clear", mask = "name" }
phone = { type = "phone", class = "C1", handling = "clear", index = "search", mask = "phone" }
email = { type = "email", class = "C1", handling = "clear", mask = "email" }
acct = { type = "account", class = "C2", handling = "clear", index = "search", mask = "account" }
card = { type = "card", class = "C3", handling = "reference", mask = "card" }
balance = { type = "decimal", class = "C3", handling = "clear" }
dob = { type = "date_of_birth", class = "C3", handling = "verify_only" }
maiden = { type = "text", class = "C3", handling = "verify_only" }
"""
PAPERS = """
owner = "Data protection"
customer_ref = "customer_no"
record_key = "customer_no"
[fields]
customer_no = { type = "account", class = "C2", handling = "clear", required = true }
passport = { type = "national_id", class = "C3", handling = "clear", mask = "national_id" }
"""


@pytest.fixture(scope="module")
def schemas():
    texts = {"customers": CUSTOMERS, "papers": PAPERS}
    return {name: compile_schema(text, name=name) for name, text in texts.items()}


def test_the_example_compiles_with_every_field_looked_up(schemas):
    contract = compile_contract(EXAMPLE, schemas)
    assert contract.client == "bank-01"
    assert contract.client_key


def test_the_examples_own_tests_pass(schemas):
    results = run_cases(compile_policies(compile_contract(EXAMPLE, schemas)), schemas)
    assert len(results) == 8
    assert [(r.case.name, r.found, r.rules) for r in results if not r.passed] == []


def documented() -> set[str]:
    """Keys of the tables, under the heading's section: ``queue.wrap_up``."""
    keys = set()
    for heading, body in re.findall(r"^### (.*?)$(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL):
        sections = re.findall(r"\[+(\w+)\]+", heading)
        for cell in re.findall(r"^\| (`.*?) \|", body, re.MULTILINE):
            for key in re.findall(r"`([\w.]+)`", cell):
                keys.add(key if len(sections) > 1 else f"{sections[0]}.{key}")
    return keys


def read() -> set[str]:
    """Keys that the reader knows."""
    document = Document(EXAMPLE, what="contract.toml")
    read_contract(document, EXAMPLE, None)
    paths = {tuple(re.sub(r"\[\d+\]", "", part) for part in path) for path in document.asked}
    # One level below a section; what follows is the name of a collection, or of a rule in [clauses].
    return {".".join(path) for path in paths if len(path) == 2 and path[0] != "clauses"}


def test_every_key_is_documented_and_every_documented_key_is_read():
    assert documented() == read()


def test_the_example_uses_every_section():
    document = Document(EXAMPLE, what="contract.toml")
    read_contract(document, EXAMPLE, None)
    assert {path[0] for path in document.asked if len(path) == 1} == set(document.data)
