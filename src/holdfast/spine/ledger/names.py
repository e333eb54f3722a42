"""Names of logs: ``house`` or ``client-<id>``, safe as a folder name and as the last part of an origin."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from holdfast.kit.errors import InvalidInput

_LOG: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,126}", re.ASCII)


@lru_cache(maxsize=4096)
def checked_log(log: str) -> str:
    """Return ``log``; :class:`InvalidInput` when it could not be a folder's name."""
    if not _LOG.fullmatch(log) or log.endswith("."):
        raise InvalidInput(
            "the name of a log is made of small letters, digits, '-', '_' and single dots",
            field="log",
            code="bad_log_name",
        )
    return log


def origin_of(house_name: str, log: str) -> str:
    """The log's origin line: the house's name in the world, a slash, and the log's name."""
    return f"{house_name}/{checked_log(log)}"


def log_of(origin: str) -> str:
    """The log's name in its origin."""
    return origin.rpartition("/")[2]
