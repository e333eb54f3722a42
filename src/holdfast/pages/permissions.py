"""Every page says who may open it; one that says nothing keeps the console from starting.

A path never authorises: the declaration stands on the view, and :func:`undeclared` walks all of them at start-up.
"""

from __future__ import annotations

from enum import StrEnum
from functools import wraps
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.urls import URLPattern, URLResolver

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


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare on a view who may open it; anybody else gets 403."""

    def declared(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not _holds(request, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        setattr(guarded, _MARK, permission)
        return cast("View", guarded)

    return declared


def _holds(request: HttpRequest, permission: Permission) -> bool:
    match permission:
        case Permission.NOTHING_TOLD:
            return True
        case Permission.THIS_MACHINE:
            return _from_this_machine(request)


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
