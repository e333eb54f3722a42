"""What the console writes to its log when a page fails: type and place, never the message or a value."""

from __future__ import annotations

import sys

from holdfast.kit.log import logger, place_of

_log = logger("console")


def log_error(sender: object, **context: object) -> None:  # noqa: ARG001  Django's signal interface
    """Log the exception that is being handled."""
    error = sys.exc_info()[1]
    if error is not None:
        _log.error("page_failed", error=type(error).__name__, at=place_of(error))
