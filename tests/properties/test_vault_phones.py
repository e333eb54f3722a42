"""The short cut for phone numbers gives what the library gives, or nothing."""

from __future__ import annotations

import phonenumbers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.spine.vault.phones import _by_library, _short_cut, e164

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def numbers(region: str) -> list[str]:
    """Example numbers of a region in the ways that people write them."""
    found = phonenumbers.example_number(region)
    if found is None:
        return []
    formats = phonenumbers.PhoneNumberFormat
    ways = [
        phonenumbers.format_number(found, way)
        for way in (formats.E164, formats.INTERNATIONAL, formats.NATIONAL)
    ]
    return [*ways, str(found.national_number)]


def test_every_region_reads_its_own_example():
    for region in REGIONS:
        for text in numbers(region):
            assert e164(text, region) == _by_library(text, region), (region, text)


@settings(max_examples=1500)
@given(st.sampled_from(["", *REGIONS]), st.from_regex(r"(\+|00|0|1|8)?[0-9]{4,14}", fullmatch=True))
@example("AR", "+5491123456789")
@example("IT", "+390612345678")
@example("GB", "+4402079460000")
@example("US", "12025550101")
@example("RU", "89123456789")
@example("MX", "+5215512345678")
@example("BR", "+5501123456789")
@example("", "+0910000000")
@example("RU", "81035893081")
@example("CL", "56300173323")
@example("IL", "013464919822")
def test_the_short_cut_never_differs_from_the_library(region, text):
    short = _short_cut(text, region)
    assert short is None or short == _by_library(text, region)
