"""Customers who were erased must not come back with an older store.

Two ways lead to them. The log names them by reference, and a customer's reference is made with the customer, so every
copy that has the keys can be told whose they are. And each store remembers on its own: ``data`` by the customer's
state, ``keys`` by a hash of the id; where one remembers and the other does not, one of them is older.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.decision.store import CLIENT, CLIENT_ERASED_STATES, CLIENTS, ERASE_CLIENT
from holdfast.spine.ending.access import endings
from holdfast.spine.ending.client_shred import (
    complete_client,
    destroy_client_keys,
    unfinished_clients,
)
from holdfast.spine.vault import store
from holdfast.spine.vault.blindindex import suppression_mac
from holdfast.spine.vault.erasing import Bytes, erase_bytes, erase_keys
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.holds import destroy_ended
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import tombstone_mac
from holdfast.spine.vault.shred import complete
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.kit.db import Query, Statement, Work
    from holdfast.spine.house import House
    from holdfast.spine.vault.hierarchy import ClientKeys

_AT_ONCE: Final = 500
_ID_MAC_BYTES: Final = 32  # of an id; a shorter one is that of a customer's number
_MOST: Final = 1000


class _Erasure:
    """What the gap says of one erasure."""

    def __init__(self) -> None:
        self.reference = ""
        self.requested: dict[str, Any] | None = None
        self.done: dict[str, Any] | None = None


class Erasures:
    """The erasures of one client's gap."""

    def __init__(self, house: House, client: str) -> None:
        self._house = house
        self._client = client

    def again(self, leaves: Iterable[dict[str, Any]]) -> Work[int]:
        """Refuse again, in this transaction, whom the gap erased; return how many erasures stand again.

        :func:`finish` then destroys their keys. :class:`IntegrityBroken` when it cannot be told whom the log means.
        """
        leaves = list(leaves)
        whole = yield from self._whole(leaves)
        found = self._collect(leaves)
        if whole or not found:
            return whole
        (rows,) = yield Round(data=(CLIENT(client=self._client),))
        keys = yield from client_keys(self._house.keks, self._client, rows[0][3])
        customers = yield from self._customers(sorted({one.reference for one in found.values()}))
        standing = lost = 0
        for operation, erasure in found.items():
            stands = yield from self._one(keys, operation, erasure, customers)
            standing += stands
            lost += not stands
        if lost or len(customers) < len(found):
            yield from self._refuse_doubt()
        return standing

    def _whole(self, leaves: list[dict[str, Any]]) -> Work[int]:
        """Refuse the client again if the gap erased all of it; its customers need not be erased one by one then."""
        about = {leaf["type"]: leaf for leaf in leaves}
        requested = about.get(LeafType.CLIENT_SHRED_REQUESTED)
        done = about.get(LeafType.CLIENT_SHREDDED)
        if requested is None:
            return 0
        row = {
            "state": "again" if done else "requested",
            "requested_leaf": requested["id"],
            "refused_us": parse_rfc3339(requested["time"]),
            "done_leaf": done["id"] if done else "",
            "erased_us": parse_rfc3339(done["erased"]) if done else 0,
            "customers": int(done["customers"]) if done else 0,
            "records": int(done["records"]) if done else 0,
        }
        client, operation = self._client, requested["operation"]
        yield Round(
            data=(
                ERASE_CLIENT(client=client),
                *endings(client, self._house.clock.now_us()),
                store.DROP_SHREDS(client=client),
                store.END_HOLDS(client=client, nothing=b""),
                store.ADD_CLIENT_SHRED(client=client, operation=operation, **row),
            )
        )
        return 1

    def _collect(self, leaves: Iterable[dict[str, Any]]) -> dict[str, _Erasure]:
        found: dict[str, _Erasure] = {}
        for leaf in leaves:
            if leaf["type"] in {LeafType.SHRED_REQUESTED, LeafType.SHRED_DONE}:
                one = found.setdefault(leaf["operation"], _Erasure())
                one.reference = leaf["customer"]
                if leaf["type"] == LeafType.SHRED_DONE:
                    one.done = leaf
                else:
                    one.requested = leaf
        return found

    def _customers(self, references: Sequence[str]) -> Work[dict[str, str]]:
        found: dict[str, str] = {}
        for at in range(0, len(references), _AT_ONCE):
            some = references[at : at + _AT_ONCE]
            asked = keyring.CUSTOMERS_OF_REFERENCES(client=self._client, refs=some)
            (rows,) = yield Round(keys=(asked,))
            found |= dict(rows)
        return found

    def _one(
        self, keys: ClientKeys, operation: str, erasure: _Erasure, customers: dict[str, str]
    ) -> Work[bool]:
        """Put one erasure back; tell whether it stands."""
        (rows,) = yield Round(data=(store.SHRED(client=self._client, operation=operation),))
        customer = rows[0][2] if rows else customers.get(erasure.reference, "")
        if not customer and not erasure.done:
            return bool(rows)
        whose = {"client": self._client, "customer": customer}
        count, tokens, deks = yield Round(
            data=(store.RECORD_COUNT(**whose),),
            keys=(keyring.CUSTOMER_TOKENS(**whose), keyring.DEKS(**whose)),
        )
        row = _row(erasure, records=count[0][0], classes={f"C{dek[0]}" for dek in deks})
        if not customer:  # its keys are gone from this store, too; what is left is its certificate
            row["state"] = "done"
        now_us = self._house.clock.now_us()
        suppressed: list[Query] = [
            store.SUPPRESS(client=self._client, mac=suppression_mac(keys, token), at_us=now_us)
            for collection, token in tokens
            if not collection
        ]
        yield Round(
            data=(
                store.REFUSE_CUSTOMER(client=self._client, id=customer, changed_us=now_us),
                store.PUT_SHRED(operation=operation, reference=erasure.reference, **row, **whose),
                *suppressed,
            )
        )
        return True

    def _refuse_doubt(self) -> Work[None]:
        """Somebody was erased whom this store does not know by that name: nobody in it may be without one."""
        present, referred = yield Round(
            data=(store.PRESENT_CUSTOMERS(client=self._client),),
            keys=(keyring.REFERRED(client=self._client),),
        )
        named = {row[0] for row in referred}
        buried = set((yield from _tombstones(self._client)))
        nameless = sum(
            customer not in named and tombstone_mac(customer) not in buried
            for (customer,) in present
        )
        if nameless:
            raise IntegrityBroken(
                f"the log of {self._client} erased customers whom this store cannot tell from {nameless} others: it was"
                " written by a version that named customers late",
                remedy="Restore a newer copy.",
                code="erased_unknown",
            )


def _row(erasure: _Erasure, *, records: int, classes: set[str]) -> dict[str, Any]:
    done, requested = erasure.done, erasure.requested
    return {
        "state": "again" if done else "requested",
        "requested_leaf": requested["id"] if requested else "",
        "refused_us": parse_rfc3339(requested["time"]) if requested else 0,
        "done_leaf": done["id"] if done else "",
        "erased_us": parse_rfc3339(done["erased"]) if done else 0,
        "records": int(done["records"]) if done else records,
        "classes": " ".join(done["classes"] if done else sorted(classes)),
    }


class Unsettled(NamedTuple):
    """What one store of a client forgot: customers whose keys came back, and ones who lack only their tombstone."""

    client: str
    back: tuple[str, ...]  # erased in ``data``, not in ``keys``
    forgotten: int  # erased in ``keys``, not in ``data``
    whole: bool = False  # the client was erased, and has keys again


def unsettled(house: House) -> list[Unsettled]:
    """Find the clients with customers whom one store calls erased and the other does not; it may serve meanwhile."""
    found = []
    for client, _name, state, *_ in house.read(_clients()):
        if state in CLIENT_ERASED_STATES:
            if state == "shredded" and house.read(_has_keys(client)):
                found.append(Unsettled(client, (), 0, whole=True))
            continue
        erased = {tombstone_mac(c): c for c in house.read(_ids(store.ERASED_CUSTOMERS, client))}
        buried = set(house.read(_tombstones(client)))
        going = house.read(_going(client))
        back = tuple(sorted(customer for mac, customer in erased.items() if mac not in buried))
        forgotten = sum(len(mac) == _ID_MAC_BYTES and mac not in going for mac in buried)
        if back or forgotten:
            found.append(Unsettled(client, back, forgotten))
    return found


def finish(house: House) -> None:
    """Destroy the keys of all who are to be erased, and make both stores agree; it may run again after a crash.

    :class:`~holdfast.kit.errors.Unavailable` or :class:`IntegrityBroken` when it is not done.
    """
    for client in house.read(unfinished_clients()):
        complete_client(house, client)
    while unfinished := house.read(_unfinished()):
        for client, operation in unfinished:
            complete(house, client, operation)
    for one in unsettled(house):
        if one.whole:
            destroy_client_keys(house, one.client)
        elif one.back:
            _bury(house, one)
    for client, _name, state, *_ in house.read(_clients()):
        if state not in CLIENT_ERASED_STATES:
            house.transact(_remember(house, client))
    destroy_ended(house)


def _bury(house: House, one: Unsettled) -> None:
    with house.stores() as stores:
        rows = stores.keys.execute(keyring.KEKS(client=one.client))
        opened = house.keks.opened(one.client, rows)
        needles: list[bytes] = []
        for customer in one.back:
            needles += erase_keys(stores.keys, opened, customer, now_us=house.clock.now_us())
        erase_bytes(stores.keys, Bytes(needles))


def _remember(house: House, client: str) -> Work[None]:
    """Take over into ``data`` what ``keys`` remembers: who is erased, and whom not to import."""
    now_us = house.clock.now_us()
    buried = yield from _tombstones(client)
    present = yield from _ids(store.PRESENT_CUSTOMERS, client)
    ids = {mac for mac in buried if len(mac) == _ID_MAC_BYTES}
    writes: list[Query] = []
    if ids:
        gone = [customer for customer in present if tombstone_mac(customer) in ids]
        for customer in gone:
            writes += [
                store.FORGET_CUSTOMER(client=client, id=customer, changed_us=now_us),
                store.ERASE_RECORDS(client=client, customer=customer),
                store.EMPTY_HOLDS(client=client, customer=customer),
            ]
    writes += [
        store.SUPPRESS(client=client, mac=mac, at_us=now_us) for mac in buried if mac not in ids
    ]
    yield Round(data=tuple(writes))


def _unfinished() -> Work[list[tuple[str, str]]]:
    (rows,) = yield Round(data=(store.UNFINISHED(most=_MOST),))
    return [(client, operation) for client, operation in rows]


def _clients() -> Work[list[tuple[Any, ...]]]:
    (rows,) = yield Round(data=(CLIENTS(),))
    return rows


def _has_keys(client: str) -> Work[bool]:
    (rows,) = yield Round(keys=(keyring.KEKS(client=client),))
    return bool(rows)


def _ids(asked: Statement, client: str) -> Work[list[str]]:
    (rows,) = yield Round(data=(asked(client=client),))
    return [row[0] for row in rows]


def _tombstones(client: str) -> Work[list[bytes]]:
    (rows,) = yield Round(keys=(keyring.ALL_TOMBSTONES(client=client),))
    return [bytes(row[0]) for row in rows]


def _going(client: str) -> Work[set[bytes]]:
    """Hashes of the ids of all who are erased, or being erased."""
    (rows,) = yield Round(data=(store.GONE_CUSTOMERS(client=client),))
    return {tombstone_mac(row[0]) for row in rows}
