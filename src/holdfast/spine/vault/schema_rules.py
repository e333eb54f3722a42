"""What a schema may not say. Pure.

* Card security codes and PINs are never kept after authorisation, by anybody (PCI DSS 4.0.1, 3.3.1).
* A card number is kept by reference unless a clause of the client's contract says otherwise (3.3, 3.5).
* No mask shows a character of another field's ``verify_only`` answer, and no clear field is that answer (SPINE 11).
* ``verify_only`` and C4 fields are never searched (SPINE 11); fields of few different values are not indexed (DESIGN
§6).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.kit.errors import InvalidInput
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import FieldType, Index, Mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.vocabulary.schema import CollectionSchema, FieldSpec

MASK_OF_TYPE: Final = {
    FieldType.NAME: Mask.NAME,
    FieldType.PHONE: Mask.PHONE,
    FieldType.EMAIL: Mask.EMAIL,
    FieldType.DATE_OF_BIRTH: Mask.DATE_OF_BIRTH,
    FieldType.NATIONAL_ID: Mask.NATIONAL_ID,
    FieldType.CARD: Mask.CARD,
    FieldType.ACCOUNT: Mask.ACCOUNT,
    FieldType.ADDRESS: Mask.ADDRESS,
}
_MASKS_OF: Final = {kind: frozenset({Mask.FULL, mask}) for kind, mask in MASK_OF_TYPE.items()} | {
    FieldType.TEXT: frozenset({Mask.FULL, Mask.NAME, Mask.ADDRESS, Mask.ACCOUNT, Mask.NATIONAL_ID}),
    FieldType.DATE: frozenset({Mask.FULL, Mask.DATE_OF_BIRTH}),
}
MEDIUM_VARIETY: Final = frozenset({FieldType.NAME, FieldType.ADDRESS, FieldType.TEXT})
_LOW_VARIETY: Final = frozenset(
    {
        FieldType.BOOLEAN,
        FieldType.DATE,
        FieldType.DATE_OF_BIRTH,
        FieldType.INTEGER,
        FieldType.DECIMAL,
    }
)
_LOW_NAMES: Final = frozenset(
    [
        "sex",
        "gender",
        "status",
        "state",
        "country",
        "nationality",
        "title",
        "salutation",
        "language",
        "segment",
        "tier",
        "plan",
        "age",
        "race",
        "religion",
    ]
)
# One such answer per customer: two fields of the type hold the same one.
_ONE_PER_CUSTOMER: Final = frozenset(
    {FieldType.DATE_OF_BIRTH, FieldType.NATIONAL_ID, FieldType.CARD}
)
_FAMILY_WORDS: Final = {
    FieldType.NATIONAL_ID: frozenset(
        ["ssn", "national", "tax", "tin", "social", "aadhaar", "cpf", "dni", "nin", "curp"]
    ),
    FieldType.CARD: frozenset({"card", "pan", "credit", "debit"}),
    FieldType.ACCOUNT: frozenset({"account", "acct", "iban"}),
    FieldType.PHONE: frozenset({"phone", "mobile", "msisdn", "telephone", "cell"}),
    FieldType.DATE_OF_BIRTH: frozenset({"dob", "born", "birthday", "birthdate", "birthyear"}),
    FieldType.EMAIL: frozenset({"email", "mail"}),
}
_BIRTH_DATE: Final = frozenset({"date", "year", "month", "day"})
_DOCUMENTS: Final = frozenset(
    {"passport", "licence", "license", "visa", "permit"}
)  # numbers of their own
_PLAIN_WORDS: Final = frozenset(
    [
        "no",
        "number",
        "id",
        "customer",
        "client",
        "full",
        "the",
        "of",
        "last",
        "first",
        "four",
        "name",
        "value",
        "code",
        "4",
    ]
)

_SECURITY_CODES: Final = (
    "cvv",
    "cvc",
    "cav2",
    "securitycode",
    "cardverification",
    "cardcode",
    "track1",
    "track2",
    "magstripe",
)
_SECURITY_WORDS: Final = frozenset({"csc", "cid", "cvn", "cvx"})
_PIN_WORDS: Final = re.compile(
    r"(?:(?:atm|card|debit|credit|account|acct|bank|phone|voice|my|customer|user)?pins?|pin(?:code|number|no|num|block|hash))\d?"
)
_POSTAL: Final = frozenset({"postal", "post", "postcode", "zip", "area"})
_NEVER_KEPT: Final = "never kept: after authorisation nobody may store it (PCI DSS 4.0.1, 3.3.1)"


def words(name: str) -> list[str]:
    """Split a name at case, digits' ends and everything that is no letter: ``cardCVV2`` → card, cvv2."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return re.findall(r"[a-z0-9]+", parted.lower())


def forbidden(name: str) -> str:
    """Return what a name declares that may never be kept: ``card security code``, ``PIN``, or nothing."""
    found = words(name)
    squeezed = "".join(found)
    if any(code in squeezed for code in _SECURITY_CODES) or not _SECURITY_WORDS.isdisjoint(found):
        return "card security code"
    if any(_PIN_WORDS.fullmatch(word) for word in found) and _POSTAL.isdisjoint(found):
        return "PIN"
    return ""


def check_name(name: str, table: Mapping[str, object]) -> None:
    """Refuse a field that is a card security code or a PIN by its name, type, label or column."""
    columns = table.get("columns")
    texts = [("", name), (".type", table.get("type")), (".label", table.get("label"))]
    texts += [(".columns", header) for header in columns] if isinstance(columns, list) else []
    for key, text in texts:
        if isinstance(text, str) and (what := forbidden(text)):
            raise InvalidInput(
                f"a {what} is {_NEVER_KEPT}",
                field=f"fields.{name}{key}",
                remedy="Leave the column out of the file. If it is a postal code, name it postal_code.",
                code="never_kept",
            )


def check(schema: CollectionSchema, *, clauses: frozenset[str] = frozenset()) -> None:
    """Refuse a schema that breaks a rule (:class:`InvalidInput`); ``clauses``: fields that cite the contract."""
    for key in ("customer_ref", "record_key"):
        _check_key(schema, key)
    for spec in schema.fields:
        _check_handling(spec, clauses)
        _check_index(spec)
        _check_mask(spec)
    answers = [spec for spec in schema.fields if spec.handling is Handling.VERIFY_ONLY]
    for spec in schema.fields:
        for answer in answers:
            if spec is not answer:
                _check_leak(spec, answer)


def check_change(before: CollectionSchema, after: CollectionSchema) -> None:
    """Refuse a new version under which rows already sealed could not be read."""
    for spec in after.fields:
        old = before.by_name.get(spec.name)
        if old is None:
            continue
        if old.type is not spec.type:
            raise _refused(
                spec, "type", f"was {old.type.value} before", "Give the field another name."
            )
        if (old.handling is Handling.REFERENCE) != (spec.handling is Handling.REFERENCE):
            raise _refused(
                spec, "handling", f"was {old.handling.value} before", "Give the field another name."
            )
    for key in ("customer_ref", "record_key"):
        if getattr(before, key) != getattr(after, key):
            raise InvalidInput(
                f"was {getattr(before, key)} before",
                field=key,
                remedy="Records are known by it. Declare another collection.",
            )


def _check_key(schema: CollectionSchema, key: str) -> None:
    name = getattr(schema, key)
    spec = schema.by_name.get(name)
    if spec is None:
        raise InvalidInput(
            f"there is no field {name}", field=key, remedy="Name one of the declared fields."
        )
    if spec.handling is Handling.REFERENCE or spec.type is FieldType.CARD:
        raise InvalidInput(
            "a card number or a reference does not name a customer or record", field=key
        )


def _check_handling(spec: FieldSpec, clauses: frozenset[str]) -> None:
    reference = spec.handling is Handling.REFERENCE
    if reference and spec.type not in {FieldType.CARD, FieldType.ACCOUNT}:
        raise _refused(
            spec,
            "handling",
            "reference is for card and account numbers",
            "Use masked or verify_only.",
        )
    if spec.type is FieldType.CARD and not reference and spec.name not in clauses:
        raise _refused(
            spec,
            "handling",
            "a card number is kept by reference (token, first six, last four)",
            'Use handling = "reference", or cite the contract: clause = "…".',
        )
    if spec.type is FieldType.CARD and spec.data_class < DataClass.C3:
        raise _refused(spec, "class", "a card number is at least C3", "Use C3 or C4.")


def _check_index(spec: FieldSpec) -> None:
    if spec.index is Index.NONE:
        return
    if spec.index is Index.SEARCH and spec.handling is Handling.VERIFY_ONLY:
        raise _refused(
            spec, "index", "a verify_only field is not searched", 'Use "bind" or "none".'
        )
    if spec.index is Index.SEARCH and spec.data_class is DataClass.C4:
        raise _refused(spec, "index", "a C4 field is not searched", 'Use "bind" or "none".')
    if spec.type in _LOW_VARIETY or not _LOW_NAMES.isdisjoint(words(spec.name)):
        raise _refused(
            spec,
            "index",
            "has too few different values: an index would show which customers share one",
            'Use "none"; for an identifier, use type account.',
        )


def _check_mask(spec: FieldSpec) -> None:
    allowed = _MASKS_OF.get(spec.type, frozenset({Mask.FULL}))
    if spec.mask not in allowed:
        raise _refused(
            spec,
            "mask",
            f"{spec.mask.value} does not fit type {spec.type.value}",
            f"One of: {', '.join(sorted(allowed))}.",
        )


def _check_leak(spec: FieldSpec, answer: FieldSpec) -> None:
    """Refuse ``spec`` if its mask, or its value in clear, shows something of ``answer``."""
    if spec.handling is Handling.VERIFY_ONLY or not _same_answer(spec, answer):
        return
    if spec.handling is Handling.CLEAR:
        raise _refused(
            spec,
            "handling",
            f"shows the answer of the verify_only field {answer.name}",
            'Use handling = "verify_only", or masked with mask = "full".',
        )
    if spec.mask is not Mask.FULL or spec.handling is Handling.REFERENCE:
        raise _refused(
            spec,
            "mask",
            f"shows characters of the answer of the verify_only field {answer.name}",
            'Use mask = "full", or ask another question.',
        )


def _same_answer(spec: FieldSpec, answer: FieldSpec) -> bool:
    shared = _families(answer) & _families(spec)
    told, asked = set(words(spec.name)), set(words(answer.name))
    if shared and told & _DOCUMENTS == asked & _DOCUMENTS:
        return spec.handling is not Handling.CLEAR or not shared.isdisjoint(_ONE_PER_CUSTOMER)
    alike = spec.type is answer.type and not (asked - _PLAIN_WORDS).isdisjoint(told)
    return alike and spec.handling is not Handling.CLEAR


def _families(spec: FieldSpec) -> set[FieldType]:
    """Return the kinds of number that a field is, or is a part of: ``ssn_last4`` is a part of a national id."""
    if spec.type in _FAMILY_WORDS:
        return {spec.type}
    found = {word.rstrip("0123456789") for word in (*words(spec.name), *words(spec.label))}
    kinds = {kind for kind, names in _FAMILY_WORDS.items() if not names.isdisjoint(found)}
    if "birth" in found and not _BIRTH_DATE.isdisjoint(found):
        kinds.add(FieldType.DATE_OF_BIRTH)
    return kinds


def _refused(spec: FieldSpec, key: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput(message, field=f"fields.{spec.name}.{key}", remedy=remedy)
