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


class Place(NamedTuple):
    """One entry of the navigation."""

    href: str
    label: _StrPromise
    roles: frozenset[Role]  # empty: everybody who is signed in


PLACES = (Place("/desk", _("Desk"), frozenset({Role.AGENT, Role.LEAD})),)


def shell(request: HttpRequest) -> Mapping[str, object]:
    """Return what the frame of every page shows; Django calls it a context processor."""
    who = signed_in(request)
    if who is None:
        return {"who": None, "places": ()}
    shown = [
        place for place in PLACES if not place.roles or not who.roles or place.roles & who.roles
    ]
    return {"who": who, "places": shown, "here": request.path}
