"""One record: packed, sealed field by field, and opened against a permit. Pure: rows in, values out.

``seal_record(keys, class_keys, place, values) -> SealedRecord(body, digest)``
``reseal_record(keys, class_keys, loaded, values) -> SealedRecord``            the next version, other fields as they are
``open_fields(permit, loaded, schema) -> dict[str, Secret[str]]``              permitted fields, each as the permit presents it
``match_answer(permit, loaded, schema, field, answer) -> bool``                compares; shows nothing
``match_answers(permit, loaded, schema, answers) -> bool``                     one verdict over all
``confirm_hit(permit, loaded, schema, field, text) -> bool``                   a truncated index hit, compared with the value
``index_confirms(row, field number, hit) -> bool``                             whether an index entry is of the present value
``dummy_open(keys, schema, names) -> None``                                    the same work on a decoy, for what is absent or hidden

``loaded`` is ``LoadedRecord(keys, row, heads, deks)``: a row of ``store.RECORDS``, the customer's rows of ``keyring.store.HEADS``
and ``keyring.store.DEKS``. Before any field is opened the row is compared with its head (any edit, any older version) and
the manifest of each class that is touched is checked; :class:`IntegrityBroken` otherwise. Only the classes that are asked for
are unwrapped, and only the fields that are permitted are decrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.kit.crypto.mac import equal, hmac_sha256, sha256
from holdfast.kit.errors import Denied, IntegrityBroken, InvalidInput
from holdfast.kit.ids import random_bytes
from holdfast.kit.secret import Secret
from holdfast.spine.vault import tokens
from holdfast.spine.vault.cipher import (
    NONCE_BYTES,
    Sealed,
    check_manifest,
    make_manifest,
    open_field,
    place,
    seal_field,
)
from holdfast.spine.vault.hierarchy import DekRow
from holdfast.spine.vault.masks import mask
from holdfast.spine.vault.normalise import Normal, compared
from holdfast.vocabulary.levels import Handling, Operation, Presentation
from holdfast.vocabulary.schema import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.spine.decision.verdict import Permit
    from holdfast.spine.vault.hierarchy import ClassKey, ClientKeys
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

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
    """Everything that opening a record needs. ``heads`` and ``deks`` may be those of all the customer's records."""

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


class Section(msgspec.Struct, array_like=True, gc=False):
    """The fields of one class of a record, ordered by number, under one manifest."""

    data_class: int
    dek_version: int
    manifest: bytes
    fields: list[Sealed]


class Body(msgspec.Struct, array_like=True):
    """What a row's ``body`` packs. ``fingerprint`` is a keyed hash of the row as last imported, under the key of ``fingerprint_class``."""

    format: int
    fingerprint_class: int
    fingerprint: bytes
    sections: list[Section]


Values = list[tuple["FieldSpec", Normal]]
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Body).decode


# ── sealing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def seal_record(
    keys: ClientKeys,
    class_keys: Mapping[int, ClassKey],
    where: Place,
    values: Values,
    *,
    before: Mapping[int, tokens.Kept] | None = None,
    random: bytes | None = None,
) -> SealedRecord:
    """Seal a whole record, as an import does.

    ``class_keys`` must hold every class of ``values`` (ordered by field number; empty ones are left out). ``before`` gives the
    present references by field number, so that tokens stay. ``random`` is :func:`random_needed` bytes.
    """
    at = place(keys.suite, keys.client, where.customer, where.record)
    nonces = _Nonces(random or random_bytes(random_needed(values)))
    by_class: dict[int, list[Sealed]] = {}
    for spec, normal in values:
        if normal.kept:
            key = class_keys[spec.data_class]
            box = seal_field(
                key,
                at,
                (spec.number, where.version),
                nonces.next(),
                _payload(key, spec, normal, before),
            )
            by_class.setdefault(spec.data_class, []).append((spec.number, where.version, box))
    sections = [
        Section(data_class, key.version, make_manifest(key, at, nonces.next(), fields), fields)
        for data_class, fields in sorted(by_class.items())
        for key in (class_keys[data_class],)
    ]
    highest = max(class_keys)
    print_ = fingerprint(class_keys[highest], values)
    return _packed(keys, where, Body(FORMAT, highest, print_, sections))


def random_needed(values: Values) -> int:
    """Return how many random bytes :func:`seal_record` takes at most: one nonce per field and per class."""
    return NONCE_BYTES * (len(values) + len({spec.data_class for spec, _ in values}))


def reseal_record(
    keys: ClientKeys, class_keys: Mapping[int, ClassKey], loaded: LoadedRecord, values: Values
) -> SealedRecord:
    """Seal the next version of a record with ``values`` changed; all else stays sealed as it is.

    A value that became empty is left out. The fingerprint stays that of the last import: the same file imported again
    leaves the change alone.
    """
    row = loaded.row
    where = Place(row.collection, row.customer, row.id, row.version + 1)
    at = place(keys.suite, keys.client, row.customer, row.id)
    body = check_head(loaded)
    nonces = _Nonces(random_bytes(random_needed(values) + NONCE_BYTES * len(body.sections)))
    changed = {spec.number for spec, _ in values}
    kept: dict[int, list[Sealed]] = {}
    touched = {int(spec.data_class) for spec, _ in values}
    before: dict[int, tokens.Kept] = {}
    for section in body.sections:
        kept[section.data_class] = [field for field in section.fields if field[0] not in changed]
        if len(kept[section.data_class]) != len(section.fields):
            touched.add(section.data_class)
        if section.data_class in touched:
            key = _class_key(loaded, section)
            check_manifest(key, at, section.manifest, section.fields)
            before |= _references(key, at, section, values)
    for spec, normal in values:
        if normal.kept:
            key = class_keys[spec.data_class]
            box = seal_field(
                key,
                at,
                (spec.number, where.version),
                nonces.next(),
                _payload(key, spec, normal, before),
            )
            kept.setdefault(spec.data_class, []).append((spec.number, where.version, box))
    old = {section.data_class: section for section in body.sections}
    body.sections = [
        _section(class_keys, at, nonces, (data_class, sorted(fields)))
        if data_class in touched
        else old[data_class]
        for data_class, fields in sorted(kept.items())
        if fields
    ]
    return _packed(keys, where, body)


class _Nonces:
    """Nonces cut from one draw of random bytes."""

    __slots__ = ("_at", "_random")

    def __init__(self, random: bytes) -> None:
        self._random = random
        self._at = 0

    def next(self) -> bytes:
        at = self._at
        self._at = at + NONCE_BYTES
        nonce = self._random[at : self._at]
        assert len(nonce) == NONCE_BYTES
        return nonce


def _section(
    class_keys: Mapping[int, ClassKey], at: bytes, nonces: _Nonces, fields: tuple[int, list[Sealed]]
) -> Section:
    data_class, sealed = fields
    key = class_keys[data_class]
    return Section(data_class, key.version, make_manifest(key, at, nonces.next(), sealed), sealed)


def _payload(
    key: ClassKey, spec: FieldSpec, normal: Normal, before: Mapping[int, tokens.Kept] | None
) -> bytes:
    if spec.handling is not Handling.REFERENCE:
        return normal.kept.encode()
    mac = answer_mac(key.compare_key(), spec.number, normal.compared)
    return tokens.keep(spec.type, normal.compared, mac, (before or {}).get(spec.number)).pack()


def _references(
    key: ClassKey, at: bytes, section: Section, values: Values
) -> dict[int, tokens.Kept]:
    wanted = {spec.number for spec, _ in values if spec.handling is Handling.REFERENCE}
    return {
        field[0]: tokens.unpack(open_field(key, at, field))
        for field in section.fields
        if field[0] in wanted
    }


def fingerprint(key: ClassKey, values: Values) -> bytes:
    """Return the keyed hash by which an import sees that a row has not changed; it covers how each field is kept, too."""
    text = "\x1e".join(
        [
            f"{spec.number}.{spec.data_class}.{spec.handling}.{spec.index}.{spec.index_bits}\x1f{normal.kept}"
            for spec, normal in values
        ]
    )
    return hmac_sha256(key.compare_key(), b"row\x1e" + text.encode())


def _packed(keys: ClientKeys, where: Place, body: Body) -> SealedRecord:
    packed = _ENCODE(body)
    return SealedRecord(packed, _digest(keys.client, where, packed))


def _digest(client: str, where: Place, body: bytes) -> bytes:
    bound = "\0".join((client, where.collection, where.customer, where.record, str(where.version)))
    return sha256(_HEAD + len(bound).to_bytes(4, "big") + bound.encode() + body)


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────


def open_fields(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema
) -> dict[str, Secret[str]]:
    """Return the permitted fields of a record, each in clear or behind its mask as the permit says.

    A field without a value gives an empty text. :class:`Denied` when the permit is for another place, or asks for more than
    a field's handling ever allows; :class:`IntegrityBroken` when the record does not verify.
    """
    _check_permit(permit, loaded, schema)
    wanted = {
        _spec(schema, name).number: how
        for name, how in permit.fields.items()
        if how is not Presentation.WITHHELD
    }
    for number, how in wanted.items():
        _check_handling(schema.by_number[number], how)
    opened = _open(loaded, wanted)
    return {
        schema.by_number[number].name: Secret(
            _shown(schema.by_number[number], how, opened.get(number, b""))
        )
        for number, how in wanted.items()
    }


def match_answer(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, field: str, answer: str
) -> bool:  # noqa: PLR0917
    """Tell whether ``answer`` is the value of ``field``; an answer that is not of the field's type does not match."""
    return match_answers(permit, loaded, schema, {field: answer})


def match_answers(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, answers: Mapping[str, str]
) -> bool:
    """Tell whether all ``answers`` match; all are compared, so that time does not tell which one failed.

    Hashes of a fixed length under a key from the customer's data key are compared, not values.
    """
    _check_permit(permit, loaded, schema)
    if (
        permit.operation is not Operation.VERIFY
        or not answers
        or not answers.keys() <= permit.fields.keys()
    ):
        raise Denied("the permit is not for these answers")
    return _compare(loaded, schema, answers)


def confirm_hit(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, sought: tuple[str, str]
) -> bool:
    """Tell whether the record holds the (field, text) sought: what a truncated index token leaves open."""
    _check_permit(permit, loaded, schema)
    if permit.operation is not Operation.SEARCH:
        raise Denied("the permit is not for a search")
    return _compare(loaded, schema, dict((sought,)))


def index_confirms(row: RecordRow, number: int, hit: IndexHit) -> bool:
    """Tell whether an index entry of field ``number`` is of the value that the record holds now.

    Entries are written before their operation commits and removed after they are superseded; in between only the
    record tells which of them count.
    """
    if hit.record != row.id or hit.customer != row.customer:
        return False
    if hit.version == row.version and hit.operation != row.operation:
        return False
    sealed_at = {
        field[0]: field[1] for section in unpacked(row.body).sections for field in section.fields
    }
    return sealed_at.get(number) == hit.version


def _check_permit(permit: Permit, loaded: LoadedRecord, schema: CollectionSchema) -> None:
    row = loaded.row
    if (
        permit.client != loaded.keys.client
        or permit.collection != row.collection
        or schema.name != row.collection
        or permit.customer != row.customer
    ):
        raise Denied("the permit is for another record")
    if permit.operation is Operation.SEARCH and Presentation.CLEAR in permit.fields.values():
        raise Denied("a search shows nothing in clear")


def _spec(schema: CollectionSchema, name: str) -> FieldSpec:
    spec = schema.by_name.get(name)
    if spec is None:
        raise InvalidInput(f"collection {schema.name} has no field {name}", field=name)
    return spec


def _check_handling(spec: FieldSpec, how: Presentation) -> None:
    never = spec.handling is Handling.VERIFY_ONLY
    if never or (spec.handling is Handling.MASKED and how is Presentation.CLEAR):
        raise Denied(f"{spec.name} is {spec.handling.value}: no permit shows it {how.value}")


def _shown(spec: FieldSpec, how: Presentation, value: bytes) -> str:
    clear = how is Presentation.CLEAR
    if spec.handling is Handling.REFERENCE and value:
        kept = tokens.unpack(value)
        return kept.token if clear else kept.masked()
    return value.decode() if clear else mask(spec.mask, value.decode())


def _open(loaded: LoadedRecord, wanted: Iterable[int]) -> dict[int, bytes]:
    body = check_head(loaded)
    keys, row = loaded.keys, loaded.row
    at = place(keys.suite, keys.client, row.customer, row.id)
    wanted = frozenset(wanted)
    opened: dict[int, bytes] = {}
    for section in body.sections:
        asked = [field for field in section.fields if field[0] in wanted]
        if asked:
            key = _class_key(loaded, section)
            check_manifest(key, at, section.manifest, section.fields)
            for field in asked:
                opened[field[0]] = open_field(key, at, field)
    return opened


def check_head(loaded: LoadedRecord) -> Body:
    """Return the packed fields of a row that is the one its head names; :class:`IntegrityBroken` otherwise."""
    row = loaded.row
    where = Place(row.collection, row.customer, row.id, row.version)
    digest = _digest(loaded.keys.client, where, row.body)
    for record, version, expected, operation in loaded.heads:
        if record == row.id and version == row.version and operation == row.operation:
            if equal(digest, expected):
                return unpacked(row.body)
            break
    raise IntegrityBroken(
        "a record is not the one that was last written: edited, moved or rolled back"
    )


def unpacked(body: bytes) -> Body:
    """Read a row's body; :class:`IntegrityBroken` if it is none."""
    try:
        read = _DECODE(body)
    except msgspec.MsgspecError:
        raise IntegrityBroken("a record's body cannot be read") from None
    if read.format != FORMAT:
        raise IntegrityBroken(f"a record has an unknown format {read.format}")
    return read


def _class_key(loaded: LoadedRecord, section: Section) -> ClassKey:
    for dek in loaded.deks:
        if dek[0] == section.data_class and dek[1] == section.dek_version:
            return loaded.keys.open_class_key(loaded.row.customer, DekRow(*dek))
    raise IntegrityBroken(f"the data key of class C{section.data_class} does not exist")


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────────


def answer_mac(compare_key: bytes, number: int, compared_form: str) -> bytes:
    """Return the fixed-length hash by which two values of one field are compared."""
    return hmac_sha256(compare_key, b"value\x1e%d\x1f" % number + compared_form.encode())


def _compare(loaded: LoadedRecord, schema: CollectionSchema, answers: Mapping[str, str]) -> bool:
    specs = {
        spec.number: (spec, answer)
        for name, answer in answers.items()
        for spec in (_spec(schema, name),)
    }
    body = check_head(loaded)
    at = place(loaded.keys.suite, loaded.keys.client, loaded.row.customer, loaded.row.id)
    matched = 0
    for section in body.sections:
        asked = [field for field in section.fields if field[0] in specs]
        if asked:
            key = _class_key(loaded, section)
            check_manifest(key, at, section.manifest, section.fields)
            compare_key = key.compare_key()
            for field in asked:
                matched += _is_answer(compare_key, *specs[field[0]], open_field(key, at, field))
    return matched == len(specs)


def _is_answer(compare_key: bytes, spec: FieldSpec, answer: str, value: bytes) -> bool:  # noqa: PLR0917
    try:
        said = compared(spec, answer)
    except InvalidInput:
        said = ""
    if spec.handling is not Handling.REFERENCE:
        held = answer_mac(compare_key, spec.number, compared(spec, value.decode()))
    else:
        kept = tokens.unpack(value)
        held = kept.mac
        if (
            len(bare := answer.strip()) == 4 and kept.last_four
        ):  # callers know the last four of a card
            said, held = bare, answer_mac(compare_key, spec.number, kept.last_four)
    return equal(held, answer_mac(compare_key, spec.number, said)) and bool(said)


# ── decoys ──────────────────────────────────────────────────────────────────────────────────────────────────────


def dummy_open(keys: ClientKeys, schema: CollectionSchema, names: Iterable[str]) -> None:
    """Do what :func:`open_fields` does for ``names``, on a decoy: what is absent costs what is hidden costs (SPINE 2)."""
    decoy = keys.decoys.get(schema.digest)
    if not isinstance(decoy, LoadedRecord):
        decoy = keys.decoys[schema.digest] = _decoy(keys, schema)
    numbers = [schema.by_name[name].number for name in names if name in schema.by_name]
    for number, value in _open(decoy, numbers).items():
        _shown(schema.by_number[number], Presentation.MASKED, value)


def dummy_match(keys: ClientKeys, schema: CollectionSchema, answers: Mapping[str, str]) -> None:
    """Do what :func:`match_answers` does, on a decoy."""
    dummy_open(keys, schema, ())
    decoy = keys.decoys[schema.digest]
    assert isinstance(decoy, LoadedRecord)
    _compare(
        decoy, schema, {name: answer for name, answer in answers.items() if name in schema.by_name}
    )


def _decoy(keys: ClientKeys, schema: CollectionSchema) -> LoadedRecord:
    customer, record, operation = "cus_decoy", "rec_decoy", "op_decoy"
    made = {int(c): keys.new_class_key(customer, c) for c in schema.classes}
    texts = [(spec, _DECOY_TEXTS.get(spec.type, "1990-02-03")) for spec in schema.fields]
    values = [(spec, Normal(text, text)) for spec, text in texts]
    where = Place(schema.name, customer, record, 1)
    sealed = seal_record(keys, {c: key for c, (key, _) in made.items()}, where, values)
    row = RecordRow(record, customer, schema.name, 1, sealed.body, operation)
    heads = ((record, 1, sealed.digest, operation),)
    return LoadedRecord(keys, row, heads, tuple(row for _, row in made.values()))


_DECOY_TEXTS: Final = {
    FieldType.PHONE: "+12025550100",
    FieldType.EMAIL: "nobody@example.com",
    FieldType.CARD: "4111111111111111",
    FieldType.INTEGER: "0",
    FieldType.DECIMAL: "0",
    FieldType.BOOLEAN: "false",
}
