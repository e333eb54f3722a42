"""Composition root of the console process: the WSGI application."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from holdfast.kit.log import configure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")
configure(settings.HOUSE.log_level)
application = get_wsgi_application()
