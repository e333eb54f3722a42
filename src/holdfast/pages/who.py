"""Who asks for a page: the live session of its cookie, looked up for each request, never remembered."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Final, TypeVar, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from holdfast.kit.errors import Unavailable
from holdfast.pages.house import house, work_as
from holdfast.pages.refusals import page_of
from holdfast.spine.identity import sessions
from holdfast.spine.identity.models import Person
from holdfast.spine.identity.proxies import client_address
from holdfast.spine.turn.answers import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    from holdfast.spine.identity.sessions import SignedIn

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")
_POLLED: Final = "holdfast_polled"


class WhoMiddleware:
    """Puts the live session, or None, at ``request.who``, and lets the house work in its person's name.

    What a person does keeps their session alive; a page that asks by itself (:func:`polled`) does not.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        try:
            name_who(request)
        except Unavailable as error:
            return page_of(request, error)
        try:
            return self._answer(request)
        finally:
            work_as(b"")

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], _args: object, _kwargs: object
    ) -> None:
        """Note that the person does something, unless the page asks by itself."""
        who = signed_in(request)
        now_us = house().clock.now_us()
        if who and not getattr(view, _POLLED, False) and sessions.wants_keeping(who, now_us):
            house().transact(sessions.keep(who.id, now_us))


def name_who(request: HttpRequest) -> None:
    """Look up whose cookie came with the request; again after it has changed."""
    key = request.session.session_key
    hashed = sessions.hash_cookie(key) if key else b""
    work_as(hashed)
    found = house().read(sessions.signed_in(hashed, house().clock.now_us())) if key else None
    request.who = found  # type: ignore[attr-defined]  # Django's way to hand something on
    request.user = _user(found)


def _user(found: SignedIn | None) -> Person | AnonymousUser:
    """The person as allauth's views know them: by their id, with nothing else loaded."""
    if found is None:
        return AnonymousUser()
    return Person(id=found.person, staff_id=found.staff_id, label=found.label, password="!")  # noqa: S106


def signed_in(request: HttpRequest) -> SignedIn | None:
    """Return the live session that the request came with, or None."""
    found: SignedIn | None = getattr(request, "who", None)
    return found


def who_of(request: HttpRequest) -> SignedIn:
    """Return the session of a page that only somebody who is signed in may open."""
    found = signed_in(request)
    assert found is not None, "the page's permission asks for a session"
    return found


def polled(view: View) -> View:
    """Declare that a page asks for this address by itself: that keeps nobody's session alive."""

    @wraps(view)
    def asked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    setattr(asked, _POLLED, True)
    return cast("View", asked)


def asked_of(request: HttpRequest, *, client: str, contact: str, collection: str = "") -> Asked:
    """Return who asks what of which client, for an operation of the spine."""
    key = request.session.session_key or ""
    return Asked(
        client=client,
        collection=collection,
        contact=contact,
        secret_hash=sessions.hash_cookie(key),
        session=True,
        peer=peer_of(request),
    )


def peer_of(request: HttpRequest) -> str:
    """Return the network address of who asks; "" where a trusted proxy hides it."""
    meta = request.META
    return client_address(
        meta.get("REMOTE_ADDR", ""),
        settings.HOUSE.trusted_proxies,
        forwarded=meta.get("HTTP_FORWARDED"),
        x_forwarded_for=meta.get("HTTP_X_FORWARDED_FOR"),
    )
