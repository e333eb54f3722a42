"""The operator opens the console of a house that is serving."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection

import pytest

from support.server import LIMIT_S, Answer, Server, holdfast


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("console") / "house"
    founded = holdfast(home, "init")
    assert founded.returncode == 0, founded.stderr
    with Server(home) as serving:
        yield serving


def get(server: Server, path: str, **headers: str) -> Answer:
    with closing(HTTPConnection("localhost", server.console_port, timeout=LIMIT_S)) as connection:
        connection.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


@pytest.mark.server
def test_the_page_says_that_the_house_is_sound_and_serving(server):
    page = get(server, "/status")
    assert page.status == 200
    text = page.raw.decode()
    assert "Sound and serving" in text or "Serving, with" in text
    assert "<code>house</code>" in text, "the house's own log has grown"
    assert f"127.0.0.1:{server.port}" in text


@pytest.mark.server
def test_the_page_is_styled_without_anything_inline(server):
    sheet = get(server, "/static/console/console.css")
    assert sheet.status == 200
    assert b"style=" not in get(server, "/status").raw


@pytest.mark.server
def test_somebody_behind_a_proxy_or_under_another_name_learns_nothing(server):
    behind = get(server, "/status", X_Forwarded_For="192.0.2.7")
    assert behind.status == 403
    assert b"Checks" not in behind.raw
    assert get(server, "/status", Host="evil.example").status == 400
