"""What an agent's desk knows of their own contacts before any customer is looked at.

Nothing of a customer stands in it: queue, reason, and what may be asked for, by the contract. A look is another matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.kit.clock import HOUR_US
from holdfast.kit.db import Round
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.ledger.recorder import append_signal
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.purpose import store as purpose
from holdfast.spine.purpose.contact import (
    OPEN,
    Contact,
    Standing,
    closes_us,
    may_search,
    reason_of,
    standing,
)
from holdfast.spine.vault.load import load_collections
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.levels import Handling
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.turn.answers import Asked
    from holdfast.vocabulary.contract import Contract, Queue, Reason
    from holdfast.vocabulary.schema import CollectionSchema
    from holdfast.vocabulary.signals import Signal

MOST_SHOWN: Final = 12
_SINCE_US: Final = 12 * HOUR_US


class DeskField(msgspec.Struct, frozen=True):
    """One field of the contact's field set, as the schema declares it."""

    name: str
    label: str
    data_class: str  # C0 … C4
    handling: Handling


class DeskAction(msgspec.Struct, frozen=True):
    """One action that the contract allows for the contact's reason."""

    id: str
    label: str
    matches: int  # questions that the caller must have answered in this contact
    targets: tuple[str, ...]
    changes: tuple[DeskField, ...]


class DeskContact(msgspec.Struct, frozen=True, kw_only=True):
    """One contact that is with the person now, or was lately.

    ``customer`` is whom it is bound to, "" while it is not. ``collection`` and the lists of fields are of the first
    collection of which the reason needs anything.
    """

    client: str
    client_name: str
    ref: str
    standing: Standing
    channel: str
    programme: str
    queue: str
    reason: str
    reason_label: str
    other_reasons: tuple[tuple[str, str], ...]
    began_us: int
    closes_us: int
    searching: bool
    customer: str
    collection: str
    fields: tuple[DeskField, ...]
    search_by: tuple[DeskField, ...]
    questions: tuple[DeskField, ...]
    needed: int
    changes: tuple[DeskField, ...] = ()
    actions: tuple[DeskAction, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether anything can still be looked at under it."""
        return self.standing in OPEN


def own_contacts(house: House, asked: Asked) -> Work[list[DeskContact]]:
    """Return the person's contacts of this shift, the one with the newest event first."""
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    (rows,) = yield Round(
        data=(
            purpose.CONTACTS_OF_PERSON(
                person=reader.person, since_us=now_us - _SINCE_US, limit=MOST_SHOWN
            ),
        )
    )
    found: list[DeskContact] = []
    for row in rows:
        shown = yield from _shown(house, Contact(*row), now_us)
        found.append(shown)
    return found


def own_contact(house: House, asked: Asked) -> Work[DeskContact | None]:
    """Return the contact that ``asked`` names by our own reference, if it is the person's; else None."""
    now_us = house.clock.now_us()
    reader = yield from reader_of(asked, now_us)
    (rows,) = yield Round(data=(purpose.CONTACT(client=asked.client, ref=asked.contact_ref),))
    if not rows or Contact(*rows[0]).person != reader.person:
        return None
    return (yield from _shown(house, Contact(*rows[0]), now_us))


def tell_desk(house: House, client: str, signal: Signal, contact: str) -> Work[None]:
    """Tell the client's log what somebody did with a contact's card beside looking at it."""
    now_us = house.clock.now_us()
    yield Round(data=(append_signal(client_log(client), signal, now_us, subject=contact),))


def _shown(house: House, contact: Contact, now_us: int) -> Work[DeskContact]:
    contract = (yield from current_policies(house.policies, contact.client)).contract
    (names,) = yield Round(data=(CLIENT(client=contact.client),))
    queue = contract.queues.get(contact.queue)
    reason = contract.reasons.get(reason_of(contact, queue)) if queue else None
    schemas = yield from load_collections(contact.client)
    schema = _schema(schemas, reason)
    return DeskContact(
        client=contact.client,
        client_name=names[0][0] if names else contact.client,
        ref=contact.ref,
        standing=standing(contact, queue, now_us),
        channel=contact.channel,
        programme=contact.programme,
        queue=contact.queue,
        reason=reason.id if reason else "",
        reason_label=reason.label if reason else "",
        other_reasons=_others(contract, queue, reason),
        began_us=contact.holder_us or contact.first_event_us,
        closes_us=closes_us(contact, queue),
        searching=may_search(contact, queue, now_us),
        customer=contact.customer,
        collection=schema.name if schema else "",
        fields=_fields(schema, _needed(reason, schema)),
        search_by=_fields(schema, _searchable(contract, schema)),
        questions=_rotated(_fields(schema, _questions(contract, schema)), contact.ref),
        needed=contract.verification.needed,
        changes=_fields(schema, _changeable(reason, schema)),
        actions=_actions(contract, reason, schema),
    )


def _others(
    contract: Contract, queue: Queue | None, reason: Reason | None
) -> tuple[tuple[str, str], ...]:
    names = queue.reasons if queue else ()
    return tuple(
        (name, contract.reasons[name].label)
        for name in names
        if name in contract.reasons and (reason is None or name != reason.id)
    )


def _schema(schemas: list[CollectionSchema], reason: Reason | None) -> CollectionSchema | None:
    needed = reason.fields if reason else {}
    return next((one for one in schemas if needed.get(one.name)), schemas[0] if schemas else None)


def _needed(reason: Reason | None, schema: CollectionSchema | None) -> frozenset[str]:
    return reason.fields.get(schema.name, frozenset()) if reason and schema else frozenset()


def _searchable(contract: Contract, schema: CollectionSchema | None) -> frozenset[str]:
    if schema is None:
        return frozenset()
    indexed = {one.name for one in schema.fields if one.index is Index.SEARCH}
    return frozenset(indexed & contract.search.by.get(schema.name, frozenset(indexed)))


def _questions(contract: Contract, schema: CollectionSchema | None) -> frozenset[str]:
    return (
        frozenset(contract.verification.questions.get(schema.name, ())) if schema else frozenset()
    )


def _rotated(questions: tuple[DeskField, ...], ref: str) -> tuple[DeskField, ...]:
    """Begin with another question on each contact: who calls again and again is not asked the same."""
    first = sum(ref.encode()) % len(questions) if questions else 0
    return questions[first:] + questions[:first]


def _changeable(reason: Reason | None, schema: CollectionSchema | None) -> frozenset[str]:
    return reason.updates.get(schema.name, frozenset()) if reason and schema else frozenset()


def _actions(
    contract: Contract, reason: Reason | None, schema: CollectionSchema | None
) -> tuple[DeskAction, ...]:
    return tuple(
        DeskAction(
            id=one.id,
            label=one.label,
            matches=one.matches,
            targets=one.targets,
            changes=_fields(
                schema, one.changes.get(schema.name, frozenset()) if schema else frozenset()
            ),
        )
        for one in contract.actions.values()
        if reason is not None and reason.id in one.reasons
    )


def _fields(schema: CollectionSchema | None, names: frozenset[str]) -> tuple[DeskField, ...]:
    if schema is None:
        return ()
    return tuple(
        DeskField(one.name, one.label or one.name, one.data_class.name, one.handling)
        for one in schema.fields
        if one.name in names
    )
