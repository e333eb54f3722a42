"""Signing in and out, and enrolling a first factor by a link. allauth's views, mounted one by one.

Each asks the house first, in ``dispatch``, whether what it is for may be done.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.webauthn.forms import LoginWebAuthnForm, SignupWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.generic.edit import FormView

from holdfast.edges.console.attempts import count_attempt, remember
from holdfast.edges.console.demo import personas
from holdfast.edges.console.passkeys import ShownBy, ShowsPasskey, describe, require_own_origin
from holdfast.kit.errors import HoldfastError, NotFound, TooMany
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import peer_of, signed_in
from holdfast.procedures.network import services
from holdfast.spine.identity.models import Person

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


@needs(Permission.NOTHING_TOLD)
@require_safe
@never_cache
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Show how one signs in; who is signed in already goes on to where they were going."""
    back = safe_next(request)
    if signed_in(request) is not None:
        return HttpResponseRedirect(back)
    return render(request, "console/sign_in.html", {"next": back, "personas": personas()})


def safe_next(request: HttpRequest) -> str:
    """Return where to go after signing in: a page of this origin, whatever was asked for."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    fine = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if fine else settings.LOGIN_REDIRECT_URL


class PasskeyForm(ShowsPasskey, LoginWebAuthnForm):  # type: ignore[misc]  # it publishes no types
    """A passkey's answer: made for one of our pages, by a key whose counter grows."""


@method_decorator(never_cache, name="dispatch")
class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]  # it publishes no types
    """Signing in with a passkey: GET begins the ceremony, POST takes the authenticator's answer."""

    form_class = PasskeyForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count the attempt, before anything is kept of it."""
        try:
            count_attempt(request)
        except TooMany as error:
            if request.method == "GET":
                return _wait(error)
            raise
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get(self, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """What the browser hands to the authenticator."""
        return JsonResponse(auth.begin_authentication(user=None))

    def get_form_class(self) -> type[PasskeyForm]:
        """Ours, whatever the settings name."""
        return PasskeyForm

    def form_valid(self, form: PasskeyForm) -> HttpResponse:
        """Begin the session, and go on."""
        factor = form.cleaned_data["credential"]
        self.request.shown_by = form.shown
        try:
            done: HttpResponse = perform_passwordless_login(
                *(self.request, factor),
                Login(user=factor.user, redirect_url=safe_next(self.request)),
            )
        except HoldfastError as error:
            return self._again(str(error))
        remember(self.request, done, factor.user_id)
        return done

    def form_invalid(self, form: PasskeyForm) -> HttpResponse:
        """Say what is wrong, on the page where it can be tried again."""
        return self._again(" ".join(form.errors.get("credential", [])))

    def _again(self, message: str) -> HttpResponse:
        page = {"next": safe_next(self.request), "error": message, "personas": personas()}
        return render(self.request, "console/sign_in.html", page, status=422)


def _wait(error: TooMany) -> HttpResponse:
    """Tell a script, which shows it on the page, how long to wait."""
    answer = JsonResponse({"error": f"{error.message}. {error.remedy}"}, status=error.status)
    answer["Retry-After"] = str(error.retry_after_s)
    return answer


passkey_sign_in = needs(Permission.NOTHING_TOLD)(PasskeySignIn.as_view())


class FirstPasskeyForm(SignupWebAuthnForm):  # type: ignore[misc]  # it publishes no types
    """A new passkey, made for one of our pages, with its holder verified by the authenticator."""

    def clean(self) -> dict[str, Any]:
        """Verify the registration; ``data`` is what it says of the key."""
        credential = self.cleaned_data.get("credential")
        if credential:
            require_own_origin(credential)
        cleaned: dict[str, Any] = super().clean()
        if credential:
            answer = auth.parse_registration_response(credential)
            self.data_of_key = answer.response.attestation_object.auth_data
            if not self.data_of_key.is_user_verified():
                raise auth.get_adapter().validation_error("incorrect_code")
        return cleaned


@method_decorator(never_cache, name="dispatch")
class Enrol(FormView):  # type: ignore[type-arg]  # the form is allauth's
    """A first passkey, by a link that somebody else made: it signs its person in as well."""

    form_class = FirstPasskeyForm
    template_name = "console/enrol.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask whether the link is good here; guesses are counted."""
        count_attempt(request)
        work = services.invited(
            kwargs["secret"], peer=peer_of(request), now_us=house().clock.now_us()
        )
        try:
            self.link = house().read(work)
        except NotFound as error:
            page = {"status": 404, "title": "This link is not good here", "remedy": error.remedy}
            return render(request, "console/problem.html", page, status=404)
        self.person = Person.objects.get(pk=self.link.person)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The person whom the link is for."""
        return super().get_form_kwargs() | {"user": self.person}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the browser hands to the authenticator."""
        options = auth.begin_registration(self.person, passwordless=True)
        more = {"link": self.link, "options": json.dumps(options)}
        return super().get_context_data(**kwargs) | more

    def form_valid(self, form: FirstPasskeyForm) -> HttpResponse:
        """Use the link up, keep the passkey, and sign its person in."""
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        factor = auth.WebAuthn.add(self.person, name, credential).instance
        method = describe(factor, form.data_of_key, seen_by=self.link.issued_by)
        try:
            house().transact(services.use_invite(house(), self.link, method))
        except NotFound:
            factor.delete()
            raise
        shown = ShownBy(method=method.value, factor=str(factor.pk), seen_by=self.link.issued_by)
        context.request.shown_by = shown
        login = Login(user=self.person, redirect_url="/account")
        done: HttpResponse = perform_passwordless_login(self.request, factor, login)
        remember(self.request, done, self.person.pk)
        return done


enrol = needs(Permission.NOTHING_TOLD)(Enrol.as_view())


@needs(Permission.NOTHING_TOLD)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End this session."""
    who = signed_in(request)
    if who is not None:
        house().transact(services.end_session(house(), who.id))
    request.session.flush()
    return HttpResponseRedirect(settings.LOGIN_URL)
