"""Secrets of feeds, sealed under the house's root: the signing keys, and the key that recognises a repeated event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.secret import Secret

if TYPE_CHECKING:
    from holdfast.spine.vault.roots import Root

_SIGNS: Final = b"holdfast/feed-key/v1"
_DIGESTS: Final = b"holdfast/feed-digest/v1"


def seal_key(root: Root, feed: str, kid: str, secret: Secret[bytes]) -> bytes:
    """Seal a signing key; it opens only as this key of this feed."""
    return root.wrap(secret.reveal(), length_prefixed(_SIGNS, feed.encode(), kid.encode()))


def open_key(root: Root, feed: str, kid: str, sealed: bytes) -> Secret[bytes]:
    """Open a signing key; :class:`IntegrityBroken` if the row was edited or belongs to another feed."""
    return Secret(root.unwrap(sealed, length_prefixed(_SIGNS, feed.encode(), kid.encode())))


def seal_digest_key(root: Root, feed: str, secret: Secret[bytes]) -> bytes:
    """Seal a feed's digest key."""
    return root.wrap(secret.reveal(), length_prefixed(_DIGESTS, feed.encode()))


def open_digest_key(root: Root, feed: str, sealed: bytes) -> Secret[bytes]:
    """Open a feed's digest key; :class:`IntegrityBroken` if the row was edited or belongs to another feed."""
    return Secret(root.unwrap(sealed, length_prefixed(_DIGESTS, feed.encode())))
