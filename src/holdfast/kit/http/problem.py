"""Problem details for HTTP APIs (RFC 9457)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

CONTENT_TYPE: Final = "application/problem+json"
TITLES: Final[dict[int, str]] = {
    400: "The request is malformed",
    401: "A valid credential is needed",
    403: "A rule refuses",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "The present state does not allow it",
    413: "Too large",
    415: "Unsupported content type",
    421: "Unknown host",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
}


class Problem(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One problem document; ``field`` is the part of the request that is wrong."""

    title: str
    status: int
    code: str
    type: str = ""
    detail: str = ""
    field: str = ""
    remedy: str = ""
    decision: str = ""
    leaf: Any = None
    reasons: Any = None
    choices: Any = None
    challenge: str = ""


def problem(status: int, code: str, detail: str = "", **more: Any) -> Problem:
    """Return a problem with the standard title of ``status``."""
    return Problem(
        title=TITLES.get(status, "Error"),
        status=status,
        code=code,
        type=f"urn:holdfast:problem:{code}",
        detail=detail,
        **more,
    )
