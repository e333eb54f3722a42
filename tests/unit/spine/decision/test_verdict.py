"""A verdict is never true or false, and a permit is made by the judge only."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from architecture.source import PACKAGE
from holdfast.spine.decision.verdict import Denial, NeedsApproval, Permit, StepUp
from holdfast.vocabulary.levels import Operation, Presentation
from support.judging import group, judged


@pytest.mark.parametrize("verdict", [Denial(()), StepUp(()), NeedsApproval(()), judged().permit])
def test_a_verdict_is_not_true_or_false(verdict):
    with pytest.raises(TypeError, match="match on its type"):
        bool(verdict)
    with pytest.raises(TypeError, match="match on its type"):
        all([verdict])


def test_a_permit_is_made_by_the_judge_only():
    with pytest.raises(TypeError, match="by the judge only"):
        Permit("bank-01", "cus_1", "accounts", Operation.REVEAL, {}, object())


def test_a_permit_does_not_come_back_from_bytes():
    with pytest.raises(TypeError, match="does not leave the process"):
        pickle.dumps(judged().permit)
    with pytest.raises(TypeError, match="does not leave the process"):
        copy.copy(judged().permit)


def test_a_permit_cannot_be_changed():
    permit = judged().permit
    with pytest.raises(AttributeError):
        permit.customer = "cus_2"
    with pytest.raises(TypeError):
        permit.fields["dob"] = Presentation.CLEAR
    with pytest.raises(ValueError, match="permit of a search"):
        permit.for_customer("cus_2")


def test_only_a_search_names_its_customer_later_and_once():
    masked = group("name", presentation=Presentation.MASKED)
    permit = judged(masked, operation=Operation.SEARCH, customer="").permit
    named = permit.for_customer("cus_2")
    assert named.customer == "cus_2"
    with pytest.raises(ValueError, match="permit of a search"):
        named.for_customer("cus_3")
    with pytest.raises(ValueError, match="permit of a search"):
        permit.for_customer("")


def test_a_permit_is_narrowed_not_widened():
    permit = judged(group("name"), group("phone", mask_required=True)).permit
    assert permit.masked(["name", "dob"]).fields == {"name": Presentation.MASKED}


def test_its_repr_names_no_customer():
    assert "cus_1" not in repr(judged().permit)


def test_permits_are_made_in_one_place():
    makers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "make_permit" in path.read_text() or "_MADE_BY_THE_JUDGE" in path.read_text()
    }
    assert makers == {"spine/decision/verdict.py", "spine/decision/judge.py"}


def test_replace_is_no_way_around_the_judge():
    # dataclasses.replace keeps the mark; what it takes is a permit to begin with, which names client and fields.
    permit = judged().permit
    assert replace(permit, customer="cus_1") == permit
