"""Django's configuration of this app."""

from django.apps import AppConfig


class PurposeConfig(AppConfig):
    """Tables of contacts."""

    name = "holdfast.spine.purpose"
    label = "purpose"
    default_auto_field = "django.db.models.BigAutoField"
