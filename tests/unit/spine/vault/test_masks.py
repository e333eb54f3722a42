from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.spine.vault.masks import DOT, LENGTHS, mask
from holdfast.vocabulary.schema import Mask


@pytest.mark.parametrize(
    ("kind", "kept", "shown"),
    [
        (Mask.FULL, "anything", "••••••••"),
        (Mask.CARD, "4111111111111111", "411111••••••1111"),
        (Mask.CARD, "378282246310005", "378282••••••0005"),
        (Mask.NATIONAL_ID, "900-12-3456", "•••••3456"),
        (Mask.NATIONAL_ID, "12-34", "•••••••••"),
        (Mask.PHONE, "+12025550101", "••••••••01"),
        (Mask.EMAIL, "ana@example.com", "a•••••••@•••••••"),
        (Mask.EMAIL, "a@example.com", "••••••••••••••••"),
        (Mask.NAME, "Ana María Cruz", "A••••• C•••••"),
        (Mask.NAME, "Madonna", "M••••• ••••••"),
        (Mask.NAME, "Li", "•••••••••••••"),
        (Mask.DATE_OF_BIRTH, "1990-02-03", "1990-••-••"),
        (Mask.ADDRESS, "12 Sampaguita St, Quezon City, Manila", "••••••••, Manila••••"),
        (Mask.ADDRESS, "12 Sampaguita St", "••••••••••••••••••••"),
        (Mask.ACCOUNT, "ACC000000123", "••••••••0123"),
    ],
)
def test_a_mask_shows_what_it_says(kind, kept, shown):
    assert mask(kind, kept) == shown


@given(st.sampled_from(list(Mask)), st.text(max_size=80))
def test_the_length_of_a_mask_tells_nothing_of_the_value(kind, kept):
    assert len(mask(kind, kept)) == LENGTHS[kind]


@given(st.sampled_from(list(Mask)))
def test_an_empty_value_looks_like_a_short_one(kind):
    assert mask(kind, "") == DOT * LENGTHS[kind]
