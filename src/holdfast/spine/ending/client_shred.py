"""A whole client erased: its keys of every epoch, its index root, its record keys, all that names its customers.

==========  ========================================================================================================
state       what has happened
==========  ========================================================================================================
requested   in ``data``: the client is found by nobody any more, its assignments, tokens, feed keys, contacts and
            approvals have ended, leaf ``client.shred_requested`` in both logs
            *then its rows in ``keys`` are deleted, the store is written anew, its files searched; then all that
            names its customers, contacts and calls goes from ``data``, the customers last, the files of its exports,
            and the files of ``data`` are searched, too*
done        in ``data``: leaf ``client.shredded`` in both logs
certified   the certificate is signed and written under ``certificates/<client>/``
again       a store from before was put back, and the log tells that it had been done: once more, without the leaves
==========  ========================================================================================================

The client's log stays, with everything in it, and stays verifiable. Its id is never given again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.db.shell import writing
from holdfast.kit.errors import Conflict, IntegrityBroken, NotFound, Unavailable
from holdfast.kit.files import write_durably
from holdfast.kit.ids import new_id
from holdfast.kit.jobs.queue import NewJob, enqueue
from holdfast.kit.log import logger
from holdfast.spine.actions import store as actions
from holdfast.spine.actions.exports import delete_files
from holdfast.spine.approvals import store as approvals
from holdfast.spine.decision import store as decisions
from holdfast.spine.decision.store import CLIENT_IS_ERASED, CLIENT_STATE, ERASE_CLIENT
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.statements import sign_statement
from holdfast.spine.purpose import store as purpose
from holdfast.spine.signals import store as signals
from holdfast.spine.vault import store
from holdfast.spine.vault.erasing import Bytes, erase_bytes
from holdfast.spine.vault.hierarchy import CLIENT_ERASED
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.shred import COPIES, FOLDER
from holdfast.vocabulary.ids import HOUSE_LOG, LEAF, OPERATION, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.kit.db import Query, Statement, Work
    from holdfast.kit.db.ports import Connection
    from holdfast.spine.vault.ports import VaultHouse

CLIENT_SHRED_JOB: Final = "vault.shred_client"
TYPE: Final = "holdfast/client-shred-certificate/v1"
STATEMENT: Final = "holdfast/client-shred/v1"
_AT_ONCE: Final = 500
_OF_CLIENT: Final = (
    *store.ERASE_OF_CLIENT,
    *decisions.ERASE_OF_CLIENT,
    *actions.ERASE_OF_CLIENT,
    *approvals.ERASE_OF_CLIENT,
    *purpose.ERASE_OF_CLIENT,
    *signals.ERASE_OF_CLIENT,
)
_CUSTOMER: Final = re.compile(rb"cus_[0-9a-z]{26}")
_ID_BYTES: Final = 30
log = logger(__name__)


class ClientShred(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.store.CLIENT_SHRED`."""

    client: str
    operation: str
    state: str
    requested_leaf: str
    done_leaf: str
    refused_us: int
    erased_us: int
    customers: int
    records: int
    certificate: str


class Order(NamedTuple):
    """Who ordered it: references by log, and whether the client signed."""

    by: Mapping[str, str]
    second: Mapping[str, str]
    signed: bool


def statement_to_sign(origin: str, client: str) -> str:
    """The text that a client signs to have itself erased; it names the log, so it is good for this house only."""
    return f"{STATEMENT}\n{origin}\n{client}\n"


def request_client_shred(
    client: str, order: Order, endings: tuple[Query, ...], *, now_us: int
) -> Work[str]:
    """Refuse everything of a client from this transaction's commit on, and enqueue the rest; return its operation.

    ``endings`` are the writes by which assignments, tokens, feeds, contacts and approvals end. An erasure under way is
    returned, not begun again; :class:`Conflict` for a client that is erased, :class:`NotFound` for none.
    """
    state, under_way = yield Round(
        data=(CLIENT_STATE(client=client), store.CLIENT_SHRED(client=client))
    )
    if not state:
        raise NotFound(f"there is no client {client}", remedy="See `holdfast client list`.")
    if under_way:
        found = ClientShred(*under_way[0])
        if found.state == "certified":
            raise Conflict(f"client {client} is erased already", code="erased")
        return found.operation
    (counts,) = yield Round(data=(store.COUNTS_OF_CLIENT(client=client),))
    operation, leaves = new_id(OPERATION, now_us), []
    for name in (client_log(client), HOUSE_LOG):
        body = {
            "by": order.by[name],
            "second": order.second[name],
            "client": client,
            "operation": operation,
            "signed": order.signed,
        }
        leaves.append(
            (name, Leaf(LeafType.CLIENT_SHRED_REQUESTED, new_id(LEAF, now_us), now_us, body))
        )
    yield Round(
        data=(
            ERASE_CLIENT(client=client),
            *endings,
            store.DROP_SHREDS(client=client),
            store.END_HOLDS(client=client, nothing=b""),
            store.ADD_CLIENT_SHRED(
                client=client,
                operation=operation,
                state="requested",
                requested_leaf=leaves[0][1].id,
                done_leaf="",
                refused_us=now_us,
                erased_us=0,
                customers=counts[0][0],
                records=counts[0][1],
            ),
            *(append(name, leaf) for name, leaf in leaves),
            enqueue(NewJob(CLIENT_SHRED_JOB, {"client": client}, f"shred:{operation}"), now_us),
        )
    )
    return operation


def complete_client(house: VaultHouse, client: str) -> dict[str, Any]:
    """Carry a client's erasure to its end from wherever it stands, and return its certificate.

    :class:`Unavailable` while a reader keeps the log of the keys store open, :class:`IntegrityBroken` if bytes are
    found where none may be; then it is not erased, and goes on when called again.
    """
    shred = house.read(_shred(client))
    if shred.state in {"requested", "again"}:
        _destroy(house, client)
        for erase in (*_OF_CLIENT, store.FORGET_CUSTOMERS):
            while house.transact(_some(erase, client)):
                pass  # some at a time, so that no transaction is long
        delete_files(house.home, client)  # when no row says any more that one is to be written
        _search_data(house)
        house.transact(_done(house, shred))
        shred = house.read(_shred(client))
    if shred.state == "done":
        text = canonical_json(_certificate(house, shred)).decode()
        house.transact(_certified(client, text))
        shred = shred._replace(certificate=text)
    path = house.home / FOLDER / client / f"{shred.operation}.json"
    if not path.exists():
        write_durably(path, shred.certificate.encode(), mode=0o600)
    certified: dict[str, Any] = json.loads(shred.certificate)
    return certified


def run_client_shred(house: VaultHouse, payload: Mapping[str, Any]) -> None:
    """Complete the erasure that a job names; what it raises makes the queue try again later."""
    complete_client(house, str(payload["client"]))


def complete_unfinished_clients(house: VaultHouse) -> None:
    """Complete what an earlier process began; what is blocked is logged and stays unfinished."""
    for client in house.read(unfinished_clients()):
        try:
            complete_client(house, client)
        except (Unavailable, IntegrityBroken) as error:
            log.warning("client_erasure_waits", client=client, reason=error.message)


def unfinished_clients() -> Work[list[str]]:
    """Return the clients whose erasure has not ended."""
    (rows,) = yield Round(data=(store.UNFINISHED_CLIENTS(),))
    return [row[0] for row in rows]


def destroy_client_keys(house: VaultHouse, client: str) -> None:
    """Delete all of a client from the keys store and make sure that its files hold none of it; may run again."""
    _destroy(house, client)


def _destroy(house: VaultHouse, client: str) -> None:
    customers = {row.encode() for row in house.read(_customers(client))}
    with house.stores() as stores:
        needles = _delete(stores.keys, client, now_us=house.clock.now_us())
        # Rows of many pages were moved about: the store is written anew rather than searched in vain first.
        erase_bytes(stores.keys, _OfClient(needles, customers), anew=True)
    house.keks.forget(client)


class _OfClient(Bytes):
    """The wrapped keys of a client, and the ids of its customers, each of whose rows names one.

    The ids are found in one pass over the store, however many they are.
    """

    def __init__(self, needles: Sequence[bytes], customers: set[bytes]) -> None:
        super().__init__(needles)
        self._customers = customers
        self.longest = max(self.longest, _ID_BYTES)

    def stand_in(self, window: bytes) -> bool:
        """Tell whether one of them stands in ``window``."""
        named = _CUSTOMER.findall(window)
        return super().stand_in(window) or not self._customers.isdisjoint(named)


def _delete(keys: Connection, client: str, *, now_us: int) -> list[bytes]:
    """Delete in one transaction; return the wrapped keys, which must then be nowhere in the files."""
    needles = [bytes(row[2]) for row in keys.execute(keyring.KEKS(client=client))]
    needles += [bytes(row[0]) for row in keys.execute(keyring.RECORD_KEYS(client=client))]
    needles += [bytes(row[0]) for row in keys.execute(keyring.HOLD_KEYS(client=client))]
    with writing(keys):
        for erase in keyring.ERASE_CLIENT:
            keys.execute(erase(client=client))
        keys.execute(keyring.ADD_TOMBSTONE(client=client, mac=CLIENT_ERASED, at_us=now_us))
    return needles


def _search_data(house: VaultHouse) -> None:
    """Make sure that the files of ``data`` name nobody who is no customer: its free parts, too.

    Rows that moved between pages may leave copies behind; then the store is written anew.
    """
    known = {row.encode() for row in house.read(_all_customers())}
    with house.stores() as stores:
        stores.data.wipe()
        if not _named_in(stores.data) - known:
            return
        stores.data.wipe(anew=True)
        strangers = _named_in(stores.data) - known
    if strangers - {row.encode() for row in house.read(_all_customers())}:
        raise IntegrityBroken(
            "the data store still names customers of an erased client",
            remedy="Stop the house and run the erasure again; it completes at the next start.",
            code="erasure_incomplete",
        )


class _Names:
    """Takes down the ids of customers that stand in the files of a store; nothing ends the search."""

    longest = _ID_BYTES

    def __init__(self) -> None:
        self.found: set[bytes] = set()

    def stand_in(self, window: bytes) -> bool:
        """Take them down."""
        self.found.update(_CUSTOMER.findall(window))
        return False


def _named_in(store: Connection) -> set[bytes]:
    names = _Names()
    store.holds(names)
    return names.found


def _some(erase: Statement, client: str) -> Work[bool]:
    most = {"most": _AT_ONCE} if ":most" in erase.text else {}
    (rows,) = yield Round(data=(erase(client=client, **most),))
    return bool(rows)


def _done(house: VaultHouse, shred: ClientShred) -> Work[None]:
    now_us = house.clock.now_us()
    client, again = shred.client, shred.state == "again"
    leaves = [
        (name, Leaf(LeafType.CLIENT_SHREDDED, new_id(LEAF, now_us), now_us, _body(shred, now_us)))
        for name in (client_log(client), HOUSE_LOG)
    ]
    (ended,) = yield Round(
        data=(
            store.END_CLIENT_SHRED(
                client=client,
                done_leaf=shred.done_leaf if again else leaves[0][1].id,
                erased_us=shred.erased_us if again else now_us,
            ),
        )
    )
    if not ended:  # another process was faster
        return
    yield Round(
        data=(
            CLIENT_IS_ERASED(client=client),
            *(append(name, leaf) for name, leaf in leaves if not again),
        )
    )


def _body(shred: ClientShred, now_us: int) -> dict[str, Any]:
    return {
        "client": shred.client,
        "operation": shred.operation,
        "customers": shred.customers,
        "records": shred.records,
        "erased": rfc3339(now_us),
    }


def _certificate(house: VaultHouse, shred: ClientShred) -> dict[str, Any]:
    """Sign what the leaves say. Ed25519 is deterministic: made twice, it is the same text."""
    name = client_log(shred.client)
    body: dict[str, Any] = {
        "type": TYPE,
        "log": name,
        "client": shred.client,
        "operation": shred.operation,
        "leaves": [{"id": shred.requested_leaf}, {"id": shred.done_leaf}],
        "refused_at": rfc3339(shred.refused_us),
        "erased_at": rfc3339(shred.erased_us),
        "copies": COPIES,
        "customers": shred.customers,
        "records": shred.records,
    }
    ended = house.read(_ended_holds(shred.client))
    if ended:
        body["held"] = {"ended": ended}
    return sign_statement(body, house.signing_keys.signers(name)[0], shred.erased_us)


def _ended_holds(client: str) -> Work[int]:
    (rows,) = yield Round(data=(store.ENDED_HOLDS(client=client),))
    return int(rows[0][0])


def _certified(client: str, certificate: str) -> Work[None]:
    yield Round(data=(store.CERTIFY_CLIENT(client=client, certificate=certificate),))


def _shred(client: str) -> Work[ClientShred]:
    (rows,) = yield Round(data=(store.CLIENT_SHRED(client=client),))
    if not rows:
        raise NotFound("there is no such erasure", code="no_shred")
    return ClientShred(*rows[0])


def _all_customers() -> Work[list[str]]:
    (rows,) = yield Round(data=(store.ALL_CUSTOMERS(),))
    return [row[0] for row in rows]


def _customers(client: str) -> Work[list[str]]:
    (rows,) = yield Round(data=(store.CUSTOMERS_OF_CLIENT(client=client),))
    return [row[0] for row in rows]
