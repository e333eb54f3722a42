"""Of the whole disk, or store, a log's address names its checkpoint and its tiles."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import NotFound
from holdfast.spine.ledger.files import log_file, stored_file
from support.ledger import BANK


def test_checkpoint_and_tiles_are_served_as_they_stand(house):
    house.grown(BANK, 300)
    for path in ("checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/entries/000"):
        content, kind = log_file(house.home, BANK, path)
        assert content == (house.folder(BANK) / path).read_bytes()
        assert kind.startswith(b"text/plain" if path == "checkpoint" else b"application/octet")


@pytest.mark.parametrize(
    ("log", "path"),
    [
        (BANK, "tile/0/001"),
        (BANK, "tile/0"),
        (BANK, "tile/0/000/"),
        (BANK, "../../signing/keys"),
        (BANK, "../house/checkpoint"),
        (BANK, "checkpoint/"),
        (BANK, "./checkpoint"),
        (BANK, "tile/0/000\x00"),
        (BANK, ""),
        ("..", "signing/memory.json"),
        ("../logs/client-bank-01", "checkpoint"),
        ("", "checkpoint"),
        ("client-other", "checkpoint"),
    ],
)
def test_nothing_else_is(house, log, path):
    house.grown(BANK, 257)
    with pytest.raises(NotFound):
        log_file(house.home, log, path)
    with pytest.raises(NotFound):
        house.read(stored_file(log, path))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_the_store_serves_what_is_published_byte_by_byte(house, size):
    house.grown(BANK, size)
    folder = house.folder(BANK)
    paths = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert len(paths) >= 3
    for path in paths:
        assert house.read(stored_file(BANK, path)) == log_file(house.home, BANK, path)


def test_the_store_serves_nothing_beyond_its_newest_checkpoint(house):
    house.grown(BANK, 300)
    house.append(BANK, 10)
    house.registrar.sequence()  # and nothing is signed
    for path in ("tile/0/001.p/54", "tile/entries/001.p/54"):
        with pytest.raises(NotFound):
            house.read(stored_file(BANK, path))
    content, _ = house.read(stored_file(BANK, "tile/0/001.p/44"))
    assert content == (house.folder(BANK) / "tile/0/001.p/44").read_bytes()
