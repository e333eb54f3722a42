"""What an authenticator app does: it shows the code of a secret at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

from holdfast.kit.clock import SECOND_US, SystemClock


def code_of(secret: str, later: int = 0) -> str:
    """The code of RFC 6238, so many intervals after this one."""
    interval = SystemClock().now_us() // (30 * SECOND_US) + later
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", interval), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06}"
