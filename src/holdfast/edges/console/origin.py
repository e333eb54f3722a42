"""Against forged requests: what changes something must come from one of our own pages.

Browsers say where a request comes from, in ``Sec-Fetch-Site`` or, older ones, in ``Origin``; a page cannot forge
either. What says neither is no browser of ours and is refused too.

One address is for programs that show a token of their own (SCIM): they say neither, and need not. A forged request is
one that a browser sends with its user's cookie; one without our cookie, and with an `Authorization` header, which a
page cannot add to a request to another origin, is nobody's but the token's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied

from holdfast.pages.permissions import Permission, declared_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginMiddleware:
    """Refuses a request that could change something and does not come from a page of this origin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request, or refuse it."""
        return self._answer(request)

    def process_view(self, request: HttpRequest, view: object, *_: object) -> None:
        """Refuse before the view runs; Django shows its 403 page."""
        if request.method in _SAFE or _own(request):
            return
        if declared_of(view) is not Permission.OWN_TOKEN or not _by_token_alone(request):
            raise PermissionDenied


def _by_token_alone(request: HttpRequest) -> bool:
    """Whether a program asks: it names no site, brings none of our cookies, and shows a token."""
    browser = "sec-fetch-site" in request.headers or "origin" in request.headers
    cookie = settings.SESSION_COOKIE_NAME in request.COOKIES
    return not browser and not cookie and "authorization" in request.headers


def _own(request: HttpRequest) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.get_host()
