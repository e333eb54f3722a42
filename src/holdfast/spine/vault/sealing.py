"""One record sealed: all of it by an import, some fields of it by an update. Pure.

``plan_of(schema) -> Plan``: what sealing needs of a schema, worked out once per import
``seal_record(keys, class_keys, where, normals, plan=…) -> SealedRecord``
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
    check_manifest,
    make_manifest,
    open_sealed,
    place,
    seal_field,
)
from holdfast.spine.vault.packing import (
    FORMAT,
    Body,
    Place,
    Section,
    check_head,
    class_key_of,
    pack,
)
from holdfast.vocabulary.levels import Handling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.spine.vault.cipher import Sealed
    from holdfast.spine.vault.hierarchy import ClassKey, ClientKeys
    from holdfast.spine.vault.normalise import Normal
    from holdfast.spine.vault.packing import LoadedRecord, SealedRecord
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec, FieldType


class Slot(NamedTuple):
    """What sealing needs to know of a field."""

    number: int
    data_class: int
    type: FieldType
    by_reference: bool


class Plan(NamedTuple):
    """What sealing needs to know of a schema; ``slots`` are in the order of the schema's fields."""

    slots: tuple[Slot, ...]
    classes: tuple[int, ...]
    random: int  # bytes that sealing a whole record takes
    how: bytes  # how each field is kept: a change of it makes every row a changed row


def plan_of(schema: CollectionSchema) -> Plan:
    """Work out the plan of a schema."""
    how = "\x1e".join(
        f"{f.number}.{int(f.data_class)}.{f.handling}.{f.index}.{f.index_bits}"
        for f in schema.fields
    )
    classes = tuple(int(data_class) for data_class in schema.classes)
    nonces = len(schema.fields) + len(classes)
    slots = tuple(_slot(spec) for spec in schema.fields)
    return Plan(slots, classes, NONCE_BYTES * nonces, how.encode())


def seal_record(
    keys: ClientKeys,
    class_keys: Mapping[int, ClassKey],
    where: Place,
    normals: Sequence[Normal],
    *,
    plan: Plan,
    before: Mapping[int, tokens.Kept] | None = None,
    random: bytes | None = None,
) -> SealedRecord:
    """Seal a whole record.

    ``normals`` are the values of the plan's slots, in their order; empty ones are left out. ``class_keys`` holds a key
    of every class of the plan. ``before`` gives the present references by field number, so that tokens stay. ``random``
    is ``plan.random`` fresh bytes, or drawn here.
    """
    at = place(keys.suite, keys.client, where.customer, where.record)
    nonce = _nonces(random or random_bytes(plan.random))
    version = where.version
    by_class: dict[int, list[Sealed]] = {}
    for slot, normal in zip(plan.slots, normals, strict=True):
        if normal.kept:
            key = class_keys[slot.data_class]
            content = (
                _by_reference(key, slot, normal, before)
                if slot.by_reference
                else normal.kept.encode()
            )
            field = seal_field(key, at, content, number=slot.number, version=version, nonce=nonce())
            by_class.setdefault(slot.data_class, []).append(field)
    sections = [_section(class_keys[c], at, nonce(), by_class[c]) for c in sorted(by_class)]
    highest = class_keys[plan.classes[-1]]
    imported = fingerprint(highest, plan, normals)
    return pack(keys.client, where, Body(FORMAT, highest.data_class, imported, sections))


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
            key = opened[section.data_class] = class_key_of(loaded, section)
            check_manifest(key, at, section.manifest, section.fields)
            before |= _references(key, at, section, changes)
    nonce = _nonces(random_bytes(NONCE_BYTES * (len(changes) + len(touched))))
    for spec, normal in changes:
        if normal.kept:
            key, slot = opened[int(spec.data_class)], _slot(spec)
            content = (
                _by_reference(key, slot, normal, before)
                if slot.by_reference
                else normal.kept.encode()
            )
            field = seal_field(
                key, at, content, number=spec.number, version=where.version, nonce=nonce()
            )
            fields.setdefault(key.data_class, []).append(field)
    untouched = [section for section in body.sections if section.data_class not in touched]
    resealed = [
        _section(opened[c], at, nonce(), sorted(fields[c])) for c in touched if fields.get(c)
    ]
    body.sections = sorted(untouched + resealed, key=lambda section: section.data_class)
    return pack(keys.client, where, body)


def fingerprint(key: ClassKey, plan: Plan, normals: Sequence[Normal]) -> bytes:
    """Return the keyed hash of a row as imported, and of how each field is kept; values hold no separator."""
    text = "\x1e".join([normal.kept for normal in normals])
    return hmac_sha256(key.compare_key(), b"row\x1d" + plan.how + b"\x1d" + text.encode())


def answer_mac(compare_key: bytes, number: int, compared: str) -> bytes:
    """Return the hash of fixed length by which two values of a field are compared."""
    return hmac_sha256(compare_key, b"value\x1d%d\x1d" % number + compared.encode())


def _slot(spec: FieldSpec) -> Slot:
    by_reference = spec.handling is Handling.REFERENCE
    return Slot(spec.number, int(spec.data_class), spec.type, by_reference)


def _section(key: ClassKey, at: bytes, nonce: bytes, fields: list[Sealed]) -> Section:
    return Section(key.data_class, key.version, make_manifest(key, at, nonce, fields), fields)


def _nonces(random: bytes) -> Callable[[], bytes]:
    parts = [random[i : i + NONCE_BYTES] for i in range(0, len(random), NONCE_BYTES)]
    return parts.pop  # an IndexError, never a nonce twice, when they run out


def _by_reference(
    key: ClassKey, slot: Slot, normal: Normal, before: Mapping[int, tokens.Kept] | None
) -> bytes:
    mac = answer_mac(key.compare_key(), slot.number, normal.compared)
    return tokens.keep(slot.type, normal.compared, mac, (before or {}).get(slot.number)).pack()


def _references(
    key: ClassKey, at: bytes, section: Section, changes: Sequence[tuple[FieldSpec, Normal]]
) -> dict[int, tokens.Kept]:
    wanted = {spec.number for spec, _ in changes if spec.handling is Handling.REFERENCE}
    held = [field for field in section.fields if field[0] in wanted]
    return {
        field[0]: tokens.unpack(content)
        for field, content in zip(held, open_sealed(key, at, held), strict=True)
    }
