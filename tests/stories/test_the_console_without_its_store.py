"""The server of the stores goes away and comes back: pages say so meanwhile, and nobody has to restart the console."""

from __future__ import annotations

import pytest

from support.live import LiveBank
from support.pair import Pair, until
from support.served import NEEDS_SERVER, bank_on
from support.signed import SignedIn

pytestmark = [NEEDS_SERVER, pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.close()


def test_pages_come_back_with_the_store(pair, tmp_path):
    home = bank_on(tmp_path / "house", pair.primary)
    with LiveBank(home, founded=True) as bank:
        person = SignedIn(bank, bank.person)
        assert person.get("/account").status == 200
        pair.primary.stop()
        assert person.get("/account").status == 503, bank.stderr.read_text()[-3000:]
        pair.primary.start()
        until(lambda: person.get("/account").status == 200, "the console does not come back")
