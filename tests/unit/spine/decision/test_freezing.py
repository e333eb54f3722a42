"""Whether a client is open: one place derives it, from the client's row and the time."""

from __future__ import annotations

from contextlib import closing

import pytest

from holdfast.kit.errors import Denied, InvalidInput
from holdfast.spine.decision.changes import changes
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.freezing import (
    NO_CLIENT,
    UNTIL_LIFTED_US,
    Standing,
    by_exemption,
    client_fact,
    require_open,
    until,
)
from support.judging import CONTRACT
from support.stores import NOON_US, SmallHouse, raw

FROZEN = Standing("open", NOON_US)


def test_a_freeze_ends_at_its_very_moment():
    assert not FROZEN.is_open(NOON_US - 1)
    assert FROZEN.is_open(NOON_US)
    assert FROZEN.word(NOON_US - 1) == "frozen"
    assert FROZEN.word(NOON_US) == "open"


def test_the_fact_says_until_when():
    fact = client_fact(FROZEN, NOON_US - 1)
    assert (fact.met, fact.value) == (False, "frozen until 2026-11-23T12:00:00Z")
    doubted = client_fact(FROZEN, NOON_US - 1, now_us=NOON_US + 1)
    assert "confirmed the machine's clock" in doubted.value, "no time that is over"
    fact = client_fact(Standing("open", UNTIL_LIFTED_US), NOON_US)
    assert (fact.met, fact.value) == (False, "frozen until the client lifts it")
    assert until(Standing("open", UNTIL_LIFTED_US)) == ""


def test_an_exemption_lifts_a_freeze_and_nothing_else():
    assert by_exemption(client_fact(FROZEN, NOON_US - 1, exempt=True))
    assert client_fact(FROZEN, NOON_US - 1, exempt=True).met
    assert not by_exemption(client_fact(FROZEN, NOON_US, exempt=True))
    closed = client_fact(Standing("closed", NOON_US), NOON_US - 1, exempt=True)
    assert (closed.met, closed.value) == (False, "closed")
    assert not client_fact(NO_CLIENT, NOON_US, exempt=True).met


def test_what_is_no_look_is_refused_too(tmp_path):
    with closing(SmallHouse(tmp_path / "house")) as house:
        raw(
            house.data,
            "INSERT INTO decision_client VALUES ('bank-01', 'B', 'open', 1, 1, 1, 'per_1', '', 'drill', ?, 1)",
            (NOON_US,),
        )
        with pytest.raises(Denied, match="frozen until") as refused:
            house.read(require_open("bank-01", NOON_US - 1))
        assert refused.value.code == "client_frozen"
        house.read(require_open("bank-01", NOON_US))
        house.read(require_open("bank-99", NOON_US))
        raw(house.data, "UPDATE decision_client SET state = 'closed'")
        with pytest.raises(Denied, match="closed"):
            house.read(require_open("bank-01", NOON_US))


def test_the_contract_exempts_reasons_that_it_has():
    text = CONTRACT + '[freeze]\nexempt_reasons = ["kyc"]\n'
    contract = compile_contract(text)
    assert contract.freeze_exempt == {"kyc"}
    assert compile_contract(CONTRACT).freeze_exempt == frozenset()
    with pytest.raises(InvalidInput, match='"kyd" is not defined'):
        compile_contract(text.replace('["kyc"]', '["kyd"]'))
    with pytest.raises(InvalidInput, match="exempt"):
        compile_contract(text.replace("exempt_reasons", "exempt"))


def test_another_exempt_reason_is_wider():
    before = compile_contract(CONTRACT)
    after = compile_contract(CONTRACT + '[freeze]\nexempt_reasons = ["kyc"]\n')
    assert [(c.kind, c.where) for c in changes(before, after)] == [
        ("wider", "freeze.exempt_reasons")
    ]
    assert [c.kind for c in changes(after, before)] == ["narrower"]
