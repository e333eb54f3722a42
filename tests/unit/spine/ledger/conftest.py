from __future__ import annotations

import pytest

from support.ledger import LedgerHouse


@pytest.fixture
def house(tmp_path):
    opened = LedgerHouse(tmp_path / "house")
    yield opened
    opened.close()
