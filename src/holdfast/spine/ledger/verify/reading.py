"""Reading what others wrote: JSON that says one thing to every reader, and times in the one form that we write."""

from __future__ import annotations

import json
from typing import Any, Final

from holdfast.kit.clock import parse_rfc3339, rfc3339
from holdfast.kit.errors import IntegrityBroken

#: Nothing that Holdfast writes nests deeper; what does would end this reader in one language and not in another.
MOST_DEPTH: Final = 32


def read_document(raw: bytes) -> dict[str, Any]:
    """Read a JSON object; :class:`IntegrityBroken` when it is none, is too deep, or has a name twice.

    Of a name that stands twice one reader takes the first, another the last: a person would read another time of
    erasure than the signature covers.
    """
    try:
        document = json.loads(raw, object_pairs_hook=_once, parse_constant=_refuse)
    except IntegrityBroken:
        raise
    except (ValueError, RecursionError):
        raise IntegrityBroken("it is not JSON") from None
    if not isinstance(document, dict):
        raise IntegrityBroken("it is not a JSON object")
    if is_deep(document):
        raise IntegrityBroken(f"it nests deeper than {MOST_DEPTH}")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise IntegrityBroken("a name stands twice in it")
    return document


def _refuse(name: str) -> Any:
    raise IntegrityBroken(f"{name} is no JSON")


def is_deep(value: object) -> bool:
    """Whether ``value`` nests deeper than :data:`MOST_DEPTH`."""
    row: list[Any] = [value]
    for _ in range(MOST_DEPTH + 1):
        row = [
            inner
            for each in row
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not row:
            return False
    return True


def moment(text: object) -> int | None:
    """Microseconds of a time as Holdfast writes it (RFC 3339, six digits, ``Z``), or None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        at_us = parse_rfc3339(text)
        return at_us if rfc3339(at_us) == text else None
    except (ValueError, OverflowError, OSError):
        return None
