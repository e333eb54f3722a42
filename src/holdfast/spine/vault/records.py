"""One record opened against a permit. Pure: rows in, values out. This is where a value becomes readable.

``open_fields(permit, loaded, schema) -> dict[str, Secret[str]]``       permitted fields, each as the permit presents it
``match_answer(permit, loaded, schema, field, answer) -> bool``         compares; shows nothing
``match_answers(permit, loaded, schema, answers) -> bool``              one verdict over all
``confirm_hit(permit, loaded, schema, sought) -> bool``                 a short index token, compared with the value
``customer_number_digest(permit, loaded, schema, salt) -> str``          what a permit says of the client's number
``index_confirms(row, field number, hit) -> bool``                      an index entry is of the present value
``dummy_open(keys, schema, names)``, ``dummy_match(keys, schema, answers)``   the same work on a decoy (SPINE 2)
``kept_fields(loaded, schema, names) -> dict[str, Secret[str]]``           what an erasure leaves behind under a hold
``seal_records``, ``reseal_record``                                     see :mod:`~holdfast.spine.vault.sealing`

``loaded`` is ``LoadedRecord(keys, row, heads, deks)``: ``RecordRow(*row)`` of ``store.RECORDS`` and the customer's
rows of
``keyring.store.HEADS`` and ``keyring.store.DEKS``. Before any field is opened the row is compared with its head (an
edit, an older version) and the manifest of each class that is touched is checked; :class:`IntegrityBroken` otherwise.
Only the classes that are asked for are unwrapped, and only the fields that are permitted are decrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.crypto.mac import equal, sha256
from holdfast.kit.errors import Denied, InvalidInput
from holdfast.kit.secret import Secret
from holdfast.spine.decision.contract_incident import may_be_kept
from holdfast.spine.vault import tokens
from holdfast.spine.vault.cipher import check_manifest, open_sealed, place
from holdfast.spine.vault.masks import masker
from holdfast.spine.vault.normalise import Normal, compared
from holdfast.spine.vault.packing import (
    HeadRow,
    IndexHit,
    LoadedRecord,
    Place,
    RecordRow,
    SealedRecord,
    check_head,
    class_keys_of,
    index_confirms,
)
from holdfast.spine.vault.sealing import Whole, answer_mac, plan_of, reseal_record, seal_records
from holdfast.vocabulary.levels import Handling, Operation, Presentation
from holdfast.vocabulary.schema import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from holdfast.spine.decision.verdict import Permit
    from holdfast.spine.vault.cipher import Sealed
    from holdfast.spine.vault.hierarchy import ClassKey, ClientKeys
    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec, Mask

__all__ = [
    "HeadRow",
    "IndexHit",
    "LoadedRecord",
    "Place",
    "RecordRow",
    "SealedRecord",
    "confirm_hit",
    "customer_number_digest",
    "dummy_match",
    "dummy_open",
    "index_confirms",
    "kept_fields",
    "match_answer",
    "match_answers",
    "open_fields",
    "reseal_record",
    "seal_records",
]

# Looked up once: a member of an enumeration costs as much as a small cipher call.
_CLEAR: Final = Presentation.CLEAR
_WITHHELD: Final = Presentation.WITHHELD


def open_fields(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema
) -> dict[str, Secret[str]]:
    """Return the permitted fields of a record, each in clear or behind its mask as the permit says.

    A field without a value gives an empty text, or its mask. :class:`Denied` when the permit is for another place, or
    asks for more than a field's handling ever allows; :class:`IntegrityBroken` when the record does not verify.
    """
    _check_permit(permit, loaded, schema)
    table = _table(schema)
    wanted: dict[int, tuple[str, Callable[[bytes], str]]] = {}
    for name, how in permit.fields.items():
        if how is not _WITHHELD:
            number, spec, clear, masked = table.get(name) or _field(schema, name)
            show = clear if how is _CLEAR else masked
            if show is None:
                raise Denied(f"{name} is {spec.handling.value}: no permit shows it {how.value}")
            wanted[number] = (name, show)
    value_of = _open(loaded, wanted).get
    return {name: Secret(show(value_of(number, b""))) for number, (name, show) in wanted.items()}


def kept_fields(
    loaded: LoadedRecord, schema: CollectionSchema, names: Iterable[str]
) -> dict[str, Secret[str]]:
    """Return those of ``names`` that have a value, for sealing them again at once (``holds.py``).

    There is no permit, because nobody looks. Fields that are never shown in clear, and those of C4, are left out
    whatever is asked for.
    """
    fields = [schema.by_name[name] for name in sorted(names) if name in schema.by_name]
    wanted = {spec.number: spec.name for spec in fields if may_be_kept(spec)}
    opened = _open(loaded, wanted)
    return {wanted[number]: Secret(value.decode()) for number, value in opened.items() if value}


def match_answer(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, field: str, *, answer: str
) -> bool:
    """Tell whether ``answer`` is the value of ``field``; an answer that is not of the field's type does not match."""
    return match_answers(permit, loaded, schema, {field: answer})


def match_answers(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, answers: Mapping[str, str]
) -> bool:
    """Tell whether all ``answers`` match; all are compared, so that time does not tell which one failed.

    Hashes of a fixed length under a key from the customer's data key are compared, not values. The last four digits of
    a number that is kept by reference are an answer, too: they are what callers know.
    """
    _check_permit(permit, loaded, schema)
    allowed = permit.operation is Operation.VERIFY and answers.keys() <= permit.fields.keys()
    if not allowed or not answers:
        raise Denied("the permit is not for these answers")
    return _compare(loaded, schema, answers)


def confirm_hit(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, sought: tuple[str, str]
) -> bool:
    """Tell whether the record holds the (field, text) that was searched for: what a short index token leaves open."""
    _check_permit(permit, loaded, schema)
    if permit.operation is not Operation.SEARCH:
        raise Denied("the permit is not for a search")
    return _compare(loaded, schema, dict((sought,)))


def customer_number_digest(
    permit: Permit, loaded: LoadedRecord, schema: CollectionSchema, salt: bytes
) -> str:
    """Return SHA-256 over ``salt`` and the client's own number of the customer, hexadecimal; the number stays inside.

    A target system that knows the number can so tell that a permit is for this account (SPINE 16).
    """
    _check_permit(permit, loaded, schema)
    if permit.operation is not Operation.ACT:
        raise Denied("the permit is not for an act")
    number = schema.by_name[schema.customer_ref].number
    return sha256(salt + _open(loaded, {number}).get(number, b"")).hex()


def dummy_open(keys: ClientKeys, schema: CollectionSchema, names: Iterable[str]) -> None:
    """Do what :func:`open_fields` does for ``names``, on a decoy: absent and hidden cost the same (SPINE 2)."""
    decoy = _decoy(keys, schema)
    fields = [_field(schema, name) for name in names if name in schema.by_name]
    opened = _open(decoy, {field.number for field in fields})
    for field in fields:
        Secret((field.masked or bytes.decode)(opened[field.number]))


def dummy_match(keys: ClientKeys, schema: CollectionSchema, answers: Mapping[str, str]) -> None:
    """Do what :func:`match_answers` does, on a decoy."""
    known = {name: answer for name, answer in answers.items() if name in schema.by_name}
    _compare(_decoy(keys, schema), schema, known)


def _check_permit(permit: Permit, loaded: LoadedRecord, schema: CollectionSchema) -> None:
    row = loaded.row
    if (
        permit.client != loaded.keys.client
        or permit.customer != row.customer
        or permit.collection != row.collection
        or schema.name != row.collection
    ):
        raise Denied("the permit is for another record")
    if permit.operation is Operation.SEARCH and _CLEAR in permit.fields.values():
        raise Denied("a search shows nothing in clear")


class _Field(NamedTuple):
    """A field, and how a value of it is shown; None: never so."""

    number: int
    spec: FieldSpec
    clear: Callable[[bytes], str] | None
    masked: Callable[[bytes], str] | None


_TABLES: dict[int, tuple[CollectionSchema, dict[str, _Field]]] = {}
_MOST_TABLES: Final = 1024


def _table(schema: CollectionSchema) -> dict[str, _Field]:
    """Return the fields of a schema by name; worked out once for each."""
    held = _TABLES.get(id(schema))
    if held is None or held[0] is not schema:
        if len(_TABLES) >= _MOST_TABLES:
            _TABLES.clear()
        held = _TABLES[id(schema)] = (
            schema,
            {spec.name: _field_of(spec) for spec in schema.fields},
        )
    return held[1]


def _field(schema: CollectionSchema, name: str) -> _Field:
    field = _table(schema).get(name)
    if field is None:
        raise InvalidInput(f"collection {schema.name} has no such field", field=name)
    return field


def _field_of(spec: FieldSpec) -> _Field:
    match spec.handling:
        case Handling.CLEAR:
            return _Field(spec.number, spec, bytes.decode, _masked(spec.mask))
        case Handling.MASKED:
            return _Field(spec.number, spec, None, _masked(spec.mask))
        case Handling.REFERENCE:
            return _Field(spec.number, spec, _token, _safe_parts)
        case Handling.VERIFY_ONLY:
            return _Field(spec.number, spec, None, None)


def _masked(kind: Mask) -> Callable[[bytes], str]:
    behind = masker(kind)
    return lambda value: behind(value.decode())


def _token(value: bytes) -> str:
    return tokens.unpack(value).token if value else ""


def _safe_parts(value: bytes) -> str:
    return tokens.unpack(value).masked() if value else ""


def _open(loaded: LoadedRecord, wanted: Collection[int]) -> dict[int, bytes]:
    """Return the wanted fields that have a value, by number."""
    opened: dict[int, bytes] = {}
    for _, fields, values in _opened(loaded, wanted):
        opened.update(zip([field[0] for field in fields], values, strict=True))
    return opened


def _opened(
    loaded: LoadedRecord, wanted: Collection[int]
) -> list[tuple[ClassKey, list[Sealed], list[bytes]]]:
    """Return key, fields and values of each class that holds a wanted field."""
    body = check_head(loaded)
    keys, row = loaded.keys, loaded.row
    at = place(keys.suite, keys.client, row.customer, row.id)
    asked = [
        (section, own)
        for section in body.sections
        if (own := [field for field in section.fields if field[0] in wanted])
    ]
    opened: list[tuple[ClassKey, list[Sealed], list[bytes]]] = []
    class_keys = class_keys_of(loaded, [section for section, _ in asked])
    for key, (section, own) in zip(class_keys, asked, strict=True):
        check_manifest(key, at, section.manifest, section.fields)
        opened.append((key, own, open_sealed(key, at, own)))
    return opened


def _compare(loaded: LoadedRecord, schema: CollectionSchema, answers: Mapping[str, str]) -> bool:
    said = {
        spec.number: (spec, text)
        for name, text in answers.items()
        for spec in (_field(schema, name).spec,)
    }
    matches = [
        _is_answer(key, *said[field[0]], value)
        for key, fields, values in _opened(loaded, said)
        for field, value in zip(fields, values, strict=True)
    ]
    return len(matches) == len(said) and all(matches)


def _is_answer(key: ClassKey, spec: FieldSpec, answer: str, value: bytes) -> bool:
    compare_key = key.compare_key()
    try:
        said = compared(spec, answer)
    except InvalidInput:
        said = ""
    if spec.handling is Handling.REFERENCE:
        kept = tokens.unpack(value)
        held = kept.mac
        if len(bare := answer.strip()) == 4 and kept.last_four:
            said, held = bare, answer_mac(compare_key, spec.number, kept.last_four)
    else:
        held = answer_mac(compare_key, spec.number, compared(spec, value.decode()))
    return equal(held, answer_mac(compare_key, spec.number, said)) and bool(said)


def _decoy(keys: ClientKeys, schema: CollectionSchema) -> LoadedRecord:
    name = f"{schema.name} {schema.digest}"
    decoy = keys.decoys.get(name)
    if not isinstance(decoy, LoadedRecord):
        decoy = keys.decoys[name] = _make_decoy(keys, schema)
    return decoy


def _make_decoy(keys: ClientKeys, schema: CollectionSchema) -> LoadedRecord:
    customer, record, operation = "cus_decoy", "rec_decoy", "op_decoy"
    made = {int(c): keys.new_class_key(customer, int(c)) for c in schema.classes}
    class_keys = {data_class: key for data_class, (key, _) in made.items()}
    texts = [_DECOYS.get(spec.type, "1990-02-03") for spec in schema.fields]
    normals = [Normal(text, text) for text in texts]
    where = Place(schema.name, customer, record, 1)
    (sealed,) = seal_records(keys, [Whole(class_keys, where, normals)], plan=plan_of(schema))
    row = RecordRow(record, customer, schema.name, 1, sealed.body, operation)
    deks = tuple(dek for _, dek in made.values())
    return LoadedRecord(keys, row, ((record, 1, sealed.digest, operation),), deks)


_DECOYS: Final = {
    FieldType.PHONE: "+12025550100",
    FieldType.EMAIL: "nobody@example.com",
    FieldType.CARD: "4111111111111111",
    FieldType.INTEGER: "0",
    FieldType.DECIMAL: "0",
    FieldType.BOOLEAN: "false",
}
