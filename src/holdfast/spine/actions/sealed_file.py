"""A file that only its recipient opens, and of which no part passes for the whole.

::

    "HFEX0001"  length of the header, 4 bytes, big-endian  header  chunk chunk … chunk

The header is canonical JSON: what the file is (``about``), the recipient, the size of a chunk, and ``key``: 32 random
bytes sealed to the recipient by HPKE (RFC 9180) under all else in the header. The content follows in chunks of 64 KiB,
each sealed by AES-256-GCM under that key with the nonce *number of the chunk (11 bytes) ‖ 1 for the last, else 0* and
the SHA-256 of the whole header as associated data: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015).
A chunk that is missing, moved or cut off, and a header of another file, do not open.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.kit.canonical import canonical_json
from holdfast.kit.crypto import hpke
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.ids import random_bytes
from holdfast.kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAGIC: Final = b"HFEX0001"
CHUNK_BYTES: Final = 64 * 1024
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
_MOST_HEADER: Final = 64 * 1024
_INFO: Final = b"holdfast/sealed-file/v1\0"


class SealedWriter:
    """Writes one sealed file. What is written is sealed chunk by chunk; nothing else leaves the process.

    The file is whole only after :meth:`finish`.
    """

    def __init__(self, file: IO[bytes], recipient: str, about: Mapping[str, Any]) -> None:
        fixed = {"about": dict(about), "chunk": CHUNK_BYTES, "suite": hpke.NAME, "v": 1}
        key = random_bytes(_KEY_BYTES)
        info = _INFO + canonical_json(fixed)
        sealed = hpke.seal_to(hpke.read_public(recipient), Secret(key), info)
        header = canonical_json({**fixed, "key": base64.b64encode(sealed).decode()})
        self._cipher = AESGCM(key)
        self._aad = sha256(header).digest()
        self._file = file
        self._hash = sha256()
        self._waiting = bytearray()
        self._count = 0
        self._put(MAGIC + len(header).to_bytes(4, "big") + header)

    def write(self, content: bytes) -> None:
        """Add content."""
        self._waiting += content
        while len(self._waiting) > CHUNK_BYTES:  # the last chunk is empty in an empty file only
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]

    def finish(self) -> bytes:
        """Seal the last chunk; return the SHA-256 of all bytes of the file."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()
        return self._hash.digest()

    def _seal(self, content: bytes, *, last: bool) -> None:
        self._put(self._cipher.encrypt(_nonce(self._count, last=last), content, self._aad))
        self._count += 1

    def _put(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)


def new_key() -> Secret[bytes]:
    """Make a recipient's private key, PEM; :func:`public_half` is what files are sealed to."""
    return hpke.new_private()


def public_half(private_key: bytes) -> str:
    """Return the public half of a private key, as contracts name it; ``ValueError`` when it is none for this."""
    return hpke.public_text(hpke.read_private(private_key))


def open_file(file: IO[bytes], private_key: bytes) -> Iterator[bytes]:
    """Return the content part by part. ``private_key`` is PEM; ``ValueError`` when it is no key for this.

    :class:`IntegrityBroken` as soon as something does not open. What came before is genuine, but it is not all: only
    without an error is the content whole.
    """
    key = hpke.read_private(private_key)
    header = _header(file)
    read = json.loads(header)
    sealed = base64.b64decode(read.pop("key"))
    secret = hpke.open_sealed(key, sealed, _INFO + canonical_json(read))
    cipher, aad = AESGCM(secret), sha256(header).digest()
    count, size = 0, CHUNK_BYTES + _TAG_BYTES
    chunk, after = file.read(size), file.read(size)
    while after:
        yield _opened(cipher, _nonce(count, last=False), chunk, aad)
        chunk, after, count = after, file.read(size), count + 1
    yield _opened(cipher, _nonce(count, last=True), chunk, aad)


def _opened(cipher: AESGCM, nonce: bytes, chunk: bytes, aad: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, chunk, aad)
    except (InvalidTag, ValueError):
        raise IntegrityBroken(
            "the file was cut off or changed; what came before is not all"
        ) from None


def _header(file: IO[bytes]) -> bytes:
    start = file.read(len(MAGIC) + 4)
    length = int.from_bytes(start[len(MAGIC) :], "big")
    header = file.read(length) if start[: len(MAGIC)] == MAGIC and length <= _MOST_HEADER else b""
    try:
        read = json.loads(header)
        known = (read["v"], read["suite"], read["chunk"]) == (1, hpke.NAME, CHUNK_BYTES)
        known = known and canonical_json(read) == header and isinstance(read["key"], str)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise IntegrityBroken("this is no sealed file of a kind that this version knows")
    return header


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + (b"\1" if last else b"\0")
