"""Fields that a contract names: each has to stand in a schema of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.spine.decision.toml import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdfast.spine.decision.toml import Document
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec


def named_fields(
    document: Document,
    at: tuple[str, ...],
    named: Mapping[str, Iterable[str]],
    schemas: Mapping[str, CollectionSchema],
) -> Iterator[tuple[tuple[str, ...], CollectionSchema, FieldSpec]]:
    """Each field that the table at ``at`` names, by collection: where it stands, its collection and its spec.

    Refuses the file where the client has no such collection, or the collection no such field.
    """
    for collection, names in named.items():
        where = (*at, collection)
        for schema, spec in fields_of(document, where, collection, names, schemas=schemas):
            yield where, schema, spec


def fields_of(
    document: Document,
    at: tuple[str, ...],
    collection: str,
    names: Iterable[str],
    *,
    schemas: Mapping[str, CollectionSchema],
) -> Iterator[tuple[CollectionSchema, FieldSpec]]:
    """The same for one collection that is named at ``at``."""
    schema = schemas.get(collection)
    if schema is None:
        document.fail(at, f'there is no collection "{collection}"{nearest(collection, schemas)}')
    for name in sorted(names):
        spec = schema.by_name.get(name)
        if spec is None:
            near = nearest(name, schema.by_name)
            document.fail(at, f'{collection} has no field "{name}"{near}')
        yield schema, spec
