"""Which key signs, is published and is accepted when; and the file that holds them."""

from __future__ import annotations

import pytest

from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.actions.permit_keys import FILE, PermitKeyFile, PermitKeys

AT = 1_000 * MINUTE_US


@pytest.fixture
def two():
    """Keys of a house that was rotated at ``AT``."""
    return PermitKeys.first(0).rotated(AT)


def plain(content: bytes) -> bytes:
    return content


def file(folder):
    return PermitKeyFile(folder, seal=plain, unseal=plain)


@pytest.mark.parametrize(
    ("minutes", "signs", "published", "states"),
    [
        (0, 0, 2, ["signs", "next"]),
        (1, 1, 2, ["ends", "signs"]),
        (2, 1, 1, ["ends", "signs"]),
        (12, 1, 1, ["gone", "signs"]),
    ],
)
def test_what_each_key_does_after_a_rotation(two, minutes, signs, published, states):
    now = AT + minutes * MINUTE_US
    assert two.signing(now) is two.held[signs].key
    assert len(two.jwk_set(now)["keys"]) == published
    assert [one.standing(now) for one in two.held] == states
    assert bool(two.settled_us(now)) is (minutes < 12)


def test_the_last_moment_of_each_is_one_before_it(two):
    end = AT + 12 * MINUTE_US
    assert two.settled_us(end - 1) == end
    assert two.held[0].accepted(end - 1)
    assert len(two.jwk_set(AT + 2 * MINUTE_US - 1)["keys"]) == 2


def test_a_clock_before_the_first_key_signs_all_the_same():
    keys = PermitKeys.first(AT)
    assert keys.signing(AT - 1) is keys.held[0].key


def test_only_public_halves_are_published(two):
    for key in two.jwk_set(AT)["keys"]:
        assert set(key) == {"alg", "crv", "kid", "kty", "use", "x"}


def test_a_rotation_keeps_the_last_key_and_no_older_one(two):
    again = two.rotated(AT + 13 * MINUTE_US)
    assert [one.key.id for one in again.held[:1]] == [two.held[1].key.id]
    assert len(again.held) == 2


def test_they_are_read_as_they_were_written(two, tmp_path):
    kept = file(tmp_path)
    kept.replace(two)
    ids = [(one.key.id, one.from_us) for one in two.held]
    assert [(one.key.id, one.from_us) for one in file(tmp_path).read().held] == ids
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_the_first_process_makes_the_key_of_all(tmp_path):
    one, other = file(tmp_path), file(tmp_path)
    assert one.read() is None
    assert one.read_or_make(AT).held[0].key.id == other.read_or_make(AT + 1).held[0].key.id


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"keys":[],"v":1}',
        b'{"keys":[{"from_us":1,"seed":"00"}],"v":1}',
        b'{"keys":[{"from_us":1,"seed":"zz"}],"v":1}',
        b'{"keys":[{"from_us":1}],"v":1}',
        b'{"keys":[{"from_us":1,"seed":"' + b"00" * 32 + b'"}],"v":2}',
    ],
)
def test_a_damaged_file_is_no_key(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(IntegrityBroken):
        file(tmp_path).read()
