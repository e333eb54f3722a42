"""The comparison keeps its word: what it says a contract would have changed is what that contract does.

The same day is worked twice: once under the contract in force, whose decisions are then compared with another contract,
and once with that other contract in force from the start. Wherever the comparison told an answer, it is the one given.
"""

from __future__ import annotations

import re

import pytest

from holdfast.drills.bank.build import CLIENT, CONTRACT
from holdfast.procedures.protocols.services.diff import Asked, difference, since_us
from holdfast.spine.turn.answers import Refused
from holdfast.vocabulary.levels import Role
from support.bank import customer, new_bank
from support.freezing import acting, person, publish

RULE = """
[[rule]]
id = "balance-by-leads"
says = "Balances are for leads."
remedy = "Ask your lead."
operations = ["reveal"]
classes_from = "C2"
effect = "deny"
"""
TRIED = {
    "fields": ('"acct", "card"', '"card"'),
    "mask": ('id = "dispute"\n', 'id = "dispute"\nmasked.customers = ["acct", "name"]\n'),
    "approval": ('id = "dispute"\n', 'id = "dispute"\napproval.customers = ["phone"]\n'),
    "updates": ('updates.customers = ["email", "address"]', 'updates.customers = ["email"]'),
    "times": ('longest = "1 h"', 'longest = "3 min"'),
    "reasons": (
        'reasons = ["dispute", "contact-change", "card-lost"]',
        'reasons = ["card-lost", "dispute", "contact-change"]',
    ),
    "roles": ('roles = ["agent", "lead"]', 'roles = ["lead"]'),
    "rule": (None, RULE),
    "employers": (None, '[employers]\nallowed = ["vendor-7"]\n'),
    "networks": (None, '[networks]\nallowed = ["192.0.2.0/24"]\n'),
    "needed": ("needed = 2", "needed = 1"),
    "budget": (r"customers_hour = \d+", "customers_hour = 1"),
    "searches": (r"values_per_contact = \d+", "values_per_contact = 1"),
}


def changed(name):
    old, new = TRIED[name]
    if old is None:
        return CONTRACT + new
    text = re.sub(old if "\\d" in old else re.escape(old), lambda _: new, CONTRACT, count=1)
    assert text != CONTRACT, name
    return text


@pytest.fixture
def make(tmp_path):
    made = []

    def _make(name):
        bank = new_bank(tmp_path / name)
        made.append(bank)
        return bank

    yield _make
    for bank in made:
        bank.close()


def a_day(bank):
    """A day's work: each answer's decision, and what it came to, in order."""
    bank.connect()
    yield bank.reveal("C00001", ["name", "acct"])
    yield bank.reveal("C00001", ["name", "phone", "email"])
    yield bank.reveal("C00001", ["balance", "acct"])
    yield bank.reveal("C00002", ["name"])
    yield bank.reveal("C00001", ["name"], agent=bank.other)
    yield bank.verify("C00001", {"dob": customer(1)["dob"]})
    yield bank.update("C00001", {"email": "new@example.com", "address": "1 New Street"})
    bank.advance(60)
    bank.connect("CT-2", number=None, reason=None)
    yield bank.search(customer(2)["phone"], contact="CT-2")
    yield bank.search(customer(3)["phone"], contact="CT-2")
    yield bank.verify("C00002", {"dob": customer(2)["dob"]}, contact="CT-2")
    yield bank.reveal("C00002", ["name"], contact="CT-2")
    answers = {"dob": customer(2)["dob"], "postcode": customer(2)["postcode"]}
    yield bank.verify("C00002", answers, contact="CT-2")
    yield bank.reveal("C00002", ["name", "acct"], contact="CT-2")
    bank.advance(200)
    yield bank.reveal("C00002", ["name"], contact="CT-2")
    bank.connect("CT-3", number=3, reason="contact-change")
    yield bank.update("C00003", {"email": "third@example.com"}, contact="CT-3")
    yield bank.update("C00003", {"address": "3 New Street"}, contact="CT-3")
    bank.end("CT-3")
    yield bank.reveal("C00003", ["name"], contact="CT-3")


REFUSED = {"denied": "deny", "step_up_required": "step_up", "approval_required": "approval"}


def worked(bank):
    """The day's decisions with their outcomes; equal refusals within a minute are one decision (SPINE 23)."""
    return [
        (
            answer.decision,
            REFUSED[answer.code]
            if isinstance(answer, Refused)
            else getattr(answer, "outcome", "permit"),
        )
        for answer in a_day(bank)
    ]


@pytest.mark.parametrize("name", TRIED)
def test_what_is_told_is_what_happens(make, name):
    before, after = make("before"), make("after")
    publish(after, contract=changed(name))
    done, tried = worked(before), worked(after)
    reader = person(before, "S0001", house=(Role.SECURITY,), roles=())
    with acting(before, reader):
        asked = Asked(since_us(before.house, 1), 1, 100)
        found = difference(before.house, CLIENT, changed(name), asked)
    assert found.decisions == len({ident for ident, _ in done})
    assert found.otherwise_already == 0
    told = {ident: row.after for row in found.rows.values() for ident in row.examples}
    assert len(told) == found.changed
    assert found.changed or found.untold_decisions, "this contract changes nothing of the day"
    for (ident, was), (_, now) in zip(done, tried, strict=True):
        if ident in told:
            assert now == told[ident], (ident, was, now)
        elif not found.untold_decisions:
            assert now == was, ident
