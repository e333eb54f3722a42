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
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648, lower case
_BASE32_PAIRS = [a + b for a in _BASE32 for b in _BASE32]


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes from the operating system's generator."""
    return os.urandom(count)


def new_id(prefix: str, now_us: int) -> str:
    """Return a new sortable id such as ``dec_01k…`` for a thing made at ``now_us``."""
    value = ((now_us // 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    pairs = _PAIRS
    return f"{prefix}_" + "".join([pairs[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def first_id(prefix: str, at_us: int) -> str:
    """Return the id before which all of the kind sort that were made before ``at_us``."""
    value, pairs = (at_us // 1000) << 80, _PAIRS
    return f"{prefix}_" + "".join([pairs[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def new_ids(prefix: str, now_us: int, count: int) -> list[str]:
    """Return ``count`` ids as :func:`new_id` makes them, from one draw of random bytes: for writing many rows."""
    at, drawn, pairs = (now_us // 1000) << 80, os.urandom(10 * count), _PAIRS
    values = (
        at | int.from_bytes(drawn[start : start + 10], "big") for start in range(0, 10 * count, 10)
    )
    shifts = range(120, -1, -10)
    return [
        f"{prefix}_" + "".join([pairs[(value >> shift) & 1023] for shift in shifts])
        for value in values
    ]


def new_reference(prefix: str) -> str:
    """Return a pseudonym such as ``c_mfrgg…`` with 128 random bits and no time in it."""
    value, pairs = (
        int.from_bytes(os.urandom(16), "big") << 2,
        _BASE32_PAIRS,
    )  # base 32 pads to 130 bits
    return f"{prefix}_" + "".join([pairs[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def new_secret_text(prefix: str) -> str:
    """Return a bearer secret of 256 random bits that can be recognised by its prefix."""
    return f"{prefix}_{base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip('=')}"
