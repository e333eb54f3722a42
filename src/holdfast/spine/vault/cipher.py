"""Sealing and opening of single fields. Only this package may import it.

Associated data binds a ciphertext to its place: suite, client, customer, record, class, field number, the version at
which it was sealed, and the version of its data key, length-prefixed
(:func:`~holdfast.kit.canonical.length_prefixed`). A ciphertext that is moved to any other place does not open. A
*manifest* is a tag over the list of (field, version, tag) of one class of a record, under that class's key (the AEAD
over associated data alone): a field that is taken away, swapped or rolled back is noticed even when nobody asks for it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag

from holdfast.kit.canonical import length_prefixed
from holdfast.kit.crypto.aead import open_with, seal_with
from holdfast.kit.errors import IntegrityBroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.spine.vault.hierarchy import ClassKey

TAG_BYTES: Final = 16
FIELD: Final = b"holdfast/field/v1"
MANIFEST: Final = b"holdfast/manifest/v1"
_FIELD_HEAD: Final = (9).to_bytes(4, "big") + length_prefixed(FIELD)[4:]
_MOVED: Final = "a sealed field does not open: wrong key, moved or edited"
_SUITES: Final = tuple(bytes((number,)) for number in range(256))
_MANIFEST_HEAD: Final = (8).to_bytes(4, "big") + length_prefixed(MANIFEST)[4:]

# field number, version at which it was sealed, suite ‖ nonce ‖ ciphertext ‖ tag
Sealed = tuple[int, int, bytes]


def place(suite: int, client: str, customer: str, record: str) -> bytes:
    """Return the part of the associated data that all of a record shares."""
    return length_prefixed(bytes((suite,)), client.encode(), customer.encode(), record.encode())[4:]


class Part(NamedTuple):
    """What is sealed at once of one class of the record at ``at``: (field number, plaintext) pairs."""

    key: ClassKey
    at: bytes
    contents: Sequence[tuple[int, bytes]]
    version: int


def seal_parts(parts: Sequence[Part], nonces: Sequence[bytes]) -> list[list[Sealed]]:
    """Seal the fields of parts, each field under its own fresh nonce; ``nonces`` has one for each.

    Each step is taken for all parts before the next: its code then stays in the processor's caches.
    """
    ciphers, suites, plain, bound = [], [], [], []
    for key, at, contents, version in parts:
        head, suite = _FIELD_HEAD + at, _SUITES[key.suite]
        for number, content in contents:
            ciphers.append(key.cipher.encrypt)
            suites.append(suite)
            plain.append(content)
            bound.append(head + _within(key.data_class, key.version, number, version))
    boxes = iter(
        [
            suite + nonce + encrypt(nonce, content, aad)
            for encrypt, suite, nonce, content, aad in zip(
                ciphers, suites, nonces, plain, bound, strict=True
            )
        ]
    )
    return [
        [(number, version, next(boxes)) for number, _ in contents]
        for _, _, contents, version in parts
    ]


def open_sealed(key: ClassKey, at: bytes, fields: Sequence[Sealed]) -> list[bytes]:
    """Open fields of one class; :class:`IntegrityBroken` if one was sealed for another place or edited."""
    head, data_class, dek_version = _FIELD_HEAD + at, key.data_class, key.version
    decrypt, suite = key.cipher.decrypt, key.suite
    try:
        opened = [
            decrypt(box[1:13], box[13:], head + _within(data_class, dek_version, number, version))
            for number, version, box in fields
            if box[0] == suite
        ]
    except (InvalidTag, ValueError, IndexError):
        raise IntegrityBroken(_MOVED) from None
    if len(opened) != len(fields):
        raise IntegrityBroken(_MOVED)
    return opened


def make_manifests(
    listed: Sequence[tuple[ClassKey, bytes, Sequence[Sealed]]], nonces: Sequence[bytes]
) -> list[bytes]:
    """Return the tag over the fields of each class of a record, in the order of their numbers."""
    bound = [_listed(key, at, fields) for key, at, fields in listed]
    return [
        seal_with(key.cipher, key.suite, nonce, b"", aad)
        for (key, _, _), nonce, aad in zip(listed, nonces, bound, strict=True)
    ]


def check_manifest(key: ClassKey, at: bytes, manifest: bytes, fields: Sequence[Sealed]) -> None:
    """Raise :class:`IntegrityBroken` unless ``manifest`` was made over exactly these fields."""
    if manifest[:1] != _SUITES[key.suite]:
        raise IntegrityBroken(_MOVED)
    open_with(key.cipher, manifest, _listed(key, at, fields))


def _listed(key: ClassKey, at: bytes, fields: Sequence[Sealed]) -> bytes:
    listed = b"".join(
        [_numbers(number, version) + box[-TAG_BYTES:] for number, version, box in fields]
    )
    of_class = _of_class(key.data_class, key.version)
    return b"".join((_MANIFEST_HEAD, at, of_class, len(listed).to_bytes(4, "big"), listed))


# These parts are the same in every record, so each is built once.
@lru_cache(maxsize=65_536)
def _within(data_class: int, dek_version: int, number: int, version: int) -> bytes:
    return length_prefixed(
        bytes((data_class,)),
        number.to_bytes(4, "big"),
        version.to_bytes(8, "big"),
        dek_version.to_bytes(4, "big"),
    )[4:]


@lru_cache(maxsize=65_536)
def _numbers(number: int, version: int) -> bytes:
    return number.to_bytes(4, "big") + version.to_bytes(8, "big")


@lru_cache(maxsize=4096)
def _of_class(data_class: int, dek_version: int) -> bytes:
    return length_prefixed(bytes((data_class,)), dek_version.to_bytes(4, "big"))[4:]
