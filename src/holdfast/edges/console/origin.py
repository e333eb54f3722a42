"""Against forged requests: what changes something must come from one of our own pages.

Browsers say where a request comes from, in ``Sec-Fetch-Site`` or, older ones, in ``Origin``; a page cannot forge
either. What says neither is no browser of ours and is refused too: programs use the data plane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied

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

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Refuse before the view runs; Django shows its 403 page."""
        if request.method not in _SAFE and not _own(request):
            raise PermissionDenied


def _own(request: HttpRequest) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.get_host()
