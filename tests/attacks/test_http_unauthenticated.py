"""Somebody without a credential asks every address of the data plane, with something wrong in the request besides.

The answer is 401, whatever else is wrong: who shows no credential is told nothing of what an address takes. The
addresses are those of the published document, which a test compares with the table of routes.
"""

from __future__ import annotations

import json
import re

import pytest

from holdfast.edges.dataplane.authzen import METADATA
from holdfast.edges.dataplane.openapi import document
from support.desk import Desk

FOR_EVERYBODY = {
    "/.well-known/jwks.json",
    METADATA,
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/readyz",
}
ADDRESSES = sorted(
    (method.upper(), path)
    for path, methods in json.loads(document())["paths"].items()
    for method in methods
    if path not in FOR_EVERYBODY
)
WRONG = {
    "query": ("?limit=none&unknown=1", b""),
    "unreadable query": ("?%ff&=", b""),
    "body": ("", b'{"unknown": 1}'),
    "no JSON": ("", b"\xff{"),
    "too much": ("", b" " * (2 << 20)),
}
CREDENTIALS = ((), (("authorization", "Basic eDp5"),), (("authorization", "Bearer short"),))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk") / "house")
    yield desk
    desk.close()


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=lambda value: value)
def test_who_shows_no_credential_learns_only_that(desk, method, path):
    address = re.sub(r"\{\w+\*?\}", "x", path)
    for wrong, (query, body) in WRONG.items():
        for answer in desk.send(method, address + query, body, *CREDENTIALS):
            assert (answer.status, answer.body["code"]) == (401, "not_authenticated"), wrong
            assert "field" not in answer.body


def test_the_addresses_for_everybody_are_these(desk):
    assert json.loads(document())["paths"].keys() >= FOR_EVERYBODY
    for path in FOR_EVERYBODY - {"/metrics"}:  # which is no JSON
        (answer,) = desk.send("GET", path, b"", ())
        assert answer.status == 200, path
