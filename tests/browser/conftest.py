"""One browser and one served bank per module, a fresh look-out per test.

Playwright runs an event loop in the test's own thread for as long as it is open; Django refuses its database there.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.faces import Faces, chromium
from support.live import LiveBank

#: It ends what hangs; a machine under load is slow.
expect.set_options(timeout=60_000)


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
