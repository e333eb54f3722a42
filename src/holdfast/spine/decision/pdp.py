"""Decisions about the client's own systems (AuthZEN): the contract's ``[[pdp]]`` rules, compiled into Cedar.

They stand apart from the rules that guard the vault: another schema, another policy set, no fact of the house's,
nobody's customer. What the asker says of subject, resource and action is taken as said: it is the client's own system.

The schema is made from the rules: a property is declared with the type of the values that rules compare it with.
Properties that no rule names are left out; one of another type is malformed, so that ``["archived"]`` cannot slip past
a rule about ``"archived"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.kit.errors import InvalidInput
from holdfast.spine.decision.engine import PRINCIPAL, Engine, quoted, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.vocabulary.contract import PdpRule, PdpValue

ACTION: Final = "evaluate"
MOST_RULES: Final = 60
MOST_NUMBER: Final = 2**63 - 1
_THING: Final = {"type": "Thing", "id": "asked"}
_TYPES: Final = {str: "String", int: "Long", bool: "Bool"}
_PARTS: Final = ("subject", "resource", "action")
_WHERE: Final = {"subject": "principal", "resource": "resource", "action": "context"}
Json = dict[str, Any]


class Entity(NamedTuple):
    """A subject or resource as it was named; of an action, ``kind`` is "" and ``name`` its name."""

    kind: str
    name: str
    properties: Mapping[str, Any]


class Asking(NamedTuple):
    """One question."""

    subject: Entity
    action: Entity
    resource: Entity


class Decided(NamedTuple):
    """The answer. ``reason`` is "" for a permit, else ``denied``, ``malformed`` or ``not_evaluated``."""

    permitted: bool
    reason: str


class _Pair(NamedTuple):
    subject: bytes
    thing: bytes

    def entities(self) -> list[Json]:
        return [
            {"uid": uid, "attrs": msgspec.json.decode(said), "parents": []}
            for uid, said in ((PRINCIPAL, self.subject), (_THING, self.thing))
        ]

    def resource(self) -> dict[str, str]:
        return _THING


class Pdp:
    """The compiled rules of one client. Safe to share between threads.

    Raises :class:`InvalidInput` when a property is compared with values of two types, or the validator objects.
    """

    def __init__(self, rules: tuple[PdpRule, ...]) -> None:
        if len(rules) > MOST_RULES:
            raise InvalidInput(f"{len(rules)} rules; {MOST_RULES} are the most", field="pdp")
        self._declared = {part: _declared(rules, part) for part in _PARTS}
        self.schema = _schema(self._declared)
        self.text = "\n".join(map(_policy, rules))
        found = validate(self.text, self.schema) if rules else ()
        if found:
            raise InvalidInput(f"the [[pdp]] rules are not valid: {'; '.join(found)}", field="pdp")
        self._engine = Engine(self.text, self.schema)

    def decide(self, asked: Asking) -> Decided:
        """Answer one question. What cannot be evaluated is not permitted."""
        try:
            subject, resource, action = (
                self._typed(part, getattr(asked, part).properties) for part in _PARTS
            )
        except ValueError:
            return Decided(permitted=False, reason="malformed")
        pair = _Pair(_attributes(asked.subject, subject), _attributes(asked.resource, resource))
        context = {"action": asked.action.name, "props": action}
        answer = self._engine.ask(ACTION, pair, context)
        if answer.errors:
            return Decided(permitted=False, reason="not_evaluated")
        return Decided(answer.allowed, "" if answer.allowed else "denied")

    def _typed(self, part: str, properties: Mapping[str, Any]) -> dict[str, PdpValue]:
        """Keep what the rules ask for; ``ValueError`` for a value of another type than they compare it with."""
        kept: dict[str, PdpValue] = {}
        for name, kind in self._declared[part].items():
            if name not in properties:
                continue
            value: Any = properties[name]
            if not _fits(value, kind):
                raise ValueError(name)
            kept[name] = value
        return kept


def _fits(value: Any, kind: type) -> bool:
    """Tell whether a value has exactly this type: true is no number, as it is none to the rules."""
    if isinstance(value, int) and abs(value) > MOST_NUMBER:
        return False
    return type(value) is kind


def _attributes(entity: Entity, properties: Mapping[str, PdpValue]) -> bytes:
    said = {"kind": entity.kind, "name": entity.name, "props": properties}
    return msgspec.json.encode(said, order="deterministic")


def _declared(rules: Iterable[PdpRule], part: str) -> dict[str, type]:
    found: dict[str, type] = {}
    for rule in rules:
        conditions = [getattr(rule, part)]
        if part == "subject":
            conditions.append(rule.unless_subject)
        for name, values in (item for one in conditions for item in one.items()):
            kind = type(values[0])
            if found.setdefault(name, kind) is not kind:
                raise InvalidInput(
                    f"the {part}'s property {name} is compared with values of two types",
                    field=f"pdp.{rule.id}.{part}.{name}",
                )
    return found


def _schema(declared: Mapping[str, Mapping[str, type]]) -> str:
    subject, resource, action = (
        ", ".join(f"{quoted(name)}?: {_TYPES[kind]}" for name, kind in declared[part].items())
        for part in _PARTS
    )
    return (
        f"entity Person = {{ kind: String, name: String, props: {{ {subject} }} }};\n"
        f"entity Thing = {{ kind: String, name: String, props: {{ {resource} }} }};\n"
        f'action "{ACTION}" appliesTo {{ principal: [Person], resource: [Thing],\n'
        f"  context: {{ action: String, props: {{ {action} }} }} }};\n"
    )


def _policy(rule: PdpRule) -> str:
    conditions = [f"resource.kind == {quoted(rule.resource_type)}"]
    for at, values in (
        ("principal.kind", (rule.subject_type,) if rule.subject_type else ()),
        ("context.action", rule.actions),
        ("principal.name", rule.subjects),
        ("resource.name", rule.resources),
    ):
        if values:
            conditions.append(_one_of(at, values))
    for part in _PARTS:
        conditions += _properties(part, getattr(rule, part))
    unless = _properties("subject", rule.unless_subject)
    return (
        f"@id({quoted(rule.id)}) @clause({quoted(rule.clause)})\n"
        f"{rule.effect} (principal, action, resource)\nwhen {{ {' && '.join(conditions)} }}\n"
        + (f"unless {{ {' && '.join(unless)} }}" if unless else "")
        + ";\n"
    )


def _properties(part: str, wanted: Mapping[str, tuple[PdpValue, ...]]) -> list[str]:
    """Conditions on properties; one that was not sent meets none."""
    where = f"{_WHERE[part]}.props"
    return [
        f"({where} has {quoted(name)} && {_one_of(f'{where}[{quoted(name)}]', values)})"
        for name, values in wanted.items()
    ]


def _one_of(attribute: str, values: tuple[PdpValue, ...]) -> str:
    return f"[{', '.join(map(_literal, values))}].contains({attribute})"


def _literal(value: PdpValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else quoted(value)
