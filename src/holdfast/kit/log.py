"""Structured log lines: JSON on stderr, never a field value, a secret or the message of a foreign exception.

A line that cannot be written (a full disk, a reader that went away) is lost; who wrote it goes on.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import structlog

if TYPE_CHECKING:
    from typing import TextIO


class _Lossy:
    """Standard error, whose failures stay its own: what must be undone after an error is undone, told or not."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def logger(name: str) -> Any:
    """Return the logger of a module.

    In a process that has not called :func:`configure`, a command, it writes errors only, or what ``HOLDFAST_LOG_LEVEL``
    asks for: a command talks to a person, and its stdout is data.
    """
    if not structlog.is_configured():
        wanted = os.environ.get("HOLDFAST_LOG_LEVEL", "error")
        configure(wanted if wanted.upper() in logging.getLevelNamesMapping() else "error")
    return structlog.get_logger(name)


def configure(level: str = "info") -> None:
    """Write log lines of at least ``level`` as JSON to stderr, for the whole process."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _Lossy())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(message)s")


def place_of(error: BaseException) -> str:
    """Say where ``error`` was raised, as ``file.py:line in function``: its message may hold a value, this does not."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    last = frames[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno} in {last.name}"
