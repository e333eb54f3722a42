"""Every kind of leaf has been thought about: what it means for a store that was put back from before it."""

from __future__ import annotations

from holdfast.spine.recovery.leaves import MEANING, Means, is_listed, meaning_of
from holdfast.vocabulary.leaves import LeafType


def test_every_type_has_a_meaning():
    assert set(LeafType) == set(MEANING)


def test_a_type_that_nobody_knows_is_listed_and_not_redone():
    leaf = {"type": "something.new"}
    assert meaning_of(leaf) is Means.LISTED
    assert is_listed(leaf)
