"""Django's settings, mapped from :mod:`holdfast.kit.config`; nothing is decided here twice.

Composition root: it names the apps. SQLite is swapped for a safe version before Django opens a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from holdfast.kit.config import is_loopback, load_settings
from holdfast.kit.db import sqlite
from holdfast.kit.db.address import SqliteFile, options
from holdfast.kit.ids import new_secret_text

if TYPE_CHECKING:
    from holdfast.kit.db.address import StoreAddress

HOUSE = load_settings()

# Nothing that Django signs outlives the process: there are no sessions and no forms yet.
SECRET_KEY = new_secret_text("django")
DEBUG = False

_ORIGIN = urlsplit(HOUSE.origin)
ALLOWED_HOSTS = sorted({"localhost", "127.0.0.1", "[::1]", _ORIGIN.hostname or "localhost"})
CSRF_TRUSTED_ORIGINS = [HOUSE.origin]

INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "csp",
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
    "holdfast.procedures.classification",
    # Listed last: its ready() reads the procedures' manifests, when all models are there.
    "holdfast.edges.console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
AUTH_USER_MODEL = "identity.Person"
ROOT_URLCONF = "holdfast.urls"
WSGI_APPLICATION = "holdfast.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"string_if_invalid": ""},
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
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not is_loopback(_ORIGIN.hostname or ""):
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# A traceback can hold a customer's value, so Django logs none; the console logs type and place of each error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "loggers": {"django": {"handlers": ["nowhere"], "propagate": False}},
}
