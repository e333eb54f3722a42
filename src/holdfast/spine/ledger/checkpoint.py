"""C2SP tlog-checkpoint: the text that says how long a log is and what its root is.

Three lines: origin, size in decimal, root in base64. Extension lines are read and never written.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.tree import EMPTY_ROOT, HASH_BYTES

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
MOST_SIZE: Final = 2**63 - 1


class Head(NamedTuple):
    """State of a log: its first ``size`` leaves have ``root``."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text of a checkpoint without extension lines, as it is signed."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"


def parse_head(text: str) -> Head:
    """Read a checkpoint's text; :class:`IntegrityBroken` when it is not one. Extension lines are ignored."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise IntegrityBroken("a checkpoint has at least three lines, none of them empty")
    origin, size_text, root_text = lines[:3]
    if not _DECIMAL.fullmatch(size_text) or int(size_text) > MOST_SIZE:
        raise IntegrityBroken("a checkpoint's second line is its size")
    root = from_base64(root_text)
    if root is None or len(root) != HASH_BYTES:
        raise IntegrityBroken("a checkpoint's third line is its root")
    size = int(size_text)
    if size == 0 and root != EMPTY_ROOT:
        raise IntegrityBroken("a checkpoint of size 0 carries the root of the empty tree")
    return Head(origin, size, root)


def base64_text(raw: bytes) -> str:
    """Standard base64 (RFC 4648 §4)."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes | None:
    """Decode standard base64 in its one canonical spelling, else ``None``."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64_text(raw) == text else None
