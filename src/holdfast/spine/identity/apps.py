"""Django's name for this package."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Persons and credentials; their tables stand in the data store."""

    name = "holdfast.spine.identity"
    label = "identity"
    verbose_name = "People and credentials"
