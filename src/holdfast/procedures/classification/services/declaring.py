"""Declaring a collection: its schema compiled, compared with the version before, and stored with its leaf."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.kit.ids import new_id
from holdfast.procedures.classification.services.store import HOLDS_RECORDS
from holdfast.spine.administration.scene import administer, digest_of, enter
from holdfast.spine.decision.contract import compile_contract
from holdfast.spine.decision.store import BUMP_FENCE, CLIENT, CONTRACT
from holdfast.spine.ledger.recorder import append
from holdfast.spine.vault.load import load_collection, load_collections
from holdfast.spine.vault.schema import compile_schema, encode_schema
from holdfast.spine.vault.store import ADD_COLLECTION
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.ids import LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec


@dataclass(frozen=True, slots=True)
class Declared:
    """What ``collection add`` did. ``same`` says that this schema was in force already, so nothing was written."""

    schema: CollectionSchema
    before: CollectionSchema | None
    same: bool
    notes: tuple[str, ...] = ()


def declare(house: House, client: str, name: str, text: str) -> Declared:
    """Put a schema in force for a collection of the client; the acting person is an administrator.

    Raises :class:`NotFound` for an unknown client, :class:`InvalidInput` when the schema is wrong or does not go
    with the records that are there, and :class:`Conflict` when somebody else changed it meanwhile.
    """
    house.read(_may_declare(house, client))
    before, holds = house.read(_present(client, name))
    schema = _compiled(name, text, before, holds=holds)
    if before is not None and before.digest == schema.digest:
        return Declared(before, before, same=True)
    house.transact(_put(house, client, schema, text))
    notes = [*_notes(before, schema, holds=holds), *house.read(_contract_notes(client))]
    return Declared(schema, before, same=False, notes=tuple(notes))


def _may_declare(house: House, client: str) -> Work[None]:
    """Let nobody learn by trying what a client's schema is: the act itself is judged again when it is done."""
    yield from enter(house, Act.COLLECTION_ADD)
    yield from known_client(client)


def known_client(client: str) -> Work[None]:
    """Raise :class:`NotFound` unless the house has this client."""
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(
            f"there is no client {client}",
            remedy=f"Add it first: holdfast client add {client} --contract contract.toml",
        )


def _present(client: str, name: str) -> Work[tuple[CollectionSchema | None, bool]]:
    before = yield from load_collection(client, name)
    (rows,) = yield Round(keys=(HOLDS_RECORDS(client=client, collection=name),))
    return before, bool(rows)


def _compiled(
    name: str, text: str, before: CollectionSchema | None, *, holds: bool
) -> CollectionSchema:
    if before is None:
        return compile_schema(text, name=name)
    if not holds:
        # Nothing is sealed under the version before, so it binds nothing.
        return replace(compile_schema(text, name=name), version=before.version + 1)
    schema = compile_schema(text, name=name, previous=before)
    _refuse_incompatible(before, schema)
    return schema


def _refuse_incompatible(before: CollectionSchema, after: CollectionSchema) -> None:
    """Refuse what records of the version before could not follow (:class:`InvalidInput`)."""
    for old in before.fields:
        new = after.by_name.get(old.name)
        if new is None:
            raise InvalidInput(
                "records hold this field, so it cannot be taken away",
                field=f"fields.{old.name}",
                remedy="Keep it, with handling verify_only or masked, or declare another collection.",
                code="schema_conflict",
            )
        if new.data_class is not old.data_class:
            raise InvalidInput(
                f"was {old.data_class.name} before, and records are sealed under the key of that class",
                field=f"fields.{old.name}.class",
                remedy="Declare another collection and import into it, or erase these records first.",
                code="schema_conflict",
            )
        if Index.NONE not in {old.index, new.index} and old.index_bits != new.index_bits:
            raise InvalidInput(
                f"was {old.index_bits} before, and records are indexed so",
                field=f"fields.{old.name}.index_bits",
                remedy="Keep it, or declare another collection.",
                code="schema_conflict",
            )


def _notes(before: CollectionSchema | None, after: CollectionSchema, *, holds: bool) -> list[str]:
    if before is None or not holds:
        return []
    indexed = [spec.name for spec in after.fields if _newly_indexed(before, spec)]
    added = [spec.name for spec in after.fields if spec.name not in before.by_name]
    notes = []
    if indexed:
        notes.append(f"records are not found by {', '.join(indexed)} until they are imported again")
    if added:
        notes.append(f"records have no {', '.join(added)} until they are imported again")
    return notes


def _contract_notes(client: str) -> Work[list[str]]:
    """Say where the contract in force names what the collections do not have; quiet while one is yet to be declared."""
    (rows,) = yield Round(data=(CONTRACT(client=client),))
    schemas = {schema.name: schema for schema in (yield from load_collections(client))}
    if not rows:
        return []
    text = rows[0][0]
    contract = compile_contract(text)
    named = {collection for reason in contract.reasons.values() for collection in reason.fields}
    if not named <= schemas.keys():
        return []
    try:
        compile_contract(text, schemas)
    except InvalidInput as odd:
        return [f"the contract in force does not go with this: {odd.message} ({odd.field})"]
    return []


def _newly_indexed(before: CollectionSchema, spec: FieldSpec) -> bool:
    old = before.by_name.get(spec.name)
    return spec.index is not Index.NONE and (old is None or old.index is Index.NONE)


def _put(house: House, client: str, schema: CollectionSchema, text: str) -> Work[None]:
    scene = yield from administer(
        house,
        Act.COLLECTION_ADD,
        clients=(client,),
        digest=digest_of(schema.name, schema.digest),
        summary={
            "collection": schema.name,
            "schema": schema.digest,
            "fields": [spec.name for spec in schema.fields],
        },
    )
    newest = yield from load_collection(client, schema.name)
    if (newest.version if newest else 0) != schema.version - 1:
        raise Conflict(
            f"somebody else has changed collection {schema.name} just now",
            remedy="Look at `holdfast collection list`, then try again.",
            code="collection_changed",
        )
    log = client_log(client)
    by = yield from scene.acting.reference(log)
    now_us = scene.now_us
    leaf = Leaf(
        LeafType.COLLECTION_ADDED,
        new_id(LEAF, now_us),
        now_us,
        {
            "by": by,
            "collection": schema.name,
            "schema": schema.digest,
            "schema_version": schema.version,
        },
    )
    yield Round(
        data=(
            ADD_COLLECTION(
                client=client,
                name=schema.name,
                version=schema.version,
                schema_toml=text,
                compiled=encode_schema(schema),
                digest=schema.digest,
                added_us=now_us,
            ),
            append(log, leaf),
            # What may be shown has changed: every process reads anew.
            BUMP_FENCE(client=client),
        )
    )


def list_collections(house: House, client: str) -> Work[list[CollectionSchema]]:
    """Return the newest schema of each of the client's collections."""
    yield from administer(house, Act.COLLECTION_LIST, clients=(client,))
    yield from known_client(client)
    return (yield from load_collections(client))
