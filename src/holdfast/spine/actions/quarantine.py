"""Values that were changed a short while ago prove nothing (SPINE 16).

Whoever takes over a telephone number or talks an agent into changing one would else be known by it at the next call.
A search by such a value still finds the customer; to be verified the caller has to answer other questions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from holdfast.kit.clock import HOUR_US, SECOND_US
from holdfast.spine.actions.store import QUARANTINE, QUARANTINED
from holdfast.vocabulary.facts import FactState, FactValue
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from holdfast.kit.db import Query, Rows
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

PROVES_NOTHING_US: Final = 48 * HOUR_US
SETTLED: Final = FactValue(FactState.KNOWN, met=True, value="settled")


def quarantined_query(client: str, customer: str, collection: str, sure_us: int) -> Query:
    """Which fields of a customer are too young by ``sure_us``; :func:`quarantined` reads the rows."""
    return QUARANTINED(client=client, customer=customer, collection=collection, now_us=sure_us)


def quarantined(rows: Rows) -> dict[str, int]:
    """Fields that are too young, and until when."""
    return {name: int(until_us) for name, until_us in rows}


def settled_fact(until_us: Mapping[str, int], asked: Iterable[str]) -> FactValue:
    """Whether all fields asked for have stood for long enough to prove something."""
    young = [until_us[name] for name in asked if name in until_us]
    if not young:
        return SETTLED
    free = datetime.fromtimestamp(max(young) // SECOND_US, UTC)
    return SETTLED._replace(
        met=False, value=f"changed a short while ago, until {free:%d %b %H:%M} UTC"
    )


def by_which_callers_are_known(
    contract: Contract, schema: CollectionSchema, names: Iterable[str]
) -> list[str]:
    """Those of the fields that tell who is calling: questions of a verification, and what contacts are bound by."""
    questions = contract.verification.questions.get(schema.name, ())
    return [
        name for name in names if name in questions or schema.by_name[name].index is not Index.NONE
    ]


def quarantines(
    client: str, customer: str, schema: CollectionSchema, names: Collection[str], *, now_us: int
) -> tuple[Query, ...]:
    """Put changed fields into quarantine."""
    return tuple(
        QUARANTINE(
            client=client,
            customer=customer,
            collection=schema.name,
            field=name,
            number=schema.by_name[name].number,
            until_us=now_us + PROVES_NOTHING_US,
        )
        for name in sorted(names)
    )
