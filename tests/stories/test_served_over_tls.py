"""The house speaks TLS itself: what a client sees, and who is let in where clients need a certificate."""

from __future__ import annotations

import ssl
from contextlib import closing
from http.client import HTTPException, HTTPSConnection

import pytest

from support.desk import Authority
from support.live import LiveBank
from support.server import LIMIT_S

pytestmark = [pytest.mark.slow, pytest.mark.server]


def tell(bank, text):
    """Add to the house's own file of settings."""
    with (bank.home / "holdfast.toml").open("a") as file:
        file.write(text)


def fetch(bank, context, path, port=None):
    """Status and body of one page."""
    with closing(
        HTTPSConnection("localhost", port or bank.port, timeout=LIMIT_S, context=context)
    ) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def status(bank, context, path="/healthz", port=None):
    return fetch(bank, context, path, port)[0]


def test_both_listeners_speak_tls_and_nothing_else(tmp_path):
    authority = Authority(tmp_path)
    bank = LiveBank(tmp_path / "house")
    certificate, key = authority.issue("localhost")
    tell(bank, f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\n')
    with bank:
        context = ssl.create_default_context(cafile=authority.file)
        assert status(bank, context) == 200
        assert status(bank, context, port=bank.console_port) == 200
        assert status(bank, context, "/logs/house/checkpoint") == 401
        code, page = fetch(bank, context, "/status", bank.console_port)
        assert code == 200
        assert "does not answer" not in page, "the console asks the data plane over TLS"
        with pytest.raises((HTTPException, ConnectionError)):
            bank.request("GET", "/healthz")  # in clear


def test_where_clients_need_a_certificate_nobody_connects_without(tmp_path):
    authority = Authority(tmp_path)
    bank = LiveBank(tmp_path / "house")
    certificate, key = authority.issue("localhost")
    tell(
        bank,
        f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\nclient_ca = "{authority.file}"\n',
    )
    with bank:
        known = ssl.create_default_context(cafile=authority.file)
        known.load_cert_chain(*authority.issue("desk-7"))
        assert status(bank, known) == 200
        stranger = ssl.create_default_context(cafile=authority.file)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            status(bank, stranger)
        other = Authority(tmp_path / "other")
        stranger.load_cert_chain(*other.issue("desk-7"))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            status(bank, stranger)
