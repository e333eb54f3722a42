"""Django's configuration of this app."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The table of approvals."""

    name = "holdfast.spine.approvals"
    label = "approvals"
    default_auto_field = "django.db.models.BigAutoField"
