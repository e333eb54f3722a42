"""Reading what stands in an entry: id and time of a leaf."""

from __future__ import annotations

import json
from typing import Any, Final

from holdfast.kit.clock import SECOND_US
from holdfast.kit.errors import IntegrityBroken

# Where many write at once, a leaf can be committed after one of a later time has its place. By so much its time may lie
# before the latest above it: it is then placed as it is, and the promise of its hash is kept.
MOST_LATE_US: Final = 15 * SECOND_US
_DIGITS: Final = {c: value for value, c in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}


def leaf_of(entry: bytes) -> dict[str, Any]:
    """The leaf as a mapping; :class:`IntegrityBroken` when the entry is no JSON object."""
    try:
        leaf = json.loads(entry)
    except (ValueError, RecursionError):
        raise IntegrityBroken("an entry is not JSON") from None
    if not isinstance(leaf, dict):
        raise IntegrityBroken("an entry is not a JSON object")
    return leaf


def leaf_id_of(entry: bytes) -> str:
    """The leaf's id, or an empty text."""
    found = leaf_of(entry).get("id")
    return found if isinstance(found, str) else ""


def time_of_id(leaf_id: str) -> int | None:
    """The time in a sortable id, whole milliseconds in microseconds; ``None`` when there is none."""
    text = leaf_id.rpartition("_")[2]
    if len(text) != 26 or any(c not in _DIGITS for c in text):
        return None
    value = 0
    for c in text:
        value = (value << 5) | _DIGITS[c]
    return (value >> 80) * 1000
