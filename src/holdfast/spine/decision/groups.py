"""From the fields that a request names to the groups in which they are judged. Pure: contract and schema in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.spine.decision.contract_actions import ACT
from holdfast.spine.decision.question import Group
from holdfast.vocabulary.levels import DataClass, Handling, Operation, Presentation
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.vocabulary.contract import Action, Contract, Reason
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

_NONE: Final[frozenset[str]] = frozenset()


def groups_of(
    operation: Operation,
    contract: Contract,
    schema: CollectionSchema | None,
    fields: Sequence[str],
    *,
    reason: str,
) -> tuple[Group, ...]:
    """Sort ``fields`` of one collection into groups that stand and fall together.

    ``reveal`` asks for each field as clear as its handling and the contract's masks allow, so that a masked field costs
    no second judgement; ``approve`` asks for every field masked, of all that the reason lets be seen, changed or done;
    ``update`` for it to be changed, ``verify`` to be
    compared. For ``search``, ``fields`` is the one field searched by, and the groups are those of what a hit shows
    (:func:`hit_fields`). A field that the schema does not have is one that the reason does not need: the answer is the
    same.
    """
    return Grouping(operation, contract, schema, reason=reason).of(fields)


class Grouping:
    """:func:`groups_of` for many requests that differ in their fields only: what a field is, is found out once."""

    def __init__(
        self,
        operation: Operation,
        contract: Contract,
        schema: CollectionSchema | None,
        *,
        reason: str,
    ) -> None:
        self.operation = operation
        self._contract = contract
        self.schema = schema
        self.stands = contract.reasons.get(reason)
        self._allowed = frozenset(_allowed(operation, contract, self.stands, schema))
        self._kinds: dict[str, Group] = {}  # of the schema's fields

    def of(self, fields: Sequence[str]) -> tuple[Group, ...]:
        """Sort ``fields`` into groups."""
        if self.operation is Operation.SEARCH:
            return _search_groups(self._contract, self.stands, self.schema, fields)
        known = self._kinds
        kinds: dict[Group, list[str]] = {}
        for name in dict.fromkeys(fields):
            kinds.setdefault(known.get(name) or self._kind(name), []).append(name)
        return tuple(
            [msgspec.structs.replace(kind, fields=tuple(names)) for kind, names in kinds.items()]
        )

    def _kind(self, name: str) -> Group:
        spec = self.schema.by_name.get(name) if self.schema is not None else None
        inside = name in self._allowed
        kind = _group(self.operation, spec, self.stands, self.schema, inside=inside)
        if spec is not None:
            self._kinds[name] = kind
        return kind


def act_groups(
    action: Action | None,
    stands: Reason | None,
    schema: CollectionSchema | None,
    fields: Sequence[str],
) -> tuple[Group, ...]:
    """The one group of an act: the fields that it is to change here, if any. It is done whole or not at all.

    A field that ``action`` does not name is outside its field set, as is everything when there is no such action.
    """
    known = schema.by_name if schema is not None else {}
    specs = [known[name] for name in dict.fromkeys(fields) if name in known]
    named = action.changes.get(schema.name, _NONE) if action and schema else _NONE
    approved = stands.approval.get(schema.name, _NONE) if stands and schema else _NONE
    group = Group(
        fields=tuple(spec.name for spec in specs),
        data_class=max((spec.data_class for spec in specs), default=DataClass.C0),
        presentation=Presentation.CLEAR if specs else Presentation.WITHHELD,
        in_field_set=set(fields) <= named,
        approval_required=(action is not None and action.approval)
        or not approved.isdisjoint(fields),
    )
    return (group,)


def hit_fields(contract: Contract, schema: CollectionSchema, *, reason: str) -> tuple[str, ...]:
    """The fields that a hit of a search shows, always masked: the contract's, else the C1 fields of the reason."""
    stands = contract.reasons.get(reason)
    shows = contract.search.shows.get(schema.name)
    if shows is None:
        shows = stands.fields.get(schema.name, _NONE) if stands is not None else _NONE
    return tuple(
        spec.name
        for spec in schema.fields
        if spec.name in shows
        and spec.data_class <= DataClass.C1
        and spec.handling is not Handling.VERIFY_ONLY
    )


def may_search_by(contract: Contract, schema: CollectionSchema | None, field: str) -> bool:
    """Tell whether agents may search by this field: the schema indexes it for search, the contract agrees."""
    spec = schema.by_name.get(field) if schema is not None else None
    if schema is None or spec is None or spec.index is not Index.SEARCH:
        return False
    if spec.handling is Handling.VERIFY_ONLY or spec.data_class >= DataClass.C4:
        return False  # indexed for binding at intake at most (SPINE 11)
    by = contract.search.by.get(schema.name)
    return by is None or field in by


def _search_groups(
    contract: Contract,
    stands: Reason | None,
    schema: CollectionSchema | None,
    fields: Sequence[str],
) -> tuple[Group, ...]:
    inside = bool(fields) and all(may_search_by(contract, schema, name) for name in fields)
    shown = hit_fields(contract, schema, reason=stands.id) if schema and stands else ()
    masked = Group(
        fields=shown,
        data_class=DataClass.C1 if shown else DataClass.C0,
        handling=Handling.MASKED,
        presentation=Presentation.MASKED,
        in_field_set=inside,
    )
    return (masked,)


def _allowed(
    operation: Operation,
    contract: Contract,
    stands: Reason | None,
    schema: CollectionSchema | None,
) -> Iterable[str]:
    if schema is None or stands is None:
        return _NONE
    match operation:
        case Operation.REVEAL:
            return stands.fields.get(schema.name, _NONE)
        case Operation.UPDATE:
            return stands.updates.get(schema.name, _NONE)
        case Operation.VERIFY:
            return contract.verification.questions.get(schema.name, ())
        case Operation.APPROVE:
            sets = [stands.fields, stands.updates]
            sets += [one.changes for one in contract.actions.values() if stands.id in one.reasons]
            named = _NONE.union(*(fields.get(schema.name, _NONE) for fields in sets))
            return named.union(hit_fields(contract, schema, reason=stands.id))
        case _:
            return _NONE


def _group(
    operation: Operation,
    spec: FieldSpec | None,
    stands: Reason | None,
    schema: CollectionSchema | None,
    *,
    inside: bool,
) -> Group:
    if spec is None or schema is None or stands is None:
        return Group(
            fields=(),
            data_class=DataClass.C0,
            presentation=_PRESENTED.get(operation, Presentation.WITHHELD),
            in_field_set=False,
        )
    masked = operation is Operation.REVEAL and spec.name in stands.masked.get(schema.name, _NONE)
    approval = operation is not Operation.VERIFY and spec.name in stands.approval.get(
        schema.name, _NONE
    )
    presentation = _PRESENTED.get(operation, Presentation.WITHHELD)
    if operation is Operation.REVEAL and (masked or spec.handling in _NEVER_CLEAR):
        presentation = Presentation.MASKED
    return Group(
        fields=(),
        data_class=spec.data_class,
        handling=spec.handling,
        presentation=presentation,
        in_field_set=inside,
        mask_required=masked,
        approval_required=approval,
        by_action=spec.change.removeprefix(ACT) if operation is Operation.UPDATE else "",
    )


_PRESENTED: Final = {
    Operation.REVEAL: Presentation.CLEAR,
    Operation.UPDATE: Presentation.CLEAR,
    Operation.VERIFY: Presentation.WITHHELD,
    Operation.APPROVE: Presentation.MASKED,
}
_NEVER_CLEAR: Final = frozenset({Handling.MASKED, Handling.REFERENCE, Handling.VERIFY_ONLY})
