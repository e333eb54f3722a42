"""Passkeys beside what allauth keeps of them: how each is kept, how often it was used, and who may know it.

A registration's flags say whether a copy of the key may exist (device-bound or synced). A sign counter that falls says
that a copy is in use: the sign-in is refused, and security is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from holdfast.pages.house import house
from holdfast.procedures.network import services
from holdfast.vocabulary.levels import SignIn

if TYPE_CHECKING:
    from fido2.webauthn import AuthenticatorData

_COUNTER: Final = "counter"
_METHOD: Final = "method"
_SEEN_BY: Final = "seen_by"


class ShownBy(msgspec.Struct, frozen=True, kw_only=True):
    """A factor that somebody has just shown: how, which one, and who may have enrolled it in their place."""

    method: str
    factor: str = ""
    seen_by: str = ""


def method_of(data: AuthenticatorData) -> SignIn:
    """Read how the key is kept from what its authenticator says."""
    synced = bool(data.flags & data.FLAG.BE)
    return SignIn.PASSKEY_SYNCED if synced else SignIn.PASSKEY_DEVICE_BOUND


def describe(factor: Authenticator, data: AuthenticatorData, *, seen_by: str) -> SignIn:
    """Keep with a new passkey what its registration says of it; return how its key is kept."""
    method = method_of(data)
    factor.data |= {_COUNTER: data.counter, _METHOD: method.value, _SEEN_BY: seen_by}
    factor.save(update_fields=["data"])
    return method


def shown_by(factor: Authenticator, credential: dict[str, Any]) -> ShownBy:
    """Return what a passkey that has just been shown amounts to, and note its counter.

    Raises ``ValidationError`` when the counter has not grown: a copy of the key is in use somewhere.
    """
    data = parse_authentication_response(credential).response.authenticator_data
    before = factor.data.get(_COUNTER, 0)
    if (data.counter or before) and data.counter <= before:
        house().transact(services.tell_copied(house(), factor.user_id))
        raise ValidationError(
            _("This passkey was used from a copy. Security has been told; use another one.")
        )
    factor.data[_COUNTER] = data.counter
    factor.save(update_fields=["data"])
    return ShownBy(
        method=factor.data[_METHOD],
        factor=str(factor.pk),
        seen_by=factor.data.get(_SEEN_BY, ""),
    )


class ShowsPasskey:
    """What every form does with a passkey's answer, before the one of allauth that verifies it."""

    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Any:
        """Verify the answer; ``shown`` is what it amounts to."""
        credential = self.cleaned_data["credential"]
        require_own_origin(credential)
        factor = super().clean_credential()  # type: ignore[misc]  # of the form that it is mixed into
        self.shown = shown_by(factor, credential)
        return factor


def require_own_origin(credential: dict[str, Any]) -> None:
    """Raise ``ValidationError`` for a ceremony that another page than one of ours began.

    The library compares the relying party only, and lets any port of localhost through.
    """
    from fido2.utils import websafe_decode  # noqa: PLC0415  loaded by the first ceremony

    try:
        client_data = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
        origin, crossed = client_data["origin"], client_data.get("crossOrigin", False)
    except (KeyError, TypeError, ValueError):
        raise ValidationError(_("The browser's answer is damaged. Try again.")) from None
    if origin not in own_origins() or crossed:
        raise ValidationError(_("This passkey was asked for by another page."))


def own_origins() -> frozenset[str]:
    """Return the origins whose pages are ours: the public one, or localhost and the console's port."""
    return frozenset({settings.HOUSE.origin})
