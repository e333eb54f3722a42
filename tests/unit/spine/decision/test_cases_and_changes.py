"""A contract's own tests, and what a new version changes."""

from __future__ import annotations

import pytest

from holdfast.spine.decision.cases import run_cases
from holdfast.spine.decision.changes import changes
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.policies import compile_policies
from support.judging import CONTRACT, schema

CASE = """
[[test]]
name = "t"
queue = "cards"
collection = "accounts"
"""


def outcome(extra):
    policies = compile_policies(compile_contract(CONTRACT + CASE + extra))
    (result,) = run_cases(policies, {"accounts": schema()})
    return result


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("fields = ['name']", "permit"),
        ("fields = ['phone', 'card']", "masked"),
        ("fields = ['name', 'phone']", "masked and permit"),
        ("fields = ['balance']", "step_up"),
        ("fields = ['balance']\nlevel = 'step_up'", "permit"),
        ("fields = ['email']", "deny"),
        ("fields = ['papers']\nreason = 'kyc'", "approval"),
        ("fields = ['name']\nunmet = ['contact_live']", "hidden"),
        ("fields = ['name']\nroles = ['auditor']", "hidden"),
        ("fields = ['name']\nunknown = ['network']", "step_up"),
        ("fields = ['email']\noperation = 'update'", "permit"),
        ("fields = ['dob']\noperation = 'verify'", "permit"),
        ("fields = ['dob']\noperation = 'verify'\nunmet = ['verify_day']", "approval"),
        ("fields = ['phone']\noperation = 'search'", "permit"),
        ("fields = ['email']\noperation = 'search'", "deny"),
        ("operation = 'reason'\nunmet = ['reason_not_wider']", "step_up"),
    ],
)
def test_a_case_is_judged_as_a_request_would_be(case, found):
    expect = found if " " not in found else "permit"
    result = outcome(f"expect = '{expect}'\n{case}")
    assert result.found == found
    assert result.passed is (" " not in found)


def test_a_case_can_name_the_rule_that_it_expects():
    assert outcome("expect='deny'\nfields=['email']\nbecause='field.set'").passed
    assert not outcome("expect='deny'\nfields=['email']\nbecause='field.change'").passed


def test_a_case_about_a_collection_that_is_not_there_yet_is_skipped():
    policies = compile_policies(
        compile_contract(CONTRACT + CASE + "expect='permit'\nfields=['name']")
    )
    (result,) = run_cases(policies, {})
    assert result.skipped
    assert not result.passed


@pytest.mark.parametrize(
    ("old", "new", "kind", "where"),
    [
        ('"name", "phone", "acct"', '"name", "phone", "acct", "email"', "wider", "reason balance, fields.accounts"),
        ('"card", "balance", "maiden"', '"balance", "maiden"', "narrower", "reason balance, fields.accounts"),
        ('masked.accounts = ["phone"]', "", "wider", "reason balance, masked.accounts"),
        ('approval.accounts = ["papers"]', "", "wider", "reason kyc, approval.accounts"),
        ('roles = ["lead"]', 'roles = ["lead", "agent"]', "wider", "programme fraud, roles"),
        ("needed = 2", "needed = 1", "wider", "verification.needed"),
        ("needed = 2", "needed = 3", "narrower", "verification.needed"),
        ("[search]", "[search]\nmost_hits = 3", "narrower", "search.most_hits"),
        ('by.accounts = ["phone", "acct"]', "", "wider", "search.by.accounts"),
        ("[search]", "[networks]\nallowed = ['10.0.0.0/8']\n[search]", "narrower", "networks"),
        ("[search]", "[employers]\nallowed = ['house']\n[search]", "narrower", "employers"),
        ("[search]", "[budgets]\ncustomers_day = 900\n[search]", "wider", "budgets.customers_day"),
        ('id = "papers-by-leads"', 'id = "papers-by-lead"', "wider", "rule"),
        ('except_roles = ["lead"]', "", "other", "rule papers-by-leads"),
        ('reasons = ["kyc"]', 'reasons = ["kyc", "balance"]', "wider", "queue alerts, reasons"),
        ('id = "cards"', 'id = "cards"\nwrap_up = "1 min"', "narrower", "queue cards, wrap_up"),
    ],
)  # fmt: skip
def test_a_change_is_told_as_wider_or_narrower(old, new, kind, where):
    assert old in CONTRACT
    before, after = compile_contract(CONTRACT), compile_contract(CONTRACT.replace(old, new, 1))
    assert (kind, where) in {(change.kind, change.where) for change in changes(before, after)}


def test_no_change_is_none():
    contract = compile_contract(CONTRACT)
    assert changes(contract, compile_contract(CONTRACT + "\n# a remark\n")) == ()


def test_what_is_wider_is_told_first():
    narrower = CONTRACT.replace('"card", "balance"', '"balance"').replace(
        "needed = 2", "needed = 1"
    )
    kinds = [c.kind for c in changes(compile_contract(CONTRACT), compile_contract(narrower))]
    assert kinds == ["wider", "narrower"]
