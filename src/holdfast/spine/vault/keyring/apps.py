"""Django's configuration of this app."""

from django.apps import AppConfig


class KeyringConfig(AppConfig):
    """Tables of the ``keys`` store."""

    name = "holdfast.spine.vault.keyring"
    label = "keyring"
    default_auto_field = "django.db.models.BigAutoField"
