"""Setting Django up, for the few commands that need it."""

from __future__ import annotations

import os


def set_up() -> None:
    """Make Django's apps and databases usable in this process; does nothing the second time."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")
    django.setup()
