"""A contract is read strictly: what it does not know it refuses, and says where."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.policies import MOST_POLICIES, compile_policies
from support.judging import CONTRACT, schema

SMALLEST = """
[client]
id = "bank-01"
[[programme]]
id = "retail"
[[queue]]
id = "cards"
programme = "retail"
reasons = ["balance"]
[[reason]]
id = "balance"
fields.accounts = ["name"]
"""
KEY = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="


def refusal(text: str, **more) -> str:
    with pytest.raises(InvalidInput) as caught:
        compile_contract(text, **more)
    return caught.value.message


def test_the_smallest_contract_has_the_house_s_defaults():
    contract = compile_contract(SMALLEST, version=4)
    assert (contract.client, contract.name, contract.version) == ("bank-01", "bank-01", 4)
    assert contract.verification.needed == 2
    assert contract.search.values_per_contact == 3
    assert contract.queues["cards"].wrap_up_s == 120
    assert contract.queues["cards"].longest_s == 3600
    assert contract.programmes == {"retail"}
    assert contract.grants[0].roles == ("agent", "lead")


def test_all_of_a_rich_contract_is_read():
    contract = compile_contract(CONTRACT, {"accounts": schema(), "papers": schema()})
    assert contract.reasons["balance"].masked == {"accounts": frozenset({"phone"})}
    assert contract.reasons["kyc"].approval == {"accounts": frozenset({"papers"})}
    assert contract.search.by == {"accounts": frozenset({"phone", "acct"})}
    assert contract.rules[0].except_roles == ("lead",)
    assert contract.clauses["budget"] == "9.1"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("fields.accounts", "feilds.accounts", 'line 12: reason[1].feilds: unknown key; did you mean "fields"?'),
        ("[client]", "[clinet]", "line 2: clinet: unknown key"),
        ("[client]", "[client]\ncolour = 1", "line 3: client.colour: unknown key"),
        ('me = "retail"', 'me = "retial"', 'line 8: queue[1].programme: "retial" is not defined'),
        ('reasons = ["balance"]', 'reasons = ["ballance"]', 'line 9: queue[1].reasons: "ballance" is not defined'),
        ('reasons = ["balance"]', "reasons = []", "line 9: queue[1].reasons: a queue needs at least one reason"),
        ('reasons = ["balance"]', "", "a queue needs at least one reason"),
        ('reasons = ["balance"]', 'reasons = "balance"', "must be a list of texts"),
        ('reasons = ["balance"]', 'reasons = ["balance", "balance"]', "names something twice"),
        ('id = "bank-01"', 'id = "Bank 01"', "has not the form"),
        ('id = "bank-01"', "id = 1", "line 3: client.id: must be a text"),
        ('id = "bank-01"', "", 'needs the key "id"'),
        ('id = "bank-01"', 'idd = "bank-01"', 'needs the key "id"; is that what "idd" means?'),
        ("reasons =", "raesons =", 'queue[1].raesons: unknown key; did you mean "reasons"?'),
        ('id = "cards"', 'id = "cards"\nwrap_up = "2"', "is no duration"),
        ('id = "cards"', 'id = "cards"\nwrap_up = "2 h"', "must be from 0 s to 1800 s"),
        ('id = "cards"', 'id = "cards"\nlongest = 60', "must be a duration"),
        ('id = "retail"', 'id = "retail"\nroles = ["agnet"]', 'roles: "agnet" is not known; did you mean "agent"?'),
        ('id = "retail"', 'id = "retail"\nroles = []', "names nobody"),
        ('["name"]', '["Name!"]', "has not the form"),
        ('["name"]', '["na\\u0000me"]', "must be one line"),
        ("[[reason]]", "[reason]", "must be a list of tables"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(old, new, said):
    assert old in SMALLEST
    assert said in refusal(SMALLEST.replace(old, new, 1))


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("[budgets]\ncustomers_huor = 3", 'budgets.customers_huor: unknown key; did you mean "customers_hour"?'),
        ("[budgets]\ncustomers_hour = true", "must be a whole number"),
        ("[budgets]\ncustomers_hour = 0", "must be from 1"),
        ("[budgets]\ncustomers_hour = 1.5", "must be a whole number"),
        ("[networks]\nallowed = ['10.0.0.1/8']", "is no network range"),
        ("[employers]\nallowed = ['a b']", "has not the form"),
        ("[verification]\nneeded = 2\nquestions.accounts = ['dob']", "1 questions, but 2 must match"),
        ("[[reason]]\nid = 'balance'", 'a second reason "balance"'),
        ("[[reason]]\nid = 'other'", 'no queue has the reason "other"'),
        ("[[queue]]\nid='cards'\nprogramme='retail'\nreasons=['balance']", 'a second queue "cards"'),
        ("[[programme]]\nid = 'retail'", 'a second programme "retail"'),
        ("[[rule]]\nid='r'\nsays='s'\nremedy='x'", "without any condition this rule refuses everything"),
        ("[[rule]]\nid='r'\nsays='s'", 'needs the key "remedy"'),
        ("[[rule]]\nid='r'\nsays='s'\nremedy='x'\neffect='allow'", '"allow" is not known'),
        ("[[rule]]\nid='r'\nsays='s'\nremedy='x'\neffect='mask'\noperations=['update']", "only a reveal can be masked"),
        ("[[rule]]\nid='r'\nsays='s'\nremedy='x'\nreasons=['balanse']", 'did you mean "balance"?'),
        ("[[rule]]\nid='r'\nsays='s'\nremedy='x'\nclasses_from='C9'", '"C9" is not known'),
        ("[[test]]\nname='t'\nexpect='permit'\nqueue='card'", 'did you mean "cards"?'),
        ("[[test]]\nname='t'\nexpect='yes'\nqueue='cards'", '"yes" is not known'),
        ("[[test]]\nname='t'\nexpect='permit'\nqueue='cards'\nunmet=['contact_life']", 'did you mean "contact_live"?'),
        ("[search]\nmost_hits = 1000", "must be from 1 to 20"),
    ],
)  # fmt: skip
def test_what_is_added_wrongly_is_refused(added, said):
    assert said in refusal(SMALLEST + added)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ('masked.accounts = ["acct"]', '"acct" is not among the fields of this reason'),
        ('approval.accounts = ["acct"]', '"acct" is not among the fields of this reason'),
    ],
)
def test_a_mask_or_approval_is_about_a_field_of_its_reason(changed, said):
    assert said in refusal(SMALLEST + changed)


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (
            'updates.accounts = ["payout"]',
            '"payout" is changed by act:payout only, not by an update',
        ),
        ('updates.acounts = ["phone"]', 'no collection "acounts"; did you mean "accounts"?'),
        ('updates.accounts = ["fone"]', 'accounts has no field "fone"; did you mean "phone"?'),
        ("[search]\nby.accounts = ['name']", 'does not index "name" for search'),
        ("[search]\nshows.accounts = ['balance']", '"balance" is C3'),
    ],
)
def test_names_and_uses_are_looked_up_in_the_clients_collections(added, said):
    known = {"accounts": schema()}
    compile_contract(SMALLEST, known)
    assert said in refusal(SMALLEST + added, schemas=known)


def test_a_signed_contract_needs_its_version():
    signed = SMALLEST.replace('id = "bank-01"', f'id = "bank-01"\nsigning_key = "{KEY}"')
    assert "needs its version number" in refusal(signed)
    numbered = signed.replace("signing_key", "contract_version = 3\nsigning_key")
    assert compile_contract(numbered).version == 3
    assert "is no Ed25519 public key" in refusal(numbered.replace("MCow", "MCox"))


@pytest.mark.parametrize("text", ["", "x = ", "[client]", "[a" * 9, "\x00", "x = " + "[" * 5000])
def test_what_is_no_contract_is_refused(text):
    refusal(text)


def test_an_oversized_contract_is_refused():
    with pytest.raises(TooLarge):
        compile_contract(SMALLEST + "#" * 300_000)


def test_a_contract_that_compiles_to_too_many_policies_is_refused():
    many = "".join(f'[[programme]]\nid = "p{n}"\n' for n in range(MOST_POLICIES))
    with pytest.raises(InvalidInput, match="60 are the most"):
        compile_policies(compile_contract(SMALLEST + many))


def test_rules_of_different_operations_do_not_add_up_to_too_many():
    rules = "".join(
        f'[[rule]]\nid = "{operation}{n}"\nsays = "s"\nremedy = "r"\noperations = ["{operation}"]\n'
        for n in range(15)
        for operation in ("search", "verify")
    )
    policies = compile_policies(compile_contract(SMALLEST + rules))
    assert len(policies) > MOST_POLICIES
    assert policies.whole.most_for_one_operation()[1] <= MOST_POLICIES


def test_a_clause_for_a_rule_that_does_not_exist_is_refused():
    for name in ("contact.live", "budget", "grant"):
        text = SMALLEST + f'[clauses]\n"{name}" = "1"\n'
        if name == "grant":
            with pytest.raises(InvalidInput, match="there is no rule or area"):
                compile_policies(compile_contract(text))
        else:
            compile_policies(compile_contract(text))
    with pytest.raises(InvalidInput, match=r'did you mean "contact\.live"'):
        compile_policies(compile_contract(SMALLEST + '[clauses]\n"contact.life" = "1"\n'))


def test_a_test_that_names_a_rule_that_does_not_exist_is_refused():
    case = "[[test]]\nname='t'\nexpect='deny'\nqueue='cards'\nbecause='field.sett'\n"
    with pytest.raises(
        InvalidInput, match=r'there is no rule "field\.sett"; did you mean "field\.set"'
    ):
        compile_policies(compile_contract(SMALLEST + case))


def test_a_fact_of_the_fields_is_not_for_a_test_to_claim():
    case = "[[test]]\nname='t'\nexpect='deny'\nqueue='cards'\nunmet=['field_set']\n"
    assert '"field_set" is not known' in refusal(SMALLEST + case)


def test_the_digest_is_that_of_the_bytes():
    assert compile_contract(SMALLEST).digest != compile_contract(SMALLEST + "\n").digest
