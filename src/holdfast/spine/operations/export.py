"""Export: records leave the house in a file that one named recipient opens, with a second person's yes (SPINE 16).

:func:`request_export` judges it twice: as an administrative act (who, with whose approval), and by the contract of the
client (which fields, to whom, why, how many). What is written is a row and a job, and
:mod:`holdfast.spine.operations.export_job` makes the file. :func:`fetch_export` hands out the sealed file, which nobody
in the house can open.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import HOUR_US, rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.kit.ids import new_id, random_bytes
from holdfast.kit.jobs.queue import NewJob, enqueue
from holdfast.spine.actions import store
from holdfast.spine.actions.exports import DONE, JOB, Export, commit_customers, export_of
from holdfast.spine.administration.refusals import Attempt, Refused
from holdfast.spine.administration.scene import digest_of, enter_as, tell_in
from holdfast.spine.decision.exporting import Order, find_export, shown
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.identity.acting import Acting
from holdfast.spine.identity.references import reference_of
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.vault import store as vault
from holdfast.spine.vault.blindindex import customer_token
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.keyring.store import CUSTOMER_BY_TOKEN
from holdfast.spine.vault.load import load_collection
from holdfast.vocabulary import ids
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.spine.administration.scene import Entered, Scene
    from holdfast.spine.house import House
    from holdfast.spine.identity.presented import Caller
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.contract import Export as Declared
    from holdfast.vocabulary.schema import CollectionSchema

MOST_CUSTOMERS: Final = 1000
MOST_LISTED: Final = 200
_SALT_BYTES: Final = 16


class Wanted(NamedTuple):
    """What is asked for. ``customers`` are ids or the client's own numbers; None is all of the collection."""

    client: str
    collection: str
    fields: tuple[str, ...]
    customers: tuple[str, ...] | None
    recipient: str
    reason: str


class ExportShown(msgspec.Struct, frozen=True):
    """An export as it is shown to whoever may fetch it. ``commitment`` is what the client's log says of the file."""

    export: str
    client: str
    state: str  # waiting | done | failed | expired
    collection: str
    fields: tuple[str, ...]
    recipient: str
    reason: str
    rows: int
    expires: str
    sha256: str
    salt: str
    commitment: str


def request_export(house: House, acting: Acting, wanted: Wanted) -> Work[ExportShown]:
    """Order an export.

    Raises :class:`Refused` for who may not, before anything of the client is looked up, or what the contract does not
    allow, and :class:`NeedsSecondPerson` until
    somebody else approved exactly this; :class:`NotFound` for a client that does not exist, :class:`InvalidInput` for a
    collection, field or customer that does not, :class:`Denied` while the client is frozen.
    """
    entered = enter_as(house, Act.EXPORT, acting)
    now_us, client = house.clock.now_us(), wanted.client
    yield from entered.reach((client,))
    contract, keys, schema = yield from _client(house, wanted, now_us)
    customers = yield from _customers(keys, wanted.customers)
    rows = yield from count_records(client, schema.name, customers)
    order = Order(schema.name, wanted.fields, wanted.recipient, wanted.reason, rows)
    declared, against = find_export(contract, schema, order)
    if declared is None:
        attempt = Attempt(Act.EXPORT, acting, (client,))
        raise Refused(attempt, against, house.clock)
    scene = yield from _approved(entered, client, order, customers, declared)
    export = Export(
        id=new_id(ids.EXPORT, now_us),
        client=client,
        state="waiting",
        collection=schema.name,
        fields=wanted.fields,
        customers=customers,
        recipient=wanted.recipient,
        key=declared.recipients[wanted.recipient],
        reason=wanted.reason,
        person=acting.person,
        rows=rows,
        digest="",
        salt=random_bytes(_SALT_BYTES),
        created_us=now_us,
        expires_us=now_us + declared.hours * HOUR_US,
    )
    yield from _write(scene, export, declared, schema)
    return shown_export(export)


def request_by(house: House, caller: Caller, wanted: Wanted) -> Work[ExportShown]:
    """Order an export in the name of whoever sends a request; see :func:`request_export`."""
    reader = yield from reader_of(caller, house.clock.now_us())
    if not reader.is_person:
        raise Denied("a service exports nothing; a named person does", code="service_token")
    acting = Acting(
        reader.person,
        reader.roles,
        reader.credential,
        state=reader.person_state,
        level=reader.level,
        device=reader.device,
        client=reader.client,
    )
    return (yield from request_export(house, acting, wanted))


def _client(
    house: House, wanted: Wanted, now_us: int
) -> Work[tuple[Contract, ClientKeys, CollectionSchema]]:
    client = wanted.client
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(f"there is no client {client}", remedy="See `holdfast client list`.")
    yield from require_open(client, now_us)
    policies = yield from current_policies(house.policies, client)
    keys = yield from client_keys(house.keks, client, rows[0][3])
    schema = yield from load_collection(client, wanted.collection)
    if schema is None:
        raise InvalidInput("the client has no such collection", field="collection")
    for number, name in enumerate(wanted.fields):
        if name not in schema.by_name:
            raise InvalidInput("the collection has no such field", field=f"fields[{number}]")
    return policies.contract, keys, schema


def _customers(keys: ClientKeys, texts: tuple[str, ...] | None) -> Work[tuple[str, ...] | None]:
    """Return the ids of customers named by id or by the client's own number, each once."""
    if texts is None:
        return None
    if not 0 < len(texts) <= MOST_CUSTOMERS:
        raise InvalidInput(f"name 1 to {MOST_CUSTOMERS} customers, or all", field="customers")
    found: dict[str, None] = {}
    for number, text in enumerate(texts):
        by_id, by_number = yield Round(
            data=(vault.CUSTOMER(client=keys.client, id=text),),
            keys=(CUSTOMER_BY_TOKEN(client=keys.client, token=customer_token(keys, text)),),
        )
        if not by_id and not by_number:
            raise InvalidInput("the client has no such customer", field=f"customers[{number}]")
        found[text if by_id else by_number[0][0]] = None
    return tuple(sorted(found))


def count_records(client: str, collection: str, customers: tuple[str, ...] | None) -> Work[int]:
    """Return how many records of live customers an export would hold."""
    place = {"client": client, "collection": collection}
    query = (
        store.COUNT_RECORDS(**place)
        if customers is None
        else store.COUNT_RECORDS_OF(**place, customers=customers)
    )
    (rows,) = yield Round(data=(query,))
    return int(rows[0][0])


def _approved(  # noqa: PLR0917  all that the approval is bound to
    entered: Entered,
    client: str,
    order: Order,
    customers: tuple[str, ...] | None,
    declared: Declared,
) -> Work[Scene]:
    """Judge the act; the approval holds for exactly these fields, customers, recipient, key and reason."""
    exact = canonical_json(
        {
            "collection": order.collection,
            "customers": None if customers is None else list(customers),
            "export": declared.id,
            "fields": list(order.fields),
            "key": declared.recipients[order.recipient],
            "reason": order.reason,
            "recipient": order.recipient,
        }
    )
    summary = {
        "collection": order.collection,
        "fields": ", ".join(order.fields),
        "recipient": order.recipient,
        "reason": order.reason,
        "rows": order.rows,
    }
    return (
        yield from entered.judge(
            clients=(client,), digest=digest_of(exact.decode()), summary=summary
        )
    )


def _write(
    scene: Scene, export: Export, declared: Declared, schema: CollectionSchema
) -> Work[None]:
    log = ids.client_log(export.client)
    job = NewJob(JOB, {"export": export.id}, dedupe_key=f"{JOB}:{export.id}")
    yield Round(
        data=(
            store.ADD_EXPORT(
                id=export.id,
                client=export.client,
                collection=export.collection,
                fields=canonical_json(list(export.fields)).decode(),
                customers=canonical_json(
                    None if export.customers is None else list(export.customers)
                ).decode(),
                recipient=export.recipient,
                key=export.key,
                reason=export.reason,
                person=export.person,
                rows=export.rows,
                salt=export.salt,
                created_us=export.created_us,
                expires_us=export.expires_us,
            ),
            enqueue(job, export.created_us),
        )
    )
    yield from tell_in(
        scene,
        LeafType.EXPORT_REQUESTED,
        (log,),
        second=(yield from reference_of(scene.second, log)) if scene.second else "",
        export=export.id,
        declared=declared.id,
        collection=export.collection,
        fields={name: how.value for name, how in shown(declared, schema, export.order).items()},
        recipient=export.recipient,
        key=sha256(export.key.encode()).hexdigest(),
        reason=export.reason,
        count=export.rows,
        customers=commit_customers(export.salt, export.customers),
        expires=rfc3339(export.expires_us),
    )


def list_exports(house: House, acting: Acting, client: str) -> Work[list[ExportShown]]:
    """Return the client's exports, newest first; they name no customer."""
    entered = enter_as(house, Act.EXPORT_LIST, acting)
    yield from entered.judge(clients=(client,))
    (rows,) = yield Round(data=(store.EXPORTS(client=client, limit=MOST_LISTED),))
    return [shown_export(export_of(row)) for row in rows]


def show_export(house: House, acting: Acting, ident: str) -> Work[ExportShown]:
    """Return one export. :class:`NotFound` when there is none, :class:`Refused` for who may not know of it."""
    _, export = yield from _found(enter_as(house, Act.EXPORT_LIST, acting), ident)
    return shown_export(export)


def _found(entered: Entered, ident: str) -> Work[tuple[Scene, Export]]:
    (rows,) = yield Round(data=(store.EXPORT(id=ident),))
    if not rows:
        raise NotFound(f"there is no export {ident}", remedy="See `holdfast export list`.")
    export = export_of(rows[0])
    return (yield from entered.judge(clients=(export.client,))), export


def fetch_export(house: House, acting: Acting, ident: str) -> Work[Path]:
    """Return where the sealed file is; that it was taken is told to the client.

    :class:`NotFound` when there is no such export, :class:`Refused` for who may not take it, :class:`Conflict` while it
    is not done, and once it is over.
    """
    scene, export = yield from _found(enter_as(house, Act.EXPORT_FETCH, acting), ident)
    yield from require_open(export.client, scene.now_us)
    if export.state != DONE or export.expires_us <= scene.now_us:
        over = export.state == DONE or export.expires_us <= scene.now_us
        raise Conflict(
            f"the export is {'expired' if over else export.state}",
            remedy="Ask for a new one." if over else "See `holdfast export list`.",
            code="export_expired" if over else "export_not_done",
        )
    path = export.path(house.home)
    if not path.exists():
        raise Conflict(
            "the export's file is not here", remedy="Ask for a new one.", code="export_lost"
        )
    log = ids.client_log(export.client)
    yield from tell_in(scene, LeafType.EXPORT_FETCHED, (log,), export=export.id)
    return path


def shown_export(export: Export) -> ExportShown:
    """Lay an export out."""
    return ExportShown(
        export=export.id,
        client=export.client,
        state=export.state,
        collection=export.collection,
        fields=export.fields,
        recipient=export.recipient,
        reason=export.reason,
        rows=export.rows,
        expires=rfc3339(export.expires_us),
        sha256=export.digest,
        salt=export.salt.hex(),
        commitment=export.commitment,
    )
