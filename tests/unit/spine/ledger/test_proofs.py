"""Whoever holds a proof file and the key needs nothing else to check a leaf."""

from __future__ import annotations

import dataclasses

import pytest

from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import IntegrityBroken, NotAuthenticated, NotFound, Unavailable
from holdfast.spine.ledger.note import parse_vkey
from holdfast.spine.ledger.proofs import (
    check_proof,
    consistency,
    inclusion,
    locate,
    parse_proof,
    prove_leaf,
    root_at_edge,
)
from holdfast.spine.ledger.tree import EMPTY_ROOT, consistency_holds, inclusion_holds, leaf_hash
from support.ledger import BANK, a_leaf
from support.stores import raw


def test_every_leaf_has_a_proof_and_every_state_continues_the_one_before(house):
    roots = {}
    leaves = []
    for count in (1, 2, 5, 248, 1, 300):
        leaves += house.grown(BANK, count)
        size = len(leaves)
        roots[size] = house.read(root_at_edge(BANK, size))
    size = len(leaves)
    for index in (0, 1, 7, 255, 256, 300, size - 1):
        proof = house.read(inclusion(BANK, index, size))
        leaf = leaf_hash(leaves[index].entry())
        assert inclusion_holds(leaf, index, size, proof, root=roots[size])
    for old, old_root in roots.items():
        proof = house.read(consistency(BANK, old, size))
        assert consistency_holds(old, size, proof, old_root=old_root, new_root=roots[size])


def test_a_log_without_leaves_has_the_empty_root(house):
    assert house.read(root_at_edge(BANK, 0)) == EMPTY_ROOT


def test_a_proof_file_is_checked_with_the_key_alone(house):
    leaves = house.grown(BANK, 300)
    proof, entry = house.read(prove_leaf(BANK, leaves[123].id))
    assert entry == leaves[123].entry()
    read = parse_proof(proof.text)
    assert read == proof
    for vkey in house.vkeys(BANK):
        assert check_proof(read, entry, [parse_vkey(vkey)]).size == 300
    assert check_proof(read, entry, []).size == 300
    with_extra = proof.text.replace("\nindex", "\nextra aGVsbG8=\nindex")
    assert parse_proof(with_extra) == proof


def test_a_proof_of_another_leaf_another_place_or_another_signer_is_refused(house):
    leaves = house.grown(BANK, 10)
    keys = [parse_vkey(vkey) for vkey in house.vkeys(BANK)]
    proof, entry = house.read(prove_leaf(BANK, leaves[3].id))
    for wrong in (
        dataclasses.replace(proof, index=4),
        dataclasses.replace(proof, hashes=proof.hashes[:-1]),
        dataclasses.replace(proof, hashes=(*proof.hashes, proof.hashes[0])),
    ):
        with pytest.raises(IntegrityBroken):
            check_proof(wrong, entry, keys)
    with pytest.raises(IntegrityBroken):
        check_proof(proof, leaves[4].entry(), keys)
    with pytest.raises(NotAuthenticated):
        check_proof(proof, entry, [parse_vkey(house.vkeys("house")[0])])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\nx\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex ٣\n\nx\n",
        "c2sp.org/tlog-proof@v1\nplace 1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + "A" * 43 + "=\n" * 2,
    ],
)
def test_a_malformed_proof_is_refused(text):
    with pytest.raises(IntegrityBroken):
        parse_proof(text)


def test_a_leaf_is_found_by_its_id_also_when_its_time_was_lifted(house):
    late = a_leaf(house.clock.now_us() - MINUTE_US, 77)
    leaves = house.grown(BANK, 600)
    house.append_leaves(BANK, [late])
    house.tick()
    assert house.read(locate(BANK, leaves[512].id)).index == 512
    assert house.read(locate(BANK, late.id)).index == 600
    assert house.read(locate(BANK, "lf_of_another_kind")) is None


def test_what_is_not_signed_yet_is_told_from_what_is_not_there(house):
    house.grown(BANK, 3)
    waiting = house.append(BANK)[0]
    with pytest.raises(NotFound):
        house.read(prove_leaf(BANK, waiting.id))
    house.registrar.sequence()
    with pytest.raises(Unavailable):
        house.read(prove_leaf(BANK, waiting.id))
    house.tick()
    assert house.read(prove_leaf(BANK, waiting.id))


def test_a_missing_tile_is_noticed(house):
    house.grown(BANK, 300)
    raw(house.data, "DELETE FROM ledger_tile WHERE level = 0 AND n = 0")
    with pytest.raises(IntegrityBroken):
        house.read(inclusion(BANK, 5, 300))
