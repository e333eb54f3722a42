"""Approaching the customer: loading what a request names if its requester may know of it, and a decoy if not.

Whether the customer may be known is judged by the policies; :func:`approach` only looks at the same facts to decide
*which* rows to load. When they do not hold, the same statements run for a customer that cannot exist and the same
cryptography runs on a decoy, so that absent and hidden cost the same (SPINE 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken, InvalidInput
from holdfast.spine.decision.question import counts, unknown
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.packing import LoadedRecord, RecordRow, newer_operations
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import CustomerState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kit.db import Work
    from holdfast.spine.turn.arrival import Arrival
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.facts import FactValue

DECOY: Final = "cus_00000000000000000000000000"
_GATES: Final = frozenset(
    {
        FactId.EMPLOYED,
        FactId.NOT_SUSPENDED,
        FactId.ASSIGNED,
        FactId.CLIENT_OPEN,
        FactId.CONTACT_YOURS,
        FactId.CONTACT_LIVE,
        FactId.QUEUE,
    }
)
#: Unknown, these ask for a step-up or an approval: the customer is visible then.
_UNLESS_UNKNOWN: Final = frozenset({FactId.NETWORK, FactId.DEVICE, FactId.EMPLOYER_APPROVED})
_ON_THE_CONTACT: Final = frozenset({FactId.CUSTOMER_BOUND, FactId.CUSTOMER_FOUND})


class Target(NamedTuple):
    """The customer of a request. ``state`` is None for a decoy or an absent one, and ``records`` is empty then.

    ``broken`` says that a record was rolled back to an older version: nothing of the customer may be shown.
    """

    customer: str
    approached: bool
    state: CustomerState | None
    reference: str
    records: tuple[LoadedRecord, ...]
    broken: bool = False

    def check(self) -> None:
        """Raise :class:`IntegrityBroken` when a record was rolled back."""
        if self.broken:
            raise IntegrityBroken("a record was rolled back to an older version")


def may_approach(arrival: Arrival) -> bool:
    """Tell whether the facts of the requester let the customer's rows be loaded at all."""
    return approachable(arrival.facts)


def approachable(facts: Mapping[FactId, FactValue]) -> bool:
    """Tell whether these facts make a customer visible, to somebody who has a grant.

    These are the conditions of the visibility stage (``guards/visibility.cedar``), asked before there is anything to
    judge; ``tests/properties/test_approach.py`` holds the two together.
    """
    return (
        all(counts(facts, fact) for fact in _GATES)
        and any(counts(facts, fact) for fact in _ON_THE_CONTACT)
        and all(counts(facts, fact) or unknown(facts, fact) for fact in _UNLESS_UNKNOWN)
    )


def approach(arrival: Arrival, customer: str) -> Work[Target]:
    """Load the customer's records in the collection asked for, or a decoy's."""
    approached = may_approach(arrival)
    target = yield from fetch(arrival, customer if approached else DECOY)
    return target._replace(customer=customer, approached=approached)


def fetch(arrival: Arrival, customer: str) -> Work[Target]:
    """Load a customer's records in the collection asked for; whether they may be known is the caller's affair."""
    asked = arrival.asked
    return load_target(arrival.keys, asked.client, asked.collection, customer)


def load_target(keys: ClientKeys, client: str, collection: str, customer: str) -> Work[Target]:
    """Load a customer's records in one collection of a client."""
    state, rows, heads, deks, reference = yield Round(
        data=(
            vault.CUSTOMER_AT_HAND(client=client, id=customer),
            vault.RECORDS(client=client, customer=customer, collection=collection),
        ),
        keys=(
            keyring.HEADS(client=client, customer=customer),
            keyring.DEKS(client=client, customer=customer),
            keyring.CUSTOMER_REFERENCE(client=client, customer=customer),
        ),
    )
    live = bool(state) and state[0][0] == CustomerState.LIVE
    records = tuple(LoadedRecord(keys, RecordRow(*row), heads, deks) for row in rows if live)
    return Target(
        customer,
        approached=True,
        state=CustomerState(state[0][0]) if state else None,
        reference=reference[0][0] if reference else "",
        records=records,
        broken=(yield from _rolled_back(client, records)),
    )


def chosen_record(target: Target, record: str | None) -> LoadedRecord:
    """Return the one record meant; :class:`Conflict` when the customer has several here and none is named, or none."""
    named = [one for one in target.records if record in {None, one.row.id}]
    if record is not None and not named:
        raise InvalidInput("the customer has no such record here", field="record")
    if len(named) != 1:
        raise Conflict(
            "the customer has several records here, or none",
            remedy="Reveal them to see which, and name one in `record`.",
            code="several_records",
        )
    return named[0]


def _rolled_back(client: str, records: tuple[LoadedRecord, ...]) -> Work[bool]:
    newer = sorted({operation for one in records for operation in newer_operations(one)})
    if not newer:
        return False
    (committed,) = yield Round(data=(vault.COMMITTED(client=client, ids=newer),))
    return bool(committed)
