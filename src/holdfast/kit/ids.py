"""The only source of randomness and of identifiers.

An id is ``<prefix>_<26 characters>``: a ULID (48 bits of milliseconds, 80 random bits, Crockford base 32), so
ids of one kind sort by creation. A *reference* is 128 random bits without a time in it: what stands in a ledger
leaf where a person, customer or contact would (SPINE 28).
"""

from __future__ import annotations

import base64
import os

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes from the operating system's generator."""
    return os.urandom(count)


def new_id(prefix: str, now_us: int) -> str:
    """Return a new sortable id such as ``dec_01k…`` for a thing made at ``now_us``."""
    value = ((now_us // 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    pairs = _PAIRS
    return f"{prefix}_" + "".join([pairs[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def new_reference(prefix: str) -> str:
    """Return a pseudonym such as ``c_mfrgg…`` with 128 random bits and no time in it."""
    return f"{prefix}_{base64.b32encode(os.urandom(16)).decode().rstrip('=').lower()}"


def new_secret_text(prefix: str) -> str:
    """Return a bearer secret of 256 random bits that can be recognised by its prefix."""
    return f"{prefix}_{base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip('=')}"
