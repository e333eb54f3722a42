"""Django's configuration of this app."""

from django.apps import AppConfig


class RecoveryConfig(AppConfig):
    """What was put back after a restore."""

    name = "holdfast.spine.recovery"
    label = "recovery"
    default_auto_field = "django.db.models.BigAutoField"
