"""The only source of randomness and of identifiers.

An id is ``<prefix>_<26 characters>``: a ULID (48 bits of milliseconds, 80 random bits, Crockford base 32), so
ids of one kind sort by creation. A *reference* is 130 random bits without a time in it: what stands in a ledger
leaf where a person, customer or contact would (SPINE 28).
"""

from __future__ import annotations

import base64
import os

_ALPHABET = b"0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [chr(a) + chr(b) for a in _ALPHABET for b in _ALPHABET]
# A random byte gives a character by its low five bits: each is as likely as any other, and the work is done in C.
_DIGITS = _ALPHABET * 8
_BASE32 = b"abcdefghijklmnopqrstuvwxyz234567" * 8  # RFC 4648, lower case
_RANDOM_CHARACTERS = 16  # 80 bits
_REFERENCE_CHARACTERS = 26  # 130 bits


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes from the operating system's generator."""
    return os.urandom(count)


def new_id(prefix: str, now_us: int) -> str:
    """Return a new sortable id such as ``dec_01k…`` for a thing made at ``now_us``."""
    drawn = os.urandom(_RANDOM_CHARACTERS).translate(_DIGITS).decode()
    return f"{prefix}_{_time(now_us)}{drawn}"


def first_id(prefix: str, at_us: int) -> str:
    """Return the id before which all of the kind sort that were made before ``at_us``."""
    return f"{prefix}_{_time(at_us)}{'0' * _RANDOM_CHARACTERS}"


def new_ids(prefix: str, now_us: int, count: int) -> list[str]:
    """Return ``count`` ids as :func:`new_id` makes them, from one draw of random bytes: for writing many rows."""
    width = _RANDOM_CHARACTERS
    drawn = os.urandom(width * count).translate(_DIGITS).decode()
    head = f"{prefix}_{_time(now_us)}"
    return [head + drawn[start : start + width] for start in range(0, width * count, width)]


def new_reference(prefix: str) -> str:
    """Return a pseudonym such as ``c_mfrgg…`` with 130 random bits and no time in it."""
    return f"{prefix}_{os.urandom(_REFERENCE_CHARACTERS).translate(_BASE32).decode()}"


def new_secret_text(prefix: str) -> str:
    """Return a bearer secret of 256 random bits that can be recognised by its prefix."""
    return f"{prefix}_{base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip('=')}"


def _time(at_us: int) -> str:
    """Ten characters: the milliseconds of a ULID."""
    at, pairs = at_us // 1000, _PAIRS
    return "".join([pairs[(at >> shift) & 1023] for shift in (40, 30, 20, 10, 0)])
