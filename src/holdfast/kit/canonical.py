"""Canonical bytes: JSON for what is published, length-prefixed fields for what is authenticated."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode


def canonical_json(value: Any) -> bytes:
    """Encode by the rules of RFC 8785 (JCS), for strings, integers, booleans, null, lists and objects.

    Floats are refused (``TypeError``): their canonical form is where implementations differ. Integers beyond
    ±2^53 and keys outside the Basic Multilingual Plane are refused too, for the same reason. The result is
    byte-identical to JCS for what is accepted.
    """
    _check(value)
    return _encode(value)


def _check(value: Any) -> None:
    """Refuse what has no canonical form; written as a loop because every leaf passes here."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str or kind is bool or item is None or isinstance(item, str):
            continue
        if kind is dict:
            _check_keys(item)
            waiting += [inner for inner in item.values() if type(inner) is not str]
        elif kind is list or kind is tuple:
            waiting += [inner for inner in item if type(inner) is not str]
        elif isinstance(item, int):
            if abs(item) > 2**53:
                msg = "integers beyond 2^53 are written as strings"
                raise TypeError(msg)
        else:
            msg = f"{kind.__name__} has no canonical form"
            raise TypeError(msg)


def _check_keys(item: dict[Any, Any]) -> None:
    try:
        together = "".join(item)
    except TypeError:
        together = None
    if together is None or not (together.isascii() or max(together) <= "\uffff"):
        msg = "object keys must be strings of the Basic Multilingual Plane"
        raise TypeError(msg)


def length_prefixed(*parts: bytes) -> bytes:
    """Join ``parts`` so that no two different tuples give the same bytes: count, then u32 length and bytes each."""
    prefixed = [len(part).to_bytes(4, "big") + part for part in parts]
    return len(parts).to_bytes(4, "big") + b"".join(prefixed)
