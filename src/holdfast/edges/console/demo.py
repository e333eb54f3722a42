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
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.network import services
from holdfast.spine.identity.models import Person
from holdfast.spine.identity.people import person_of_staff
from holdfast.vocabulary.levels import SignIn

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

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
    offered = staff_id in {one["staff_id"] for one in personas()}
    person = house().read(person_of_staff(staff_id)) if offered else None
    if person is None:
        raise Http404
    request.shown_by = ShownBy(method=_BY_CLICK.value)  # type: ignore[attr-defined]
    get_adapter().login(request, Person(id=person, staff_id=staff_id))
    return HttpResponseRedirect("/")


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
