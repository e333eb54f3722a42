"""Canonical bytes: the same as JCS for what is accepted, and a refusal for what implementations write differently."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.canonical import canonical_json, length_prefixed

PLANE = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | ANY_TEXT
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLANE, inner, max_size=4)
)


@given(VALUES)
def test_the_bytes_are_those_of_jcs(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.5, {"a": 1.0}, [2**53 + 1], {1: "a"}, {"\U0001f600": 1}, b"x"])
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_two_lists_of_parts_never_join_to_the_same_bytes(
    one: list[bytes], other: list[bytes]
) -> None:
    assert (length_prefixed(*one) == length_prefixed(*other)) == (one == other)
