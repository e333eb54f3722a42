"""Somebody floods the sign-in page: to fill the store, or so that others behind the same address cannot sign in."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from http.client import HTTPConnection

import pytest

from holdfast.edges.console.store import TAKE_ATTEMPT
from holdfast.kit.clock import HOUR_US, SystemClock
from holdfast.kit.db import Round
from support.live import LiveBank

pytestmark = [pytest.mark.server]
HERE = "address-minute:127.0.0.1"
ENOUGH = 240  # as often as strangers may in a minute
A_MINUTE_S = 60


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    """A house at whose door strangers have tried as often as they may, for the next hour."""
    with LiveBank(tmp_path_factory.mktemp("flood") / "house") as bank:
        assert begin(bank)[0] == 200, "nobody has tried yet"
        with closing(bank.house()) as house:
            house.transact(used_up())
        yield bank


def used_up():
    now_us = SystemClock().now_us()
    later_us = now_us + 2 * A_MINUTE_S * 1_000_000  # so that the first one's window is over
    for _ in range(ENOUGH):
        take = TAKE_ATTEMPT(about=HERE, until_us=later_us + HOUR_US, now=later_us, most=ENOUGH)
        (rows,) = yield Round(data=(take,))
        assert rows


def ask(bank, path, **headers):
    with closing(HTTPConnection("127.0.0.1", bank.console_port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": "localhost", **headers})
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()


def begin(bank, **headers):
    return ask(bank, "/sign-in/passkey", **headers)


def known(bank, *, until_us):
    """What a browser shows in which somebody has signed in before."""
    shown = {"browser": "brw_1", "persons": ["per_1"], "until_us": until_us}
    with closing(bank.house()) as house:
        sealed = house.console_key.seal("known-browser", json.dumps(shown).encode())
    return f"known-browser={base64.urlsafe_b64encode(sealed).decode()}"


def test_no_more_is_kept_of_a_flood(flooded):
    before = flooded.sql("SELECT count(*) FROM console_browser")
    status, headers, _ = begin(flooded)
    assert status == 429
    assert "set-cookie" not in headers
    assert flooded.sql("SELECT count(*) FROM console_browser") == before


def test_whoever_waits_is_told_how_long(flooded):
    _, headers, body = begin(flooded)
    assert A_MINUTE_S < int(headers["retry-after"]) <= 3600 + 3 * A_MINUTE_S
    assert "too many attempts" in json.loads(body)["error"]
    assert f"{headers['retry-after']} s" in json.loads(body)["error"]


def test_links_are_not_guessed_in_floods(flooded):
    status, headers, body = ask(flooded, "/enrol/hfe_guess")
    assert status == 429
    assert "retry-after" in headers
    assert b"Too often just now" in body


def test_a_browser_in_which_somebody_signed_in_before_goes_on(flooded):
    cookie = known(flooded, until_us=SystemClock().now_us() + HOUR_US)
    assert begin(flooded, Cookie=cookie)[0] == 200


def test_not_for_ever(flooded):
    cookie = known(flooded, until_us=SystemClock().now_us() - 1)
    assert begin(flooded, Cookie=cookie)[0] == 429


@pytest.mark.parametrize("made_up", ["", "x", "AAAA", "e30=", "A" * 400])
def test_a_cookie_that_the_house_did_not_seal_makes_no_browser_known(flooded, made_up):
    assert begin(flooded, Cookie=f"known-browser={made_up}")[0] == 429


def test_a_cookie_that_was_sealed_for_something_else_makes_no_browser_known(flooded):
    shown = {"browser": "brw_2", "persons": [], "until_us": SystemClock().now_us() + HOUR_US}
    with closing(flooded.house()) as house:
        sealed = house.console_key.seal("browser", json.dumps(shown).encode())
    cookie = f"known-browser={base64.urlsafe_b64encode(sealed).decode()}"
    assert begin(flooded, Cookie=cookie)[0] == 429


def test_the_page_itself_still_opens(flooded):
    assert ask(flooded, "/sign-in")[0] == 200
