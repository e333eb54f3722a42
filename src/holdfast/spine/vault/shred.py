"""A customer erased by destroying its keys (SPINE 19).

==========  ========================================================================================================
state       what has happened
==========  ========================================================================================================
requested   in ``data``: tombstone, leaf ``shred.requested``, suppression entry, fence raised; every look is refused
            *what a hold keeps is sealed apart* (:mod:`~holdfast.spine.vault.holds`)
            *then the rows in ``keys`` are deleted, its log truncated, its files searched*
done        in ``data``: leaf ``shred.done`` with the time of erasure; the sealed records are gone, too
certified   the certificate is signed and written under ``certificates/<client>/``
again       a store from before the erasure was put back, and the log tells that it had been done: the same once more,
            but for the leaves, which are there (:mod:`holdfast.spine.recovery`)
==========  ========================================================================================================

``request_shred(client, customer, by=…, now_us=…) -> Work[Requested]``
``complete(house, client, operation) -> Certificate``        goes on from any state; :class:`Unavailable` while a
reader blocks
``complete_together(house, operations)``                     several with one wipe and one search
``run_shred(house, payload)``, ``SHRED_JOB``                 as a job, with what else waits; enqueued by the request
``complete_unfinished(house) -> int``                        at start-up
``certificates_of(home, client) -> dict[str, bytes]``        what an export of the client's log carries
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, HoldfastError, IntegrityBroken, NotFound, Unavailable
from holdfast.kit.files import write_durably
from holdfast.kit.ids import new_id
from holdfast.kit.jobs.queue import NewJob, enqueue
from holdfast.kit.log import logger
from holdfast.spine.decision.store import BUMP_FENCE
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.statements import sign_statement
from holdfast.spine.vault import store
from holdfast.spine.vault.blindindex import suppression_mac
from holdfast.spine.vault.erasing import TABLES, Bytes, erase_bytes, erase_keys
from holdfast.spine.vault.holds import certified, held_by, keep
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import customer_reference
from holdfast.vocabulary.ids import LEAF, OPERATION, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.levels import CustomerState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from holdfast.kit.db import Query, Work
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.spine.vault.ports import VaultHouse

SHRED_JOB: Final = "vault.shred"
FOLDER: Final = "certificates"
TYPE: Final = "holdfast/shred-certificate/v1"
COPIES: Final = "not determined"
MOST_TOGETHER: Final = 64
_MOST_UNFINISHED: Final = 1000
log = logger(__name__)


class Shred(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.store.SHRED`; ``customer`` is empty once it is done."""

    client: str
    operation: str
    customer: str
    reference: str
    state: str
    requested_leaf: str
    done_leaf: str
    refused_us: int
    erased_us: int
    records: int
    classes: str
    certificate: str


def request_shred(keys: ClientKeys, customer: str, *, by: str, now_us: int) -> Work[str]:
    """Refuse every look at a customer from this transaction's commit on, and enqueue the rest; return its operation.

    ``by`` is the acting person's reference in the client's log. An erasure under way is returned, not begun again.
    :class:`NotFound` for no such customer, :class:`Conflict` for one that is erased.
    """
    client = keys.client
    whose = {"client": client, "customer": customer}
    state, count, under_way, tokens, deks = yield Round(
        data=(
            store.CUSTOMER(client=client, id=customer),
            store.RECORD_COUNT(**whose),
            store.SHRED_OF(**whose),
        ),
        keys=(keyring.CUSTOMER_TOKENS(**whose), keyring.DEKS(**whose)),
    )
    if not state:
        raise NotFound(f"client {client} has no such customer", code="no_customer")
    if state[0][0] == CustomerState.SHREDDED:
        raise Conflict("the customer is erased already", code="erased")
    if under_way:
        return Shred(*under_way[0]).operation
    reference = yield from customer_reference(client, customer)
    operation, leaf = new_id(OPERATION, now_us), new_id(LEAF, now_us)
    body = {"by": by, "customer": reference, "operation": operation}
    yield Round(
        data=(
            store.REFUSE_CUSTOMER(client=client, id=customer, changed_us=now_us),
            store.ADD_SHRED(
                operation=operation,
                reference=reference,
                requested_leaf=leaf,
                refused_us=now_us,
                records=count[0][0],
                classes=" ".join(sorted({f"C{dek[0]}" for dek in deks})),
                **whose,
            ),
            *_suppressed(keys, [token for collection, token in tokens if not collection], now_us),
            BUMP_FENCE(client=client),
            append(client_log(client), Leaf(LeafType.SHRED_REQUESTED, leaf, now_us, body)),
            enqueue(
                NewJob(SHRED_JOB, {"client": client, "operation": operation}, f"shred:{operation}"),
                now_us,
            ),
        )
    )
    return operation


def _suppressed(keys: ClientKeys, tokens: list[bytes], now_us: int) -> list[Query]:
    return [
        store.SUPPRESS(client=keys.client, mac=suppression_mac(keys, token), at_us=now_us)
        for token in tokens
    ]


def complete(house: VaultHouse, client: str, operation: str) -> dict[str, Any]:
    """Carry an erasure to its end from wherever it stands, and return its certificate.

    :class:`Unavailable` while a reader keeps the log of the keys store open, :class:`IntegrityBroken` if bytes of the
    customer are found where none may be; then it is not erased, and goes on when called again.
    """
    return complete_together(house, [(client, operation)])[0]


def complete_together(
    house: VaultHouse, operations: Iterable[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Carry erasures, by client and operation, to their ends with one wipe and one search; return their certificates.

    None is ended before the bytes of all were searched for. Raises as :func:`complete` does, and then none of those
    whose keys had still to go is erased.
    """
    shreds = [house.read(_shred(client, operation)) for client, operation in operations]
    pending = [shred for shred in shreds if shred.state in {"requested", "again"}]
    for shred in pending:
        keep(house, shred.client, shred.customer, shred.operation)
    if pending:
        _destroy(house, pending)
    for shred in pending:
        end = _done if shred.state == "requested" else _done_again
        house.transact(end(house, shred))
    return [_certify(house, shred.client, shred.operation) for shred in shreds]


def _certify(house: VaultHouse, client: str, operation: str) -> dict[str, Any]:
    shred = house.read(_shred(client, operation))
    if shred.state == "done":
        certificate = _certificate(house, shred)
        text = canonical_json(certificate).decode()
        house.transact(_certified(shred, text))
        shred = shred._replace(certificate=text)
    path = house.home / FOLDER / client / f"{operation}.json"
    if not path.exists():
        write_durably(path, shred.certificate.encode(), mode=0o600)
    certified: dict[str, Any] = json.loads(shred.certificate)
    return certified


def run_shred(house: VaultHouse, payload: Mapping[str, Any]) -> None:
    """Complete the erasure that a job names, and with it what else waits; a raised error makes the queue try again.

    What would hold the others up does not hold up this one: then it is completed alone.
    """
    own = (str(payload["client"]), str(payload["operation"]))
    waiting = house.read(_unfinished(MOST_TOGETHER))
    others = [one for one in waiting if one != own] if own in waiting else []
    if others:
        try:
            complete_together(house, [own, *others])
        except Unavailable:
            raise
        except HoldfastError as error:
            log.warning("erasures_one_by_one", reason=error.message)
        else:
            return
    complete(house, *own)


def complete_unfinished(house: VaultHouse) -> int:
    """Complete what an earlier process began, and return how many are complete.

    What is blocked by a reader, or still finds bytes of the customer, is logged and stays unfinished: it is not erased.
    """
    waiting, completed = house.read(_unfinished(_MOST_UNFINISHED)), 0
    for at in range(0, len(waiting), MOST_TOGETHER):
        together = waiting[at : at + MOST_TOGETHER]
        try:
            completed += len(complete_together(house, together))
        except (IntegrityBroken, Unavailable) as error:
            log.warning("erasures_one_by_one", reason=error.message)
            completed += sum(_completed(house, *one) for one in together)
    return completed


def _completed(house: VaultHouse, client: str, operation: str) -> bool:
    try:
        complete(house, client, operation)
    except Unavailable as error:
        log.warning("erasure_waits", operation=operation, reason=error.message)
    except IntegrityBroken as error:
        log.warning("erasure_incomplete", operation=operation, reason=error.message)
    else:
        return True
    return False


def certificates_of(home: Path, client: str) -> dict[str, bytes]:
    """Return the client's certificates by file name, as an export of its log carries them."""
    folder = home / FOLDER / client
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}


def _destroy(house: VaultHouse, shreds: Sequence[Shred]) -> None:
    needles: list[bytes] = []
    with house.stores() as stores:
        now_us = house.clock.now_us()
        for shred in shreds:
            kek_rows = stores.keys.execute(keyring.KEKS(client=shred.client))
            opened = house.keks.opened(shred.client, kek_rows)
            needles += erase_keys(stores.keys, opened, shred.customer, now_us=now_us)
        erase_bytes(stores.keys, Bytes(needles), tables=TABLES)


def _shred(client: str, operation: str) -> Work[Shred]:
    (rows,) = yield Round(data=(store.SHRED(client=client, operation=operation),))
    if not rows:
        raise NotFound("there is no such erasure", code="no_shred")
    return Shred(*rows[0])


def _unfinished(most: int) -> Work[list[tuple[str, str]]]:
    (rows,) = yield Round(data=(store.UNFINISHED(most=most),))
    return [(client, operation) for client, operation in rows]


def _done(house: VaultHouse, shred: Shred) -> Work[None]:
    now_us = house.clock.now_us()
    leaf = new_id(LEAF, now_us)
    client, customer = shred.client, shred.customer
    (ended,) = yield Round(
        data=(
            store.END_SHRED(
                client=client, operation=shred.operation, done_leaf=leaf, erased_us=now_us
            ),
        )
    )
    if not ended:  # another process was faster
        return
    body = {
        "customer": shred.reference,
        "operation": shred.operation,
        "records": shred.records,
        "classes": shred.classes.split(),
        "erased": rfc3339(now_us),
    }
    yield Round(
        data=(
            store.END_CUSTOMER(client=client, id=customer, changed_us=now_us),
            store.ERASE_RECORDS(client=client, customer=customer),
            store.EMPTY_HOLDS(client=client, customer=customer),
            append(client_log(client), Leaf(LeafType.SHRED_DONE, leaf, now_us, body)),
        )
    )


def _done_again(_house: VaultHouse, shred: Shred) -> Work[None]:
    """End an erasure whose leaves stand in the log already; the certificate comes out as it was."""
    client, customer = shred.client, shred.customer
    yield Round(
        data=(
            store.END_SHRED_AGAIN(client=client, operation=shred.operation),
            store.END_CUSTOMER(client=client, id=customer, changed_us=shred.erased_us),
            store.ERASE_RECORDS(client=client, customer=customer),
            store.EMPTY_HOLDS(client=client, customer=customer),
        )
    )


def _certified(shred: Shred, certificate: str) -> Work[None]:
    yield Round(
        data=(
            store.CERTIFY(client=shred.client, operation=shred.operation, certificate=certificate),
        )
    )


def _certificate(house: VaultHouse, shred: Shred) -> dict[str, Any]:
    """Sign what the leaves say. Ed25519 is deterministic: made twice, it is the same text."""
    log_name = client_log(shred.client)
    held = house.read(held_by(shred.client, shred.operation))
    kept = [{"id": leaf} for leaf in held.leaves] if held else []
    body = {
        "type": TYPE,
        "log": log_name,
        "customer": shred.reference,
        "operation": shred.operation,
        "leaves": [{"id": shred.requested_leaf}, {"id": shred.done_leaf}, *kept],
        "refused_at": rfc3339(shred.refused_us),
        "erased_at": rfc3339(shred.erased_us),
        "copies": COPIES,
        "records": shred.records,
        "classes": shred.classes.split(),
        **certified(held),
    }
    signer = house.signing_keys.signers(log_name)[0]
    return sign_statement(body, signer, shred.erased_us)
