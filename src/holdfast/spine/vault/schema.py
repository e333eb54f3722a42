"""``schema.toml`` of a collection, compiled; what may not be kept is refused, with the reason.

``compile_schema(text, name=…, previous=None) -> CollectionSchema``; ``encode_schema`` and ``decode_schema`` for the
stored form.

::

    owner        = "Data protection, Bank 01"   # who answers for these data
    customer_ref = "customer_no"                # field with the client's customer number
    record_key   = "customer_no"                # field that tells one record of the file from another
    region       = "PH"                         # optional: reads phone numbers without a country code
    ignore       = ["Agent comment"]            # optional: columns of files that are knowingly left out

    [fields.customer_no]                        # in the order of the file
    type     = "account"    # text name phone email date date_of_birth national_id card account address
                            # integer decimal boolean
    class    = "C2"         # C0 public … C4 critical
    handling = "clear"      # clear | masked | verify_only | reference
    index    = "search"     # optional: none | search | bind
    mask     = "account"    # optional: full card national_id phone email name date_of_birth address account
    label    = "Customer number"        # optional, as are owner, required = true, region = "PH",
                                        # date_format = "%d/%m/%Y", index_bits = 16 (names, addresses, text),
                                        # change = "act:<name>", clause = "4.2" (keeps a card number itself),
                                        # columns = ["Customer No.", "#1"] (other headers, or the place, in files)

A field's number, by which sealed rows know it, follows its name through all versions of the schema. Errors are
:class:`InvalidInput` whose ``field`` is the key, such as ``fields.cvv.type``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from holdfast.kit.canonical import canonical_json
from holdfast.kit.crypto.mac import sha256
from holdfast.kit.errors import InvalidInput, TooLarge
from holdfast.spine.vault import schema_rules
from holdfast.spine.vault.normalise import is_date_format
from holdfast.spine.vault.phones import is_region
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import CollectionSchema, FieldSpec, FieldType, Index, Mask

MOST_BYTES: Final = 256 * 1024
MOST_FIELDS: Final = 200
TOP_KEYS: Final = ("owner", "customer_ref", "record_key", "region", "ignore", "name", "fields")
FIELD_KEYS: Final = (
    "type",
    "class",
    "handling",
    "index",
    "index_bits",
    "mask",
    "label",
    "owner",
    "required",
    "region",
    "date_format",
    "change",
    "clause",
    "columns",
)
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
PLAIN_CHANGE: Final = "update"
#: Fields of these types, at C2 and above, are changed by an action unless the schema says otherwise (SPINE 16).
GUARDED_TYPES: Final = frozenset(
    {FieldType.ACCOUNT, FieldType.PHONE, FieldType.EMAIL, FieldType.ADDRESS}
)
_CHANGE: Final = re.compile(r"act:[a-z][a-z0-9_]{0,40}")
_Choice = TypeVar("_Choice", bound=StrEnum)


def compile_schema(
    text: str, *, name: str, previous: CollectionSchema | None = None
) -> CollectionSchema:
    """Compile ``text`` as the next version of collection ``name``; :class:`InvalidInput` says what is wrong and why.

    The digest does not depend on the version: a schema that says the same as ``previous`` has the same digest.
    """
    if len(text.encode()) > MOST_BYTES:
        raise TooLarge(f"a schema has at most {MOST_BYTES // 1024} KiB")
    if not NAME.fullmatch(name):
        raise InvalidInput("a collection's name is lower-case letters, digits and _", field="name")
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"this is not TOML: {error}", field="schema") from None
    _known(read, TOP_KEYS, "")
    if read.get("name", name) != name:
        raise InvalidInput(f"the schema names another collection than {name}", field="name")
    schema = CollectionSchema(
        name=name,
        version=previous.version + 1 if previous else 1,
        owner=_text(read, "owner", "", needed="who answers for these data"),
        customer_ref=_text(
            read, "customer_ref", "", needed="the field with the client's customer number"
        ),
        record_key=_text(read, "record_key", "", needed="the field that tells records apart"),
        fields=_fields(read, previous),
        ignore=_texts(read, "ignore", ""),
    )
    clauses = frozenset(name for name, table in read["fields"].items() if table.get("clause"))
    schema_rules.check(schema, clauses=clauses)
    if previous:
        schema_rules.check_change(previous, schema)
    return replace(schema, digest=sha256(canonical_json(_plain(schema) | {"version": 0})).hex())


def encode_schema(schema: CollectionSchema) -> str:
    """Return the stored form of a compiled schema."""
    return canonical_json(_plain(schema) | {"digest": schema.digest}).decode()


@lru_cache(maxsize=1024)
def decode_schema(compiled: str) -> CollectionSchema:
    """Read the stored form; the same text gives the same object, so it costs nothing on the hot path."""
    return msgspec.json.decode(compiled, type=CollectionSchema)


def _plain(schema: CollectionSchema) -> dict[str, Any]:
    plain = {
        key: getattr(schema, key)
        for key in ("name", "version", "owner", "customer_ref", "record_key", "ignore")
    }
    plain["fields"] = [msgspec.to_builtins(field) for field in schema.fields]
    return plain


def _fields(read: dict[str, Any], previous: CollectionSchema | None) -> tuple[FieldSpec, ...]:
    tables = read.get("fields")
    if not isinstance(tables, dict) or not tables:
        raise InvalidInput("declare at least one [fields.NAME]", field="fields")
    if len(tables) > MOST_FIELDS:
        raise InvalidInput(f"a collection has at most {MOST_FIELDS} fields", field="fields")
    numbers = {field.name: field.number for field in previous.fields} if previous else {}
    used = max(numbers.values(), default=0)
    specs: list[FieldSpec] = []
    for name, table in tables.items():
        if name not in numbers:
            used += 1
            numbers[name] = used
        specs.append(_field(name, numbers[name], table, read))
    return tuple(sorted(specs, key=lambda spec: spec.number))


def _field(name: str, number: int, table: Any, read: dict[str, Any]) -> FieldSpec:
    at = f"fields.{name}"
    if not NAME.fullmatch(name):
        raise InvalidInput("a field's name is lower-case letters, digits and _", field=at)
    if not isinstance(table, dict):
        raise InvalidInput(f"write it as a table, [{at}]", field=at)
    schema_rules.check_name(name, table)
    _known(table, FIELD_KEYS, at)
    names_row = name in {read.get("customer_ref"), read.get("record_key")}
    kind = _choice(table, "type", FieldType, at)
    index = _choice(table, "index", Index, at, default=Index.NONE)
    return FieldSpec(
        name=name,
        number=number,
        type=kind,
        data_class=_class(table, at),
        handling=_choice(table, "handling", Handling, at),
        index=index,
        index_bits=_bits(table, kind, at),
        mask=_choice(
            table, "mask", Mask, at, default=schema_rules.MASK_OF_TYPE.get(kind, Mask.FULL)
        ),
        label=_text(table, "label", at) or name.replace("_", " ").capitalize(),
        owner=_text(table, "owner", at) or str(read.get("owner", "")),
        required=_flag(table, "required", at) or names_row,
        region=_region(table, read, kind, at),
        date_format=_date_format(table, kind, at),
        change=_change(table, at, kind=kind, key=names_row),
        columns=_texts(table, "columns", at),
    )


def _known(table: dict[str, Any], keys: tuple[str, ...], at: str) -> None:
    for key in table:
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            raise InvalidInput(
                f"unknown key {key}",
                field=_at(at, key),
                remedy=f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(keys)}.",
            )


def _text(table: dict[str, Any], key: str, at: str, *, needed: str = "") -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > 200:
        raise InvalidInput("must be a text of at most 200 characters", field=_at(at, key))
    if needed and not value.strip():
        raise InvalidInput(f"{key} is missing: {needed}", field=_at(at, key))
    return value.strip()


def _texts(table: dict[str, Any], key: str, at: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if (
        not isinstance(value, list)
        or len(value) > MOST_FIELDS
        or not all(isinstance(one, str) and one.strip() and len(one) <= 200 for one in value)
    ):
        raise InvalidInput("must be a list of texts of at most 200 characters", field=_at(at, key))
    return tuple(one.strip() for one in value)


def _flag(table: dict[str, Any], key: str, at: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise InvalidInput("must be true or false", field=_at(at, key))
    return value


def _choice(
    table: dict[str, Any],
    key: str,
    choices: type[_Choice],
    at: str,
    *,
    default: _Choice | None = None,
) -> _Choice:
    value = table.get(key, default)
    if value is None:
        raise InvalidInput(
            f"{key} is missing", field=_at(at, key), remedy=f"One of: {', '.join(choices)}."
        )
    try:
        return choices(value)
    except ValueError:
        raise InvalidInput(
            f"{value!r} is no {key}", field=_at(at, key), remedy=f"One of: {', '.join(choices)}."
        ) from None


def _class(table: dict[str, Any], at: str) -> DataClass:
    value = table.get("class")
    found = DataClass.__members__.get(str(value))
    if found is None:
        what = "class is missing" if value is None else f"{value!r} is no class"
        raise InvalidInput(
            what, field=_at(at, "class"), remedy="One of: C0 (public), C1, C2, C3, C4 (critical)."
        )
    return found


def _bits(table: dict[str, Any], kind: FieldType, at: str) -> int:
    medium = kind in schema_rules.MEDIUM_VARIETY
    bits = table.get("index_bits", 16 if medium else 128)
    if isinstance(bits, bool) or not isinstance(bits, int):
        raise InvalidInput("must be a number of bits", field=_at(at, "index_bits"))
    if medium and not 8 <= bits <= 24:
        raise InvalidInput(
            "must be 8 to 24",
            field=_at(at, "index_bits"),
            remedy="About log2(customers / 10), so that ten or more share each token: 16 for half a million.",
        )
    if not medium and bits != 128:
        raise InvalidInput(f"is always 128 for type {kind.value}", field=_at(at, "index_bits"))
    return bits


def _region(table: dict[str, Any], read: dict[str, Any], kind: FieldType, at: str) -> str:
    own = _text(table, "region", at)
    if own and kind is not FieldType.PHONE:
        raise InvalidInput("region is for phone numbers", field=_at(at, "region"))
    region = own or _text(read, "region", "")
    if region and not is_region(region):
        raise InvalidInput(
            f"{region!r} is no region",
            field=_at(at if own else "", "region"),
            remedy="Two letters, such as PH.",
        )
    return region if kind is FieldType.PHONE else ""


def _date_format(table: dict[str, Any], kind: FieldType, at: str) -> str:
    given = _text(table, "date_format", at)
    if given and kind not in {FieldType.DATE, FieldType.DATE_OF_BIRTH}:
        raise InvalidInput("date_format is for dates", field=_at(at, "date_format"))
    if given and not is_date_format(given):
        raise InvalidInput(
            "must name day, month and four-digit year once each",
            field=_at(at, "date_format"),
            remedy="Such as %d/%m/%Y, %m-%d-%Y, %d %b %Y.",
        )
    return given


def _change(table: dict[str, Any], at: str, *, kind: FieldType, key: bool) -> str:
    """By which action alone the field is changed; of what leads to a customer's money or identity, one of its own."""
    given = _text(table, "change", at)
    if not given and not key and kind in GUARDED_TYPES and _class(table, at) >= DataClass.C2:
        return f"act:change_{kind.value}"
    if given and given != PLAIN_CHANGE and not _CHANGE.fullmatch(given):
        raise InvalidInput("is written act:<name>, or update", field=_at(at, "change"))
    return "" if given == PLAIN_CHANGE else given


def _at(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
