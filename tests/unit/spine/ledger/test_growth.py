"""A log grows from an edge that is what its head promises, in the order of time, and from no other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.kit.canonical import canonical_json
from holdfast.kit.clock import parse_rfc3339, rfc3339
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.entries import MOST_LATE_US
from holdfast.spine.ledger.growth import Edge, PendingLeaf, State, grow, grow_in_order
from holdfast.spine.ledger.tiles import ENTRIES, decode_bundle, edge_of, hashes_of, tiles_of
from holdfast.spine.ledger.tree import CompactRange


def entry(number, at_us):
    return canonical_json({"id": f"lf_{number}", "time": rfc3339(at_us)})


def pending(numbers, at_us=1_000_000):
    return [PendingLeaf(n, at_us + n, entry(n, at_us + n)) for n in numbers]


class Shelf:
    """Tiles and bundles as the store keeps them: the widest state of each."""

    def __init__(self):
        self.state = State.new("client-bank-01")
        self.tiles = {}
        self.bundles = {}

    def edge(self):
        state = self.state
        tiles = {t.level: self.tiles[t.level, t.n].body for t in edge_of(state.size)}
        bundle = self.bundles.get(state.size // 256)
        if not state.size % 256 or bundle is None:
            return Edge(tiles)
        return Edge(tiles, bundle.body)

    def add(self, leaves):
        growth = grow(self.state, self.edge(), leaves)
        self.tiles.update({(tile.level, tile.n): tile for tile in growth.tiles})
        self.bundles.update({bundle.n: bundle for bundle in growth.bundles})
        self.state = growth.after
        return growth

    def entries(self):
        return [e for n in sorted(self.bundles) for e in decode_bundle(self.bundles[n].body)]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 400), max_size=8))
def test_batches_of_any_size_give_the_tree_of_all_leaves(batches):
    shelf, number = Shelf(), 0
    for count in batches:
        shelf.add(pending(range(number + 1, number + count + 1)))
        number += count
    whole = CompactRange()
    for value in hashes_of(shelf.entries()):
        whole.append(value)
    assert (shelf.state.size, shelf.state.root) == (number, whole.root())
    for tile in tiles_of(number):
        kept = shelf.bundles[tile.n] if tile.level == ENTRIES else shelf.tiles[tile.level, tile.n]
        assert kept.width == tile.width


def test_a_batch_far_beyond_a_tile_reaches_the_third_level():
    shelf = Shelf()
    growth = shelf.add(pending(range(1, 65_600)))
    assert {tile.level for tile in growth.tiles} == {0, 1, 2}
    assert shelf.state.size == 65_599
    shelf.add(pending([65_600]))
    assert shelf.state.size == 65_600


def test_leaves_stand_in_the_order_of_their_times():
    shelf = Shelf()
    one, two, three = pending([1, 2, 3])
    growth = shelf.add([three, one, two])
    assert shelf.entries() == [one.entry, two.entry, three.entry]
    assert growth.claimed == (1, 2, 3)
    assert growth.after.last_us == three.at_us


def test_a_leaf_that_is_a_little_late_is_placed_as_it_is_and_put_back_where_it_was():
    shelf, again = Shelf(), Shelf()
    shelf.add(pending([5]))
    last_us = shelf.state.last_us
    late = PendingLeaf(6, last_us - MOST_LATE_US, entry(6, last_us - MOST_LATE_US))
    growth = shelf.add([late])
    assert (growth.lifted, growth.after.last_us) == (0, last_us)
    assert shelf.entries()[1] == late.entry
    back = grow_in_order(again.state, again.edge(), [*pending([5]), late])
    assert back.after == shelf.state


def test_a_leaf_that_is_too_late_is_lifted_to_the_latest_time_before_it():
    shelf = Shelf()
    shelf.add(pending([5]))
    last_us = shelf.state.last_us
    late_us = last_us - MOST_LATE_US - 1
    growth = shelf.add([PendingLeaf(6, late_us, entry(6, late_us)), *pending([7])])
    assert growth.lifted == 1
    times = [parse_rfc3339(json.loads(e)["time"]) for e in shelf.entries()]
    assert times == [last_us, last_us, last_us + 2]
    assert json.loads(shelf.entries()[1])["id"] == "lf_6"


@pytest.mark.parametrize("part", ["tile", "narrow tile", "missing tile", "entry", "root", "size"])
def test_a_log_that_was_edited_at_its_edge_does_not_grow(part):
    shelf = Shelf()
    shelf.add(pending(range(1, 301)))
    edge, state = shelf.edge(), shelf.state
    match part:
        case "tile":
            edge = edge._replace(tiles={**edge.tiles, 0: edge.tiles[0][::-1]})
        case "narrow tile":
            edge = edge._replace(tiles={**edge.tiles, 1: b""})
        case "missing tile":
            edge = edge._replace(tiles={})
        case "entry":
            edge = edge._replace(bundle=edge.bundle.replace(b"lf_300", b"lf_999"))
        case "root":
            state = state._replace(root=state.root[::-1])
        case _:
            state = state._replace(size=state.size - 1)
    with pytest.raises(IntegrityBroken):
        grow(state, edge, pending([400]))


def test_a_late_leaf_that_is_not_json_is_refused():
    shelf = Shelf()
    shelf.add(pending([9]))
    late_us = shelf.state.last_us - MOST_LATE_US - 1
    with pytest.raises(IntegrityBroken):
        shelf.add([PendingLeaf(10, late_us, b"no json")])
