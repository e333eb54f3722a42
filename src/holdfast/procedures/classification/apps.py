"""Django's configuration of this procedure."""

from django.apps import AppConfig


class ClassificationConfig(AppConfig):
    """Table of the ``data`` store: imports that are under way."""

    name = "holdfast.procedures.classification"
    label = "classification"
    default_auto_field = "django.db.models.BigAutoField"
