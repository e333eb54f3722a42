"""Showing a factor again, in place: for a field that needs more than a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from holdfast.edges.console.codes import shown
from holdfast.edges.console.passkeys import ShowsPasskey
from holdfast.edges.console.signin import safe_next
from holdfast.kit.errors import HoldfastError
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.network import services
from holdfast.spine.identity.models import Person
from holdfast.vocabulary.levels import SignIn

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


class AgainForm(ShowsPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # it publishes no types
    """A passkey of the person who is signed in, shown for one of our pages."""


@needs(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
@never_cache
def confirm(request: HttpRequest) -> HttpResponseBase:
    """GET begins the ceremony, POST answers a challenge by it: JSON to a script, a page to a form."""
    person = Person.objects.get(pk=who_of(request).person)
    if request.method == "GET":
        return JsonResponse(auth.begin_authentication(person))
    try:
        method = _shown(request, person)
        work = services.confirm(house(), request.POST.get("challenge", "")[:64], method)
        house().transact(work)
    except ValidationError as error:
        return _again(request, " ".join(error.messages))
    except HoldfastError as error:
        return _again(request, f"{error}. {error.remedy}")
    if _by_script(request):
        return JsonResponse({"confirmed": True})
    return HttpResponseRedirect(safe_next(request))


def _shown(request: HttpRequest, person: Person) -> SignIn:
    """Return how the person has just shown that it is they: by a code if one was typed, else by a passkey."""
    code = request.POST.get("code", "")
    if code:
        found = shown(request, person.pk, code[:16])
        if found is None:
            raise ValidationError(_("That was not the code of now, or it was used before."))
        return SignIn(found.method)
    form = AgainForm(request.POST, user=person)
    if not form.is_valid():
        raise ValidationError(form.errors.get("credential", [_("Try again.")]))
    return SignIn(form.shown.method)


def _again(request: HttpRequest, message: str) -> HttpResponse:
    if _by_script(request):
        return JsonResponse({"error": message}, status=422)
    page = {"status": 422, "title": "That was not confirmed", "remedy": message}
    return render(request, "console/problem.html", page, status=422)


def _by_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("accept", "")
