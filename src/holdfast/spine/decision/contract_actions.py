"""The ``[[action]]`` tables of a contract: reading them, whether their names lead somewhere, what a version changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.spine.decision.contract_fields import named_fields
from holdfast.spine.decision.toml import nearest
from holdfast.vocabulary.contract import Action
from holdfast.vocabulary.levels import AuthLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.decision.toml import Document, Table
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

ACT: Final = "act:"
ID: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")  # the form in which a schema names it: act:<id>
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LEVELS: Final = tuple(level.name.lower() for level in AuthLevel if level)
_DEFAULT: Final = Action("", "", ())
MOST_MATCHES: Final = 10
MOST_A_DAY: Final = 50


def read_actions(root: Table) -> dict[str, Action]:
    """Read all actions; :class:`~holdfast.kit.errors.InvalidInput` names key and line of what is wrong."""
    found: dict[str, Action] = {}
    for table in root.tables("action"):
        action = _action(table)
        if action.id in found:
            table.fail("id", f'a second action "{action.id}"')
        found[action.id] = action
    return found


def _action(table: Table) -> Action:
    ident = table.text("id", form=ID)
    proof = table.table("proof")
    action = Action(
        id=ident,
        label=table.text("label", ident, most=120),
        reasons=table.texts("reasons", form=_ID),
        matches=proof.number("matches", _DEFAULT.matches, least=1, most=MOST_MATCHES),
        proof_fields=frozenset(proof.texts("fields", form=_NAME)),
        approval=table.flag("approval", default=False),
        changes={
            name: frozenset(fields) for name, fields in table.lists("changes", form=_NAME).items()
        },
        targets=table.texts("targets", form=_ID),
        level=AuthLevel[table.choice("level", _LEVELS, _DEFAULT.level.name.lower()).upper()],
        per_customer_day=table.number(
            "per_customer_day", _DEFAULT.per_customer_day, least=1, most=MOST_A_DAY
        ),
        clause=table.text("clause", ""),
    )
    proof.done()
    table.done()
    if not action.reasons:
        table.fail("reasons", "an action needs at least one reason for which it is done")
    if not action.targets and not action.changes:
        table.fail("", "an action needs a target that does it, or fields that it changes")
    return action


def check_actions(document: Document, contract: Contract) -> None:
    """Refuse an action for a reason that nothing defines, and proof that no question could give."""
    questions = {name for names in contract.verification.questions.values() for name in names}
    for n, action in enumerate(contract.actions.values(), 1):
        at = (f"action[{n}]",)
        for reason in action.reasons:
            if reason not in contract.reasons:
                document.fail(
                    (*at, "reasons"),
                    f'"{reason}" is not defined{nearest(reason, contract.reasons)}',
                )
        for name in sorted(action.proof_fields - questions):
            document.fail(
                (*at, "proof", "fields"),
                f'"{name}" is no question of [verification]{nearest(name, questions)}',
            )
        count = len(action.proof_fields or questions)
        if action.matches > count:
            document.fail(
                (*at, "proof", "matches"),
                f"there are {count} questions; {action.matches} can not match",
            )


def check_action_fields(
    document: Document, contract: Contract, schemas: Mapping[str, CollectionSchema]
) -> None:
    """Refuse changes of fields that the client does not have, or that another action alone changes."""
    for n, action in enumerate(contract.actions.values(), 1):
        where = (f"action[{n}]", "changes")
        for at, schema, spec in named_fields(document, where, action.changes, schemas):
            if spec.change not in {"", ACT + action.id}:
                document.fail(at, f'"{spec.name}" is changed by {spec.change} only')
            if spec.name in {schema.customer_ref, schema.record_key}:
                document.fail(at, f'"{spec.name}" says which record this is; nothing changes it')
