"""What an operation on a customer's records loads.

``load_collection(client, name) -> Work[CollectionSchema | None]``, ``load_collections(client) ->
Work[list[CollectionSchema]]``
``load_records(keys, customer, collection) -> Work[list[LoadedRecord]]``    ready for
:mod:`~holdfast.spine.vault.records`

A path that loads the rows in its own round asks ``store.COMMITTED`` for ``newer_operations(loaded)`` when there are
any, and hands the answer to ``check_not_rolled_back``. There are none but in the moment after an update.

``customer_reference(client, customer) -> Work[str]``: what the client's log calls the customer, made on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.crypto.mac import sha256
from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.kit.ids import new_reference
from holdfast.spine.vault import store
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.packing import (
    LoadedRecord,
    RecordRow,
    check_not_rolled_back,
    newer_operations,
)
from holdfast.spine.vault.schema import decode_schema
from holdfast.vocabulary.ids import CUSTOMER_REF

if TYPE_CHECKING:
    from holdfast.kit.db import Rows, Work
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.schema import CollectionSchema


def load_collection(client: str, name: str) -> Work[CollectionSchema | None]:
    """Return the newest schema of a collection, or ``None``."""
    (rows,) = yield Round(data=(store.COLLECTION(client=client, name=name),))
    return schema_of(rows)


def schema_of(rows: Rows) -> CollectionSchema | None:
    """Read the answer of :data:`~holdfast.spine.vault.store.COLLECTION`."""
    return decode_schema(rows[0][2]) if rows else None


def load_collections(client: str) -> Work[list[CollectionSchema]]:
    """Return the newest schemas of all the client's collections, by name."""
    (rows,) = yield Round(data=(store.COLLECTIONS(client=client),))
    return [decode_schema(row[3]) for row in rows]


def load_records(keys: ClientKeys, customer: str, collection: str) -> Work[list[LoadedRecord]]:
    """Return the customer's records in a collection; :class:`IntegrityBroken` if one was rolled back."""
    client = keys.client
    rows, heads, deks = yield Round(
        data=(store.RECORDS(client=client, customer=customer, collection=collection),),
        keys=(
            keyring.HEADS(client=client, customer=customer),
            keyring.DEKS(client=client, customer=customer),
        ),
    )
    loaded = [LoadedRecord(keys, RecordRow(*row), heads, deks) for row in rows]
    newer = sorted({operation for one in loaded for operation in newer_operations(one)})
    if newer:
        (committed,) = yield Round(data=(store.COMMITTED(client=client, ids=newer),))
        for one in loaded:
            check_not_rolled_back(one, (row[0] for row in committed))
    return loaded


def customer_reference(client: str, customer: str) -> Work[str]:
    """Return the customer's reference in the client's log; :class:`NotFound` for one whose keys are destroyed."""
    ask = keyring.CUSTOMER_REFERENCE(client=client, customer=customer)
    (rows,) = yield Round(keys=(ask,))
    if not rows:
        add = keyring.ADD_CUSTOMER_REFERENCE(
            client=client,
            customer=customer,
            ref=new_reference(CUSTOMER_REF),
            mac=tombstone_mac(customer),
        )
        (rows,) = yield Round(keys_writes=(add,), keys=(ask,))
    if not rows:
        raise NotFound("there is no such customer")
    reference: str = rows[0][0]
    return reference


def tombstone_mac(customer: str) -> bytes:
    """Return what stands in the ``keys`` store of an erased customer, instead of the id."""
    return sha256(b"holdfast/tombstone/v1\0" + customer.encode())
