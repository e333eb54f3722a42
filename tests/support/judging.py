"""Questions to the judge without a house: a contract with a bit of everything, and facts that all hold."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.facts import OF_GROUPS
from holdfast.spine.decision.judge import Group, Judgement, Question, judge
from holdfast.spine.decision.policies import compile_policies
from holdfast.spine.vault.schema import compile_schema
from holdfast.vocabulary.facts import FactId, FactState, FactValue
from holdfast.vocabulary.levels import AuthLevel, DataClass, Handling, Operation, Presentation

if TYPE_CHECKING:
    from holdfast.spine.decision.policies import ClientPolicies
    from holdfast.vocabulary.schema import CollectionSchema

CONTRACT = """
[client]
id = "bank-01"
name = "Example Bank"

[[programme]]
id = "retail"
label = "Retail banking"
clause = "1.1"

[[programme]]
id = "fraud"
roles = ["lead"]

[[queue]]
id = "cards"
programme = "retail"
reasons = ["balance", "kyc"]

[[queue]]
id = "alerts"
programme = "fraud"
reasons = ["kyc"]

[[reason]]
id = "balance"
label = "Balance"
clause = "2.1"
fields.accounts = ["name", "phone", "acct", "card", "balance", "maiden", "passport"]
masked.accounts = ["phone"]
updates.accounts = ["email", "phone", "balance"]

[[reason]]
id = "kyc"
fields.accounts = ["name", "passport", "papers"]
approval.accounts = ["papers"]

[verification]
needed = 2
questions.accounts = ["dob", "maiden", "passport"]

[search]
by.accounts = ["phone", "acct"]
shows.accounts = ["name"]

[clauses]
budget = "9.1"
"contact.live" = "3.3"

[[rule]]
id = "papers-by-leads"
says = "Identity papers are opened by team leads."
remedy = "Ask your lead to take the call."
clause = "5.2"
operations = ["reveal"]
collections = ["papers"]
except_roles = ["lead"]
"""

SCHEMA = """
owner = "Data protection"
customer_ref = "acct"
record_key = "acct"
region = "PH"
[fields.acct]
type = "account"
class = "C2"
handling = "clear"
index = "search"
required = true
[fields.name]
type = "name"
class = "C1"
handling = "clear"
mask = "name"
[fields.phone]
type = "phone"
class = "C1"
handling = "clear"
index = "search"
mask = "phone"
[fields.email]
type = "email"
class = "C1"
handling = "clear"
mask = "email"
[fields.dob]
type = "date_of_birth"
class = "C3"
handling = "verify_only"
[fields.maiden]
type = "text"
class = "C2"
handling = "verify_only"
[fields.card]
type = "card"
class = "C3"
handling = "reference"
mask = "card"
[fields.balance]
type = "decimal"
class = "C3"
handling = "clear"
[fields.passport]
type = "national_id"
class = "C4"
handling = "clear"
mask = "national_id"
[fields.papers]
type = "text"
class = "C2"
handling = "clear"
[fields.payout]
type = "account"
class = "C2"
handling = "clear"
change = "act:payout"
"""

HOLDS = FactValue(FactState.KNOWN, met=True)
FAILS = FactValue(FactState.KNOWN, met=False)
UNKNOWN = FactValue(FactState.UNKNOWN, met=False)
ALL_MET: dict[FactId, FactValue] = {f: HOLDS for f in FactId if f not in OF_GROUPS}


@lru_cache(maxsize=1)
def policies() -> ClientPolicies:
    return compile_policies(compile_contract(CONTRACT))


@lru_cache(maxsize=1)
def schema() -> CollectionSchema:
    return compile_schema(SCHEMA, name="accounts")


def facts(*, unmet: tuple[FactId, ...] = (), unknown: tuple[FactId, ...] = ()) -> dict[Any, Any]:
    """All facts hold but these."""
    return {
        **ALL_MET,
        **dict.fromkeys(unmet, FAILS),
        **dict.fromkeys(unknown, UNKNOWN),
    }


def group(*fields: str, **how: Any) -> Group:
    """A group of clear C1 fields of the field set, unless ``how`` says otherwise."""
    base: dict[str, Any] = {
        "fields": fields or ("name",),
        "data_class": DataClass.C1,
        "handling": Handling.CLEAR,
        "presentation": Presentation.CLEAR,
    }
    return Group(**{**base, **how})


BASE = Question(
    operation=Operation.REVEAL,
    client="bank-01",
    programme="retail",
    roles=frozenset({"agent"}),
    programmes=frozenset({"retail"}),
    level=AuthLevel.BEARER,
    facts=ALL_MET,
    groups=(group("name"),),
    collection="accounts",
    customer="cus_1",
    reason="balance",
)


def question(*groups: Group, **changes: Any) -> Question:
    """An agent of the programme asks to see a name, on a contact where everything holds, unless changed."""
    return replace(BASE, **({"groups": groups} if groups else {}), **changes)


def judged(*groups: Group, **changes: Any) -> Judgement:
    """Judge a changed question by the contract above."""
    return judge(policies(), question(*groups, **changes))


def rules(judgement: Judgement) -> set[str]:
    """Ids of the rules that refused or limited."""
    return set(judgement.rules)
