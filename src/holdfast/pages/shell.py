"""What every page has around it: who is signed in, and where their work is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy as _

from holdfast.pages.who import signed_in
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

    from holdfast.spine.identity.sessions import SignedIn


class Place(NamedTuple):
    """One entry of the navigation."""

    href: str
    label: _StrPromise
    roles: frozenset[Role]  # empty: everybody who is signed in


DESK = Place("/desk", _("Desk"), frozenset({Role.AGENT, Role.LEAD}))
PLACES = (
    Place("/floor", _("Floor"), frozenset({Role.LEAD})),
    DESK,
    Place("/portal", _("Your log"), frozenset({Role.CLIENT_USER, Role.AUDITOR})),
    Place("/reports", _("Reports"), frozenset({Role.SECURITY})),
    Place("/people", _("People"), frozenset({Role.ADMIN, Role.SECURITY, Role.LEAD})),
)


def places_of(who: SignedIn) -> list[Place]:
    """Where a person's work is, by their roles in the house; whoever has none of them works at the desk."""
    found = [place for place in PLACES if not place.roles or place.roles & who.roles]
    return found or [DESK]


def shell(request: HttpRequest) -> Mapping[str, object]:
    """Return what the frame of every page shows; Django calls it a context processor."""
    who = signed_in(request)
    if who is None:
        return {"who": None, "places": ()}
    return {"who": who, "places": places_of(who), "here": request.path}
