"""Search: find customers by one exact identifier, and show each hit by its basic fields, masked (SPINE 11).

No wildcard, no range, no list: the value is normalised, turned into the token of a blind index and looked up. What is
found becomes a candidate of the contact; only a candidate can be verified, and only a verified one is bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, InvalidInput, Unavailable
from holdfast.spine.decision import budgets
from holdfast.spine.decision.groups import hit_fields
from holdfast.spine.decision.judge import Judgement, judge
from holdfast.spine.decision.verdict import Permit, RuleReason
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import Basis
from holdfast.spine.purpose.provisional import MOST_VALUES, may_find
from holdfast.spine.turn.answers import Found, Hit, Refused, Shown
from holdfast.spine.turn.arrival import Arrival, arrive, known
from holdfast.spine.turn.questions import (
    asked_groups,
    check_fields,
    question_of,
)
from holdfast.spine.turn.steps import (
    Line,
    charges,
    refuse,
    refuse_broken,
    shown_fields,
    shown_until,
    write_line,
)
from holdfast.spine.turn.target import fetch
from holdfast.spine.vault.blindindex import index_token
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.records import (
    IndexHit,
    confirm_hit,
    dummy_open,
    index_confirms,
    open_fields,
)
from holdfast.vocabulary.facts import FactId
from holdfast.vocabulary.levels import Operation, Outcome, Presentation

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked
    from holdfast.vocabulary.schema import FieldSpec

INDEX_ROWS_PER_HIT = (
    8  # an index entry that was superseded stays for a moment; a truncated one is shared
)
TOO_MANY = RuleReason(
    rule="search.selective",
    state="unmet",
    fact="search_hits",
    value="too many customers match",
    remedy_text="Ask the caller for something that only they have, such as the account number.",
    label="The value belongs to few customers.",
)


class _Sought(NamedTuple):
    """The value in the forms in which it may be kept: a token for the index, a keyed hash for the count."""

    spec: FieldSpec | None
    token: bytes
    mac: bytes
    error: InvalidInput | None


class _Hit(NamedTuple):
    customer: str
    reference: str
    values: dict[str, Shown]


def search(house: House, asked: Asked, field: str, value: str) -> Work[Found | Refused]:
    """Find customers whose ``field`` is ``value``.

    Raises :class:`InvalidInput` for an unknown field or a value that is not of its type, told only to those who may
    know, and what :func:`arrive` raises.
    """
    arrival = yield from arrive(house, asked)
    named = arrival.keys.mac("fold", f"{field}\0{value}".encode())
    arrival = arrival._replace(sought=named.hex())
    sought = _sought(arrival, field, value)
    (counted,) = yield Round(
        data=(purpose.SEARCH_VALUES(client=asked.client, contact=arrival.contact_ref),)
    )
    values = {bytes(row[0]) for row in counted}
    judgement = _judged(arrival, field, sought, values)
    if not judgement.visible:
        dummy_open(arrival.keys, arrival.schema, _shows(arrival))
        return (yield from _refused(arrival, judgement, judgement.outcome))
    check_fields(arrival, (field,), "by")
    if sought.error is not None:
        raise InvalidInput(sought.error.message, field=f"by.{field}")
    permit = judgement.permit
    if permit is None or sought.spec is None:
        return (yield from _refused(arrival, judgement, judgement.outcome))
    counts = _count_value(arrival, sought)
    customers = yield from _customers(arrival, sought)
    most = arrival.contract.search.most_hits if arrival.provisional is None else 1
    if len(customers) > most:
        return (yield from _too_many(arrival, judgement, counts))
    try:
        hits = yield from _hits(arrival, permit, (sought.spec, value), customers)
    except IntegrityBroken:
        return (yield from refuse_broken(arrival, Operation.SEARCH, judgement))
    return (yield from _found(arrival, judgement, hits, counts))


def _sought(arrival: Arrival, field: str, value: str) -> _Sought:
    spec = arrival.schema.by_name.get(field)
    if spec is None:
        return _Sought(None, b"", b"", None)
    try:
        token = index_token(arrival.keys, arrival.schema.name, spec, value)
    except InvalidInput as error:
        return _Sought(spec, b"", b"", error)
    label = f"{arrival.contact_ref}\0{spec.number}\0".encode()
    return _Sought(
        spec,
        token,
        arrival.keys.mac("searched", label + token, collection=arrival.schema.name),
        None,
    )


def _shows(arrival: Arrival) -> tuple[str, ...]:
    """Fields of a hit."""
    return hit_fields(
        arrival.contract, arrival.schema, reason=arrival.reason.id if arrival.reason else ""
    )


def _judged(arrival: Arrival, field: str, sought: _Sought, values: set[bytes]) -> Judgement:
    groups = asked_groups(arrival, (field,), Operation.SEARCH)
    limit = _most_values(arrival)
    left = sought.mac in values or len(values) < limit
    facts = {
        **arrival.facts,
        **budgets.search_facts(arrival.budgets, arrival.spent),
        FactId.SEARCHES_CONTACT: known(left, "some left" if left else "used up for this contact"),
    }
    return judge(arrival.policies, question_of(arrival, Operation.SEARCH, groups, facts))


def _most_values(arrival: Arrival) -> int:
    """How many distinct values may be searched: on a person's word the one customer is found by the first."""
    most = arrival.contract.search.values_per_contact
    return most if arrival.provisional is None else min(most, MOST_VALUES)


def _count_value(arrival: Arrival, sought: _Sought) -> Query:
    return purpose.ADD_SEARCH_VALUE(
        client=arrival.asked.client,
        contact=arrival.contact_ref,
        value_mac=sought.mac,
        at_us=arrival.now_us,
        most=_most_values(arrival),
    )


def _customers(arrival: Arrival, sought: _Sought) -> Work[dict[str, list[IndexHit]]]:
    """Return candidates of the index by customer; superseded and shared entries among them."""
    assert sought.spec is not None
    most = (arrival.contract.search.most_hits + 1) * INDEX_ROWS_PER_HIT
    (rows,) = yield Round(
        keys=(
            keyring.INDEX_HITS(
                client=arrival.asked.client,
                collection=arrival.schema.name,
                field=sought.spec.number,
                token=sought.token,
                most=most,
            ),
        )
    )
    found: dict[str, list[IndexHit]] = {}
    for row in rows:
        hit = IndexHit(*row)
        if arrival.contact is None or may_find(arrival.contact, hit.customer):
            found.setdefault(hit.customer, []).append(hit)
    return found


def _hits(
    arrival: Arrival,
    permit: Permit,
    sought: tuple[FieldSpec, str],
    customers: dict[str, list[IndexHit]],
) -> Work[list[_Hit]]:
    hits = []
    for customer, entries in customers.items():
        found = yield from _hit(arrival, permit.for_customer(customer), sought, entries)
        if found is not None:
            hits.append(found)
    return hits


def _hit(
    arrival: Arrival, permit: Permit, sought: tuple[FieldSpec, str], entries: list[IndexHit]
) -> Work[_Hit | None]:
    spec = sought[0]
    target = yield from fetch(arrival, permit.customer)
    target.check()
    for loaded in target.records:
        if not any(index_confirms(loaded.row, spec.number, entry) for entry in entries):
            continue
        # A token may be shared (cut short) or forged by somebody with the keys store: the record itself decides.
        if not confirm_hit(permit, loaded, arrival.schema, (spec.name, sought[1])):
            continue
        if arrival.basis == Basis.OUTAGE:  # nothing is shown before the caller is verified
            return _Hit(target.customer, target.reference, {})
        values = open_fields(permit, loaded, arrival.schema)
        shown = shown_fields(values, permit.fields, shown_until(arrival))
        return _Hit(target.customer, target.reference, shown)
    return None


def _found(arrival: Arrival, judgement: Judgement, hits: list[_Hit], counts: Query) -> Work[Found]:
    client, contact = arrival.asked.client, arrival.contact_ref
    if arrival.provisional is not None and hits:
        yield from _name(arrival, arrival.provisional.id, hits[0].customer)
    candidates = tuple(
        purpose.ADD_CANDIDATE(
            client=client, contact=contact, customer=hit.customer, at_us=arrival.now_us
        )
        for hit in hits
    )
    units = 1 if hits else arrival.contract.search.miss_costs
    line = Line(
        Operation.SEARCH,
        judgement.outcome,
        judgement,
        customers=tuple(hit.reference for hit in hits),
        fields=dict.fromkeys(_told(hits), Presentation.MASKED.value),
        writes=(counts, *candidates),
        charges=charges(arrival, judgement, searches=units),
    )
    leaf = yield from write_line(arrival, line)
    return Found(
        decision=arrival.decision,
        hits=tuple(Hit(hit.customer, hit.values) for hit in hits),
        leaf=leaf,
    )


def _told(hits: list[_Hit]) -> list[str]:
    return list(dict.fromkeys(name for hit in hits for name in hit.values))


def _name(arrival: Arrival, provisional: str, customer: str) -> Work[None]:
    """Make the customer found the one whom a contact on the person's word is about; it has one only."""
    (named,) = yield Round(
        data=(
            purpose.NAME_CUSTOMER(
                client=arrival.asked.client,
                id=provisional,
                customer=customer,
                at_us=arrival.now_us,
            ),
        )
    )
    if not named:
        raise Unavailable("the contact was settled at this very moment", remedy="Ask again.")


def _too_many(arrival: Arrival, judgement: Judgement, counts: Query) -> Work[Refused]:
    line = _refusal(arrival, judgement, Outcome.DENY, (counts,))._replace(
        extra_rules=(TOO_MANY.rule,)
    )
    return refuse(arrival, line, reasons=(TOO_MANY,))


def _refused(arrival: Arrival, judgement: Judgement, outcome: Outcome) -> Work[Refused]:
    return refuse(arrival, _refusal(arrival, judgement, outcome, ()))


def _refusal(
    arrival: Arrival, judgement: Judgement, outcome: Outcome, writes: tuple[Query, ...]
) -> Line:
    return Line(
        Operation.SEARCH,
        outcome,
        judgement,
        writes=writes,
        charges=charges(arrival, judgement, searches=arrival.contract.search.miss_costs),
    )
