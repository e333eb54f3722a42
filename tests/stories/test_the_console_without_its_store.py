"""The server of the stores goes away and comes back: pages say so meanwhile, and nobody has to restart the console."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection

import pytest

from holdfast.procedures.network import services
from holdfast.spine.identity.sessions import Browser, hash_cookie
from holdfast.vocabulary.levels import SignIn
from support.live import LiveBank
from support.pair import Pair, until
from support.served import NEEDS_SERVER, bank_on

pytestmark = [NEEDS_SERVER, pytest.mark.server, pytest.mark.slow]
COOKIE = "a-cookie-as-a-browser-has-it"


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.close()


def test_pages_come_back_with_the_store(pair, tmp_path):
    home = bank_on(tmp_path / "house", pair.primary)
    with LiveBank(home, founded=True) as bank:
        signed_in(bank)
        assert status(bank) == 200
        pair.primary.stop()
        assert status(bank) == 503, bank.stderr.read_text()[-3000:]
        pair.primary.start()
        until(lambda: status(bank) == 200, "the console does not come back")


def signed_in(bank):
    from holdfast.edges.console.store import ADD_BROWSER
    from holdfast.kit.db import Round

    house, hashed = bank.house(), hash_cookie(COOKIE)

    def state():
        sealed = house.console_key.seal("browser", b"{}", about=hashed)
        until_us = house.clock.now_us() + 3_600_000_000
        yield Round(data=(ADD_BROWSER(hash=hashed, sealed=sealed, expires_us=until_us),))

    session = services.sign_in(
        *(house, bank.person, hashed),
        method=SignIn.PASSKEY_DEVICE_BOUND,
        factor="1",
        seen_by="",
        browser=Browser(peer="127.0.0.1", agent="a browser"),
    )
    house.transact(session)
    house.transact(state())
    house.close()


def status(bank):
    with closing(HTTPConnection("localhost", bank.console_port, timeout=20)) as connection:
        connection.request("GET", "/account", headers={"Cookie": f"holdfast={COOKIE}"})
        return connection.getresponse().status
