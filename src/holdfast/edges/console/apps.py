"""The console as a Django app, listed last in ``INSTALLED_APPS``."""

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured


class ConsoleConfig(AppConfig):
    """Reads the manifests when all models are there; refuses to start with an unsafe setting or an unguarded page."""

    name = "holdfast.edges.console"
    label = "console"
    verbose_name = "Console"

    def ready(self) -> None:
        """Walk all pages once, and the settings."""
        from django.conf import settings  # noqa: PLC0415  they are there only now
        from django.core.signals import got_request_exception  # noqa: PLC0415  models are there only now
        from django.urls import get_resolver  # noqa: PLC0415

        from holdfast.edges.console.errors import log_error  # noqa: PLC0415
        from holdfast.edges.console.safety import unsafe  # noqa: PLC0415
        from holdfast.pages.permissions import undeclared  # noqa: PLC0415

        open_pages = sorted(undeclared(get_resolver().url_patterns))
        if open_pages:
            raise ImproperlyConfigured(f"no permission is declared for {', '.join(open_pages)}")
        if weak := sorted(unsafe(settings)):
            raise ImproperlyConfigured(f"signing in would not be safe with {', '.join(weak)}")
        got_request_exception.connect(log_error, dispatch_uid="holdfast.log_error")
