"""Actions and exports of a contract: what is refused, and what a new version changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.kit.errors import InvalidInput
from holdfast.spine.decision.changes import changes
from holdfast.spine.decision.contract import compile_contract
from support.judging import CONTRACT, schema

# public keys that nobody has a private half of any more; fixed, because tests are named by them
KEY = "MCowBQYDK2VuAyEABSijAiivUUVts00HnnTnL+wH3oc4qLwnv/cZHQs2xVg="
OTHER = "MCowBQYDK2VuAyEARA91XXV2Q6oKlcFlQ/0lBt+IIJS9r8qyWkfjDjg3MTk="
ACTION = """
[[action]]
id = "payout"
reasons = ["balance"]
proof = { matches = 2, fields = ["dob", "maiden"] }
changes.accounts = ["payout"]
targets = ["crm"]
"""
EXPORT = """
[[export]]
id = "review"
fields.accounts = ["name", "phone"]
masked.accounts = ["phone"]
recipients = [{ id = "dpo", key = "KEY" }]
reasons = ["audit"]
rows_at_most = 10
""".replace("KEY", KEY)


def compiled(text):
    schemas = {"accounts": schema(), "papers": replace(schema(), name="papers")}
    return compile_contract(CONTRACT + text, schemas)


def test_defaults_are_the_strict_ones():
    action = compiled(ACTION).actions["payout"]
    assert (action.level.name, action.per_customer_day, action.approval) == ("STEP_UP", 1, False)


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('reasons = ["balance"]', 'reasons = ["holiday"]', "action[1].reasons"),
        ('reasons = ["balance"]\n', "", "action[1].reasons"),
        ("matches = 2", "matches = 3", "action[1].proof.matches"),
        ('"dob", "maiden"', '"dob", "shoe"', "action[1].proof.fields"),
        ('= ["payout"]', '= ["acct"]', "action[1].changes.accounts"),
        ('= ["payout"]', '= ["nothing"]', "action[1].changes.accounts"),
        ("changes.accounts", "changes.people", "action[1].changes.people"),
        ('id = "payout"', 'id = "change"', "action[1].changes.accounts"),
        ('id = "payout"', 'id = "Pay out"', "action[1].id"),
        ('targets = ["crm"]', "level = 'owner'", "action[1].level"),
        ('targets = ["crm"]', "approval = 'yes'", "action[1].approval"),
        ('targets = ["crm"]', "target = 'crm'", "action[1].target"),
    ],
)
def test_an_action_that_means_nothing_is_refused_with_its_key(before, after, field):
    with pytest.raises(InvalidInput) as error:
        compiled(ACTION.replace(before, after))
    assert error.value.field == field


def test_a_second_action_of_the_same_name():
    with pytest.raises(InvalidInput, match="second action"):
        compiled(ACTION + ACTION)


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('"name", "phone"', '"name", "dob"', "export[1].masked"),
        ('["name", "phone"]\nmasked.accounts = ["phone"]', '["dob"]', "export[1].fields.accounts"),
        ('"name", "phone"', '"nothing", "phone"', "export[1].fields.accounts"),
        (KEY, "bm8ga2V5", "export[1].recipients[1].key"),
        (f'[{{ id = "dpo", key = "{KEY}" }}]', "[]", "export[1].recipients"),
        ("rows_at_most = 10", "rows_at_most = 0", "export[1].rows_at_most"),
        ("rows_at_most = 10", "", "export[1].rows_at_most"),
        ("rows_at_most = 10", "rows_at_most = 9\nhours = 1000", "export[1].hours"),
    ],
)
def test_an_export_that_means_nothing_is_refused_with_its_key(before, after, field):
    assert before in EXPORT
    with pytest.raises(InvalidInput) as error:
        compiled(EXPORT.replace(before, after))
    assert error.value.field == field


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("matches = 2", "matches = 1", "wider"),
        ('"dob", "maiden"', '"dob", "maiden", "passport"', "wider"),
        ('targets = ["crm"]', 'targets = ["crm"]\napproval = true', "narrower"),
        ('targets = ["crm"]', 'targets = ["crm"]\nlevel = "bearer"', "wider"),
        ('targets = ["crm"]', 'targets = ["crm"]\nper_customer_day = 2', "wider"),
        ('targets = ["crm"]', 'targets = ["crm", "erp"]', "wider"),
        ("changes.accounts = ", "changes.accounts = [] # ", "narrower"),
        ("rows_at_most = 10", "rows_at_most = 20", "wider"),
        (KEY, OTHER, "wider"),
        ('masked.accounts = ["phone"]', "", "wider"),
        ('["audit"]', '["audit", "sale"]', "wider"),
        ("rows_at_most = 10", "rows_at_most = 10\nhours = 1", "narrower"),
    ],
)
def test_a_change_says_whether_more_is_possible(before, after, kind):
    text = ACTION + EXPORT
    assert before in text
    found = changes(compiled(text), compiled(text.replace(before, after)))
    assert {change.kind for change in found} == {kind}
    back = changes(compiled(text.replace(before, after)), compiled(text))
    other = {"wider": "narrower", "narrower": "wider"}[kind]
    assert {change.kind for change in back} == ({other} if before != KEY else {"wider"})
