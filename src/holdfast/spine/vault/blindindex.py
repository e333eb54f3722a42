"""Blind indexes: equality of a field without its value (DESIGN §6).

``index_token(keys, collection, spec, text) -> bytes``: HMAC-SHA-256 under a key per client, collection and field over
the compared form, cut to ``spec.index_bits``. Two clients, or two fields, never share a token. Fields of few
different values are refused by the schema compiler; those of medium variety are cut so short that several customers
share a token, and the hit is confirmed by opening the record.

``customer_token(keys, number)``, ``record_token(keys, collection, key)``: the import keys. ``suppression_mac(keys,
token)``: what remains of an erased customer's number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.spine.vault.normalise import compared, import_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

TOKEN_BYTES: Final = 16


def index_token(keys: ClientKeys, collection: str, spec: FieldSpec, text: str) -> bytes:
    """Return the token of ``text`` as a value of the field; :class:`InvalidInput` if it is not of the field's type."""
    return token_of(keys, collection, spec, compared(spec, text))


def token_of(keys: ClientKeys, collection: str, spec: FieldSpec, compared_form: str) -> bytes:
    """Return the token of a value in compared form."""
    digest = keys.mac(f"field:{spec.number}", compared_form.encode(), collection=collection)
    return _cut(digest, spec.index_bits)


def binding_tokens(
    keys: ClientKeys, schemas: Iterable[CollectionSchema], field: str, text: str
) -> list[tuple[str, int, bytes]]:
    """Return (collection, field number, token) for every collection in which ``field`` may bind a contact."""
    return [
        (schema.name, spec.number, index_token(keys, schema.name, spec, text))
        for schema in schemas
        if (spec := schema.by_name.get(field)) is not None and spec.index != "none"
    ]


def customer_token(keys: ClientKeys, number: str) -> bytes:
    """Return the token of the client's own customer number, the same in all its collections."""
    return keys.mac("customer", import_key(number).encode())[:TOKEN_BYTES]


def record_token(keys: ClientKeys, collection: str, key: str) -> bytes:
    """Return the token of a record's key in its collection."""
    return keys.mac("record", import_key(key).encode(), collection=collection)[:TOKEN_BYTES]


def suppression_mac(keys: ClientKeys, token: bytes) -> bytes:
    """Return what is kept, instead of the token itself, of an erased customer's number."""
    return keys.mac("suppression", token)[:TOKEN_BYTES]


def _cut(digest: bytes, bits: int) -> bytes:
    whole, rest = divmod(bits, 8)
    if not rest:
        return digest[:whole]
    return digest[:whole] + bytes((digest[whole] & (0xFF00 >> rest) & 0xFF,))
