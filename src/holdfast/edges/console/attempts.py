"""How often somebody may try to sign in: counted in the store, so for all processes, and over when its time is over.

Strangers are counted by their network address. A browser in which somebody has signed in before shows that by a cookie
and is counted for itself: whoever floods an address uses up what strangers have there, and nothing of that browser's.

Codes are short enough to be guessed, so they are counted by the person as well: those from browsers in which the person
signed in before apart from everybody else's. A guesser uses up strangers' attempts; passkeys are never counted so.
"""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from django.conf import settings

from holdfast.edges.console.store import ATTEMPT_UNTIL, TAKE_ATTEMPT
from holdfast.kit.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken, TooMany
from holdfast.kit.ids import new_reference
from holdfast.pages.house import house
from holdfast.pages.who import peer_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from holdfast.kit.db import Work

COOKIE: Final = "known-browser"
LIFE_US: Final = 90 * DAY_US
_KIND: Final = "known-browser"
_MOST_PERSONS: Final = 8  # who share a workstation
_V6_SITE: Final = 64  # bits: one subscriber draws addresses from that many as they like


class Bound(NamedTuple):
    """At most ``most`` attempts in a window, which begins with the first."""

    name: str
    most: int
    window_us: int


#: Each attempt leaves a sealed row of the browser's. A floor that begins its shift behind one address stays below.
STRANGERS: Final = (
    Bound("address-minute", 240, MINUTE_US),
    Bound("address-hour", 3000, HOUR_US),
)
KNOWN: Final = (Bound("browser", 30, MINUTE_US),)
#: Three of a million codes are good at a time: who guesses for a year has a chance of one in forty-five.
CODES: Final = (Bound("code-quarter", 5, 15 * MINUTE_US), Bound("code-day", 20, DAY_US))


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser in which somebody signed in before shows: its own name, and who they were."""

    browser: str
    persons: tuple[str, ...]
    until_us: int


def take(bounds: tuple[Bound, ...], about: str, now_us: int) -> Work[int]:
    """Count one attempt about an address or a browser; return for how many seconds it is refused, 0 for not at all."""
    for bound in bounds:
        key = f"{bound.name}:{about}"
        query = TAKE_ATTEMPT(
            about=key, until_us=now_us + bound.window_us, now=now_us, most=bound.most
        )
        (rows,) = yield Round(data=(query,))
        if not rows:
            (until,) = yield Round(data=(ATTEMPT_UNTIL(about=key),))
            left_us = max(int(until[0][0]) - now_us, 0) if until else 0
            return left_us // SECOND_US + 1
    return 0


def count_attempt(request: HttpRequest) -> None:
    """Count an attempt to sign in; :class:`TooMany`, with how long to wait, when there were enough of them."""
    known = known_browser(request)
    bounds, about = (
        (KNOWN, known.browser) if known is not None else (STRANGERS, site_of(peer_of(request)))
    )
    wait_s = house().transact(take(bounds, about, house().clock.now_us()))
    if wait_s:
        raise TooMany("too many attempts to sign in came from here", retry_after_s=wait_s)


def count_code(request: HttpRequest, person: str) -> None:
    """Count a code that somebody tries for a person; :class:`TooMany` when there were enough of them."""
    known = known_browser(request)
    ours = known is not None and person in known.persons
    about = f"{person}@{known.browser}" if known is not None and ours else person
    wait_s = house().transact(take(CODES, about[:200], house().clock.now_us()))
    if wait_s:
        raise TooMany(
            "too many codes were tried for this person; a passkey works meanwhile",
            retry_after_s=wait_s,
        )


def site_of(peer: str) -> str:
    """Return what counts as one address: an IPv4 address, or the network of an IPv6 subscriber."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _V6_SITE), strict=False))


def known_browser(request: HttpRequest) -> Known | None:
    """Return what the browser shows of earlier sign-ins; None when nothing that the house sealed, or too old."""
    with suppress(binascii.Error, IntegrityBroken, ValueError, KeyError, TypeError):
        sealed = base64.urlsafe_b64decode(request.COOKIES[cookie_name()].encode())
        known = msgspec.convert(json.loads(house().console_key.unseal(_KIND, sealed)), Known)
        if known.until_us > house().clock.now_us():
            return known
    return None


def remember(request: HttpRequest, response: HttpResponse, person: str) -> None:
    """Let the browser show from now on that this person has signed in there."""
    known = known_browser(request)
    others = tuple(one for one in known.persons if one != person) if known else ()
    shown = Known(
        browser=known.browser if known else new_reference("brw"),
        persons=(person, *others)[:_MOST_PERSONS],
        until_us=house().clock.now_us() + LIFE_US,
    )
    sealed = house().console_key.seal(_KIND, msgspec.json.encode(shown))
    response.set_cookie(
        cookie_name(),
        base64.urlsafe_b64encode(sealed).decode(),
        max_age=LIFE_US // SECOND_US,
        secure=settings.SESSION_COOKIE_NAME.startswith("__Host-"),
        httponly=True,
        samesite="Lax",
    )


def cookie_name() -> str:
    """Return the cookie's name: browsers keep one that begins so to this host, and send it encrypted only."""
    prefix = "__Host-" if settings.SESSION_COOKIE_NAME.startswith("__Host-") else ""
    return prefix + COOKIE
