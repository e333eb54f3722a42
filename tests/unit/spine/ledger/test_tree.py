"""The tree is that of RFC 6962: what its authors published verifies, and what they broke does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.spine.ledger.tree import (
    EMPTY_ROOT,
    CompactRange,
    consistency_holds,
    consistency_plan,
    inclusion_holds,
    inclusion_plan,
    leaf_hash,
    node_hash,
    proof_from,
)
from support.vectors import raw, vectors

# The eight leaves and roots of the reference implementation of RFC 6962.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
sizes = st.integers(1, 300)


def tree_of(count):
    return [leaf_hash(str(number).encode()) for number in range(count)]


def root_by_definition(hashes):
    """MTH as RFC 6962 §2.1 defines it, without any cleverness."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(root_by_definition(hashes[:split]), root_by_definition(hashes[split:]))


def reader(hashes):
    return lambda node: root_by_definition(hashes[node[1] << node[0] : (node[1] + 1) << node[0]])


def test_the_published_roots_come_out():
    grown = CompactRange()
    assert grown.root().hex().startswith("e3b0c44298fc1c14")
    for entry, root in zip(LEAVES, ROOTS, strict=True):
        grown.append(leaf_hash(entry))
        assert grown.root() == root


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_all_published_proofs_are_judged_as_published(kind):
    files = sorted((vectors("merkle/testdata") / kind).rglob("*.json"))
    assert len(files) == 98
    for file in files:
        case = json.loads(file.read_text())
        proof = [raw(step) for step in case["proof"] or ()]
        if kind == "inclusion":
            holds = inclusion_holds(
                raw(case["leafHash"]),
                case["leafIdx"],
                case["treeSize"],
                proof,
                root=raw(case["root"]),
            )
        else:
            holds = consistency_holds(
                case["size1"],
                case["size2"],
                proof,
                old_root=raw(case["root1"]),
                new_root=raw(case["root2"]),
            )
        assert holds is not case["wantErr"], file


@given(sizes)
def test_growing_leaf_by_leaf_gives_the_root_of_the_definition(count):
    grown = CompactRange()
    for leaf in tree_of(count):
        grown.append(leaf)
    assert grown.root() == root_by_definition(tree_of(count))
    assert CompactRange(count, grown.nodes).root() == grown.root()


@given(st.data())
def test_a_made_inclusion_proof_holds_for_its_leaf_only(data):
    hashes = tree_of(data.draw(sizes))
    size = len(hashes)
    index = data.draw(st.integers(0, size - 1))
    root = root_by_definition(hashes)
    proof = proof_from(inclusion_plan(index, size), reader(hashes))
    assert inclusion_holds(hashes[index], index, size, proof, root=root)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not inclusion_holds(hashes[other], index, size, proof, root=root)
        assert not inclusion_holds(hashes[index], other, size, proof, root=root)
    assert not inclusion_holds(hashes[index], index, size, [*proof, root], root=root)
    assert not inclusion_holds(hashes[index], index, size, proof, root=hashes[0][::-1])


@given(st.data())
def test_a_made_consistency_proof_holds_for_its_two_sizes_only(data):
    hashes = tree_of(data.draw(sizes))
    new = len(hashes)
    old = data.draw(st.integers(1, new))
    roots = {n: root_by_definition(hashes[:n]) for n in {old, new, max(1, old - 1)}}
    proof = proof_from(consistency_plan(old, new), reader(hashes))
    assert consistency_holds(old, new, proof, old_root=roots[old], new_root=roots[new])
    assert not consistency_holds(
        old, new, [*proof, roots[old]], old_root=roots[old], new_root=roots[new]
    )
    if old > 1:
        assert not consistency_holds(old, new, proof, old_root=roots[old - 1], new_root=roots[new])


@given(st.integers(0, 5), st.integers(0, 5))
def test_nothing_is_shown_from_an_empty_tree(old, new):
    if old == 0 or old > new:
        assert not consistency_holds(old, new, (), old_root=EMPTY_ROOT, new_root=EMPTY_ROOT)
        with pytest.raises(ValueError, match="no consistency proof"):
            consistency_plan(old, new)


def test_a_leaf_outside_has_no_proof():
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_plan(3, 3)
    assert not inclusion_holds(EMPTY_ROOT, -1, 3, (), root=EMPTY_ROOT)


def test_hashes_of_another_length_prove_nothing():
    assert not inclusion_holds(b"short", 0, 1, (), root=b"short")
    assert not consistency_holds(1, 2, (b"short",), old_root=b"short", new_root=b"short")


def test_a_compact_range_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="complete subtrees"):
        CompactRange(3, [EMPTY_ROOT])
