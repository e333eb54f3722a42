"""Fields of one record changed under a permit.

``update_record(permit, loaded, schema, values, operation=…, now_us=…) -> Work[Written]``: runs in the caller's write
transaction of ``data``; the caller appends the leaf in the same one. Keys are added first. What the new version
supersedes in ``keys`` is removed by :mod:`~holdfast.spine.vault.sweep`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, Denied, InvalidInput, NotFound
from holdfast.kit.ids import random_bytes
from holdfast.spine.vault import store
from holdfast.spine.vault.blindindex import token_of
from holdfast.spine.vault.commitments import SALT_BYTES, commit_manifests
from holdfast.spine.vault.hierarchy import DekRow
from holdfast.spine.vault.keyring import store as keyring
from holdfast.spine.vault.load import tombstone_mac
from holdfast.spine.vault.normalise import normalise
from holdfast.spine.vault.packing import check_head
from holdfast.spine.vault.sealing import reseal_record
from holdfast.vocabulary.levels import Operation
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.decision.verdict import Permit
    from holdfast.spine.vault.hierarchy import ClassKey
    from holdfast.spine.vault.normalise import Normal
    from holdfast.spine.vault.packing import LoadedRecord
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

KIND: Final = "update"
Changes = list[tuple["FieldSpec", "Normal"]]


class Written(NamedTuple):
    """A new version of a record; ``manifests`` is what its leaf says."""

    version: int
    manifests: str


def changes_of(schema: CollectionSchema, values: Mapping[str, str], *, action: str = "") -> Changes:
    """Check new values and bring them into their normal form. ``action`` is the one that makes the change, if one does.

    :class:`InvalidInput` for an unknown field, a value that is not of its type, or an emptied required field;
    :class:`Denied` for a field that only another action changes, and for those by which the record is known.
    """
    changes: Changes = []
    for name, text in values.items():
        spec = schema.by_name.get(name)
        if spec is None:
            raise InvalidInput(f"collection {schema.name} has no such field", field=name)
        if spec.change and spec.change != f"act:{action}":
            raise Denied(f"{name} is changed by the action {spec.change.removeprefix('act:')} only")
        if name in {schema.customer_ref, schema.record_key}:
            raise Denied(f"{name} says which record this is; it comes from the client's file")
        normal = normalise(spec, text)
        if spec.required and not normal.kept:
            raise InvalidInput("is required", field=name)
        changes.append((spec, normal))
    return changes


def update_record(
    permit: Permit,
    loaded: LoadedRecord,
    schema: CollectionSchema,
    values: Mapping[str, str],
    *,
    operation: str,
    now_us: int,
    action: str = "",
) -> Work[Written]:
    """Write the next version of a record with ``values`` changed, by an update or by ``action``.

    Errors of :func:`changes_of`, and: :class:`Denied` when the permit is for something else, :class:`Conflict` when the
    record has changed meanwhile, :class:`NotFound` when its keys are being destroyed.
    """
    row, client = loaded.row, loaded.keys.client
    whose = (permit.operation, permit.client, permit.customer, permit.collection)
    if (
        whose
        != (Operation.ACT if action else Operation.UPDATE, client, row.customer, row.collection)
        or schema.name != row.collection
    ):
        raise Denied("the permit is for another record")
    if not values or not values.keys() <= permit.fields.keys():
        raise Denied("the permit is not for these fields")
    changes = changes_of(schema, values, action=action)
    check_head(loaded)
    class_keys, loaded = yield from _class_keys(loaded, changes, operation=operation, now_us=now_us)
    sealed = reseal_record(class_keys, loaded, changes)
    version, salt = row.version + 1, random_bytes(SALT_BYTES)
    place = {"client": client, "customer": row.customer, "version": version, "operation": operation}
    written, _ = yield Round(
        keys_writes=(
            _marker(loaded, operation, now_us),
            *_index(loaded, changes, place),
            keyring.ADD_HEAD(record=row.id, digest=sealed.digest, **place),
        ),
        data=(
            store.UPDATE_RECORD(id=row.id, body=sealed.body, **place),
            store.ADD_OPERATION(client=client, id=operation, kind=KIND, salt=salt, at_us=now_us),
        ),
    )
    if not written:
        raise Conflict(
            "the record has changed meanwhile", remedy="Look again, then repeat the change."
        )
    return Written(version, commit_manifests(salt, [(row.id, sealed.digest)]))


def _class_keys(
    loaded: LoadedRecord, changes: Changes, *, operation: str, now_us: int
) -> Work[tuple[dict[int, ClassKey], LoadedRecord]]:
    """Open the data keys of the classes that change, made first where the customer has none."""
    keys, row = loaded.keys, loaded.row
    newest = _newest(loaded.deks)
    missing = sorted({int(spec.data_class) for spec, _ in changes} - newest.keys())
    if missing:
        made = [keys.new_class_key(row.customer, data_class)[1] for data_class in missing]
        fixed = {
            "client": keys.client,
            "customer": row.customer,
            "operation": operation,
            "mac": tombstone_mac(row.customer),
        }
        (deks,) = yield Round(
            keys_writes=(
                _marker(loaded, operation, now_us),
                *(keyring.ADD_DEK(**dek._asdict(), **fixed) for dek in made),
            ),
            keys=(keyring.DEKS(client=keys.client, customer=row.customer),),
        )
        loaded = loaded._replace(deks=deks)
        newest = _newest(deks)
        if not newest.keys() >= set(missing):
            raise NotFound("there is no such customer")
    wanted = {int(spec.data_class) for spec, _ in changes}
    return {c: keys.open_class_key(row.customer, newest[c]) for c in wanted}, loaded


def _marker(loaded: LoadedRecord, operation: str, now_us: int) -> Query:
    row = loaded.row
    return keyring.ADD_OPERATION(
        client=loaded.keys.client, id=operation, customer=row.customer, record=row.id, at_us=now_us
    )


def _newest(deks: Sequence[tuple[int, int, bytes, bytes]]) -> dict[int, DekRow]:
    return {dek[0]: DekRow(*dek) for dek in sorted(deks, key=lambda dek: dek[1])}


def _index(loaded: LoadedRecord, changes: Changes, place: Mapping[str, object]) -> list[Query]:
    collection = loaded.row.collection
    return [
        keyring.ADD_INDEX(
            collection=collection,
            field=spec.number,
            token=token_of(loaded.keys, collection, spec, normal.compared),
            record=loaded.row.id,
            **place,
        )
        for spec, normal in changes
        if spec.index is not Index.NONE and normal.compared
    ]
