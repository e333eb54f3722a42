"""One click to be anybody: in the demo house, on this machine, and nowhere else (check ``house.E005``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypedDict

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from holdfast.edges.checks.house import DEMO_FILE
from holdfast.edges.console.passkeys import ShownBy
from holdfast.kit.db import Round
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.network import services
from holdfast.spine.identity.models import Person
from holdfast.spine.identity.store import PERSONS_BY_STAFF
from holdfast.vocabulary.levels import SignIn

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from holdfast.kit.db import Rows, Work

_BY_CLICK: Final = SignIn.DEMO


class Persona(TypedDict):
    """Somebody whom the demo offers."""

    staff_id: str
    role: str
    does: str


def personas() -> tuple[Persona, ...]:
    """Return whom the demo offers; nobody, anywhere else."""
    if not settings.HOUSE.demo:
        return ()
    state = json.loads((settings.HOUSE.home / DEMO_FILE).read_text())
    return tuple(state.get("personas", ()))


@needs(Permission.THIS_MACHINE)
@require_POST
@never_cache
def be(request: HttpRequest, staff_id: str) -> HttpResponseBase:
    """Sign in as a persona."""
    if staff_id not in {one["staff_id"] for one in personas()}:
        raise Http404
    rows = house().read(_named(staff_id))
    request.shown_by = ShownBy(method=_BY_CLICK.value)  # type: ignore[attr-defined]
    get_adapter().login(request, Person(id=rows[0][0], staff_id=staff_id))
    return HttpResponseRedirect("/")


def _named(staff_id: str) -> Work[Rows]:
    (rows,) = yield Round(data=(PERSONS_BY_STAFF(staff_id=staff_id),))
    return rows


@needs(Permission.SIGNED_IN)
@require_POST
@never_cache
def confirm(request: HttpRequest) -> HttpResponseBase:
    """Confirm by a click, in a session that began with one."""
    if not settings.HOUSE.demo or who_of(request).method != _BY_CLICK:
        raise Http404
    challenge = request.POST.get("challenge", "")[:64]
    house().transact(services.confirm(house(), challenge, _BY_CLICK))
    wanted = request.POST.get("next", "")
    return HttpResponseRedirect(wanted if wanted.startswith("/desk/") else "/")
