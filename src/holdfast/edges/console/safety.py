"""Settings under which signing in would be weaker than the house says. With one of them the console does not start.

They are allauth's and Django's switches for development, or parts that would stand beside the house's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from holdfast.kit.config import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.conf import LazySettings

# What each of them has to be; a setting that is absent is as its library has it, which is the value here or stricter.
_DEMANDED: Final[dict[str, object]] = {
    "DEBUG": False,
    "AUTHENTICATION_BACKENDS": [],
    "ACCOUNT_ADAPTER": "holdfast.edges.console.adapters.Accounts",
    "MFA_ADAPTER": "holdfast.edges.console.adapters.Factors",
    "MFA_PASSKEY_SIGNUP_ENABLED": False,
    "MFA_WEBAUTHN_USER_VERIFICATION": "required",
    "MFA_TRUST_ENABLED": False,
    "SESSION_ENGINE": "holdfast.edges.console.browser",
    "SESSION_COOKIE_HTTPONLY": True,
    "X_FRAME_OPTIONS": "DENY",
}
_FORBIDDEN: Final = (
    "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
    "MFA_TOTP_INSECURE_BYPASS_CODE",
    "ACCOUNT_LOGIN_BY_CODE_ENABLED",
    "ACCOUNT_CONFIRM_EMAIL_ON_GET",
    "ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION",
    "ACCOUNT_LOGIN_ON_PASSWORD_RESET",
)


def unsafe(settings: LazySettings) -> Iterator[str]:
    """Name each setting that weakens signing in."""
    for name, wanted in _DEMANDED.items():
        if getattr(settings, name, None) != wanted:
            yield name
    for name in _FORBIDDEN:
        if getattr(settings, name, None):
            yield name
    here = is_loopback(urlsplit(settings.HOUSE.origin).hostname or "")
    if not here and not settings.SESSION_COOKIE_SECURE:
        yield "SESSION_COOKIE_SECURE"
