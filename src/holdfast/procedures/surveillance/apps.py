"""Django's configuration of this procedure."""

from django.apps import AppConfig


class SurveillanceConfig(AppConfig):
    """No table of its own: what it shows stands in the logs."""

    name = "holdfast.procedures.surveillance"
    label = "surveillance"
