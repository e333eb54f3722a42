"""Every page says who may open it; one that says nothing keeps the console from starting.

A path never authorises: the declaration stands on the view, and :func:`undeclared` walks all of them at start-up.
"""

from __future__ import annotations

from enum import StrEnum
from functools import wraps
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import URLPattern, URLResolver
from django.utils.http import urlencode

from holdfast.pages.who import signed_in
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponseBase

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")
_MARK: Final = "holdfast_permission"
# What a reverse proxy adds. With one in between, a loopback peer says nothing about who asks.
_FORWARDED: Final = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


class Permission(StrEnum):
    """All permissions that a page can ask for."""

    NOTHING_TOLD = (
        "nothing_told"  # the answer is the same for everybody and says nothing about the house
    )
    THIS_MACHINE = (
        "this_machine"  # the operator at this machine: a loopback peer and no proxy in between
    )
    OWN_TOKEN = "own_token"  # noqa: S105  a program that shows a token, which the view itself asks for
    SIGNED_IN = "signed_in"  # whoever signed in; what the page does is judged where it does it
    LEADS = "leads"
    REPORT_READERS = "report_readers"
    CLIENTS_OWN = (
        "clients_own"  # a client's users and auditors; of which client is judged by the path
    )


_OPEN: Final = frozenset({Permission.NOTHING_TOLD, Permission.THIS_MACHINE, Permission.OWN_TOKEN})
#: Which roles open a page. What it shows and does is judged besides, by the path.
_ROLES: Final = {
    Permission.REPORT_READERS: frozenset({Role.SECURITY}),
    Permission.CLIENTS_OWN: frozenset({Role.CLIENT_USER, Role.AUDITOR}),
    Permission.LEADS: frozenset({Role.LEAD, Role.SECURITY, Role.ADMIN}),
}


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare on a view who may open it. Who is not signed in may do so first; anybody else gets 403."""

    def declared(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if permission not in _OPEN and signed_in(request) is None:
                return _sign_in_first(request)
            if not _holds(request, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        setattr(guarded, _MARK, permission)
        return cast("View", guarded)

    return declared


def declared_of(view: object) -> Permission | None:
    """Return what a view declares that it needs."""
    found: Permission | None = getattr(view, _MARK, None)
    return found


def _sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """Send to the sign-in page, and from there back; what was typed into a form is not sent along."""
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else _page_of(request)
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': back})}")


def _page_of(request: HttpRequest) -> str:
    """The page that a form was sent from, if it is one of ours: its path."""
    there = urlsplit(request.headers.get("referer", ""))
    return there.path if there.netloc == request.get_host() and there.path else "/"


def _holds(request: HttpRequest, permission: Permission) -> bool:
    match permission:
        case Permission.NOTHING_TOLD | Permission.OWN_TOKEN:
            return True
        case Permission.THIS_MACHINE:
            return _from_this_machine(request)
        case Permission.SIGNED_IN:
            return True
        case Permission.LEADS | Permission.REPORT_READERS | Permission.CLIENTS_OWN:
            who = signed_in(request)
            return who is not None and bool(who.roles & _ROLES[permission])


def _from_this_machine(request: HttpRequest) -> bool:
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def undeclared(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Name every path whose view declares no permission."""
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from undeclared(entry.url_patterns, path)
        elif getattr(entry.callback, _MARK, None) is None:
            yield path
