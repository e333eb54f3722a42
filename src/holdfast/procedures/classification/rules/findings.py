"""What stands in free text that should not: card numbers, security codes, national ids, passwords and keys.

Counts only: what was found is never kept or shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.procedures.classification.rules.values import is_card_number

if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGITS: Final = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_LONGEST: Final = 16_384
_FORMS: Final = (
    (
        "a card security code or PIN",
        re.compile(
            r"\b(?:cvv2?|cvc2?|csc|security code|c[oó]digo de seguridad|pin|nip)\b"
            r"\W{0,3}(?:is|es|ay|code|no\.?)?\W{0,3}\d{3,6}\b",
            re.IGNORECASE,
        ),
    ),
    (
        "a password",
        re.compile(
            r"\b(?:password|passwd|pwd|contraseña|contrasena|senha|kontrasenya)\b\s*(?:is|es|ay|[:=])\s*\S{4,}",
            re.IGNORECASE,
        ),
    ),
    (
        "a key or credential",
        re.compile(
            r"\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{36}"
            r"|\bxox[baprs]-[A-Za-z0-9-]{10,}"
            r"|\bsk_live_[A-Za-z0-9]{16,}|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.|\bAIza[0-9A-Za-z_-]{35}\b"
        ),
    ),
    (
        "a national id",
        re.compile(
            r"(?<![\d-])(?!000)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"
            r"|(?<![\d-])\d{2}-\d{7}-\d(?![\d-])"
        ),
    ),
)


def found_in(text: str) -> frozenset[str]:
    """Return what ``text`` holds, as words such as ``a card number``."""
    text = text[:_LONGEST]
    found = {what for what, form in _FORMS if form.search(text)}
    if any(is_card_number(match[0]) for match in _DIGITS.finditer(text)):
        found.add("a card number")
    return frozenset(found)


def count_findings(texts: Iterable[str]) -> dict[str, int]:
    """Return for each thing found in how many of ``texts`` it stands."""
    counts: dict[str, int] = {}
    for text in texts:
        if len(text) >= 7:
            for what in found_in(text):
                counts[what] = counts.get(what, 0) + 1
    return dict(sorted(counts.items()))
