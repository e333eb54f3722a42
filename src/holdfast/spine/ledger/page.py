"""The offline verifier as one HTML file: put together from its parts, with a policy that lets nothing else run.

The Content-Security-Policy names the one script and the one style sheet by their hashes and allows no connection.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from importlib.resources import files
from typing import Final

PACKAGE: Final = "holdfast.spine.ledger"


def part(name: str) -> str:
    """One of the page's parts, as it stands in the package."""
    return (files(PACKAGE) / "static" / name).read_text(encoding="utf-8")


def verifier_page() -> bytes:
    """The whole page; the same bytes each time."""
    script, style = part("verifier.js"), part("verifier.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(script)}",
            f"style-src {_source(style)}",
            "connect-src 'none'",
            "require-trusted-types-for 'script'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = part("verifier.html")
    for mark, text in (("{{policy}}", policy), ("{{style}}", style), ("{{script}}", script)):
        page = page.replace(mark, text)
    return page.encode()


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
