"""What an erasure keeps of a customer whom an open incident holds: sealed, under a key of its own (SPINE 19).

==========  ========================================================================================================
state       what has happened
==========  ========================================================================================================
open        in ``data``: the hold; nothing is kept yet
            *the customer is erased: a key is added to* ``keys``, *and read back*
kept        in ``data``: the entry, the fields that are in it, leaf ``hold.kept``; only then are the customer's keys
            destroyed
empty       the customer was erased, and there was nothing to keep
lifted,     in ``data``: the entry is gone, leaf ``hold.lifted`` or ``hold.expired``
expired     *then the key is deleted in* ``keys``, *its log truncated, its files searched*
ended       the whole client was erased
==========  ========================================================================================================

``keep(house, client, customer, operation)``      before a customer's keys are destroyed; may run again after a crash
``open_entry(keys, hold) -> Work[list[Kept]]``    what was kept
``destroy_ended(house) -> int``                   keys of what has ended; may run again after a crash
``held_by(client, operation) -> Work[Held | None]``  what the certificate of an erasure says
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.canonical import canonical_json, length_prefixed
from holdfast.kit.clock import rfc3339
from holdfast.kit.crypto.aead import NONCE_BYTES, seal, unseal
from holdfast.kit.db import Round
from holdfast.kit.db.shell import writing
from holdfast.kit.errors import IntegrityBroken, NotFound
from holdfast.kit.ids import new_id, random_bytes
from holdfast.kit.log import logger
from holdfast.kit.secret import Secret
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.store import CONTRACT
from holdfast.spine.ledger.recorder import append
from holdfast.spine.vault import store
from holdfast.spine.vault.erasing import Bytes, erase_bytes
from holdfast.spine.vault.hierarchy import CLIENT_ERASED
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import load_collection, load_records
from holdfast.spine.vault.records import kept_fields
from holdfast.vocabulary.ids import LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from holdfast.kit.db import Row, Work
    from holdfast.kit.db.ports import Connection
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.spine.vault.ports import VaultHouse

_ENTRY: Final = b"holdfast/hold-entry/v1"
log = logger(__name__)


class Hold(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.store.HOLD`."""

    client: str
    id: str
    customer: str
    reference: str
    incident: str
    state: str
    placed_by: str
    placed_us: int
    until_us: int
    operation: str
    fields: tuple[str, ...]  # collection.field, once something is kept
    leaf: str
    body: bytes


class Kept(NamedTuple):
    """The kept fields of one record."""

    collection: str
    fields: dict[str, Secret[str]]


class Held(NamedTuple):
    """What a certificate says: how many fields are kept, until when, and the leaves that say so."""

    fields: int
    until_us: int
    leaves: tuple[str, ...]


def hold_of(row: Row) -> Hold:
    """Read a row."""
    found = Hold(*row)
    return found._replace(fields=tuple(json.loads(row[10])), body=bytes(row[12]))


def keep(house: VaultHouse, client: str, customer: str, operation: str) -> None:
    """Seal, for each open hold of a customer who is being erased, the fields that the contract names for it.

    To be called before the customer's keys are destroyed. Each hold's entry is whole, or it is not there and the keys
    still are: then it is made when this runs again. A record that does not verify is left out; it hinders no erasure.
    """
    holds = house.read(_holds(client, customer, house.sure_us()))
    if not holds:
        return
    with house.stores() as stores:
        rows = stores.keys.execute(keyring.KEKS(client=client))
    keys = house.keks.opened(client, rows)
    kept = house.read(_notice(keys, customer))
    if not kept:
        return
    for hold in holds:
        body = house.read(_sealed(keys, hold, kept))
        house.transact(_kept(house, hold, operation, kept, body=body))


def open_entry(keys: ClientKeys, hold: Hold) -> Work[list[Kept]]:
    """Open what a hold keeps; :class:`NotFound` when its key is gone, :class:`IntegrityBroken` for another's entry."""
    (rows,) = yield Round(keys=(keyring.HOLD_KEY(client=hold.client, hold=hold.id),))
    if not rows:
        raise NotFound(
            "the key of what this hold kept is gone",
            remedy="It was destroyed, or the keys store was put back from before.",
            code="entry_gone",
        )
    key = keys.open_hold_key(hold.id, hold.reference, bytes(rows[0][0]))
    entry = json.loads(unseal(key, hold.body, _aad(hold)))
    return [
        Kept(collection, {name: Secret(value) for name, value in fields.items()})
        for collection, fields in entry
    ]


def held_by(client: str, operation: str) -> Work[Held | None]:
    """Say what an erasure kept, also when it has ended since; None for nothing."""
    (rows,) = yield Round(data=(store.HOLDS_OF_SHRED(client=client, operation=operation),))
    holds = [hold_of(row) for row in rows]
    if not holds:
        return None
    fields = {name for hold in holds for name in hold.fields}
    return Held(
        len(fields), max(hold.until_us for hold in holds), tuple(hold.leaf for hold in holds)
    )


def certified(held: Held | None) -> dict[str, Any]:
    """Write it as a certificate does; nothing when nothing was kept."""
    if held is None:
        return {}
    return {"held": {"fields": held.fields, "until": rfc3339(held.until_us)}}


def destroy_ended(house: VaultHouse) -> int:
    """Destroy the keys of holds that were lifted or have expired; return how many holds have none any more.

    Also keys of holds that ``data`` does not know, or knows as over: a crash or an older store left them.
    :class:`Unavailable` while a reader keeps the log of the keys store open; then it is called again.
    """
    with house.stores() as stores:
        found = stores.keys.execute(keyring.ALL_HOLD_KEYS())
        due = [(client, hold) for client, hold in stores.data.execute(store.HOLDS_TO_DESTROY())]
        with_key = {(row[0], row[1]) for row in stores.data.execute(store.HOLDS_WITH_KEY())}
        over = [row for row in found if (row[0], row[1]) not in with_key]
        needles = [bytes(row[2]) for row in over] + [hold.encode() for _, hold in due]
        if not needles:
            return 0
        _delete(stores.keys, over)
        erase_bytes(stores.keys, Bytes(needles))
    house.transact(_gone(due, house.clock.now_us()))
    return len({*due, *((row[0], row[1]) for row in over)})


def _delete(keys: Connection, over: list[Row]) -> None:
    with writing(keys):
        for client, hold, _ in over:
            keys.execute(keyring.DROP_HOLD_KEY(client=client, hold=hold))


def _gone(due: list[tuple[str, str]], now_us: int) -> Work[None]:
    gone = [store.HOLD_GONE(client=client, id=hold, now_us=now_us) for client, hold in due]
    if gone:
        yield Round(data=tuple(gone))


def _holds(client: str, customer: str, now_us: int) -> Work[list[Hold]]:
    asked = store.HOLDS_OF_CUSTOMER(client=client, customer=customer, now_us=now_us)
    (rows,) = yield Round(data=(asked,))
    return [hold_of(row) for row in rows]


def _notice(keys: ClientKeys, customer: str) -> Work[list[Kept]]:
    """Open the fields of the contract's ``notify``, record by record; empty when the customer's keys are gone."""
    contract, deks = yield Round(
        data=(CONTRACT(client=keys.client),),
        keys=(keyring.DEKS(client=keys.client, customer=customer),),
    )
    notify = compile_contract(contract[0][0]).notify if contract and deks else {}
    kept: list[Kept] = []
    for collection, names in sorted(notify.items()):
        kept += yield from _records(keys, customer, collection, names)
    return kept


def _records(
    keys: ClientKeys, customer: str, collection: str, names: frozenset[str]
) -> Work[list[Kept]]:
    schema = yield from load_collection(keys.client, collection)
    if schema is None:
        return []
    kept: list[Kept] = []
    try:
        for loaded in (yield from load_records(keys, customer, collection)):
            fields = kept_fields(loaded, schema, names)
            if fields:
                kept.append(Kept(collection, fields))
    except IntegrityBroken as error:
        log.warning("hold_keeps_less", collection=collection, reason=error.message)
    return kept


def _sealed(keys: ClientKeys, hold: Hold, kept: list[Kept]) -> Work[bytes]:
    """Seal under the hold's key, which is made once; a second run reads back the one that is there."""
    ask = keyring.HOLD_KEY(client=hold.client, hold=hold.id)
    add = keyring.ADD_HOLD_KEY(
        client=hold.client,
        hold=hold.id,
        wrapped=keys.new_hold_key(hold.id, hold.reference),
        erased=CLIENT_ERASED,
    )
    (rows,) = yield Round(keys_writes=(add,), keys=(ask,))
    if not rows:
        raise IntegrityBroken(f"client {hold.client} was erased meanwhile")
    key = keys.open_hold_key(hold.id, hold.reference, bytes(rows[0][0]))
    entry = [
        [one.collection, {name: value.reveal() for name, value in one.fields.items()}]
        for one in kept
    ]
    return seal(key, random_bytes(NONCE_BYTES), canonical_json(entry), _aad(hold))


def _kept(
    house: VaultHouse, hold: Hold, operation: str, kept: list[Kept], *, body: bytes
) -> Work[None]:
    now_us = house.clock.now_us()
    leaf = new_id(LEAF, now_us)
    fields = sorted({f"{one.collection}.{name}" for one in kept for name in one.fields})
    (taken,) = yield Round(
        data=(
            store.KEEP_HOLD(
                client=hold.client,
                id=hold.id,
                operation=operation,
                fields=json.dumps(fields),
                leaf=leaf,
                body=body,
            ),
        )
    )
    if not taken:  # lifted meanwhile, or another process was faster
        return
    told = {
        "hold": hold.id,
        "customer": hold.reference,
        "incident": hold.incident,
        "operation": operation,
        "fields": fields,
        "until": rfc3339(hold.until_us),
    }
    yield Round(
        data=(append(client_log(hold.client), Leaf(LeafType.HOLD_KEPT, leaf, now_us, told)),)
    )


def _aad(hold: Hold) -> bytes:
    return length_prefixed(_ENTRY, hold.client.encode(), hold.id.encode(), hold.reference.encode())
