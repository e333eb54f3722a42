"""One browser and one served bank per module, a fresh look-out per test.

Playwright runs an event loop in the test's own thread for as long as it is open; Django refuses its database there.
"""

from __future__ import annotations

import pytest

from support.faces import Faces, chromium
from support.live import LiveBank


@pytest.fixture(scope="module")
def browser():
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("faces") / "house") as bank:
        yield bank


@pytest.fixture
def faces(served, browser):
    opened = Faces(served, browser)
    yield opened
    opened.close()
