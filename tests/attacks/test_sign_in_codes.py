"""Somebody guesses, replays or copies the codes by which a person signs in, or wants to keep the person from it."""

from __future__ import annotations

import base64
import json
import re
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.identity.console_key import ConsoleKey
from support.codes import code_of
from support.faces import Faces
from support.live import LiveBank
from support.signed import SignedIn

pytestmark = [pytest.mark.server]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    with LiveBank(tmp_path_factory.mktemp("codes") / "house") as bank:
        yield bank


def ask(bank, path, form=None, **cookies):
    """Ask as a browser does; return status, headers, cookies that were set, and the page."""
    headers = {"Host": "localhost", "Sec-Fetch-Site": "same-origin"}
    if cookies:
        pairs = (f"{name.replace('_', '-')}={value}" for name, value in cookies.items())
        headers["Cookie"] = "; ".join(pairs)
    body = urlencode(form) if form is not None else None
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    with closing(HTTPConnection("127.0.0.1", bank.console_port, timeout=30)) as connection:
        connection.request("POST" if form is not None else "GET", path, body, headers)
        answer = connection.getresponse()
        pairs = [value.split(";")[0] for name, value in answer.getheaders() if name == "set-cookie"]
        baked = {name.replace("-", "_"): value for name, _, value in map(_parted, pairs)}
        return answer.status, baked, answer.read().decode()


def _parted(pair):
    return pair.partition("=")


def somebody(bank, staff_id):
    """Hire a person who is signed in; return their cookies."""
    return {"holdfast": SignedIn(bank, Faces(bank, None).hire(staff_id)).cookie}


def _once(query):
    (rows,) = yield Round(data=(query,))
    return rows


def with_app(bank, staff_id):
    """Hire a person and enrol an app for codes; return its secret. The code of now is used by that."""
    cookies = somebody(bank, staff_id)
    status, _, page = ask(bank, "/account/codes/add", **cookies)
    assert status == 200, page
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page).group(1)
    status, _, page = ask(bank, "/account/codes/add", {"code": code_of(secret)}, **cookies)
    assert status == 302, page
    return secret


def sign_in(bank, staff_id, code, **cookies):
    return ask(bank, "/sign-in/code", {"staff_id": staff_id, "code": code}, **cookies)


def test_a_code_is_good_once(bank):
    secret = with_app(bank, "N0301")
    code = code_of(secret, later=1)
    status, baked, _ = sign_in(bank, "N0301", code)
    assert status == 302
    assert ask(bank, "/account", holdfast=baked["holdfast"])[0] == 200
    assert sign_in(bank, "N0301", code)[0] == 422


def test_the_code_that_enrolled_the_app_and_those_before_are_used(bank):
    secret = with_app(bank, "N0302")
    for later in (0, -1):
        assert sign_in(bank, "N0302", code_of(secret, later))[0] == 422


def test_a_code_of_another_time_is_none(bank):
    secret = with_app(bank, "N0303")
    for later in (3, 100, -100):
        assert sign_in(bank, "N0303", code_of(secret, later))[0] == 422


def test_a_code_is_not_guessed_and_the_person_is_not_locked_out(bank):
    secret = with_app(bank, "N0304")
    _, known, _ = sign_in(bank, "N0304", code_of(secret, later=1))
    wrong = f"{(int(code_of(secret, later=1)) + 1) % 1_000_000:06}"
    statuses = [sign_in(bank, "N0304", wrong)[0] for _ in range(8)]
    assert statuses.count(429) >= 3, "one of the first five was the sign-in"
    status, _, page = sign_in(bank, "N0304", wrong)
    assert status == 429
    assert "a passkey works meanwhile" in page
    status, _, _ = sign_in(bank, "N0304", wrong, known_browser=known["known_browser"])
    assert status == 422, "the browser in which the person signed in is counted for itself"
    status, _, _ = sign_in(bank, "N0305", wrong, known_browser=known["known_browser"])
    assert status == 422


def test_another_persons_browser_gives_no_more_guesses(bank):
    secret = with_app(bank, "N0306")
    _, known, _ = sign_in(bank, "N0306", code_of(secret, later=1))
    with_app(bank, "N0307")
    for _ in range(5):
        sign_in(bank, "N0307", "000000")
    assert sign_in(bank, "N0307", "000000", known_browser=known["known_browser"])[0] == 429


def test_who_is_not_there_is_told_as_who_is(bank):
    with_app(bank, "N0308")
    there = [sign_in(bank, "N0308", "000000") for _ in range(6)]
    nobody = [sign_in(bank, "N9999", "000000") for _ in range(6)]
    assert [one[0] for one in there] == [one[0] for one in nobody] == [422] * 5 + [429]
    assert _told(there[0][2]) == _told(nobody[0][2])


def _told(page):
    return re.search(r'role="alert">([^<]+)<', page).group(1)


def test_a_copy_of_the_store_computes_no_code(bank):
    secret = with_app(bank, "N0309")
    kept = "".join(str(row) for row in bank.sql("SELECT data FROM mfa_authenticator"))
    assert "totp" in kept
    for form in (secret, secret.lower(), base64.b32decode(secret).hex()):
        assert form not in kept
    assert base64.b64encode(secret.encode()).decode() not in kept


def test_a_copy_without_the_root_opens_no_apps_secret_and_no_browser(bank):
    """What the copy has is sealed under the console's key, and that under the root."""
    secret = with_app(bank, "N0311")
    kept = bank.sql("SELECT data FROM mfa_authenticator WHERE type = 'totp'")
    data = [row[0] if isinstance(row[0], dict) else json.loads(row[0]) for row in kept]
    sealed = [base64.b64decode(one["secret"]) for one in data]
    with closing(bank.house()) as house:
        opened = [house.console_key.unseal("factor", one).decode() for one in sealed]
    assert secret in opened, "the test looks where secrets are kept"
    made_up = ConsoleKey(bytes(32))
    for one in sealed:
        with pytest.raises(IntegrityBroken):
            made_up.unseal("factor", one)
    for hashed, state in bank.sql("SELECT hash, sealed FROM console_browser WHERE expires_us > 0"):
        with pytest.raises(IntegrityBroken):
            made_up.unseal("browser", bytes(state), about=bytes(hashed))


def test_a_session_by_a_code_confirms_no_challenge_of_somebody_else(bank):
    secret = with_app(bank, "N0310")
    _, baked, _ = sign_in(bank, "N0310", code_of(secret, later=1))
    form = {"challenge": "chl_of_another", "code": code_of(secret, later=1)}
    status, _, page = ask(bank, "/confirm", form, holdfast=baked["holdfast"])
    assert status == 422
    assert "used before" in page, "the code was good once"
