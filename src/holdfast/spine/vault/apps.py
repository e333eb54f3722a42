"""Django's configuration of this app."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Tables of the ``data`` store: collections, customers, sealed records, erasures."""

    name = "holdfast.spine.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"
