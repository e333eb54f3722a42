"""The console's pages: thin, the work is in ``status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from holdfast.edges.console.status import Lookout
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.shell import places_of
from holdfast.pages.who import signed_in

if TYPE_CHECKING:
    from django.http import HttpRequest
_LOOKOUT = Lookout(settings.HOUSE)


@needs(Permission.NOTHING_TOLD)
@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Lead everybody to where their work is: the desk, the floor, their account; who is nobody yet, to sign in."""
    who = signed_in(request)
    if who is None:
        return HttpResponseRedirect(settings.LOGIN_URL)
    places = places_of(who)
    return HttpResponseRedirect(places[0].href if places else "/account")


@needs(Permission.THIS_MACHINE)
@require_safe
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """Show how the house is: stores, data plane, clients, logs, checks."""
    return render(request, "console/status.html", {"house": _LOOKOUT.status()})


@needs(Permission.NOTHING_TOLD)
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's interface
    """Say that the process answers."""
    return HttpResponse('{"status": "ok"}\n', content_type="application/json")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """400: also an unknown host."""
    return _problem(request, 400, "This request is malformed", "Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """403 of the console itself; a denied look is answered by the data plane."""
    return _problem(
        request,
        403,
        "This page is not for you here",
        "It opens for the operator at this machine, by http://localhost, without a proxy in between.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """404, in the same words for everything that is not there."""
    return _problem(
        request, 404, "There is no such page", "The status page links to all there are."
    )


def internal_error(request: HttpRequest) -> HttpResponse:
    """500: the log has type and place of the error."""
    return _problem(
        request,
        500,
        "Something went wrong on our side",
        "The console's log says where; please report it.",
    )


def _problem(request: HttpRequest, status_code: int, title: str, remedy: str) -> HttpResponse:
    context = {"status": status_code, "title": title, "remedy": remedy}
    return render(request, "console/problem.html", context, status=status_code)
