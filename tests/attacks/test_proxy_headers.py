"""Attacks with what a proxy says: believed of a trusted one only, and of nobody else."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.spine.identity.proxies import client_address
from support.desk import Desk, certificate

PROXY = "10.0.0.2"
TRUSTED = ("10.0.0.0/30", "2001:db8:1::/64")
OFFICE, HOME = "192.0.2.7", "198.51.100.9"


def address(peer=PROXY, *, forwarded=None, xff=None):
    return client_address(peer, TRUSTED, forwarded=forwarded, x_forwarded_for=xff)


@pytest.mark.parametrize(
    ("forwarded", "xff", "found"),
    [
        (None, OFFICE, OFFICE),
        (None, f"{OFFICE}, {HOME}", HOME),  # what stands left was written by the sender
        (None, f"{OFFICE},{HOME},10.0.0.1", HOME),
        (None, "10.0.0.3, 10.0.0.1", "10.0.0.3"),
        (None, f"{OFFICE}:5050", OFFICE),
        (None, "[2001:db8::9]:5050", "2001:db8::9"),
        (None, "2001:db8::9", "2001:db8::9"),
        (None, "", ""),
        (None, "unknown", ""),
        (None, f"{OFFICE}, unknown", ""),
        (None, f"{OFFICE}, ", ""),
        (f"for={OFFICE}", None, OFFICE),
        (f'proto=https;For="{OFFICE}:99";by=10.0.0.2', None, OFFICE),
        ('for="[2001:db8::9]:4711"', None, "2001:db8::9"),
        (f"for={OFFICE}, for={HOME};proto=http, for=10.0.0.1", None, HOME),
        ("for=_hidden", None, ""),
        ("for=unknown", None, ""),
        ("proto=https", None, ""),
        (f"for={OFFICE}", OFFICE, OFFICE),
        (f"for={OFFICE}", HOME, ""),  # one of the two is not the proxy's own
        (None, None, PROXY),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxys(forwarded, xff, found):
    assert address(forwarded=forwarded, xff=xff) == found


@pytest.mark.parametrize("peer", [HOME, "10.0.0.4", "", "not an address"])
def test_an_untrusted_peer_says_what_it_likes(peer):
    assert address(peer, forwarded=f"for={OFFICE}", xff=OFFICE) == peer


def test_a_proxy_of_the_other_family():
    assert address("2001:db8:1::5", xff=OFFICE) == OFFICE
    assert address("::ffff:10.0.0.2", xff=OFFICE) == OFFICE
    assert address("2001:db8:2::5", xff=OFFICE) == "2001:db8:2::5"


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_the_sender_wrote_before_it_the_last_hop_stands(forwarded, xff):
    assert address(xff=f"{xff},{HOME}") == HOME
    assert address(forwarded=f"{forwarded},for={HOME}") in {HOME, ""}


# ── on the path ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "house")
    yield desk
    desk.close()


def behind_proxy(desk, **more):
    desk.settings(trusted_proxies=TRUSTED, **more)
    desk.bank.peer = PROXY


def token(desk, **bounds):
    return [("authorization", f"Bearer {desk.bank.new_token(desk.bank.agent, **bounds).token}")]


def test_a_token_of_the_office_used_from_home_with_the_offices_address_in_a_header(desk):
    office = token(desk, networks=(f"{OFFICE}/32",))
    desk.bank.peer = OFFICE
    desk.settings(
        tls_certificate=desk.bank.home / "any.pem"
    )  # a network is fine: the listener encrypts
    assert desk.reveal(office)[0].status == 200
    desk.bank.peer = HOME
    for header in (("x-forwarded-for", OFFICE), ("forwarded", f"for={OFFICE}")):
        (answer,) = desk.reveal([*office, header])
        assert answer.status == 403
        assert "place.network" in {reason["rule"] for reason in answer.body["reasons"]}


def test_the_same_through_the_proxy_with_the_offices_address_written_first(desk):
    behind_proxy(desk)
    office = token(desk, networks=(f"{OFFICE}/32",))
    assert desk.reveal([*office, ("x-forwarded-for", OFFICE)])[0].status == 200
    for headers in (
        [("x-forwarded-for", f"{OFFICE}, {HOME}")],
        [("x-forwarded-for", OFFICE), ("x-forwarded-for", HOME)],
        [("forwarded", f"for={OFFICE}"), ("x-forwarded-for", HOME)],
    ):
        (answer,) = desk.reveal([*office, *headers])
        assert answer.status == 403, headers


def test_a_request_that_comes_in_clear_past_the_proxy(desk):
    behind_proxy(desk)
    plain = token(desk)
    assert desk.reveal([*plain, ("x-forwarded-for", HOME)])[0].status == 200
    before = len(desk.bank.leaves())
    desk.bank.peer = HOME
    (answer,) = desk.reveal(plain)
    assert (answer.status, answer.body["code"]) == (403, "not_encrypted")
    assert len(desk.bank.leaves()) == before
    (health,) = desk.send("GET", "/healthz", b"", [])
    assert health.status == 200


# ── client certificates ─────────────────────────────────────────────────────────────────────────────────────────


def client_cert(der):
    return ("client-cert", f":{base64.b64encode(der).decode()}:")


@pytest.fixture
def bound(desk):
    der = certificate()
    x5t = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    headers = token(desk, x5t=x5t)
    behind_proxy(desk, proxy_client_cert=True)
    (answer,) = desk.reveal([*headers, client_cert(der)])
    assert answer.status == 200, answer.body
    assert desk.bank.leaves("decision.made")[-1]["level"] == "possession"
    return headers, der


def not_let_in(desk, headers):
    before = len(desk.bank.leaves())
    (answer,) = desk.reveal(headers)
    assert (answer.status, answer.body["code"]) == (401, "not_authenticated")
    assert len(desk.bank.leaves()) == before


def test_a_token_bound_to_a_certificate_without_it(desk, bound):
    headers, _ = bound
    not_let_in(desk, headers)
    not_let_in(desk, [*headers, client_cert(certificate())])


def test_the_certificate_which_is_public_in_a_header_of_an_untrusted_peer(desk, bound):
    headers, der = bound
    desk.bank.peer = "127.0.0.1"  # on the machine, but no proxy
    not_let_in(desk, [*headers, client_cert(der)])


def test_the_same_through_a_proxy_that_does_not_look_at_certificates(desk, bound):
    headers, der = bound
    desk.settings(proxy_client_cert=False)
    not_let_in(desk, [*headers, client_cert(der)])


@pytest.mark.parametrize(
    "name",
    ["client_cert", "x-client-cert", "x-ssl-client-cert", "ssl-client-cert", "client-cert-chain"],
)
def test_a_certificate_under_another_name_which_the_proxy_lets_through(desk, bound, name):
    headers, der = bound
    not_let_in(desk, [*headers, (name, client_cert(der)[1])])
    digest = hashlib.sha256(der).hexdigest()
    not_let_in(desk, [*headers, ("x-forwarded-client-cert", f"By=proxy;Hash={digest}")])


@pytest.mark.parametrize(
    "value", ["", ":", "::", ":AAA:", ":ä:", "AAAA", ":AAAA: ", ":" + "A" * 20_000 + ":"]
)
def test_a_certificate_that_is_written_wrongly(desk, bound, value):
    headers, _ = bound
    (answer,) = desk.reveal([*headers, ("client-cert", value)])
    assert (answer.status, answer.body["field"]) == (400, "Client-Cert")


def test_two_certificates(desk, bound):
    headers, der = bound
    (answer,) = desk.reveal([*headers, client_cert(der), client_cert(certificate())])
    assert (answer.status, answer.body["field"]) == (400, "client-cert")


def test_a_certificate_does_not_stand_in_for_a_key(desk, bound):
    _, der = bound
    both = desk.bank.new_token(desk.bank.agent, jkt=desk.holder.jkt)
    not_let_in(desk, [("authorization", f"Bearer {both.token}"), client_cert(der)])
