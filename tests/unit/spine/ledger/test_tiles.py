"""A log is cut into the files that C2SP tlog-tiles describes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.note import open_checkpoint, parse_vkey
from holdfast.spine.ledger.tiles import (
    ENTRIES,
    Tile,
    cut,
    cut_bundle,
    decode_bundle,
    edge_of,
    encode_bundle,
    hashes_of,
    node_reader,
    parse_path,
    root_from_edge,
    split_hashes,
    tiles_of,
    width_at,
)
from holdfast.spine.ledger.tree import CompactRange
from support.vectors import vectors

TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(1, 1234067), "tile/1/x001/x234/067"),
        (Tile(63, 1000, 255), "tile/63/x001/000.p/255"),
        (Tile(ENTRIES, 999), "tile/entries/999"),
        (Tile(ENTRIES, 1000, 9), "tile/entries/x001/000.p/9"),
    ],
)
def test_paths_are_spelled_as_specified(tile, path):
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/x000/001",
        "tile/0/1000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/../000",
        "tile/0/000\n",
        "tile/entries/٠٠٠",
        "tile/0/000/",
        "../checkpoint",
        "",
    ],
)
def test_no_other_path_is_read(path):
    with pytest.raises(ValueError, match="no path"):
        parse_path(path)


@given(st.integers(0, 62), st.integers(0, 10**12), st.integers(1, 256))
def test_a_path_comes_back(level, n, width):
    assert parse_path(Tile(level, n, width).path) == Tile(level, n, width)


def test_the_example_of_the_specification():
    tiles = list(tiles_of(70_000))
    hashes = [tile for tile in tiles if tile.level != ENTRIES]
    assert [t for t in hashes if t.level == 0 and t.width == 256] == [
        Tile(0, n) for n in range(273)
    ]
    assert edge_of(70_000) == (Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1))
    assert Tile(1, 0) in tiles
    assert len(hashes) == 273 + 1 + 1 + 1 + 1
    assert [t for t in tiles_of(256) if t.level != ENTRIES] == [Tile(0, 0), Tile(1, 0, 1)]


@given(st.integers(0, 70_000), st.integers(0, 3), st.integers(0, 300))
def test_widths_agree_with_the_list_of_tiles(size, level, n):
    width = width_at(level, n, size)
    assert (Tile(level, n, width) in set(tiles_of(size))) is (width > 0)


@given(st.integers(1, 1100))
def test_the_edge_alone_gives_the_root(size):
    hashes = hashes_of([str(number).encode() for number in range(size)])
    levels = [hashes]
    while len(levels[-1]) >= 256:
        row = levels[-1]
        grown = []
        for at in range(0, len(row) - 255, 256):
            part = CompactRange()
            for value in row[at : at + 256]:
                part.append(value)
            grown.append(part.root())
        levels.append(grown)
    whole = CompactRange()
    for value in hashes:
        whole.append(value)
    edge = [levels[t.level][t.n * 256 : t.n * 256 + t.width] for t in edge_of(size)]
    assert root_from_edge(edge) == whole.root()


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_comes_back_and_can_be_cut(entries):
    body = encode_bundle(entries)
    assert decode_bundle(body) == entries
    for width in {0, len(entries) // 2, len(entries)}:
        assert decode_bundle(cut_bundle(body, width)) == entries[:width]
    with pytest.raises(IntegrityBroken):
        cut_bundle(body, len(entries) + 1)


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.data())
def test_a_bundle_that_ends_inside_an_entry_is_refused(entries, data):
    body = encode_bundle(entries)
    ends = {len(encode_bundle(entries[:count])) for count in range(len(entries) + 1)}
    length = data.draw(st.integers(1, len(body) - 1).filter(lambda at: at not in ends))
    with pytest.raises(IntegrityBroken):
        decode_bundle(body[:length])


def test_an_entry_of_more_than_64_kib_is_refused():
    assert decode_bundle(encode_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    with pytest.raises(ValueError, match="by its hash"):
        encode_bundle([b"x" * 65_536])


def test_a_tile_of_half_a_hash_is_refused():
    with pytest.raises(IntegrityBroken):
        split_hashes(b"x" * 33)
    with pytest.raises(IntegrityBroken):
        cut(Tile(0, 0, 2), b"x" * 32)
    with pytest.raises(IntegrityBroken):
        node_reader(2, lambda _tile: b"x" * 32)((1, 0))


def test_a_log_that_another_implementation_wrote_is_read():
    folder = vectors("tessera-log/testdata/log")
    key = parse_vkey(TESSERA_KEY)
    for size in range(1, 16):
        head, opened = open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), [key])
        assert opened.by == (key,)
        assert head.size == size
        tile, bundle = Tile(0, 0, size), Tile(ENTRIES, 0, size)
        hashes = split_hashes((folder / tile.path).read_bytes())
        assert hashes_of(decode_bundle((folder / bundle.path).read_bytes())) == hashes
        assert root_from_edge([hashes]) == head.root
