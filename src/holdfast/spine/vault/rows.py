"""Rows of a file made ready for the vault: checked, normalised, and known by their import keys. Pure.

``Reader(keys, schema).read(number, row) -> ReadRow``; :class:`InvalidInput` names the field and what is wrong, never
the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.errors import InvalidInput
from holdfast.spine.vault.blindindex import customer_token, record_token, token_of
from holdfast.spine.vault.normalise import Normal, normalise
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.schema import CollectionSchema


class ReadRow(NamedTuple):
    """One row: its number in the batch from 0, its import keys as tokens, its values in the order of the schema."""

    number: int
    customer_token: bytes
    record_token: bytes
    normals: list[Normal]

    def __repr__(self) -> str:
        return f"ReadRow({self.number})"


class Rejected(NamedTuple):
    """A row that is not taken in, and why. It holds no value."""

    number: int
    field: str
    reason: str


_EMPTY = Normal("", "")


class Reader:
    """Reads rows of one collection."""

    def __init__(self, keys: ClientKeys, schema: CollectionSchema) -> None:
        self._keys = keys
        self._collection = schema.name
        self._fields = tuple((spec.name, spec, spec.required) for spec in schema.fields)
        names = [spec.name for spec in schema.fields]
        self._customer_ref = names.index(schema.customer_ref)
        self._record_key = names.index(schema.record_key)
        self._indexed = tuple(
            (place, spec)
            for place, spec in enumerate(schema.fields)
            if spec.index is not Index.NONE
        )

    def read(self, number: int, row: Mapping[str, str]) -> ReadRow:
        """Check and normalise one row; a missing field is an empty one."""
        normals: list[Normal] = []
        for name, spec, required in self._fields:
            text = row.get(name)
            normal = normalise(spec, text) if text else _EMPTY
            if required and not normal.kept:
                raise InvalidInput("is empty, and required", field=name)
            normals.append(normal)
        customer = customer_token(self._keys, normals[self._customer_ref].kept)
        record = record_token(self._keys, self._collection, normals[self._record_key].kept)
        return ReadRow(number, customer, record, normals)

    def index_tokens(self, normals: list[Normal]) -> list[tuple[int, bytes]]:
        """Return (field number, token) of the indexed fields that have a value."""
        return [
            (spec.number, token_of(self._keys, self._collection, spec, normals[place].compared))
            for place, spec in self._indexed
            if normals[place].compared
        ]
