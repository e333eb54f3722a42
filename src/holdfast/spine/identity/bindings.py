"""What a token can be bound to, as it is given by hand: thumbprints, and files that hold a key or a certificate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.kit.crypto.holder import (
    certificate_thumbprint,
    key_of_file,
    key_of_private_file,
    new_key_file,
)
from holdfast.kit.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "checked_thumbprint",
    "new_key_file",
    "thumbprint_of_certificate",
    "thumbprint_of_key",
    "thumbprint_of_private_key",
]

_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")  # 32 bytes in base64url


def checked_thumbprint(text: str, field: str) -> str:
    """Return ``text`` if it is a SHA-256 thumbprint in base64url; :class:`InvalidInput` names ``field``."""
    if not _THUMBPRINT.fullmatch(text):
        raise InvalidInput(
            "a thumbprint is 43 characters of base64url: SHA-256, 32 bytes",
            field=field,
            remedy="`holdfast token key FILE` prints that of a key.",
        )
    return text


def thumbprint_of_key(path: Path, field: str) -> str:
    """Return the thumbprint (RFC 7638) of the key in a file; a private key is read, and its public half used."""
    try:
        return key_of_file(path.read_bytes()).thumbprint
    except ValueError as error:
        raise InvalidInput(f"{path} holds no key for this: {error}", field=field) from None


def thumbprint_of_private_key(content: bytes, field: str) -> str:
    """Return the thumbprint of a private key that stands in ``content``, PEM; a public one shows nothing."""
    try:
        return key_of_private_file(content).thumbprint
    except ValueError as error:
        raise InvalidInput(
            f"this is not the key that a token is bound to: {error}",
            field=field,
            remedy="`holdfast token key FILE` makes one.",
        ) from None


def thumbprint_of_certificate(path: Path, field: str) -> str:
    """Return the thumbprint (RFC 8705 §3.1) of the certificate in a file."""
    try:
        return certificate_thumbprint(path.read_bytes())
    except ValueError:
        raise InvalidInput(f"{path} holds no X.509 certificate", field=field) from None
