"""No part of a contract changes without a word: what is not told is not approved by anybody."""

from __future__ import annotations

import dataclasses

import pytest

from holdfast.drills.bank.build import CONTRACT
from holdfast.spine.decision.changes import changes
from holdfast.spine.decision.contract import compile_contract
from holdfast.vocabulary.contract import (
    Approval,
    Budgets,
    Contract,
    ContractRule,
    PdpRule,
    Programme,
    Search,
    Verification,
)

BANK = compile_contract(CONTRACT)
#: Names, texts for readers and the contract's own tests: they decide nothing.
DECIDES_NOTHING = {"client", "name", "version", "digest", "clauses", "cases"}
OTHERWISE = {
    "queues": {},
    "reasons": dict(list(BANK.reasons.items())[:1]),
    "verification": Verification(needed=1),
    "search": Search(most_hits=99),
    "budgets": Budgets(customers_hour=999),
    "approval": Approval(roles=("agent",)),
    "networks": ("192.0.2.0/24",),
    "employers": ("vendor-7",),
    "client_key": "another",
    "grants": (Programme("another"),),
    "rules": (ContractRule("another", "deny", "a", "b"),),
    "freeze_exempt": frozenset({"dispute"}),
    "second_person": frozenset({"token"}),
    "actions": {},
    "exports": {},
    "pdp": (PdpRule("another", "permit", "invoice"),),
    "notify": {"customers": frozenset({"name"})},
}


@pytest.mark.parametrize("part", [one.name for one in dataclasses.fields(Contract)])
def test_every_part_that_decides_is_compared(part):
    if part in DECIDES_NOTHING:
        return
    assert getattr(BANK, part) != OTHERWISE[part], part
    after = dataclasses.replace(BANK, **{part: OTHERWISE[part]})
    assert changes(BANK, after), f"{part} changed, and nobody would be told"
    assert changes(after, BANK), f"{part} changed back, and nobody would be told"


def test_a_numbers_every_step_is_told():
    for area in ("budgets", "verification", "search", "approval"):
        before = getattr(BANK, area)
        for one in dataclasses.fields(before):
            value = getattr(before, one.name)
            if isinstance(value, int):
                other = (not value) if isinstance(value, bool) else value + 1
                changed = dataclasses.replace(before, **{one.name: other})
                after = dataclasses.replace(BANK, **{area: changed})
                assert changes(BANK, after), f"{area}.{one.name}"
