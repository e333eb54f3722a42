"""Identifiers: how they look, that they sort by time, and that every character is as likely as any other."""

from __future__ import annotations

import re
from collections import Counter

from holdfast.kit.ids import first_id, new_id, new_ids, new_reference

ULID = "[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}"
AT_US = 1_469_918_176_385_123  # the example of the ULID specification: 01ARYZ6S41…


def test_an_id_is_a_ulid_of_its_millisecond():
    made = new_id("dec", AT_US)
    assert re.fullmatch(f"dec_{ULID}", made)
    assert made[:14] == first_id("dec", AT_US)[:14] == "dec_01aryz6s41"
    assert first_id("dec", AT_US)[14:] == "0" * 16


def test_ids_sort_by_the_time_at_which_they_were_made():
    times = [0, 1000, AT_US - 1000, AT_US, AT_US + 1000, 2**48 * 1000 - 1]
    ids = [new_id("dec", at_us) for at_us in times]
    assert ids == sorted(ids)
    assert all(first_id("dec", at_us) <= made for at_us, made in zip(times, ids, strict=True))


def test_many_ids_are_all_different_and_look_as_single_ones():
    made = new_ids("rec", AT_US, 2000)
    assert len(set(made)) == 2000
    assert all(re.fullmatch(f"rec_{ULID}", one) for one in made)
    assert {one[:14] for one in made} == {first_id("rec", AT_US)[:14]}


def test_a_reference_is_random_in_all_its_characters():
    made = [new_reference("c") for _ in range(4000)]
    assert len(set(made)) == 4000
    assert all(re.fullmatch("c_[a-z2-7]{26}", one) for one in made)
    for place in range(2, 28):
        seen = Counter(one[place] for one in made)
        assert len(seen) == 32
        assert max(seen.values()) < 250  # 125 expected; eleven standard deviations
