"""Django's configuration of this app."""

from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    """The table in which refused acts are counted."""

    name = "holdfast.spine.administration"
    label = "administration"
    default_auto_field = "django.db.models.BigAutoField"
