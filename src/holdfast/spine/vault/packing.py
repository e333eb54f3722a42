"""How a record is packed into one row, and how a row is told from any other.

A row's ``body`` is MessagePack: format, fingerprint of the row as last imported, and per class a *section* of sealed
fields under its manifest. A keyed digest of the whole row (client, collection, customer, record, version, body) is its
*head*, which stands in the ``keys`` store: an edited row, one of another place, and an older version of the same row do
not match it (SPINE 21).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.crypto.mac import equal
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.vault.cipher import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.spine.vault.hierarchy import ClassKey, ClientKeys

FORMAT: Final = 1
_HEAD: Final = b"holdfast/head/v1"


class RecordRow(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.store.RECORDS`."""

    id: str
    customer: str
    collection: str
    version: int
    body: bytes
    operation: str


class HeadRow(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.keyring.store.HEADS`."""

    record: str
    version: int
    digest: bytes
    operation: str


class IndexHit(NamedTuple):
    """A row of :data:`~holdfast.spine.vault.keyring.store.INDEX_HITS`."""

    customer: str
    record: str
    version: int
    operation: str


class LoadedRecord(NamedTuple):
    """Everything that opening a record needs; ``heads`` and ``deks`` may be those of all the customer's records."""

    keys: ClientKeys
    row: RecordRow
    heads: Sequence[tuple[str, int, bytes, str]]
    deks: Sequence[tuple[int, int, bytes, bytes]]


class Place(NamedTuple):
    """Where a record stands."""

    collection: str
    customer: str
    record: str
    version: int


class SealedRecord(NamedTuple):
    """A packed row and the digest that its head keeps."""

    body: bytes
    digest: bytes


class Section(msgspec.Struct, array_like=True):
    """The fields of one class of a record, ordered by number, under one manifest."""

    data_class: int
    dek_version: int
    manifest: bytes
    fields: list[Sealed]


class Body(msgspec.Struct, array_like=True):
    """What a row packs. ``fingerprint`` is keyed by the data key of ``fingerprint_class``."""

    format: int
    fingerprint_class: int
    fingerprint: bytes
    sections: list[Section]


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Body).decode


def pack(keys: ClientKeys, where: Place, body: Body) -> SealedRecord:
    """Return the row's body and its digest."""
    packed = _ENCODE(body)
    return SealedRecord(packed, row_digest(keys, where, packed))


def unpack(body: bytes) -> Body:
    """Read a row's body; :class:`IntegrityBroken` if it is none."""
    try:
        read = _DECODE(body)
    except msgspec.MsgspecError:
        raise IntegrityBroken("a record's body cannot be read") from None
    if read.format != FORMAT:
        raise IntegrityBroken(f"a record has an unknown format {read.format}")
    return read


def row_digest(keys: ClientKeys, where: Place, body: bytes) -> bytes:
    """Return the keyed digest of a whole row: who can write both stores, but has no key, makes none.

    No id or name holds a NUL, so the joined text has one reading.
    """
    names = (keys.client, where.collection, where.customer, where.record, str(where.version))
    bound = "\0".join(names).encode()
    message = b"".join((_HEAD, len(bound).to_bytes(4, "big"), bound, body))
    return keys.mac("head", message)


def check_head(loaded: LoadedRecord) -> Body:
    """Return the packed fields of a row that is the one its head names; :class:`IntegrityBroken` otherwise."""
    record, customer, collection, version, body, operation = loaded.row
    digest = row_digest(loaded.keys, Place(collection, customer, record, version), body)
    for of, at, expected, by in loaded.heads:
        if of == record and at == version and by == operation:
            if equal(digest, expected):
                return unpack(body)
            break
    raise IntegrityBroken(
        "a record is not the one that was last written: edited, moved or rolled back"
    )


def class_keys_of(loaded: LoadedRecord, sections: Sequence[Section]) -> list[ClassKey]:
    """Unwrap the data keys of sections; :class:`IntegrityBroken` when one does not exist (any more)."""
    deks = {(dek[0], dek[1]): dek for dek in loaded.deks}
    try:
        wanted = [deks[section.data_class, section.dek_version] for section in sections]
    except KeyError as missing:
        data_class = missing.args[0][0]
        raise IntegrityBroken(f"the data key of class C{data_class} does not exist") from None
    return loaded.keys.open_class_keys(loaded.row.customer, wanted)


def newer_operations(loaded: LoadedRecord) -> list[str]:
    """Return the operations that prepared a newer version of the record than the one that stands."""
    row = loaded.row
    return [head[3] for head in loaded.heads if head[0] == row.id and head[1] > row.version]


def check_not_rolled_back(loaded: LoadedRecord, committed: Iterable[str]) -> None:
    """Raise :class:`IntegrityBroken` if one of the newer versions was committed: the row that stands is an old one."""
    if not set(committed).isdisjoint(newer_operations(loaded)):
        raise IntegrityBroken("a record was rolled back to an older version")


def index_confirms(row: RecordRow, number: int, hit: IndexHit) -> bool:
    """Tell whether an index entry of field ``number`` is of the value that the record holds now.

    Entries are written before their operation commits and removed after they are superseded; in between only the
    record tells which of them count.
    """
    if hit.record != row.id or hit.customer != row.customer:
        return False
    if hit.version == row.version and hit.operation != row.operation:
        return False
    return sealed_at(row.body).get(number) == hit.version


def sealed_at(body: bytes) -> dict[int, int]:
    """Return the version at which each field that has a value was sealed."""
    return {field[0]: field[1] for section in unpack(body).sections for field in section.fields}
