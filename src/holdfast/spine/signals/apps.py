"""Django's configuration of this app."""

from django.apps import AppConfig


class SignalsConfig(AppConfig):
    """Tables of feeds."""

    name = "holdfast.spine.signals"
    label = "signals"
    default_auto_field = "django.db.models.BigAutoField"
