"""One's own account: passkeys, and where one is signed in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.generic.edit import FormView

from holdfast.edges.console.passkeys import describe
from holdfast.edges.console.signin import FirstPasskeyForm
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.network import services
from holdfast.spine.identity.models import Person

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


@needs(Permission.SIGNED_IN)
@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponseBase:
    """Show one's factors and sessions."""
    who = who_of(request)
    factors = Authenticator.objects.filter(user_id=who.person).order_by("created_at")
    sessions = house().read(services.list_sessions(house(), who.person))
    page = {"factors": factors, "sessions": sessions, "now_us": house().clock.now_us()}
    return render(request, "console/account.html", page)


@method_decorator(never_cache, name="dispatch")
class AddPasskey(FormView):  # type: ignore[type-arg]  # the form is allauth's
    """One more passkey of one's own."""

    form_class = FirstPasskeyForm
    template_name = "console/add_passkey.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask whether this person may enrol a factor now."""
        house().read(services.may_enrol(house()))
        self.person = Person.objects.get(pk=who_of(request).person)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The person who is signed in."""
        return super().get_form_kwargs() | {"user": self.person}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the browser hands to the authenticator."""
        options = auth.begin_registration(self.person, passwordless=True)
        return super().get_context_data(**kwargs) | {"options": json.dumps(options)}

    def form_valid(self, form: FirstPasskeyForm) -> HttpResponse:
        """Keep it, and say so in the logs."""
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        factor = auth.WebAuthn.add(self.person, name, credential).instance
        seen_by = ",".join(who_of(self.request).seen_by)
        method = describe(factor, form.data_of_key, seen_by=seen_by)
        house().transact(services.tell_enrolled(house(), method.value))
        return HttpResponseRedirect("/account")


add_passkey = needs(Permission.SIGNED_IN)(AddPasskey.as_view())


@needs(Permission.SIGNED_IN)
@require_POST
def rename_factor(request: HttpRequest, factor: int) -> HttpResponseBase:
    """Call a passkey something else."""
    found = _own(request, factor)
    name = request.POST.get("name", "").strip()[:64]
    if name and found.type == Authenticator.Type.WEBAUTHN:
        found.data["name"] = name
        found.save(update_fields=["data"])
    return HttpResponseRedirect("/account")


@needs(Permission.SIGNED_IN)
@require_POST
def remove_factor(request: HttpRequest, factor: int) -> HttpResponseBase:
    """Remove a factor of one's own: not the last one. Every other session of the person ends."""
    found = _own(request, factor)
    others = Authenticator.objects.filter(user_id=found.user_id, type=found.type)
    if found.type == Authenticator.Type.WEBAUTHN and others.count() < 2:
        page = {
            "status": 409,
            "title": "This is your only passkey",
            "remedy": "Add another one first: without any you could not sign in.",
        }
        return render(request, "console/problem.html", page, status=409)
    method = found.data.get("method", found.type)
    house().transact(services.remove_factor(house(), found.user_id, method))
    found.delete()
    return HttpResponseRedirect("/account")


@needs(Permission.SIGNED_IN)
@require_POST
def end_session(request: HttpRequest, session: str) -> HttpResponseBase:  # noqa: ARG001
    """End one of one's own sessions."""
    house().transact(services.end_session(house(), session))
    return HttpResponseRedirect("/account")


@needs(Permission.SIGNED_IN)
@require_POST
def end_others(request: HttpRequest) -> HttpResponseBase:
    """End every session of one's own but this one."""
    house().transact(services.end_sessions(house(), who_of(request).person, everywhere=False))
    return HttpResponseRedirect("/account")


def _own(request: HttpRequest, factor: int) -> Authenticator:
    return get_object_or_404(Authenticator, pk=factor, user_id=who_of(request).person)
