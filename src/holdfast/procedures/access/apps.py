"""The procedure as a Django app: it brings pages."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Nothing but its name."""

    name = "holdfast.procedures.access"
    label = "access"
