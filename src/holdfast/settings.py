"""Django's settings, mapped from :mod:`holdfast.kit.config`; nothing is decided here twice.

Composition root: it names the apps. SQLite is swapped for a safe version before Django opens a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from holdfast.kit.config import is_loopback, load_settings
from holdfast.kit.db import sqlite
from holdfast.kit.db.address import SqliteFile, options
from holdfast.kit.ids import new_secret_text

if TYPE_CHECKING:
    from holdfast.kit.db.address import StoreAddress

HOUSE = load_settings()

# Nothing that Django signs outlives the process: browsers' state is sealed under the house's own key.
SECRET_KEY = new_secret_text("django")
DEBUG = False

_ORIGIN = urlsplit(HOUSE.origin)
ALLOWED_HOSTS = sorted({"localhost", "127.0.0.1", "[::1]", _ORIGIN.hostname or "localhost"})

INSTALLED_APPS = [
    "django.contrib.auth",  # for its interfaces: the router keeps its tables, and those of the next, out of both stores
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "holdfast.pages",
    "holdfast.kit.jobs",
    "holdfast.spine.administration",
    "holdfast.spine.approvals",
    "holdfast.spine.actions",
    "holdfast.spine.decision",
    "holdfast.spine.identity",
    "holdfast.spine.ledger",
    "holdfast.spine.purpose",
    "holdfast.spine.recovery",
    "holdfast.spine.signals",
    "holdfast.spine.stream",
    "holdfast.spine.vault",
    "holdfast.spine.vault.keyring",
    "holdfast.procedures.access",
    "holdfast.procedures.classification",
    "holdfast.procedures.culture",
    "holdfast.procedures.surveillance",
    # Listed last: its ready() reads the procedures' manifests, when all models are there.
    "holdfast.edges.console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "holdfast.edges.console.origin.OriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "holdfast.pages.refusals.RefusalMiddleware",
    "holdfast.pages.who.WhoMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
AUTH_USER_MODEL = "identity.Person"
AUTHENTICATION_BACKENDS: list[str] = []  # a session is looked up by our own middleware

# Signing in: passkeys first. No passwords, no e-mail, nobody signs up; see holdfast.edges.console.adapters.
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "holdfast.edges.console.adapters.Accounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}  # of forms that no address mounts
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60
# The library's would count in one process, and a floor as one person: ours are in holdfast.edges.console.attempts.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "holdfast.edges.console.adapters.Factors"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TRUST_ENABLED = False

SESSION_ENGINE = "holdfast.edges.console.browser"
SESSION_COOKIE_SAMESITE = "Lax"  # a link from the client's own system opens the desk
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "holdfast" if is_loopback(_ORIGIN.hostname or "") else "__Host-holdfast"
ROOT_URLCONF = "holdfast.urls"
WSGI_APPLICATION = "holdfast.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "string_if_invalid": "",
            "context_processors": [
                "django.template.context_processors.request",
                "csp.context_processors.nonce",
                "holdfast.pages.shell.shell",
            ],
        },
    }
]


def database(store: StoreAddress) -> dict[str, Any]:
    """Return what Django wants to know of a store."""
    common = {"CONN_MAX_AGE": 0, "ATOMIC_REQUESTS": False}
    if isinstance(store, SqliteFile):
        return common | {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": store.path,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                "init_command": ";".join(sqlite.PRAGMAS),
            },
        }
    given = options(store)
    return (
        common
        | {
            "ENGINE": "holdfast.kit.db.portable",
            "NAME": given.pop("dbname"),
            "CONN_HEALTH_CHECKS": True,  # a connection that broke while it lay in the pool is not handed out
            "OPTIONS": given | {"pool": {"min_size": 0, "max_size": 4, "timeout": 10}},
        }
    )


DATABASES = {"default": database(HOUSE.data), "keys": database(HOUSE.keys)}
DATABASE_ROUTERS = ["holdfast.router.StoreRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_USE_FINDERS = True  # static files are served from the package; nothing is collected
WHITENOISE_AUTOREFRESH = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": [
            "htmx"
        ],  # of its extension for this policy, which swaps in what carries the page's nonce
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not is_loopback(_ORIGIN.hostname or ""):
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = True

# A traceback can hold a customer's value, so Django logs none; the console logs type and place of each error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "loggers": {"django": {"handlers": ["nowhere"], "propagate": False}},
}
