"""Django's name for this package."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The job table; it stands in the data store."""

    name = "holdfast.kit.jobs"
    label = "jobs"
    verbose_name = "Background work"
