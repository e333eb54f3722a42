"""Independence, limits and lapse, as pure rules."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import DAY_US, MINUTE_US
from holdfast.spine.approvals.rules import (
    Party,
    Share,
    decide_by_us,
    dependence,
    use_by_us,
)
from holdfast.vocabulary.levels import ApprovalKind

ASKER = Party("per_1", "desk-1", "crd_1")


@pytest.mark.parametrize(
    ("approver", "why"),
    [
        (Party("per_1", "desk-2", "crd_2"), "same_person"),
        (Party("per_2", "desk-2", "crd_1"), "same_credential"),
        (Party("per_2", "desk-1", "crd_2"), "same_device"),
        (Party("per_2", "desk-2", "crd_2"), ""),
        (Party("per_2"), ""),
    ],
)
def test_independence(approver, why):
    assert dependence(ASKER, approver) == why


def test_what_is_not_known_equals_nothing():
    assert not dependence(Party("per_1"), Party("per_2"))


@pytest.mark.parametrize(
    ("above_asker", "above_approver"), [({"per_2", "per_9"}, ()), ((), {"per_1"})]
)
def test_a_line_counts_where_the_contract_says_so(above_asker, above_approver):
    lines = {"requester_line": above_asker, "approver_line": above_approver}
    other = Party("per_2", "desk-2", "crd_2")
    assert dependence(ASKER, other, other_line=True, **lines) == "same_line"
    assert not dependence(ASKER, other, other_line=False, **lines)


def test_two_under_one_lead_are_of_different_lines():
    lines = {"requester_line": {"per_9"}, "approver_line": {"per_9"}}
    assert not dependence(ASKER, Party("per_2"), other_line=True, **lines)


@pytest.mark.parametrize("kind", [ApprovalKind.LOOK, ApprovalKind.ACT, ApprovalKind.GLASS])
def test_a_look_has_fifteen_minutes_from_asking_to_use(kind):
    assert decide_by_us(kind, 7) == 7 + 15 * MINUTE_US
    assert use_by_us(kind, 7, 7 + 10 * MINUTE_US) == 7 + 15 * MINUTE_US


def test_administration_has_a_day_each():
    kind = ApprovalKind.ADMINISTER
    assert decide_by_us(kind, 7) == 7 + DAY_US
    assert use_by_us(kind, 7, 1000) == 1000 + DAY_US


@pytest.mark.parametrize(
    ("pair", "total", "odd"), [(3, 3, False), (2, 4, True), (2, 5, False), (4, 4, True)]
)
def test_a_share_is_odd_from_half_of_four(pair, total, odd):
    assert Share(pair, total).odd is odd


def test_no_approvals_have_no_share():
    assert Share(0, 0).percent == 0
