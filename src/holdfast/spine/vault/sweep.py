"""What operations left in the ``keys`` store: superseded entries of those that committed, all of those that did not.

``sweep(house) -> Swept``: a job, often. Keys are added before the operation that needs them commits (SPINE 18), so a
row of an operation that ``data`` does not know of may only be early: it is removed when it is an hour old, by a time
that nobody doubts, under the writer's lock of ``data``. (A writer that was stopped for longer than :data:`STALE_US`
does not commit: it begins again.) A key is removed only while it is marked with that operation: a later writer that
takes a key over marks it as its own first.

While somebody opens both stores to copy them, nothing that was superseded is removed (:func:`copy_is_begun`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.clock import HOUR_US, MINUTE_US
from holdfast.kit.db import Round
from holdfast.spine.ledger.lease import COPY
from holdfast.spine.ledger.store import IS_LEASED
from holdfast.spine.vault import store
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.packing import RecordRow, sealed_at

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Rows, Work
    from holdfast.spine.vault.ports import VaultHouse

GRACE_US: Final = HOUR_US
STALE_US: Final = 30 * MINUTE_US
_MOST: Final = 500


class Swept(NamedTuple):
    """How many operations were tidied up after, and how many were removed because they never committed."""

    tidied: int
    removed: int


class _Prepared(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.keyring.store.PREPARED`; ``record`` is empty for a whole batch."""

    client: str
    operation: str
    customer: str
    record: str
    at_us: int


def sweep(house: VaultHouse) -> Swept:
    """Tidy up after operations that committed, and remove those that never will."""
    tidied = removed = 0
    for prepared in house.read(_prepared()):
        if house.read(_is_committed(prepared)):
            tidied += house.read(_tidy(prepared, house.clock.now_us()))
        elif prepared.at_us <= house.sure_us() - GRACE_US:
            removed += _remove(house, prepared.client, prepared.operation)
    return Swept(tidied, removed)


def _prepared() -> Work[list[_Prepared]]:
    (rows,) = yield Round(keys=(keyring.PREPARED(most=_MOST),))
    return [_Prepared(*row) for row in rows]


def _is_committed(prepared: _Prepared) -> Work[bool]:
    ask = store.COMMITTED(client=prepared.client, ids=[prepared.operation])
    (rows,) = yield Round(data=(ask,))
    return bool(rows)


def copy_is_begun(now_us: int) -> Query:
    """Ask whether somebody is opening both stores to copy them; answered after the rows that say what is superseded.

    If not, whoever begins a copy from here on sees in ``data`` what supersedes them, and misses nothing in ``keys``.
    """
    return IS_LEASED(name=COPY, now_us=now_us)


def _tidy(prepared: _Prepared, now_us: int) -> Work[bool]:
    """Remove index entries and heads of records that do not hold any more, whichever operation superseded them.

    False, with some of them left for the next time, while a copy is begun.
    """
    client, operation = prepared.client, prepared.operation
    written = [(prepared.customer, prepared.record)]
    if not prepared.record:
        (heads,) = yield Round(
            keys=(keyring.HEADS_OF_OPERATION(client=client, operation=operation),)
        )
        written = [(customer, record) for customer, record, _ in heads]
    for customer, record in written:
        rows, begun, entries = yield Round(
            data=(
                store.RECORD(client=client, customer=customer, id=record),
                copy_is_begun(now_us),
            ),
            keys=(keyring.INDEX_OF_RECORD(client=client, customer=customer, record=record),),
        )
        if begun:
            return False
        if rows:
            row = RecordRow(*rows[0])
            yield Round(keys_writes=tuple(_superseded(client, row, entries)))
    yield Round(keys_writes=(keyring.DROP_OPERATION(client=client, id=operation),))
    return True


def _superseded(client: str, row: RecordRow, entries: Rows) -> list[Query]:
    at = sealed_at(row.body)
    writes = [
        keyring.DROP_INDEX_ENTRY(client=client, id=entry)
        for entry, field, version, operation in entries
        if version <= row.version
        and (at.get(field) != version or (version == row.version and operation != row.operation))
    ]
    old = keyring.DROP_OLD_HEADS(
        client=client,
        customer=row.customer,
        record=row.id,
        version=row.version,
        operation=row.operation,
    )
    return [*writes, old]


def _remove(house: VaultHouse, client: str, operation: str) -> bool:
    """Remove an operation that did not commit; finding its rows takes a while, so it is done before the lock."""
    found = house.read(_rows_of(client, operation))
    return house.transact(_remove_rows(client, operation, found))


class _Found(NamedTuple):
    indexed: Rows
    heads: Rows
    import_keys: Rows
    holders: Rows


def _rows_of(client: str, operation: str) -> Work[_Found]:
    whose = {"client": client, "operation": operation}
    found = yield Round(
        keys=(
            keyring.INDEX_OF_OPERATION(**whose),
            keyring.HEADS_OF_OPERATION(**whose),
            keyring.IMPORT_KEYS_OF_OPERATION(**whose),
            keyring.DEKS_OF_OPERATION(**whose),
        )
    )
    return _Found(*found)


def _remove_rows(client: str, operation: str, found: _Found) -> Work[bool]:
    customers = sorted({row[2] for row in found.import_keys} | {row[0] for row in found.holders})
    committed, states, records = yield Round(
        data=(
            store.COMMITTED(client=client, ids=[operation]),
            store.CUSTOMER_STATES(client=client, ids=customers),
            store.RECORD_IDS(client=client, customers=customers),
        )
    )
    if committed:
        return False
    known = {row[0] for row in states} | {row[0] for row in records}
    whose = {"client": client, "operation": operation}
    writes: list[Query] = [
        keyring.DROP_PREPARED_INDEX(customer=customer, record=record, **whose)
        for customer, record in found.indexed
    ]
    writes += [
        keyring.DROP_PREPARED_HEAD(customer=customer, record=record, **whose)
        for customer, record, _ in found.heads
    ]
    writes += [
        keyring.DROP_PREPARED_IMPORT_KEY(collection=collection, token=token, **whose)
        for collection, token, customer, record in found.import_keys
        if (record or customer) not in known
    ]
    # a key for a class that a committed customer lacked is kept: another operation may have sealed under it since
    writes += [
        keyring.DROP_PREPARED_DEKS(customer=customer, **whose)
        for (customer,) in found.holders
        if customer not in known
    ]
    writes += [
        keyring.DROP_PREPARED_REFERENCE(client=client, customer=customer)
        for customer in customers
        if customer not in known
    ]
    yield Round(keys_writes=(*writes, keyring.DROP_OPERATION(client=client, id=operation)))
    return True
