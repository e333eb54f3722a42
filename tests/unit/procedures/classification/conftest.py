from __future__ import annotations

import pytest

from support.imports import ImportHouse


@pytest.fixture
def imports(tmp_path):
    house = ImportHouse(tmp_path / "home")
    yield house
    house.close()
