"""Django's configuration of this app."""

from django.apps import AppConfig


class ActionsConfig(AppConfig):
    """Tables of actions."""

    name = "holdfast.spine.actions"
    label = "actions"
    default_auto_field = "django.db.models.BigAutoField"
