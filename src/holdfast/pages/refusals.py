"""What a page shows when the house refuses: the error's own words and remedy, and each rule that stood against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from holdfast.kit.errors import (
    Conflict,
    Denied,
    HoldfastError,
    IntegrityBroken,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooMany,
    Unavailable,
)
from holdfast.pages.house import leave

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase


class RefusalMiddleware:
    """Turns what the house raises in a view into a page; what nobody expected stays an error of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        return self._answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Show what the house said; Django asks when a view has raised."""
        if isinstance(error, NotAuthenticated):
            back = urlencode({"next": request.path})
            return HttpResponseRedirect(f"{settings.LOGIN_URL}?{back}")
        if isinstance(error, OperationalError | InterfaceError):
            error = Unavailable("the store does not answer", remedy="Try again in a moment.")
        known = (Denied, NotFound, Conflict, InvalidInput, TooMany, Unavailable, IntegrityBroken)
        return page_of(request, error) if isinstance(error, known) else None


def page_of(request: HttpRequest, error: HoldfastError) -> HttpResponse:
    """Return the page of an error. A store that does not answer is opened anew by the next request."""
    if isinstance(error, Unavailable):
        leave()
    page = {
        "status": error.status,
        "title": _title(error),
        "said": "" if isinstance(error, NotFound) else error.message,
        "remedy": error.remedy,
        "reasons": getattr(error, "reasons", ()),
    }
    answer = render(request, "console/problem.html", page, status=error.status)
    if isinstance(error, Unavailable | TooMany):
        answer["Retry-After"] = str(error.retry_after_s)
    return answer


def _title(error: HoldfastError) -> str:
    titles = (
        (Denied, _("This is refused")),
        (NotFound, _("There is no such page")),
        (Conflict, _("Not now")),
        (InvalidInput, _("Something is missing or wrong")),
        (TooMany, _("Too often just now")),
        (IntegrityBroken, _("What is stored does not verify: tell security")),
    )
    found = (title for kind, title in titles if isinstance(error, kind))
    return next(found, _("The house does not answer just now"))
