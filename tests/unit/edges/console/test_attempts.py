"""Attempts to sign in are counted in the store, for all processes, and for strangers apart from known browsers."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace

import pytest
from django.conf import settings

from holdfast.edges.console.attempts import KNOWN, STRANGERS, Bound, site_of, take
from holdfast.edges.console.safety import unsafe
from holdfast.kit.clock import MINUTE_US, SECOND_US
from support.stores import SmallHouse

FEW = (Bound("few", 3, MINUTE_US),)


@pytest.fixture
def house(tmp_path):
    house = SmallHouse(tmp_path / "house")
    yield house
    house.close()


def tried(house, about="192.0.2.7", bounds=FEW):
    return house.transact(take(bounds, about, house.clock.now_us()))


def test_so_many_go_on_and_the_next_waits_until_the_window_ends(house):
    assert [tried(house) for _ in range(3)] == [0, 0, 0]
    house.clock.advance(20 * SECOND_US)
    assert 40 <= tried(house) <= 41


def test_a_refused_attempt_does_not_lengthen_the_wait(house):
    for _ in range(3):
        tried(house)
    house.clock.advance(59 * SECOND_US)
    assert tried(house) > 0
    house.clock.advance(1 * SECOND_US)
    assert [tried(house) for _ in range(3)] == [0, 0, 0]
    assert tried(house) > 0


def test_each_address_and_each_bound_is_counted_for_itself(house):
    for _ in range(4):
        tried(house)
    assert tried(house, "192.0.2.8") == 0
    assert tried(house, bounds=(Bound("other", 3, MINUTE_US),)) == 0


def test_another_process_counts_on(house):
    for _ in range(3):
        tried(house)
    other = SmallHouse(house.settings.home, house.clock, fresh=False)
    with closing(other):
        assert other.transact(take(FEW, "192.0.2.7", house.clock.now_us())) > 0


def test_a_floor_signs_in_from_one_address_within_a_minute(house):
    """A hundred people: each begins a ceremony and answers it."""
    assert all(tried(house, bounds=STRANGERS) == 0 for _ in range(200))


def test_a_known_browser_has_its_own_bound(house):
    assert [tried(house, "brw_1", KNOWN) for _ in range(KNOWN[0].most)] == [0] * KNOWN[0].most
    assert tried(house, "brw_1", KNOWN) > 0
    assert tried(house, "brw_2", KNOWN) == 0


@pytest.mark.parametrize(
    ("peer", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", ""),
    ],
)
def test_an_address_is_what_one_subscriber_has(peer, site):
    assert site_of(peer) == site


def test_the_console_starts_as_it_is_set_up():
    assert list(unsafe(settings)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", True),
        ("MFA_TOTP_INSECURE_BYPASS_CODE", "000000"),
        ("MFA_WEBAUTHN_USER_VERIFICATION", "discouraged"),
        ("MFA_PASSKEY_SIGNUP_ENABLED", True),
        ("MFA_TRUST_ENABLED", True),
        ("MFA_ADAPTER", "allauth.mfa.adapter.DefaultMFAAdapter"),
        ("ACCOUNT_LOGIN_BY_CODE_ENABLED", True),
        ("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"]),
        ("SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies"),
        ("SESSION_COOKIE_HTTPONLY", False),
        ("DEBUG", True),
    ],
)
def test_it_does_not_start_with_a_setting_that_weakens_signing_in(name, value):
    as_set = {key: getattr(settings, key) for key in dir(settings) if key.isupper()}
    assert list(unsafe(SimpleNamespace(**as_set | {name: value}))) == [name]


def test_beyond_this_machine_cookies_travel_encrypted():
    as_set = {key: getattr(settings, key) for key in dir(settings) if key.isupper()}
    reached = SimpleNamespace(origin="https://holdfast.example")
    weak = SimpleNamespace(**as_set | {"HOUSE": reached, "SESSION_COOKIE_SECURE": False})
    assert list(unsafe(weak)) == ["SESSION_COOKIE_SECURE"]
