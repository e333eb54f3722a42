"""Django's configuration of this app."""

from django.apps import AppConfig


class DecisionConfig(AppConfig):
    """Tables of clients, contracts, budgets and decision records."""

    name = "holdfast.spine.decision"
    label = "decision"
    default_auto_field = "django.db.models.BigAutoField"
