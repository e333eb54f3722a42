"""Codes of an app (TOTP, RFC 6238): signing in with one where no passkey is at hand, and enrolling the app.

A code is good once: the store remembers the newest interval of which one was used, for all processes. Guesses are
counted by the person, those from browsers that the person signed in with before apart from everybody else's.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from allauth.account.adapter import get_adapter as get_accounts
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic.edit import FormView

from holdfast.edges.console.attempts import count_attempt, count_code, remember
from holdfast.edges.console.passkeys import ShownBy
from holdfast.edges.console.signin import safe_next
from holdfast.edges.console.store import TAKE_CODE
from holdfast.kit.clock import SECOND_US
from holdfast.kit.db import Round
from holdfast.kit.errors import HoldfastError, TooMany
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.network import services
from holdfast.spine.identity.models import Person
from holdfast.spine.identity.people import person_of_staff
from holdfast.vocabulary.levels import SignIn

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from holdfast.kit.db import Work

INTERVAL_US: Final = 30 * SECOND_US
_EARLIER_OR_LATER: Final = 1  # intervals by which a telephone's clock may differ
_NOBODYS: Final = "A" * 32  # compared with for who has no app, so that the answer takes as long


def interval_of(secret: str, code: str, now_us: int) -> int | None:
    """Return the interval in which ``code`` is the one of ``secret``, around now; None when in none."""
    now = now_us // INTERVAL_US
    given = code.replace(" ", "")
    for interval in range(now - _EARLIER_OR_LATER, now + _EARLIER_OR_LATER + 1):
        wanted = auth.format_hotp_value(auth.hotp_value(secret, interval))
        if hmac.compare_digest(wanted.encode(), given.encode()):
            return interval
    return None


def use_code(factor: int, interval: int) -> Work[bool]:
    """Use up the code of an interval, and of all before it; False when it was used before."""
    (rows,) = yield Round(data=(TAKE_CODE(factor=factor, step=interval),))
    return bool(rows)


def shown(request: HttpRequest, person: str, code: str) -> ShownBy | None:
    """Return what a code amounts to that was typed for a person, once; None for a wrong one.

    ``person`` may be nobody's id. Raises :class:`TooMany` when enough were tried.
    """
    count_code(request, person)
    factor = Authenticator.objects.filter(user_id=person, type=Authenticator.Type.TOTP).first()
    secret = get_adapter().decrypt(factor.data["secret"]) if factor else _NOBODYS
    interval = interval_of(secret, code, house().clock.now_us())
    if factor is None or interval is None or not house().transact(use_code(factor.pk, interval)):
        return None
    factor.record_usage()
    seen_by = factor.data.get("seen_by", "")
    return ShownBy(method=SignIn.TOTP.value, factor=str(factor.pk), seen_by=seen_by)


class CodeForm(forms.Form):
    """Who one is, and the code that the app shows now."""

    staff_id = forms.CharField(max_length=128)
    code = forms.CharField(max_length=16)


@method_decorator(never_cache, name="dispatch")
class CodeSignIn(FormView):  # type: ignore[type-arg]  # one form, declared below
    """Signing in with a staff id and a code."""

    form_class = CodeForm
    template_name = "console/sign_in_code.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Where to go on."""
        return super().get_context_data(**kwargs) | {"next": safe_next(self.request)}

    def form_valid(self, form: CodeForm) -> HttpResponse:
        """Begin the session; a wrong code and an unknown person are told in the same words."""
        count_attempt(self.request)
        typed = form.cleaned_data["staff_id"].strip()
        person = house().read(person_of_staff(typed)) or f"?{typed}"
        try:
            found = shown(self.request, person, form.cleaned_data["code"])
            if found is None:
                return self._again(_("That was not the code of now, or it was used before."), 422)
            self.request.shown_by = found  # type: ignore[attr-defined]  # read as the session begins
            get_accounts().login(self.request, Person(id=person, staff_id=typed))
        except TooMany as error:
            return self._again(f"{error.message}. {error.remedy}", error.status)
        except HoldfastError as error:
            return self._again(f"{error.message}. {error.remedy}", 422)
        answer = HttpResponseRedirect(safe_next(self.request))
        remember(self.request, answer, person)
        return answer

    def form_invalid(self, form: CodeForm) -> HttpResponse:  # noqa: ARG002  Django's interface
        """Say what is missing."""
        return self._again(_("Type your staff id, and the code that your app shows."), 422)

    def _again(self, message: str, status: int) -> HttpResponse:
        page = self.get_context_data(error=message)
        return render(self.request, self.template_name, page, status=status)


code_sign_in = needs(Permission.NOTHING_TOLD)(CodeSignIn.as_view())


class AppForm(ActivateTOTPForm):  # type: ignore[misc]  # it publishes no types
    """The first code of an app that has just read the secret."""

    def clean_code(self) -> str:
        """Compare it by the house's clock; ``interval`` is the code's."""
        code: str = self.cleaned_data["code"]
        interval = interval_of(self.secret, code, house().clock.now_us())
        if interval is None:
            raise ValidationError(_("That is not the code of now. Scan the new picture."))
        self.interval = interval
        return code


@method_decorator(never_cache, name="dispatch")
class AddApp(FormView):  # type: ignore[type-arg]  # the form is allauth's
    """An app for codes of one's own; one for each person."""

    form_class = AppForm
    template_name = "console/add_app.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask whether this person may enrol a factor now."""
        house().read(services.may_enrol(house()))
        self.person = Person.objects.get(pk=who_of(request).person)
        if Authenticator.objects.filter(user=self.person, type=Authenticator.Type.TOTP).exists():
            page = {
                "status": 409,
                "title": _("You have an app for codes already"),
                "remedy": _("Remove it on your account first."),
            }
            return render(request, "console/problem.html", page, status=409)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The person who is signed in."""
        return super().get_form_kwargs() | {"user": self.person}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The secret as a picture and as text: a new one for each page. It waits sealed with the browser."""
        more = super().get_context_data(**kwargs)
        fresh = auth.get_totp_secret(regenerate=True)
        picture = get_adapter().build_totp_svg(get_adapter().build_totp_url(self.person, fresh))
        drawn = picture[picture.index("<svg") :]
        return more | {"secret": fresh, "picture": mark_safe(drawn)}  # noqa: S308  drawn here, from digits

    def form_valid(self, form: AppForm) -> HttpResponse:
        """Keep it, sealed, and say so in the logs."""
        auth.clear_totp_secret(self.request)
        factor = auth.TOTP.activate(self.person, form.secret).instance
        factor.data |= {
            "method": SignIn.TOTP.value,
            "seen_by": ",".join(who_of(self.request).seen_by),
        }
        factor.save(update_fields=["data"])
        house().transact(use_code(factor.pk, form.interval))
        house().transact(services.tell_enrolled(house(), SignIn.TOTP.value))
        return HttpResponseRedirect("/account")


add_app = needs(Permission.SIGNED_IN)(AddApp.as_view())
