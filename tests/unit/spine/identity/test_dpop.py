"""Proofs of possession: what RFC 9449 wants of one, member by member."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kit.crypto.holder import key_of_jwk
from holdfast.kit.errors import NotAuthenticated
from holdfast.spine.identity import dpop
from holdfast.spine.identity.dpop import Addressed, address_of, check
from support.holders import Holder, b64, compact
from support.stores import NOON_US

TOKEN = "hft_" + "t" * 43
HERE = Addressed("POST", "/v1/reveal", frozenset({"http://localhost:8461", "https://a.example"}))
HOLDERS = {name: Holder(name) for name in ("ES256", "EdDSA")}

# RFC 9449, figures 5, 8 and 12: the example of a protected resource, and the key's thumbprint.
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
    "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm9"
    "0ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVF"
    "FbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
RFC_JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
RFC_RESOURCE = Addressed("GET", "/protectedresource", frozenset({"https://resource.example.org"}))
RFC_TIME_US = 1_562_262_618_000_000


def refused(proof, why, *, token=TOKEN, here=HERE, now_us=NOON_US):
    with pytest.raises(NotAuthenticated) as error:
        check(proof, token, here, now_us)
    assert error.value.code == "invalid_dpop_proof"
    assert why in str(error.value)


@pytest.fixture(params=HOLDERS)
def holder(request):
    return HOLDERS[request.param]


def test_the_example_of_the_rfc():
    proved = check(RFC_PROOF, RFC_TOKEN, RFC_RESOURCE, RFC_TIME_US)
    assert proved.jkt == RFC_JKT
    refused(RFC_PROOF, "iat", token=RFC_TOKEN, here=RFC_RESOURCE)


def test_the_thumbprint_of_rfc_8037():
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert key_of_jwk(jwk).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_good_proof_names_its_key_and_is_remembered_longer_than_it_is_accepted(holder):
    proof = holder.proof(TOKEN, NOON_US, jti="one")
    proved = check(proof, TOKEN, HERE, NOON_US)
    assert proved.jkt == holder.jkt
    assert proved.until_us == NOON_US + 60_000_000
    again = check(holder.proof(TOKEN, NOON_US + 5_000_000, jti="one"), TOKEN, HERE, NOON_US)
    assert again.use == proved.use, "the same number of the same key is the same use"
    other = check(HOLDERS["ES256"].proof(TOKEN, NOON_US, jti="two"), TOKEN, HERE, NOON_US)
    assert other.use != proved.use


def test_two_holders_may_use_the_same_number():
    uses = {
        check(holder.proof(TOKEN, NOON_US, jti="one"), TOKEN, HERE, NOON_US).use
        for holder in HOLDERS.values()
    }
    assert len(uses) == 2


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_a_clock_that_differs_by_a_minute(holder, seconds):
    proof = holder.proof(TOKEN, NOON_US, iat=NOON_US // 1_000_000 + seconds)
    assert check(proof, TOKEN, HERE, NOON_US).jkt == holder.jkt


@pytest.mark.parametrize("iat", [-61, 61, 61.5, -(10**9)])
def test_a_proof_of_another_time(holder, iat):
    refused(holder.proof(TOKEN, NOON_US, iat=NOON_US // 1_000_000 + iat), "iat")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"htm": "GET"}, "htm"),
        ({"htm": "post"}, "htm"),
        ({"htu": "http://localhost:8461/v1/search"}, "htu"),
        ({"htu": "http://localhost:9999/v1/reveal"}, "htu"),
        ({"htu": "https://localhost:8461/v1/reveal"}, "htu"),
        ({"htu": "http://evil.example/v1/reveal"}, "htu"),
        ({"htu": "http://user@localhost:8461/v1/reveal"}, "htu"),
        ({"htu": "/v1/reveal"}, "htu"),
        ({"htu": "http://localhost:port/v1/reveal"}, "htu"),
        ({"htu": "http://[::1/v1/reveal"}, "htu"),
        ({"ath": b64(b"x" * 32)}, "ath"),
        ({"ath": ""}, "ath"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 129}, "jti"),
        ({"jti": 7}, "needs jti"),
        ({"iat": "now"}, "needs jti"),
        ({"htu": None}, "needs jti"),
    ],
)
def test_a_proof_for_something_else(holder, claims, why):
    refused(holder.proof(TOKEN, NOON_US, **claims), why)


@pytest.mark.parametrize("member", ["jti", "htm", "htu", "iat", "ath", "typ", "alg", "jwk"])
def test_a_proof_that_lacks_a_member(holder, member):
    refused(holder.proof(TOKEN, NOON_US, drop=(member,)), "needs")


@pytest.mark.parametrize(
    "url",
    [
        "HTTP://LocalHost:8461/v1/reveal",
        "http://localhost:8461/v1/reveal?page=2#top",
        "http://localhost:8461/v1/%72eveal",
        "https://a.example:443/v1/reveal",
    ],
)
def test_an_address_may_be_written_in_several_ways(holder, url):
    assert check(holder.proof(TOKEN, NOON_US, htu=url), TOKEN, HERE, NOON_US).jkt == holder.jkt


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "ES384"},
        {"alg": "es256"},
        {"typ": "JWT"},
        {"typ": "dpop+JWT"},
        {"crit": ["exp"], "exp": 1},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"jwk": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": b64(b"\1" * 32), "y": b64(b"\1" * 32)}},
        {"jwk": {"kty": "OKP", "crv": "X25519", "x": b64(b"\1" * 32)}},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": 1}},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "ä" * 43}},
        {"jwk": []},
        {"jwk": {}},
    ],
)
def test_a_header_that_is_none(holder, header):
    with pytest.raises(NotAuthenticated):
        check(holder.proof(TOKEN, NOON_US, header=header), TOKEN, HERE, NOON_US)


def test_a_key_of_the_other_kind(holder):
    other = HOLDERS["EdDSA" if holder.algorithm == "ES256" else "ES256"]
    refused(holder.proof(TOKEN, NOON_US, header={"jwk": other.jwk}), "go together")


def test_the_key_of_somebody_else(holder):
    stranger = Holder(holder.algorithm)
    refused(holder.proof(TOKEN, NOON_US, header={"jwk": stranger.jwk}), "signature")


@pytest.mark.parametrize("member", ["d", "k", "p"])
def test_a_private_key_in_the_header(holder, member):
    jwk = {**holder.jwk, member: b64(b"\1" * 32)}
    refused(holder.proof(TOKEN, NOON_US, header={"jwk": jwk}), "private")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c", "=.=.=", "ä.ö.ü"])
def test_what_is_no_proof_at_all(text):
    refused(text, "not accepted")


def test_a_proof_that_is_too_long(holder):
    refused(holder.proof(TOKEN, NOON_US, more="x" * 4000), "over 4096 bytes")
    refused(holder.proof(TOKEN, NOON_US, header={"more": "x" * 1000}), "over 1024 bytes")


def test_a_header_nested_so_deeply_that_a_parser_gives_up(holder):
    deep = b64(b'{"typ":' + b"[" * 700)
    refused(f"{deep}.{deep}.{deep}", "header needs")
    head = b64(compact({"typ": "dpop+jwt", "alg": holder.algorithm, "jwk": holder.jwk}))
    deep = b64(b'{"jti":' + b"[" * 2000)
    refused(f"{head}.{deep}.AA", "needs jti")


@given(st.data())
def test_a_proof_with_one_byte_changed_is_never_accepted(data):
    holder = HOLDERS["ES256"]
    parts = [
        base64.urlsafe_b64decode(part + "==") for part in holder.proof(TOKEN, NOON_US).split(".")
    ]
    number = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, len(parts[number]) - 1))
    changed = bytearray(parts[number])
    changed[place] ^= data.draw(st.integers(1, 255))
    parts[number] = bytes(changed)
    with pytest.raises(NotAuthenticated):
        check(".".join(b64(part) for part in parts), TOKEN, HERE, NOON_US)


@given(st.text(alphabet="abc._-=äß\0 ", max_size=60))
def test_any_text_is_refused_and_nothing_else_happens(text):
    with pytest.raises(NotAuthenticated):
        check(text, TOKEN, HERE, NOON_US)


@given(st.text(max_size=60))
def test_any_address_can_be_compared(text):
    origin, _ = address_of(text)
    assert origin not in HERE.origins


def test_a_number_that_only_looks_like_a_time(holder):
    body = {"jti": "1", "htm": "POST", "htu": "http://localhost:8461/v1/reveal", "ath": ""}
    for iat in ("1e999", "-1e999", "1e400"):
        text = json.dumps(body)[:-1] + f', "iat": {iat}}}'
        head = b64(compact({"typ": "dpop+jwt", "alg": holder.algorithm, "jwk": holder.jwk}))
        signed = f"{head}.{b64(text.encode())}"
        refused(f"{signed}.{b64(holder.sign(signed.encode()))}", "")


def test_what_the_door_announces_is_what_is_accepted():
    assert set(dpop.ALGORITHMS) == set(HOLDERS)
