"""Of the whole disk, a log's address names its checkpoint and its tiles."""

from __future__ import annotations

import pytest

from holdfast.kit.errors import NotFound
from holdfast.spine.ledger.files import log_file
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
