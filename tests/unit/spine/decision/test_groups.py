"""From the fields that a request names to the groups in which they are judged."""

from __future__ import annotations

import pytest

from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.groups import groups_of, hit_fields, may_search_by
from holdfast.vocabulary.levels import DataClass, Handling, Operation, Presentation
from support.judging import CONTRACT, policies, schema


def sorted_into(operation, *fields, reason="balance", known=True):
    found = groups_of(
        operation, policies().contract, schema() if known else None, fields, reason=reason
    )
    return {name: group for group in found for name in group.fields}, found


def test_fields_that_stand_and_fall_together_are_one_group():
    _, groups = sorted_into(Operation.REVEAL, "name", "acct", "phone", "balance", "name")
    assert [group.fields for group in groups] == [("name",), ("acct",), ("phone",), ("balance",)]
    _, groups = sorted_into(Operation.REVEAL, "acct", "papers", reason="kyc")
    assert len(groups) == 2


def test_a_field_is_asked_for_as_clear_as_it_can_ever_be_shown():
    by_name, _ = sorted_into(Operation.REVEAL, "name", "phone", "card", "maiden")
    assert by_name["name"].presentation is Presentation.CLEAR
    assert by_name["phone"].presentation is Presentation.MASKED  # by the contract, for this reason
    assert by_name["phone"].mask_required
    assert by_name["card"].presentation is Presentation.MASKED
    assert by_name["maiden"].handling is Handling.VERIFY_ONLY


def test_each_operation_has_its_own_field_set():
    inside = {
        operation: {
            name
            for name, group in sorted_into(operation, "name", "email", "dob", "acct")[0].items()
            if group.in_field_set
        }
        for operation in (Operation.REVEAL, Operation.UPDATE, Operation.VERIFY)
    }
    assert inside == {
        Operation.REVEAL: {"name", "acct"},
        Operation.UPDATE: {"email"},
        Operation.VERIFY: {"dob"},
    }


@pytest.mark.parametrize("operation", [Operation.REVEAL, Operation.UPDATE, Operation.VERIFY])
def test_a_field_that_does_not_exist_is_one_that_the_reason_does_not_need(operation):
    by_name, _ = sorted_into(operation, "nothing")
    assert not by_name["nothing"].in_field_set
    by_name, _ = sorted_into(operation, "name", known=False)
    assert not by_name["name"].in_field_set
    by_name, _ = sorted_into(operation, "name", reason="")
    assert not by_name["name"].in_field_set


def test_an_approval_is_asked_where_the_contract_says_so():
    by_name, _ = sorted_into(Operation.REVEAL, "papers", reason="kyc")
    assert by_name["papers"].approval_required


def test_a_field_changed_by_an_action_says_which():
    by_name, _ = sorted_into(Operation.UPDATE, "payout")
    assert by_name["payout"].by_action == "payout"
    assert sorted_into(Operation.REVEAL, "payout")[0]["payout"].by_action == ""


class TestSearch:
    def test_a_hit_shows_what_the_contract_says_masked(self):
        _, (group,) = sorted_into(Operation.SEARCH, "phone")
        assert group.fields == ("name",)
        assert group.presentation is Presentation.MASKED
        assert group.data_class is DataClass.C1
        assert group.in_field_set

    def test_without_a_word_of_the_contract_it_shows_the_basic_fields_of_the_reason(self):
        contract = compile_contract(CONTRACT.replace('shows.accounts = ["name"]', ""))
        assert hit_fields(contract, schema(), reason="balance") == ("name", "phone")
        assert hit_fields(contract, schema(), reason="nothing") == ()

    @pytest.mark.parametrize("field", ["email", "dob", "nothing", "balance"])
    def test_it_goes_by_named_and_indexed_fields_only(self, field):
        _, (group,) = sorted_into(Operation.SEARCH, field)
        assert not group.in_field_set
        assert not may_search_by(policies().contract, schema(), field)

    def test_a_collection_that_the_contract_does_not_name_is_searched_by_its_index(self):
        contract = compile_contract(CONTRACT.replace('by.accounts = ["phone", "acct"]', ""))
        assert may_search_by(contract, schema(), "phone")
        assert not may_search_by(contract, schema(), "email")
        assert not may_search_by(contract, None, "phone")

    def test_without_a_field_it_is_outside(self):
        _, (group,) = sorted_into(Operation.SEARCH)
        assert not group.in_field_set
