from __future__ import annotations

import itertools

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.aead import GCM, GCM_SIV, aead
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.vault.cipher import (
    Part,
    check_manifest,
    make_manifests,
    open_sealed,
    place,
    seal_parts,
)
from holdfast.spine.vault.hierarchy import ClassKey
from support.vault import CLIENT

KEY, NONCE = b"F" * 32, b"N" * 12
WHERE = {"suite": GCM_SIV, "client": CLIENT, "customer": "cus_1", "record": "rec_1"}
CIPHERS = {GCM: AESGCM, GCM_SIV: AESGCMSIV}


def class_key(data_class: int = 2, version: int = 1, suite: int = GCM_SIV) -> ClassKey:
    return ClassKey(data_class, version, suite, aead(suite, KEY), b"D" * 32, b"")


def seal_fields(key: ClassKey, at: bytes, contents, *, version: int, nonces):
    (fields,) = seal_parts([Part(key, at, contents, version)], nonces)
    return fields


def make_manifest(key: ClassKey, at: bytes, nonce: bytes, fields):
    (manifest,) = make_manifests([(key, at, fields)], [nonce])
    return manifest


def seal(key: ClassKey, at: bytes, number: int = 3, version: int = 5):
    return seal_fields(key, at, [(number, b"value")], version=version, nonces=[NONCE])


@pytest.mark.parametrize("suite", [GCM, GCM_SIV])
def test_a_field_is_sealed_as_the_design_says(suite):
    key, at = class_key(suite=suite), place(suite, CLIENT, "cus_1", "rec_1")
    aad = length_prefixed(
        b"holdfast/field/v1",
        bytes((suite,)),
        CLIENT.encode(),
        b"cus_1",
        b"rec_1",
        b"\x02",
        (3).to_bytes(4, "big"),
        (5).to_bytes(8, "big"),
        (1).to_bytes(4, "big"),
    )
    expected = bytes((suite,)) + NONCE + CIPHERS[suite](KEY).encrypt(NONCE, b"value", aad)
    assert seal(key, at) == [(3, 5, expected)]
    assert open_sealed(key, at, [(3, 5, expected)]) == [b"value"]


@pytest.mark.parametrize("suite", [GCM, GCM_SIV])
def test_a_manifest_is_made_as_the_design_says(suite):
    key, at = class_key(suite=suite), place(suite, CLIENT, "cus_1", "rec_1")
    fields = seal(key, at)
    listed = (3).to_bytes(4, "big") + (5).to_bytes(8, "big") + fields[0][2][-16:]
    aad = length_prefixed(
        b"holdfast/manifest/v1",
        bytes((suite,)),
        CLIENT.encode(),
        b"cus_1",
        b"rec_1",
        b"\x02",
        (1).to_bytes(4, "big"),
        listed,
    )
    expected = bytes((suite,)) + NONCE + CIPHERS[suite](KEY).encrypt(NONCE, b"", aad)
    assert make_manifest(key, at, NONCE, fields) == expected


def test_parts_that_are_sealed_together_are_sealed_as_each_alone():
    nonces = [bytes((n,)) * 12 for n in range(4)]
    parts = [
        Part(class_key(1), place(**WHERE), [(1, b"a"), (2, b"b")], 1),
        Part(class_key(2), place(**WHERE), [], 1),
        Part(class_key(3, 2), place(**WHERE | {"record": "rec_2"}), [(1, b"a"), (4, b"d")], 7),
    ]
    together = seal_parts(parts, nonces)
    assert together == [
        seal_fields(part.key, part.at, part.contents, version=part.version, nonces=own)
        for part, own in zip(parts, (nonces[:2], [], nonces[2:]), strict=True)
    ]
    listed = [(part.key, part.at, fields) for part, fields in zip(parts, together, strict=True)]
    assert make_manifests(listed, nonces[:3]) == [
        make_manifest(*one[:2], nonce, one[2])
        for one, nonce in zip(listed, nonces[:3], strict=True)
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_a_field_without_a_nonce_of_its_own_is_not_sealed(count):
    part = Part(class_key(), place(**WHERE), [(1, b"a"), (2, b"b")], 1)
    with pytest.raises(ValueError, match="zip"):
        seal_parts([part], [bytes((n,)) * 12 for n in range(count)])


PARTS = {
    "suite": (GCM_SIV, GCM),
    "client": (CLIENT, "telco-01"),
    "customer": ("cus_1", "cus_2"),
    "record": ("rec_1", "rec_2"),
    "data_class": (2, 3),
    "dek_version": (1, 2),
    "number": (3, 4),
    "version": (5, 6),
}


def opened_at(parts: dict[str, object]) -> bytes:
    suite = int(str(parts["suite"]))
    at = place(suite, str(parts["client"]), str(parts["customer"]), str(parts["record"]))
    key = class_key(int(str(parts["data_class"])), int(str(parts["dek_version"])), GCM_SIV)
    box = seal(class_key(), place(**WHERE))[0][2]
    return open_sealed(key, at, [(int(str(parts["number"])), int(str(parts["version"])), box)])[0]


def test_every_part_of_a_field_s_place_is_authenticated():
    # the whole matrix: a ciphertext opens in its own place and in no other, whatever mixture of parts is wrong
    opened = 0
    for choice in itertools.product(*PARTS.values()):
        parts = dict(zip(PARTS, choice, strict=True))
        if choice == tuple(values[0] for values in PARTS.values()):
            assert opened_at(parts) == b"value"
            opened += 1
        else:
            with pytest.raises(IntegrityBroken):
                opened_at(parts)
    assert opened == 1


def test_no_two_places_share_their_bytes():
    # joined without lengths these would be the same
    assert place(GCM_SIV, "ab", "c", "d") != place(GCM_SIV, "a", "bc", "d")
    assert place(GCM_SIV, "a", "b", "cd") != place(GCM_SIV, "a", "bc", "d")


def test_every_byte_of_a_sealed_field_counts():
    key, at = class_key(), place(**WHERE)
    ((number, version, box),) = seal(key, at)
    for position in range(len(box)):
        edited = box[:position] + bytes((box[position] ^ 0x40,)) + box[position + 1 :]
        with pytest.raises(IntegrityBroken):
            open_sealed(key, at, [(number, version, edited)])
    for length in range(len(box)):
        with pytest.raises(IntegrityBroken):
            open_sealed(key, at, [(number, version, box[:length])])


def test_a_manifest_holds_for_exactly_its_fields():
    key, at = class_key(), place(**WHERE)
    nonces = [bytes((n,)) * 12 for n in range(3)]
    fields = seal_fields(key, at, [(1, b"a"), (2, b"b"), (3, b"c")], version=1, nonces=nonces)
    newer = seal_fields(key, at, [(2, b"B")], version=2, nonces=[b"x" * 12])[0]
    manifest = make_manifest(key, at, NONCE, fields)
    check_manifest(key, at, manifest, fields)
    for wrong in (
        fields[:2],
        [],
        [fields[1], fields[0], fields[2]],
        [fields[0], newer, fields[2]],
        [*fields, fields[2]],
        [fields[0], (2, 9, fields[1][2]), fields[2]],
    ):
        with pytest.raises(IntegrityBroken):
            check_manifest(key, at, manifest, wrong)
    for elsewhere in (
        place(GCM_SIV, CLIENT, "cus_2", "rec_1"),
        place(GCM_SIV, CLIENT, "cus_1", "rec_2"),
    ):
        with pytest.raises(IntegrityBroken):
            check_manifest(key, elsewhere, manifest, fields)
    with pytest.raises(IntegrityBroken):
        check_manifest(class_key(3), at, manifest, fields)


def test_a_manifest_is_no_field_and_a_field_no_manifest():
    key, at = class_key(), place(**WHERE)
    manifest = make_manifest(key, at, NONCE, [])
    with pytest.raises(IntegrityBroken):
        open_sealed(key, at, [(0, 0, manifest)])
    empty = seal_fields(key, at, [(0, b"")], version=0, nonces=[NONCE])[0][2]
    with pytest.raises(IntegrityBroken):
        check_manifest(key, at, empty, [])
