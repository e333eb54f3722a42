"""The worker's part of an export: writes the sealed file, and deletes it when its time is over.

Each record is opened under a permit of its own, made from the contract as it stands *now*; its values go into the
sealer and nowhere else. The file is written beside and renamed when it is whole; only then does the row say so. A job
that was killed begins again with a new key, so there is no half file that could pass for one.

Two runs of one job may be under way at once: a worker that was stopped for longer than its lease goes on when it wakes.
So every run writes to files of its own and removes no others; the row names one of them, and whoever made it so
removes the rest.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, IntegrityBroken
from holdfast.kit.files import fsync_folder
from holdfast.kit.ids import new_id
from holdfast.spine.actions import store
from holdfast.spine.actions.exports import DONE, FAILED, WAITING, Export, commit_file, export_of
from holdfast.spine.actions.sealed_file import SealedWriter
from holdfast.spine.decision.freezing import require_open
from holdfast.spine.decision.judge import permit_export
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.decision.verdict import Permit
from holdfast.spine.ledger.recorder import append
from holdfast.spine.timekeeping import destroyed, may_destroy
from holdfast.spine.turn.target import load_target
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.load import load_collection
from holdfast.spine.vault.records import open_fields
from holdfast.vocabulary import ids
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from holdfast.kit.db import Query, Work
    from holdfast.spine.decision.exporting import Order
    from holdfast.spine.house import House
    from holdfast.spine.turn.target import Target
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

_RUN: Final = "run"
MOST_AT_ONCE: Final = 50  # customers whose rows are loaded in one transaction
_encode = msgspec.json.Encoder(order="deterministic").encode


class NotAllowed(Exception):
    """The contract does not allow the export any more; the argument is the rule."""


def run_export(house: House, payload: Mapping[str, Any], beat: Callable[[], None]) -> None:
    """Write the file of an export that waits; nothing for one that is over. ``beat`` keeps the job's lease."""
    (row,) = house.read(_row(str(payload["export"]))) or (None,)
    if row is None:
        return
    export = export_of(row)
    if export.state != WAITING or export.expires_us <= house.clock.now_us():
        return
    part = export.file_of(house.home, new_id(_RUN, house.clock.now_us())).with_suffix(".part")
    try:
        digest, rows = _written(house, export, part, beat)
    except (NotAllowed, IntegrityBroken) as error:
        part.unlink(missing_ok=True)
        code = str(error) if isinstance(error, NotAllowed) else "vault.integrity"
        if house.transact(_failed(export, code, house.clock.now_us())):
            delete_file(house.home, export)
        return
    except BaseException:
        part.unlink(
            missing_ok=True
        )  # the client may be erased meanwhile: then nobody would come back for it
        raise
    path = export.file_of(house.home, digest)
    try:
        part.replace(path)
    except FileNotFoundError:
        raise Conflict("another run ended this export", code="lease_lost") from None
    fsync_folder(path.parent)
    if house.transact(_finished(export, digest, rows=rows, now_us=house.clock.now_us())):
        delete_file(house.home, export, but=path)
    else:
        path.unlink(missing_ok=True)  # it expired meanwhile, or another run was faster


def _row(ident: str) -> Work[list[tuple[Any, ...]]]:
    (rows,) = yield Round(data=(store.EXPORT(id=ident),))
    return rows


def _written(house: House, export: Export, part: Path, beat: Callable[[], None]) -> tuple[str, int]:
    """Write the sealed content; return the file's SHA-256 and how many records it holds."""
    part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        digest, rows = _fill(house, export, file, beat)
        file.flush()
        os.fsync(file.fileno())
    return digest, rows


def _fill(
    house: House, export: Export, file: IO[bytes], beat: Callable[[], None]
) -> tuple[str, int]:
    about = {
        "client": export.client,
        "collection": export.collection,
        "export": export.id,
        "fields": list(export.fields),
        "made": rfc3339(export.created_us),
        "recipient": export.recipient,
    }
    writer = SealedWriter(file, export.key, about)
    rows = 0
    for batch in _batches(house, export):
        contract, schema, targets = house.transact(_load(house, export, batch))
        for target in targets:
            grown = export.order._replace(rows=max(export.rows, rows + len(target.records)))
            for line in _lines(export, grown, contract, schema, target):
                writer.write(line)
                rows += 1
        beat()
    return writer.finish().hex(), rows


def _batches(house: House, export: Export) -> Iterator[tuple[str, ...]]:
    """The customers of an export, some at a time."""
    if export.customers is not None:
        for start in range(0, len(export.customers), MOST_AT_ONCE):
            yield export.customers[start : start + MOST_AT_ONCE]
        return
    after = ""
    while batch := house.read(_after(export.client, after)):
        yield batch
        after = batch[-1]


def _after(client: str, after: str) -> Work[tuple[str, ...]]:
    (rows,) = yield Round(
        data=(store.CUSTOMERS_AFTER(client=client, after=after, limit=MOST_AT_ONCE),)
    )
    return tuple(row[0] for row in rows)


def _load(
    house: House, export: Export, customers: tuple[str, ...]
) -> Work[tuple[Contract, CollectionSchema, list[Target]]]:
    """Load rows and keys of some customers at one moment, with the contract that stands then."""
    client = export.client
    yield from require_open(client, house.clock.now_us())
    (rows,) = yield Round(data=(CLIENT(client=client),))
    policies = yield from current_policies(house.policies, client)
    keys = yield from client_keys(house.keks, client, rows[0][3])
    schema = yield from load_collection(client, export.collection)
    if schema is None:
        raise NotAllowed("export.fields")
    targets: list[Target] = []
    for customer in customers:
        target = yield from load_target(keys, client, export.collection, customer)
        targets.append(target)
    return policies.contract, schema, targets


def _lines(  # noqa: PLR0917  all that the permit is made from
    export: Export, grown: Order, contract: Contract, schema: CollectionSchema, target: Target
) -> Iterator[bytes]:
    """One line of JSON for each record of a customer, under a permit of its own.

    ``grown`` is the order with as many rows as there are by now: more may have been imported since it was asked for.
    """
    permit = permit_export(contract, schema, grown, target.customer)
    if not isinstance(permit, Permit):
        raise NotAllowed(permit.reasons[0].rule)
    declared = next(
        (
            one
            for one in contract.exports.values()
            if one.recipients.get(export.recipient) == export.key
        ),
        None,
    )
    if declared is None:
        raise NotAllowed("export.recipient")
    target.check()
    for record in target.records:
        opened = open_fields(permit, record, schema)
        yield _encode({name: value.reveal() for name, value in opened.items()}) + b"\n"


def _finished(export: Export, digest: str, *, rows: int, now_us: int) -> Work[bool]:
    end = store.END_EXPORT(
        client=export.client, id=export.id, state=DONE, rows=rows, digest=digest, now_us=now_us
    )
    (ended,) = yield Round(data=(end,))
    if ended:
        file = commit_file(export.salt, digest)
        body = {"export": export.id, "count": rows, "file": file}
        yield Round(data=(_leaf(export.client, LeafType.EXPORT_FINISHED, body, now_us),))
    return bool(ended)


def _failed(export: Export, code: str, now_us: int) -> Work[bool]:
    end = store.END_EXPORT(
        client=export.client, id=export.id, state=FAILED, rows=0, digest="", now_us=now_us
    )
    (ended,) = yield Round(data=(end,))
    if ended:
        body = {"export": export.id, "reason": code}
        yield Round(data=(_leaf(export.client, LeafType.EXPORT_FAILED, body, now_us),))
    return bool(ended)


def expire_exports(house: House) -> None:
    """Delete the files of exports whose time is over, and say so; it may be killed at any moment and run again.

    Nobody is given a file from the moment at which its time is over. It is deleted a day later, by the time of leaves
    and never while the clock is in doubt: see :func:`~holdfast.spine.timekeeping.may_destroy`.
    """
    now_us = house.clock.now_us()
    for export in house.transact(_ripe(house)):
        delete_file(house.home, export)
        house.transact(_expired(export, now_us))


def delete_file(home: Path, export: Export, *, but: Path | None = None) -> None:
    """Delete an export's files, whole or half, ``but`` one."""
    for file in export.files(home):
        if file != but:
            file.unlink(missing_ok=True)


def _ripe(house: House) -> Work[list[Export]]:
    (over,) = yield Round(data=(store.EXPORTS_OVER(now_us=house.clock.now_us()),))
    found = []
    for ident, expires_us in over:
        if (yield from may_destroy(house, _due(ident, expires_us), expires_us)):
            (rows,) = yield Round(data=(store.EXPORT(id=ident),))
            found += [export_of(row) for row in rows]
    return found


def _due(ident: str, expires_us: int) -> str:
    return f"{ident} {expires_us}"


def _expired(export: Export, now_us: int) -> Work[None]:
    end = store.EXPIRE_EXPORT(client=export.client, id=export.id, now_us=now_us)
    (ended,) = yield Round(data=(end,))
    yield from destroyed(_due(export.id, export.expires_us))
    if ended:
        body = {"export": export.id}
        yield Round(data=(_leaf(export.client, LeafType.EXPORT_EXPIRED, body, now_us),))


def _leaf(client: str, kind: LeafType, body: dict[str, Any], now_us: int) -> Query:
    return append(ids.client_log(client), Leaf(kind, new_id(ids.LEAF, now_us), now_us, body))
