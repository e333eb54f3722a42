"""One function per type for import, index and verify, so that the three never disagree (SPINE 11).

``normalise(spec, text) -> Normal(kept, compared)``: ``kept`` is what is sealed and, where allowed, shown;
``compared`` is what a blind index and a verification hash. An empty text gives ``Normal("", "")``: nothing is sealed
for it.
``compared(spec, text) -> str`` gives the second alone. Both raise :class:`InvalidInput` that names the field and
never the value.

========================  =============================  =========================================================
type                      kept                           compared
========================  =============================  =========================================================
text                      trimmed                        letters folded (NFKC, case), white space folded
name, address             white space folded             also without accents and punctuation
phone                     E.164                          E.164
email                     trimmed, domain lower case     lower case
date, date_of_birth       ISO 8601                       ISO 8601
national_id, account      trimmed                        letters and digits only, upper case
card                      digits, Luhn checked           digits
integer, decimal          without leading zeros or plus  same
boolean                   true / false                   same
========================  =============================  =========================================================
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.errors import InvalidInput
from holdfast.spine.vault.phones import e164
from holdfast.vocabulary.schema import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.vocabulary.schema import FieldSpec

MOST_CHARACTERS: Final = 16_384

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EMAIL: Final = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}@([^\s@.]+(?:\.[^\s@.]+)+)")
_NO_LETTER_OR_DIGIT: Final = {
    code: None for code in range(128) if not chr(code).isalnum()
}  # of ASCII
_DIGITS: Final = re.compile(r"[0-9]+")
_DIRECTIVES: Final = {
    "%Y": r"(?P<Y>\d{4})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3,4})\.?",
    "%B": r"(?P<B>[A-Za-z]{3,9})",
}
#: Names of months by their first three letters, January first.
MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "on"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "off"})


class Normal(NamedTuple):
    """A value in its two forms."""

    kept: str
    compared: str


class _NotOfType(Exception):
    """The text does not read as the type; ``args[0]`` says what would."""


def normalise(spec: FieldSpec, text: str) -> Normal:
    """Return both forms of ``text``; :class:`InvalidInput` if it is not of the field's type or over the limit."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(f"longer than {MOST_CHARACTERS:,} characters", field=spec.name)
    text = text.strip()
    if not text:
        return _EMPTY
    if not text.isprintable() and _CONTROL.search(text):
        raise InvalidInput("holds a control character", field=spec.name)
    try:
        return _BY_TYPE[spec.type](spec, text)
    except _NotOfType as wrong:
        raise InvalidInput(wrong.args[0], field=spec.name) from None


def compared(spec: FieldSpec, text: str) -> str:
    """Return the form that indexes and verifications hash."""
    return normalise(spec, text).compared


def import_key(text: str) -> str:
    """Return the compared form of a customer number or record key: the same in every collection, whatever its type.

    Only the width of characters and white space around are folded; ``0012`` and ``12`` stay two customers.
    """
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def fold(text: str) -> str:
    """Fold width, case and white space."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def fold_name(text: str) -> str:
    """Fold also accents and punctuation: ``José O’Neil-García`` → ``jose oneil garcia``."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
        text = "".join(
            c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)
        )
    text = text.casefold().translate(_PUNCTUATION)
    return " ".join(text.split())


_PUNCTUATION: Final = {
    **dict.fromkeys(map(ord, "'`´’‘ʼ\""), ""),
    **dict.fromkeys(map(ord, ".,;:-–—/\\()#&+_"), " "),
}


def is_luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812-1 annex B)."""
    total = sum(map(int, digits[-1::-2]))
    return (total + sum(_DOUBLED[int(d)] for d in digits[-2::-2])) % 10 == 0


_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_EMPTY: Final = Normal("", "")


def _text(_spec: FieldSpec, text: str) -> Normal:
    return Normal(text, fold(text))


def _name(_spec: FieldSpec, text: str) -> Normal:
    kept = " ".join(text.split())
    if not kept.isascii():
        kept = unicodedata.normalize("NFC", kept)
    folded = fold_name(kept)
    if not folded:
        raise _NotOfType("holds no letter or digit")
    return Normal(kept, folded)


def _phone(spec: FieldSpec, text: str) -> Normal:
    number = e164(text, spec.region)
    if number is None:
        raise _NotOfType("is not a possible phone number; write it as +<country><number>")
    return Normal(number, number)


def _email(_spec: FieldSpec, text: str) -> Normal:
    found = _EMAIL.fullmatch(text)
    if found is None or len(text) > 254:
        raise _NotOfType("is not an e-mail address")
    at = found.start(1)
    return Normal(text[:at] + text[at:].lower(), text.lower())


def _date(spec: FieldSpec, text: str) -> Normal:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = _formatted(spec.date_format, text)
    if not 1800 <= day.year <= 2200:
        raise _NotOfType("is not a date between 1800 and 2200")
    iso = day.isoformat()
    return Normal(iso, iso)


def _formatted(date_format: str, text: str) -> date:
    expected = date_format or "ISO 8601 (1990-02-03)"
    found = _pattern(date_format).fullmatch(text) if date_format else None
    if found is None:
        raise _NotOfType(f"is not a date of the form {expected}")
    parts = found.groupdict()
    word = (parts.get("b") or parts.get("B") or "").lower()
    try:
        month = MONTHS.index(word[:3]) + 1 if word else int(parts["m"])
        return date(int(parts["Y"]), month, int(parts["d"]))
    except ValueError:
        raise _NotOfType(f"is not a date of the form {expected}") from None


@lru_cache(maxsize=64)
def _pattern(date_format: str) -> re.Pattern[str]:
    pieces = re.split(r"(%[a-zA-Z])", date_format)
    return re.compile("".join(_DIRECTIVES.get(piece) or re.escape(piece) for piece in pieces))


def is_date_format(date_format: str) -> bool:
    """Tell whether the format has one day, one month and one four-digit year: nothing is left to guess."""
    used = re.findall(r"%[a-zA-Z%]", date_format)
    return sorted(used) in (["%Y", "%d", "%m"], ["%Y", "%b", "%d"], ["%B", "%Y", "%d"])


def _identifier(_spec: FieldSpec, text: str) -> Normal:
    if text.isascii():
        bare = text if text.isalnum() else text.translate(_NO_LETTER_OR_DIGIT)
    else:
        bare = "".join([c for c in unicodedata.normalize("NFKC", text) if c.isalnum()])
    if not bare:
        raise _NotOfType("holds no letter or digit")
    return Normal(text, bare.upper())


def _card(_spec: FieldSpec, text: str) -> Normal:
    digits = text.replace(" ", "").replace("-", "")
    if not (12 <= len(digits) <= 19 and _DIGITS.fullmatch(digits) and is_luhn(digits)):
        raise _NotOfType("is not a card number: 12 to 19 digits with a valid check digit")
    return Normal(digits, digits)


def _integer(_spec: FieldSpec, text: str) -> Normal:
    try:
        number = str(int(text)) if text.isascii() and "_" not in text else ""
    except ValueError:
        number = ""
    if not number:
        raise _NotOfType("is not a whole number")
    return Normal(number, number)


def _decimal(_spec: FieldSpec, text: str) -> Normal:
    try:
        value = Decimal(text) if text.isascii() and "_" not in text else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value.adjusted()) > 40:
        raise _NotOfType("is not a decimal number with a point, such as 1234.50")
    number = format(value + 0, "f")
    return Normal(number, format(value.normalize() + 0, "f"))


def _boolean(_spec: FieldSpec, text: str) -> Normal:
    word = text.lower()
    if word in _TRUE:
        return Normal("true", "true")
    if word in _FALSE:
        return Normal("false", "false")
    raise _NotOfType("is not true or false")


_BY_TYPE: Final[dict[FieldType, Callable[[FieldSpec, str], Normal]]] = {
    FieldType.TEXT: _text,
    FieldType.NAME: _name,
    FieldType.PHONE: _phone,
    FieldType.EMAIL: _email,
    FieldType.DATE: _date,
    FieldType.DATE_OF_BIRTH: _date,
    FieldType.NATIONAL_ID: _identifier,
    FieldType.CARD: _card,
    FieldType.ACCOUNT: _identifier,
    FieldType.ADDRESS: _name,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.BOOLEAN: _boolean,
}
