"""The offline verifier as one HTML file: put together from its parts, with a policy that lets nothing else run.

The Content-Security-Policy names the one script and the one style sheet by their hashes and allows no connection.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from importlib.resources import files
from typing import Final

from holdfast.vocabulary.leaves import SPECS

PACKAGE: Final = "holdfast.spine.ledger"
#: Each stands on those before it; only the last touches the page.
SCRIPTS: Final = (
    "sha256.js",
    "tree.js",
    "notes.js",
    "files.js",
    "leaves.js",
    "statements.js",
    "verify.js",
    "page.js",
)


def part(name: str) -> str:
    """One of the page's parts, as it stands in the package."""
    return (files(PACKAGE) / "static" / name).read_text(encoding="utf-8")


def verifier_script() -> str:
    """The page's script: what is declared of leaves, and the parts in their order."""
    declared = {kind.value: sorted(spec.fields) for kind, spec in sorted(SPECS.items())}
    fields = f"/* Fields of each type, beside those of all. */\nconst DECLARED = {json.dumps(declared)};\n"
    return '"use strict";\n\n' + "\n".join((fields, *map(part, SCRIPTS)))


def verifier_page() -> bytes:
    """The whole page; the same bytes each time."""
    script, style = verifier_script(), part("verifier.css")
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
