"""What an approval covers: exactly what was approved, or less."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.spine.approvals.covering import SOMETHING_ELSE, Sought, uncovered
from holdfast.spine.approvals.requests import Request
from holdfast.spine.approvals.rules import Party
from holdfast.vocabulary.levels import ApprovalKind, ApprovalState, Presentation

CLEAR, MASKED, WITHHELD = Presentation.CLEAR, Presentation.MASKED, Presentation.WITHHELD
REQUEST = Request(
    id="apr_1",
    client="bank-01",
    clients=("bank-01",),
    kind=ApprovalKind.LOOK,
    state=ApprovalState.GRANTED,
    requester=Party("per_1"),
    operation="reveal",
    contact="ct_1",
    customer="cus_1",
    programme="cards",
    reason="dispute",
    collection="customers",
    record="",
    subject={"acct": "clear", "card": "masked"},
    policies="p1",
    decision="dec_1",
    digest=b"",
    salt=b"",
    summary={},
    created_us=0,
    expires_us=100,
    decided_by="per_2",
    decided_device="",
    decided_us=1,
    used_us=0,
    approver_active=True,
    requester_name="A1",
)
SOUGHT = Sought(
    kind=ApprovalKind.LOOK,
    operation="reveal",
    requester="per_1",
    client="bank-01",
    contact="ct_1",
    customer="cus_1",
    reason="dispute",
    collection="customers",
    policies="p1",
    fields={"acct": CLEAR, "card": MASKED},
)


def test_exactly_this():
    assert not uncovered(REQUEST, SOUGHT, 99)


@pytest.mark.parametrize(
    "fields", [{"acct": CLEAR}, {"acct": MASKED}, {"acct": WITHHELD, "card": WITHHELD}]
)
def test_less_than_this(fields):
    assert not uncovered(REQUEST, SOUGHT._replace(fields=fields), 99)


@pytest.mark.parametrize(
    "fields", [{}, {"card": CLEAR}, {"name": MASKED}, {"acct": CLEAR, "x": MASKED}]
)
def test_more_than_this(fields):
    assert uncovered(REQUEST, SOUGHT._replace(fields=fields), 99) == SOMETHING_ELSE


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("kind", ApprovalKind.ACT),
        ("operation", "update"),
        ("requester", "per_3"),
        ("client", "bank-02"),
        ("contact", "ct_2"),
        ("customer", "cus_2"),
        ("reason", "card-lost"),
        ("collection", "papers"),
    ],
)
def test_anything_else(name, other):
    assert uncovered(REQUEST, SOUGHT._replace(**{name: other}), 99) == SOMETHING_ELSE


ACT = msgspec.structs.replace(
    REQUEST,
    kind=ApprovalKind.ACT,
    operation="act",
    subject={":action": "reset", ":target": "crm"},
)
ACTING = SOUGHT._replace(
    kind=ApprovalKind.ACT,
    operation="act",
    fields={},
    about={":action": "reset", ":target": "crm"},
)


def test_an_act():
    assert not uncovered(ACT, ACTING, 99)


@pytest.mark.parametrize(
    "change",
    [
        {"about": {":action": "payout", ":target": "crm"}},
        {"about": {":action": "reset", ":target": "bank"}},
        {"about": {}},
        {"fields": {"acct": MASKED}},
    ],
)
def test_another_act(change):
    assert uncovered(ACT, ACTING._replace(**change), 99) == SOMETHING_ELSE


@pytest.mark.parametrize(
    ("fields", "covered"),
    [({"dob", "zip"}, True), ({"dob"}, False), ({"dob", "zip", "pin"}, False)],
)
def test_an_attempt_to_verify_is_for_exactly_its_fields(fields, covered):
    subject = dict.fromkeys(("dob", "zip"), "withheld")
    kind = {"kind": ApprovalKind.ATTEMPT, "operation": "verify"}
    request = msgspec.structs.replace(REQUEST, subject=subject, **kind)
    sought = SOUGHT._replace(fields=dict.fromkeys(fields, WITHHELD), **kind)
    assert uncovered(request, sought, 50) == ("" if covered else SOMETHING_ELSE)


def test_none():
    assert uncovered(None, SOUGHT, 99) == SOMETHING_ELSE


def test_another_contract():
    word = "the contract was changed since it was approved"
    assert uncovered(REQUEST, SOUGHT._replace(policies="p2"), 99) == word


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (ApprovalState.ASKED, "the approval is not decided yet"),
        (ApprovalState.REFUSED, "the approval was refused"),
        (ApprovalState.USED, "the approval is used"),
    ],
)
def test_another_state(state, word):
    assert uncovered(msgspec.structs.replace(REQUEST, state=state), SOUGHT, 99) == word


def test_too_late():
    assert uncovered(REQUEST, SOUGHT, 100) == "the approval has lapsed"


def test_an_approver_who_is_no_longer_active():
    gone = msgspec.structs.replace(REQUEST, approver_active=False)
    assert uncovered(gone, SOUGHT, 99) == "its approver may approve no longer"


def test_a_presentation_that_does_not_exist_approves_nothing():
    odd = msgspec.structs.replace(REQUEST, subject={"acct": "everything"})
    assert uncovered(odd, SOUGHT._replace(fields={"acct": MASKED}), 99) == SOMETHING_ELSE
