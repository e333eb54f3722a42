"""Django's configuration of this app."""

from django.apps import AppConfig


class StreamConfig(AppConfig):
    """Followers of the logs, and what they keep."""

    name = "holdfast.spine.stream"
    label = "stream"
    default_auto_field = "django.db.models.BigAutoField"
