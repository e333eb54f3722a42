"""One record sealed: all of it by an import, some fields of it by an update. Pure.

``plan_of(schema) -> Plan``: what sealing needs of a schema, worked out once per import
``seal_records(keys, [Whole(class_keys, where, normals), …], plan=…) -> list[SealedRecord]``
``reseal_record(class_keys, loaded, changes) -> SealedRecord``: the next version, other fields as they are
``fingerprint(key, plan, normals) -> bytes``: by which an import sees that a row has not changed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.crypto.aead import NONCE_BYTES
from holdfast.kit.crypto.mac import hmac_sha256
from holdfast.kit.ids import random_bytes
from holdfast.spine.vault import tokens
from holdfast.spine.vault.cipher import (
    Part,
    check_manifest,
    make_manifests,
    open_sealed,
    place,
    seal_parts,
)
from holdfast.spine.vault.packing import (
    FORMAT,
    Body,
    Place,
    Section,
    check_head,
    class_keys_of,
    pack,
)
from holdfast.vocabulary.levels import Handling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.spine.vault.cipher import Sealed
    from holdfast.spine.vault.hierarchy import ClassKey, ClientKeys
    from holdfast.spine.vault.normalise import Normal
    from holdfast.spine.vault.packing import LoadedRecord, SealedRecord
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec, FieldType


class Slot(NamedTuple):
    """What sealing needs to know of a field; ``place`` is where its value stands in a row."""

    place: int
    number: int
    type: FieldType
    by_reference: bool


class Plan(NamedTuple):
    """What sealing needs to know of a schema: the fields of each class, lowest class first."""

    by_class: tuple[tuple[int, tuple[Slot, ...]], ...]
    highest: int
    random: int  # bytes that sealing a whole record takes
    how: bytes  # how each field is kept: a change of it makes every row a changed row
    references: frozenset[int]  # numbers of the fields that are kept by reference
    referring: frozenset[int]  # classes that hold one


def plan_of(schema: CollectionSchema) -> Plan:
    """Work out the plan of a schema."""
    how = "\x1e".join(
        f"{f.number}.{int(f.data_class)}.{f.handling}.{f.index}.{f.index_bits}"
        for f in schema.fields
    )
    by_class: dict[int, list[Slot]] = {int(data_class): [] for data_class in schema.classes}
    for place_, spec in enumerate(schema.fields):
        by_class[int(spec.data_class)].append(_slot(place_, spec))
    by_reference = [f for f in schema.fields if f.handling is Handling.REFERENCE]
    return Plan(
        tuple((data_class, tuple(slots)) for data_class, slots in by_class.items()),
        int(schema.classes[-1]),
        NONCE_BYTES * (len(schema.fields) + len(by_class)),
        how.encode(),
        frozenset(f.number for f in by_reference),
        frozenset(int(f.data_class) for f in by_reference),
    )


class Whole(NamedTuple):
    """A record that is sealed whole.

    ``normals`` are the values of the schema's fields, in their order; empty ones are left out. ``class_keys`` holds a
    key of every class of the schema. ``before`` gives the present references by field number, so that tokens stay.
    """

    class_keys: Mapping[int, ClassKey]
    where: Place
    normals: Sequence[Normal]
    before: Mapping[int, tokens.Kept] = {}

    def __repr__(self) -> str:
        return f"Whole({self.where.record})"


def seal_records(
    keys: ClientKeys, wholes: Sequence[Whole], *, plan: Plan, random: bytes | None = None
) -> list[SealedRecord]:
    """Seal whole records. ``random`` is ``plan.random`` fresh bytes for each, or drawn here.

    Each step is taken for all records before the next: its code then stays in the processor's caches.
    """
    nonces = _nonces(random or random_bytes(plan.random * len(wholes)))
    parts: list[Part] = []
    ends: list[int] = []
    for whole in wholes:
        parts += _parts(keys, whole, plan)
        ends.append(len(parts))
    sections = _sections(parts, nonces)
    imported = [
        fingerprint(whole.class_keys[plan.highest], plan, whole.normals) for whole in wholes
    ]
    bodies = [
        Body(FORMAT, plan.highest, mark, sections[begin:end])
        for mark, begin, end in zip(imported, [0, *ends[:-1]], ends, strict=True)
    ]
    return [pack(keys, whole.where, body) for whole, body in zip(wholes, bodies, strict=True)]


def reseal_record(
    class_keys: Mapping[int, ClassKey],
    loaded: LoadedRecord,
    changes: Sequence[tuple[FieldSpec, Normal]],
) -> SealedRecord:
    """Seal the next version of a record with ``changes``; all else stays as it was sealed.

    A value that became empty is left out. The fingerprint stays that of the last import: the same file imported again
    leaves the change alone. ``class_keys`` holds a key of every class of ``changes``.
    """
    keys, row = loaded.keys, loaded.row
    body = check_head(loaded)
    where = Place(row.collection, row.customer, row.id, row.version + 1)
    at = place(keys.suite, keys.client, row.customer, row.id)
    numbers = {spec.number for spec, _ in changes}
    touched = {int(spec.data_class) for spec, _ in changes}
    opened = dict(class_keys)
    fields: dict[int, list[Sealed]] = {}
    before: dict[int, tokens.Kept] = {}
    for section in body.sections:
        kept = [field for field in section.fields if field[0] not in numbers]
        fields[section.data_class] = kept
        if len(kept) < len(section.fields) or section.data_class in touched:
            touched.add(section.data_class)
            (key,) = class_keys_of(loaded, (section,))
            opened[section.data_class] = key
            check_manifest(key, at, section.manifest, section.fields)
            before |= _references(key, at, section, changes)
    nonces = _nonces(random_bytes(NONCE_BYTES * (len(changes) + len(touched))))
    sections = [section for section in body.sections if section.data_class not in touched]
    parts: list[Part] = []
    kept_beside: list[list[Sealed]] = []
    for data_class in touched:
        own = [
            (_slot(0, spec), normal) for spec, normal in changes if spec.data_class == data_class
        ]
        key, stay = opened[data_class], fields.get(data_class, [])
        contents = _contents(key, own, before)
        if contents or stay:
            parts.append(Part(key, at, contents, where.version))
            kept_beside.append(stay)
    sections += _sections(parts, nonces, kept_beside)
    body.sections = sorted(sections, key=lambda section: section.data_class)
    return pack(keys, where, body)


def fingerprint(key: ClassKey, plan: Plan, normals: Sequence[Normal]) -> bytes:
    """Return the keyed hash of a row as imported, and of how each field is kept; values hold no separator."""
    text = "\x1e".join([normal.kept for normal in normals])
    return hmac_sha256(key.compare_key(), b"row\x1d" + plan.how + b"\x1d" + text.encode())


def answer_mac(compare_key: bytes, number: int, compared: str) -> bytes:
    """Return the hash of fixed length by which two values of a field are compared."""
    return hmac_sha256(compare_key, b"value\x1d%d\x1d" % number + compared.encode())


def _slot(place_: int, spec: FieldSpec) -> Slot:
    return Slot(place_, spec.number, spec.type, spec.handling is Handling.REFERENCE)


def _parts(keys: ClientKeys, whole: Whole, plan: Plan) -> list[Part]:
    """Return what is sealed of a record, lowest class first; classes without a value are left out."""
    class_keys, where, normals, before = whole
    at = place(keys.suite, keys.client, where.customer, where.record)
    parts: list[Part] = []
    for data_class, slots in plan.by_class:
        key = class_keys[data_class]
        if data_class in plan.referring:
            contents = _contents(key, [(slot, normals[slot.place]) for slot in slots], before)
        else:
            contents = [
                (slot[1], normals[slot[0]][0].encode()) for slot in slots if normals[slot[0]][0]
            ]
        if contents:
            parts.append(Part(key, at, contents, where.version))
    return parts


def _sections(
    parts: Sequence[Part], nonces: Sequence[bytes], kept: Sequence[Sequence[Sealed]] = ()
) -> list[Section]:
    """Seal parts, each under a manifest, beside the fields of its class that are ``kept`` as they are.

    Every nonce is used once: those of the fields first, then those of the manifests.
    """
    count = sum([len(part.contents) for part in parts])
    sealed = seal_parts(parts, nonces[:count])
    if kept:
        sealed = [sorted([*stay, *own]) for stay, own in zip(kept, sealed, strict=True)]
    listed = [(part.key, part.at, fields) for part, fields in zip(parts, sealed, strict=True)]
    manifests = make_manifests(listed, nonces[count : count + len(parts)])
    return [
        Section(key.data_class, key.version, manifest, fields)
        for (key, _, fields), manifest in zip(listed, manifests, strict=True)
    ]


def _nonces(random: bytes) -> list[bytes]:
    return [random[i : i + NONCE_BYTES] for i in range(0, len(random), NONCE_BYTES)]


def _contents(
    key: ClassKey, values: Sequence[tuple[Slot, Normal]], before: Mapping[int, tokens.Kept]
) -> list[tuple[int, bytes]]:
    """Return what is sealed of each value that is not empty."""
    contents: list[tuple[int, bytes]] = []
    for slot, normal in values:
        if not normal.kept:
            continue
        if slot.by_reference:
            mac = answer_mac(key.compare_key(), slot.number, normal.compared)
            kept = tokens.keep(slot.type, normal.compared, mac, before=before.get(slot.number))
            contents.append((slot.number, kept.pack()))
        else:
            contents.append((slot.number, normal.kept.encode()))
    return contents


def _references(
    key: ClassKey, at: bytes, section: Section, changes: Sequence[tuple[FieldSpec, Normal]]
) -> dict[int, tokens.Kept]:
    wanted = {spec.number for spec, _ in changes if spec.handling is Handling.REFERENCE}
    held = [field for field in section.fields if field[0] in wanted]
    return {
        field[0]: tokens.unpack(content)
        for field, content in zip(held, open_sealed(key, at, held), strict=True)
    }
