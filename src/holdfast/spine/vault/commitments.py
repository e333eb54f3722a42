"""What a leaf says of the manifests that an operation wrote: a commitment, opened by a salt that stands beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.mac import hmac_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

SALT_BYTES: Final = 16
_LABEL: Final = b"holdfast/manifests/v1"


def commit_manifests(salt: bytes, written: Iterable[tuple[str, bytes]]) -> str:
    """Return the commitment to (record, digest of its head) pairs, in any order, as hexadecimal.

    HMAC-SHA-256 under a random salt of 128 bits: without the salt, which dies with the operation's row, it tells
    nothing.
    """
    parts = [part for record, digest in sorted(written) for part in (record.encode(), digest)]
    return hmac_sha256(salt, length_prefixed(_LABEL, *parts)).hex()
