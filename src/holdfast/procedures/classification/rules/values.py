"""What a value is by its form and check digits. Each recogniser answers yes or no; no value is kept or shown."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

import phonenumbers
from stdnum import iban, imei
from stdnum.ar import cbu, cuit
from stdnum.br import cnpj, cpf
from stdnum.ca import sin
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.ec import ci as ecuador_ci
from stdnum.es import dni, nie
from stdnum.in_ import aadhaar, epic
from stdnum.in_ import pan as indian_pan
from stdnum.it import codicefiscale
from stdnum.mx import curp, rfc
from stdnum.pl import pesel
from stdnum.pt import cc as portuguese_cc

from holdfast.spine.vault.normalise import is_luhn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Recogniser(NamedTuple):
    """A test of one value. ``telling`` is how surely a column that passes is of the kind, with no header to help.

    0.9 and more: a check digit or a form that nothing else has; 0.6: common forms; less: needs the header.
    """

    kind: str
    says: str
    telling: float
    test: Callable[[str], bool]
    region: str = ""  # country that the form belongs to, ISO 3166 alpha-2


def _form(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def is_card_number(value: str) -> bool:
    """Tell whether ``value`` is 13 to 19 digits in a card network's range with a valid check digit."""
    digits = value.replace(" ", "").replace("-", "")
    return (
        digits.isascii()
        and digits.isdecimal()
        and 13 <= len(digits) <= 19
        and digits[0] in "23456"
        and len(set(digits)) > 1
        and is_luhn(digits)
    )


def _is_imei(value: str) -> bool:
    return len(value) == 15 and value.isdecimal() and bool(imei.is_valid(value))


def _is_network_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return "." in value or ":" in value


def _has_letters_and_check(test: Callable[[str], object], *, digits: int) -> Callable[[str], bool]:
    """Guard a validator that would read too much: the value has exactly so many letters and digits."""

    def guarded(value: str) -> bool:
        return sum(1 for c in value if c.isalnum()) == digits and bool(test(value))

    return guarded


_EMAIL: Final = _form(r"[^\s@,;<>()]{1,64}@[\w-]+(\.[\w-]+)+")
RECOGNISERS: Final = (
    Recogniser("email", "e-mail addresses", 0.97, _EMAIL),
    Recogniser(
        "account",
        "IBANs (check digits)",
        0.97,
        lambda v: len(v) > 14 and bool(iban.is_valid(v, check_country=False)),
    ),
    Recogniser("national_id", "Mexican CURPs", 0.97, lambda v: bool(curp.is_valid(v)), "MX"),
    Recogniser(
        "national_id",
        "Indian PANs",
        0.95,
        lambda v: len(v) == 10 and bool(indian_pan.is_valid(v)),
        "IN",
    ),
    Recogniser(
        "national_id",
        "Indian voter ids",
        0.95,
        lambda v: len(v) == 10 and bool(epic.is_valid(v)),
        "IN",
    ),
    Recogniser(
        "national_id",
        "Aadhaar numbers (check digit)",
        0.9,
        lambda v: bool(aadhaar.is_valid(v)),
        "IN",
    ),
    Recogniser(
        "national_id", "Spanish DNIs", 0.95, _has_letters_and_check(dni.is_valid, digits=9), "ES"
    ),
    Recogniser(
        "national_id", "Spanish NIEs", 0.95, _has_letters_and_check(nie.is_valid, digits=9), "ES"
    ),
    Recogniser(
        "national_id",
        "Italian fiscal codes",
        0.97,
        _has_letters_and_check(codicefiscale.is_valid, digits=16),
        "IT",
    ),
    Recogniser(
        "national_id",
        "Portuguese citizen cards",
        0.95,
        _has_letters_and_check(portuguese_cc.is_valid, digits=12),
        "PT",
    ),
    Recogniser(
        "national_id",
        "Mexican RFCs",
        0.9,
        lambda v: 12 <= len(v) <= 15 and bool(rfc.is_valid(v)),
        "MX",
    ),
    Recogniser(
        "national_id",
        "US Social Security numbers",
        0.9,
        _form(r"(?!000)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"),
        "US",
    ),
    Recogniser("national_id", "Philippine SSS numbers", 0.9, _form(r"\d{2}-\d{7}-\d"), "PH"),
    Recogniser("national_id", "PhilHealth numbers", 0.9, _form(r"\d{2}-\d{9}-\d"), "PH"),
    Recogniser("national_id", "Philippine CRNs", 0.9, _form(r"\d{4}-\d{7}-\d"), "PH"),
    Recogniser(
        "national_id", "Philippine TINs", 0.85, _form(r"\d{3}-\d{3}-\d{3}(-\d{3,5})?"), "PH"
    ),
    Recogniser(
        "national_id",
        "UK National Insurance numbers",
        0.85,
        _form(r"[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
        "GB",
    ),
    Recogniser(
        "national_id",
        "Chilean RUTs (check digit)",
        0.85,
        lambda v: "-" in v and bool(rut.is_valid(v)),
        "CL",
    ),
    Recogniser(
        "national_id", "Brazilian CPFs (check digits)", 0.9, lambda v: bool(cpf.is_valid(v)), "BR"
    ),
    Recogniser(
        "national_id",
        "Brazilian CNPJs (check digits)",
        0.85,
        _has_letters_and_check(cnpj.is_valid, digits=14),
        "BR",
    ),
    Recogniser(
        "national_id", "Argentine CUITs (check digit)", 0.8, lambda v: bool(cuit.is_valid(v)), "AR"
    ),
    Recogniser(
        "account", "Argentine CBUs (check digits)", 0.9, lambda v: bool(cbu.is_valid(v)), "AR"
    ),
    Recogniser("card", "card numbers (check digit)", 0.93, is_card_number),
    Recogniser("device", "IMEIs (check digit)", 0.8, _is_imei),
    Recogniser("bank_code", "Indian bank codes (IFSC)", 0.9, _form(r"[A-Z]{4}0[A-Z0-9]{6}"), "IN"),
    Recogniser("network_address", "network addresses", 0.9, _is_network_address),
    Recogniser(
        "record_id", "UUIDs", 0.9, _form(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
    ),
    Recogniser(
        "payment_address", "payment addresses", 0.7, _form(r"[\w.-]{2,64}@[a-zA-Z]{2,12}"), "IN"
    ),
    # Too weak to decide alone: they confirm what a header says.
    Recogniser(
        "national_id", "Polish PESELs (check digits)", 0.6, lambda v: bool(pesel.is_valid(v)), "PL"
    ),
    Recogniser(
        "national_id",
        "Ecuadorian cédulas (check digit)",
        0.5,
        lambda v: bool(ecuador_ci.is_valid(v)),
        "EC",
    ),
    Recogniser(
        "national_id", "Canadian SINs (check digit)", 0.5, lambda v: bool(sin.is_valid(v)), "CA"
    ),
    Recogniser(
        "national_id", "Colombian NITs (check digit)", 0.4, lambda v: bool(nit.is_valid(v)), "CO"
    ),
    Recogniser("card_expiry", "month and year", 0.6, _form(r"(0[1-9]|1[0-2])[/-](\d{2}|20\d{2})")),
    Recogniser(
        "postal_code", "UK postcodes", 0.85, _form(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"), "GB"
    ),
    Recogniser(
        "postal_code", "Canadian postal codes", 0.85, _form(r"[A-Z]\d[A-Z] ?\d[A-Z]\d"), "CA"
    ),
)

short_code: Final = _form(r"\d{3,4}")
pin_code: Final = _form(r"\d{4,6}")
indian_postal_code: Final = _form(r"[1-9]\d{2} ?\d{3}")
last_four: Final = _form(r"(?:[Xx*•.]*[ -]?)?\d{4}")
whole_number: Final = _form(r"[+-]?\d{1,15}")
decimal_number: Final = _form(r"[+-]?\d{1,15}(\.\d+)?")
grouped_number: Final = _form(r"\D{0,4}[+-]?(\d{1,3}([.,' \u00a0]\d{3})+|\d+)([.,]\d{1,4})?\D{0,4}")
yes_or_no: Final = frozenset(
    {"true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "on", "off"}
)
REGIONS: Final = (
    "PH",
    "US",
    "IN",
    "GB",
    "ES",
    "MX",
    "CO",
    "BR",
    "AR",
    "PE",
    "CL",
    "PT",
    "PL",
    "CA",
    "AU",
    "ZA",
)


def share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    """Return which part of ``values`` passes, 0 to 1."""
    return sum(1 for value in values if test(value)) / len(values) if values else 0.0


class PhoneForm(NamedTuple):
    """How a column writes phone numbers: which part is valid, and the region for those without a country code."""

    share: float
    region: str
    international: float
    tied: tuple[str, ...] = ()  # other regions that read them as well, where nothing hints at one


def phone_form(values: Sequence[str], hints: Sequence[str] = ()) -> PhoneForm:
    """Find the region under which most values are valid phone numbers; of equals, one of ``hints``."""
    values = values[:200]
    shaped = [value for value in values if _SHAPED(value)]
    if len(shaped) < len(values) * 0.5:
        return PhoneForm(0.0, "", 0.0)
    international = [value for value in shaped if value.startswith("+")]
    local = [value for value in shaped if not value.startswith("+")]
    valid = sum(1 for value in international if _is_phone(value, None))
    counts = {
        candidate: sum(1 for value in local if _is_phone(value, candidate))
        for candidate in (*hints, *(one for one in REGIONS if one not in hints))
        if local
    }
    best = max(counts.values(), default=0)
    fitting = [candidate for candidate, count in counts.items() if count == best and best]
    tied = () if not fitting or fitting[0] in hints else tuple(fitting[1:])
    region = fitting[0] if fitting else ""
    return PhoneForm((valid + best) / len(values), region, len(international) / len(values), tied)


_SHAPED: Final = _form(r"\+?[\d(][\d\s().\-/\u00a0]{5,24}")


def _is_phone(value: str, region: str | None) -> bool:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return False
    # A test number of a reserved range (555-01xx) counts: it is possible, and files of examples are full of them.
    return bool(phonenumbers.is_valid_number(number))
