"""From ``contract.toml`` to :class:`holdfast.vocabulary.contract.Contract`. Strict: what is not known is an error.

docs/reference/contract.md says what each key means. With the client's collections at hand (``schemas``) every name of
a collection and of a field is looked up as well.
"""

from __future__ import annotations

import re
from hashlib import sha256
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from holdfast.spine.decision.contract_actions import read_actions
from holdfast.spine.decision.contract_check import check_names, check_schemas
from holdfast.spine.decision.contract_exports import read_exports
from holdfast.spine.decision.contract_incident import read_notify
from holdfast.spine.decision.facts import OF_ADMINISTRATION, OF_GROUPS
from holdfast.spine.decision.signature import read_key
from holdfast.spine.decision.toml import Document
from holdfast.vocabulary.acts import SECOND_PERSON
from holdfast.vocabulary.contract import (
    SECONDS_LONGEST_CONTACT,
    SECONDS_WRAP_UP,
    Approval,
    Budgets,
    Case,
    Contract,
    ContractRule,
    PdpRule,
    Programme,
    Queue,
    Reason,
    Search,
    Verification,
)
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import AuthLevel, DataClass, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.toml import Table
    from holdfast.vocabulary.schema import CollectionSchema

CLIENT_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
STAFF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,127}")  # a staff id, or EMPLOYER/ID
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
OPERATIONS: Final = (
    "search",
    "reveal",
    "verify",
    "update",
    "act",
    "reason",
    "provisional",
    "outage",
)
PROPERTY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
PDP_EFFECTS: Final = ("permit", "forbid")
EFFECTS: Final = ("deny", "step_up", "approve", "mask")
EXPECTED: Final = ("permit", "masked", "step_up", "approval", "deny", "hidden")
_SECTIONS: Final = (
    *("client", "programme", "queue", "reason", "verification", "search", "budgets"),
    *("approval", "networks", "employers", "administration", "clauses", "rule", "test", "freeze"),
    *("action", "export", "pdp", "incident"),
)
_WORKING: Final = tuple(role.value for role in Role)
_APPROVING: Final = (Role.LEAD.value, Role.SECURITY.value, Role.DPO.value, Role.CLIENT_USER.value)
_CLASSES: Final = tuple(data_class.name for data_class in DataClass)
_LEVELS: Final = tuple(level.name.lower() for level in AuthLevel if level)
_FACTS: Final = tuple(fact.value for fact in FactId if fact not in OF_GROUPS | OF_ADMINISTRATION)


def compile_contract(
    text: str,
    schemas: Mapping[str, CollectionSchema] | None = None,
    *,
    version: int | None = None,
) -> Contract:
    """Read and check a contract. ``version`` is the number under which it is published, when it names none itself.

    Raises :class:`~holdfast.kit.errors.InvalidInput` with key and line of the first thing that is wrong.
    """
    document = Document(text, what="contract.toml")
    contract = read_contract(document, text, version)
    check_names(document, contract)
    if schemas is not None:
        check_schemas(document, contract, schemas)
    return contract


def read_contract(document: Document, text: str, version: int | None) -> Contract:
    """Read all that stands in a contract, without looking whether its names lead anywhere."""
    root = document.root()
    root.only(*_SECTIONS)
    client = root.table("client")
    ident = client.text("id", form=CLIENT_ID)
    name = client.text("name", ident, most=120)
    own_version = client.number("contract_version", 0, least=1)
    key = _signing_key(client)
    client.done()
    if key and not own_version:
        client.fail("contract_version", "a contract that the client signs needs its version number")
    return Contract(
        client=ident,
        name=name,
        version=own_version or version or 0,
        queues=_queues(root),
        reasons=_reasons(root),
        verification=_verification(root.table("verification")),
        search=_search(root.table("search")),
        budgets=_budgets(root.table("budgets")),
        approval=_approval(root.table("approval")),
        networks=_networks(root.table("networks")),
        employers=_employers(root.table("employers")),
        client_key=key,
        clauses=_clauses(root.table("clauses")),
        digest=sha256(text.encode()).hexdigest(),
        grants=_programmes(root),
        rules=_rules(root),
        cases=_cases(root),
        pdp=_pdp(root),
        freeze_exempt=_freeze_exempt(root.table("freeze")),
        second_person=_second_person(root.table("administration")),
        actions=read_actions(root),
        exports=read_exports(root),
        notify=read_notify(root),
    )


def _signing_key(client: Table) -> str:
    key = client.text("signing_key", "")
    if key:
        try:
            read_key(key)
        except ValueError as error:
            client.fail("signing_key", str(error))
    return key


def _second_person(table: Table) -> frozenset[str]:
    kinds = table.choices("second_person", tuple(SECOND_PERSON), ())
    table.done()
    return frozenset(kinds)


def _programmes(root: Table) -> tuple[Programme, ...]:
    found: list[Programme] = []
    for table in root.tables("programme"):
        programme = Programme(
            id=table.text("id", form=ID),
            label=table.text("label", "", most=120),
            roles=table.choices("roles", _WORKING, ("agent", "lead")),
            clause=table.text("clause", ""),
        )
        table.done()
        if not programme.roles:
            table.fail("roles", "names nobody who may work the programme")
        if any(other.id == programme.id for other in found):
            table.fail("id", f'a second programme "{programme.id}"')
        found.append(programme)
    return tuple(found)


def _queues(root: Table) -> dict[str, Queue]:
    found: dict[str, Queue] = {}
    for table in root.tables("queue"):
        queue = Queue(
            id=table.text("id", form=ID),
            programme=table.text("programme", form=ID),
            reasons=table.texts("reasons", form=ID),
            longest_s=table.seconds("longest", SECONDS_LONGEST_CONTACT, least=60, most=7 * 86_400),
            wrap_up_s=table.seconds("wrap_up", SECONDS_WRAP_UP, most=1_800),
        )
        table.done()
        if not queue.reasons:
            table.fail("reasons", "a queue needs at least one reason; the first is its default")
        if queue.id in found:
            table.fail("id", f'a second queue "{queue.id}"')
        found[queue.id] = queue
    return found


def _reasons(root: Table) -> dict[str, Reason]:
    found: dict[str, Reason] = {}
    for table in root.tables("reason"):
        ident = table.text("id", form=ID)
        reason = Reason(
            id=ident,
            label=table.text("label", ident, most=120),
            fields=_field_sets(table, "fields"),
            masked=_field_sets(table, "masked"),
            updates=_field_sets(table, "updates"),
            clause=table.text("clause", ""),
            approval=_field_sets(table, "approval"),
        )
        table.done()
        if ident in found:
            table.fail("id", f'a second reason "{ident}"')
        found[ident] = reason
    return found


def _field_sets(table: Table, key: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(fields) for name, fields in table.lists(key, form=NAME).items()}


def _verification(table: Table) -> Verification:
    default = Verification()
    found = Verification(
        needed=table.number("needed", default.needed, least=1, most=10),
        questions=table.lists("questions", form=NAME),
        attempts_per_contact=table.number(
            "attempts_per_contact", default.attempts_per_contact, least=1, most=10
        ),
        attempts_per_day=table.number(
            "attempts_per_day", default.attempts_per_day, least=1, most=50
        ),
    )
    for collection, fields in found.questions.items():
        if len(fields) < found.needed:
            table.fail(
                "questions",
                f"{collection} has {len(fields)} questions, but {found.needed} must match",
            )
    table.done()
    return found


def _search(table: Table) -> Search:
    default = Search()
    found = Search(
        most_hits=table.number("most_hits", default.most_hits, least=1, most=20),
        values_per_contact=table.number(
            "values_per_contact", default.values_per_contact, least=1, most=20
        ),
        miss_costs=table.number("miss_costs", default.miss_costs, least=1, most=20),
        by=_field_sets(table, "by"),
        shows=_field_sets(table, "shows"),
    )
    table.done()
    return found


def _budgets(table: Table) -> Budgets:
    default = Budgets()
    found = Budgets(
        customers_hour=table.number("customers_hour", default.customers_hour, least=1),
        customers_day=table.number("customers_day", default.customers_day, least=1),
        sensitive_fields_day=table.number("sensitive_fields_day", default.sensitive_fields_day),
        searches_day=table.number("searches_day", default.searches_day, least=1),
    )
    table.done()
    return found


def _approval(table: Table) -> Approval:
    default = Approval()
    found = Approval(
        roles=table.choices("roles", _APPROVING, default.roles),
        per_pair=table.number("per_pair", default.per_pair, least=1, most=1000),
        per_approver=table.number("per_approver", default.per_approver, least=1, most=1000),
        other_line=table.flag("other_line", default=default.other_line),
        on_call=table.texts("on_call", form=STAFF),
    )
    table.done()
    if not found.roles:
        table.fail("roles", "names nobody who may approve")
    return found


def _networks(table: Table) -> tuple[str, ...]:
    allowed = table.texts("allowed")
    for text in allowed:
        try:
            ip_network(text)
        except ValueError as error:
            table.fail("allowed", f'"{text}" is no network range: {error}')
    table.done()
    return allowed


def _employers(table: Table) -> tuple[str, ...]:
    allowed = table.texts("allowed", form=ID)
    table.done()
    return allowed


def _freeze_exempt(table: Table) -> frozenset[str]:
    exempt = table.texts("exempt_reasons", form=ID)
    table.done()
    return frozenset(exempt)


def _clauses(table: Table) -> dict[str, str]:
    found = {name: table.text(name) for name in table.names()}
    table.done()
    return found


def _rules(root: Table) -> tuple[ContractRule, ...]:
    found: list[ContractRule] = []
    for table in root.tables("rule"):
        classes_from = table.choice("classes_from", _CLASSES, "")
        rule = ContractRule(
            id=table.text("id", form=ID),
            effect=table.choice("effect", EFFECTS, "deny"),
            label=table.text("says"),
            remedy=table.text("remedy"),
            clause=table.text("clause", ""),
            operations=table.choices("operations", OPERATIONS),
            programmes=table.texts("programmes", form=ID),
            collections=table.texts("collections", form=NAME),
            reasons=table.texts("reasons", form=ID),
            classes_from=DataClass[classes_from].value if classes_from else 0,
            except_roles=table.choices("except_roles", _WORKING),
        )
        table.done()
        _check_rule(table, rule)
        if any(other.id == rule.id for other in found):
            table.fail("id", f'a second rule "{rule.id}"')
        found.append(rule)
    return tuple(found)


def _check_rule(table: Table, rule: ContractRule) -> None:
    if rule.effect == "mask" and rule.operations not in {(), ("reveal",)}:
        table.fail("operations", "only a reveal can be masked")
    narrowed = (
        rule.operations or rule.programmes or rule.collections or rule.reasons or rule.classes_from
    )
    if not narrowed and not rule.except_roles and rule.effect == "deny":
        table.fail("", "without any condition this rule refuses everything")


def _pdp(root: Table) -> tuple[PdpRule, ...]:
    found: list[PdpRule] = []
    for table in root.tables("pdp"):
        rule = PdpRule(
            id=table.text("id", form=ID),
            effect=table.choice("effect", PDP_EFFECTS, "permit"),
            resource_type=table.text("resource_type", most=256),
            actions=table.texts("actions"),
            subject_type=table.text("subject_type", "", most=256),
            subjects=table.texts("subjects"),
            resources=table.texts("resources"),
            subject=table.literals("subject", form=PROPERTY),
            resource=table.literals("resource", form=PROPERTY),
            action=table.literals("action", form=PROPERTY),
            unless_subject=table.literals("unless_subject", form=PROPERTY),
            clause=table.text("clause", ""),
        )
        table.done()
        if any(other.id == rule.id for other in found):
            table.fail("id", f'a second rule "{rule.id}"')
        found.append(rule)
    return tuple(found)


def _cases(root: Table) -> tuple[Case, ...]:
    found = []
    for table in root.tables("test"):
        case = Case(
            name=table.text("name"),
            expect=table.choice("expect", EXPECTED),
            operation=table.choice("operation", OPERATIONS, "reveal"),
            programme="",
            queue=table.text("queue", form=ID),
            reason=table.text("reason", "", form=ID),
            collection=table.text("collection", "", form=NAME),
            fields=table.texts("fields", form=NAME),
            roles=table.choices("roles", _WORKING, ("agent",)),
            level=table.choice("level", _LEVELS, "bearer"),
            unmet=table.choices("unmet", _FACTS),
            unknown=table.choices("unknown", _FACTS),
            because=table.text("because", ""),
            action=table.text("action", "", form=ID),
        )
        table.done()
        if (case.operation == "act") is not bool(case.action):
            table.fail("action", "a test of an act names its action, and no other test does")
        found.append(case)
    return tuple(found)
