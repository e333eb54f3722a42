"""What a contract lets be exported: the ``[[export]]`` that fits an order, or what is against it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.spine.decision.reasons import UNMET
from holdfast.spine.decision.verdict import RuleReason
from holdfast.vocabulary.levels import Handling, Presentation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.vocabulary.contract import Contract, Export
    from holdfast.vocabulary.schema import CollectionSchema

NOTHING_NAMED: Final = "export.declared"
_REMEDY: Final = "Ask the client: what may leave the house, and to whom, stands in its contract."


class Order(NamedTuple):
    """What is to leave the house, for whom and why. ``rows`` is how many records that would be."""

    collection: str
    fields: tuple[str, ...]
    recipient: str
    reason: str
    rows: int = 0


def find_export(
    contract: Contract, schema: CollectionSchema, order: Order
) -> tuple[Export | None, tuple[RuleReason, ...]]:
    """Return the contract's export that fits, or None with the reasons of the nearest one."""
    nearest: tuple[RuleReason, ...] | None = None
    for export in contract.exports.values():
        against = tuple(_against(export, schema, order))
        if not against:
            return export, ()
        if nearest is None or len(against) < len(nearest):
            nearest = against
    none = (_reason("declared", "The contract names exports.", "none"),)
    return None, none if nearest is None else nearest


def _against(export: Export, schema: CollectionSchema, order: Order) -> Iterator[RuleReason]:
    allowed = export.fields.get(order.collection, frozenset())
    outside = [name for name in order.fields if name not in allowed]
    if outside or not order.fields:
        yield _reason("fields", "The contract lets these fields be exported.", "not all of them")
    hidden = [
        name
        for name in order.fields
        if name in schema.by_name and schema.by_name[name].handling is Handling.VERIFY_ONLY
    ]
    if hidden:
        yield _reason("verify_only", "The fields may be shown.", "one is only ever compared")
    if order.recipient not in export.recipients:
        yield _reason("recipient", "The contract names the recipient.", "not named")
    if order.reason not in export.reasons:
        yield _reason("reason", "The contract names the reason.", "not named")
    if order.rows > export.rows_at_most:
        yield _reason("rows", "There are no more rows than the contract allows.", "too many rows")


def shown(export: Export, schema: CollectionSchema, order: Order) -> dict[str, Presentation]:
    """How each field stands in the file: masked where the contract or its handling says so."""
    masked = export.masked.get(order.collection, frozenset())
    return {
        name: Presentation.CLEAR
        if schema.by_name[name].handling is Handling.CLEAR and name not in masked
        else Presentation.MASKED
        for name in order.fields
    }


def _reason(what: str, label: str, value: str) -> RuleReason:
    return RuleReason(
        rule=f"export.{what}",
        state=UNMET,
        fact="",
        value=value,
        remedy_text=_REMEDY,
        label=label,
    )
