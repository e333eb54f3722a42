"""Killed at any moment, a house loses no acknowledged leaf, and its published log stays whole and goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.spine.ledger.entries import leaf_id_of
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.ledger.verify import Outcome
from support.bundles import Client
from support.ledger import BANK, LedgerHouse
from support.stores import FakeClock

pytestmark = pytest.mark.slow

ROUNDS = 15
WRITER = Path(__file__).with_name("ledger_writer.py")
TESTS = Path(__file__).parents[1]


def killed_writer(home: Path, number: int, acknowledged: int) -> list[str]:
    """Run the writer until it has acknowledged that many leaves, then kill it; returns all that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(home), str(number)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.kill()
        lines += process.stdout.readlines()
    return [line.strip() for line in lines if line.endswith("\n")]


def test_no_acknowledged_leaf_is_lost_and_every_published_state_is_authentic(tmp_path):
    home = tmp_path / "house"
    LedgerHouse(home).close()
    acknowledged: list[str] = []
    moments = random.Random(20261123)
    for number in range(1, ROUNDS + 1):
        acknowledged += killed_writer(home, number, moments.randint(1, 120))
        house = LedgerHouse(home, FakeClock(), fresh=False)
        client = Client(house, tmp_path / "client")
        if (house.folder(BANK) / "checkpoint").exists():
            report = client.verify(house.folder(BANK))
            assert report.outcome is Outcome.AUTHENTIC, report.findings
        house.close()
    house = LedgerHouse(home, FakeClock(), fresh=False)
    house.clock.advance(ROUNDS * 7_200_000_000)
    done = house.tick()
    assert not done.refused
    assert done.vanished == 0
    placed = [leaf_id_of(leaf.entry) for leaf in house.read(leaves_from(BANK, 0, most=10**6))]
    assert len(placed) == len(set(placed))
    assert set(acknowledged) <= set(placed)
    assert Client(house, tmp_path / "client").verify(house.folder(BANK)).size == len(placed)
    house.close()
