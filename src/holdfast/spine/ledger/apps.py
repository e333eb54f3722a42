"""Django's name for the ledger's tables."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Tables of the logs, in the ``data`` store."""

    name = "holdfast.spine.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
