"""Phone numbers as E.164, by ``phonenumbers``, with a short cut for the plain cases that an import is full of.

``e164(text, region) -> str | None``: ``region`` (ISO 3166 alpha-2) reads numbers without a country code; without it
only international ones are read. ``None``: not a possible number. The short cut gives what the library gives
(``tests/properties/test_vault_phones.py``), at a thirtieth of its cost.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

_PLAIN: Final = re.compile(r"\+[0-9]{8,15}|[0-9]{6,15}")
_SEPARATORS: Final = str.maketrans("", "", " -.()\u00a0")
MOST_CHARACTERS: Final = 40


class _Plan(NamedTuple):
    """What the short cut needs to know of a country's numbering plan."""

    code: str
    lengths: frozenset[int]
    trunk: str  # dialled before a national number, never part of it
    national: re.Pattern[str]  # what a national number looks like
    abroad: re.Pattern[str]  # what is dialled before a country code
    odd: bool  # has rules that only the library knows


def e164(text: str, region: str = "") -> str | None:
    """Return the number in E.164, or ``None`` when it is not a possible phone number."""
    if len(text) > MOST_CHARACTERS:
        return None
    return _short_cut(text.translate(_SEPARATORS), region) or _by_library(text, region)


def is_region(region: str) -> bool:
    """Tell whether ``region`` has a numbering plan."""
    return region in phonenumbers.SUPPORTED_REGIONS


def _short_cut(digits: str, region: str) -> str | None:
    if not _PLAIN.fullmatch(digits):
        return None
    if digits[0] == "+":
        plan = (
            _plan_of_code(digits[1:2]) or _plan_of_code(digits[1:3]) or _plan_of_code(digits[1:4])
        )
        national = digits[1 + len(plan.code) :] if plan else ""
    else:
        plan = _plan(region) if region else None
        national = digits
        if plan and plan.trunk and national.startswith(plan.trunk):
            national = national[len(plan.trunk) :]
        elif plan and plan.trunk:
            return None  # without its trunk digit: the library decides
        if plan and (not plan.national.fullmatch(national) or plan.abroad.match(digits)):
            return None  # it may begin with a country code
    if (
        plan is None
        or plan.odd
        or len(national) not in plan.lengths
        or national[:1] in {"0", plan.trunk}
    ):
        return None
    return f"+{plan.code}{national}"


@lru_cache(maxsize=512)
def _plan_of_code(code: str) -> _Plan | None:
    if not code.isdecimal() or code[0] == "0":
        return None
    region = phonenumbers.region_code_for_country_code(int(code))
    return None if region in {"ZZ", "001"} else _plan(region)


@lru_cache(maxsize=512)
def _plan(region: str) -> _Plan | None:
    found = PhoneMetadata.metadata_for_region(region, None)
    if found is None or found.general_desc is None:
        return None
    trunk = found.national_prefix or ""
    return _Plan(
        str(found.country_code),
        frozenset(found.general_desc.possible_length),
        trunk,
        re.compile(found.general_desc.national_number_pattern or "(?!)"),
        re.compile(found.international_prefix or "(?!)"),
        odd=(found.national_prefix_for_parsing or "") != trunk or len(trunk) > 1,
    )


def _by_library(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
