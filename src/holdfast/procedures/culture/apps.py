"""Django's configuration of this procedure."""

from django.apps import AppConfig


class CultureConfig(AppConfig):
    """Table of the ``data`` store: what people reported."""

    name = "holdfast.procedures.culture"
    label = "culture"
