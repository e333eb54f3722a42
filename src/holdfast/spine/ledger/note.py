"""C2SP signed-note: text with signature lines, and the keys that make and check them.

Two of its signature types: Ed25519 (0x01) over the text, and ML-DSA-44 (0x06) as C2SP tlog-cosignature prescribes
it: over origin, size, root and a time, so such a line stands under checkpoints only.

A signature by a key that is not asked for is ignored; a bad one by a key that is asked for spoils the whole note.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from holdfast.kit.crypto.signing import (
    ED25519_PUBLIC_BYTES,
    ED25519_SIGNATURE_BYTES,
    MLDSA44_PUBLIC_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    Ed25519Key,
    MlDsa44Key,
    ed25519_verifies,
    mldsa44_verifies,
)
from holdfast.kit.errors import IntegrityBroken, InvalidInput, NotAuthenticated
from holdfast.spine.ledger.checkpoint import Head, base64_text, from_base64, parse_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_BYTES: Final = 1_000_000
MOST_SIGNATURES: Final = 100
KEY_ID_BYTES: Final = 4
_DASH: Final = "\u2014 "


class SignatureType(IntEnum):
    """The types that Holdfast makes and checks."""

    ED25519 = 0x01
    ML_DSA_44 = 0x06


_PUBLIC_BYTES: Final = {
    SignatureType.ED25519: ED25519_PUBLIC_BYTES,
    SignatureType.ML_DSA_44: MLDSA44_PUBLIC_BYTES,
}


class VerifierKey(NamedTuple):
    """A public key with the name under which it signs."""

    name: str
    type: SignatureType
    public: bytes

    @property
    def id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ type ‖ public key), its first four bytes."""
        return key_id(self.name, self.type, self.public)

    @property
    def text(self) -> str:
        """The vkey: ``name+hex(id)+base64(type ‖ public key)``."""
        return f"{self.name}+{self.id.hex()}+{base64_text(bytes((self.type,)) + self.public)}"

    @property
    def label(self) -> str:
        """Short enough to be read: ``name+hex(id)``."""
        return f"{self.name}+{self.id.hex()}"


def key_id(name: str, kind: SignatureType, public: bytes) -> bytes:
    """Return the four bytes by which a signature line names its key, together with the name."""
    return sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:KEY_ID_BYTES]


def parse_vkey(text: str) -> VerifierKey:
    """Read a vkey; :class:`InvalidInput` when it is malformed, of another type, or its hash does not fit."""
    parts = text.strip().split("+", 2)
    raw = from_base64(parts[2]) if len(parts) == 3 else None
    if raw is None or not _is_name(parts[0]):
        raise _bad_vkey("it is not of the form name+hash+key")
    try:
        kind = SignatureType(raw[0]) if raw else None
    except ValueError:
        kind = None
    if kind is None or len(raw) != 1 + _PUBLIC_BYTES[kind]:
        raise _bad_vkey("it is neither an Ed25519 nor an ML-DSA-44 key")
    key = VerifierKey(parts[0], kind, raw[1:])
    if parts[1] != key.id.hex():
        raise _bad_vkey("its hash does not fit its name and key: a part is mistyped or missing")
    return key


def _bad_vkey(why: str) -> InvalidInput:
    return InvalidInput(
        f"this is no verifier key: {why}",
        field="key",
        remedy="Give it as `holdfast log key` prints it, e.g. 'house.example/1a2b3c4d/client-x+1a2b3c4d+A…'.",
        code="bad_vkey",
    )


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


class SignatureLine(NamedTuple):
    """One signature under a note."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {base64_text(self.key_id + self.signature)}\n"


class Note(NamedTuple):
    """A note as it is written; nothing is verified yet."""

    text: str
    lines: tuple[SignatureLine, ...]

    def encode(self) -> bytes:
        """The note as a file."""
        return (self.text + "\n" + "".join(line.text for line in self.lines)).encode()


def parse_note(raw: bytes) -> Note:
    """Take a note apart; :class:`IntegrityBroken` when it is malformed."""
    if len(raw) > MOST_BYTES:
        raise _malformed("it is longer than a megabyte")
    try:
        note = raw.decode()
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None
    if any(c < " " and c != "\n" for c in note):
        raise _malformed("it holds a control character")
    at = note.rfind("\n\n")
    if at < 0 or not note.endswith("\n"):
        raise _malformed("text and signatures are parted by an empty line")
    text, block = note[: at + 1], note[at + 2 : -1]
    if not block:
        raise _malformed("it carries no signature")
    rows = block.split("\n")
    if len(rows) > MOST_SIGNATURES:
        raise _malformed(f"it carries more than {MOST_SIGNATURES} signatures")
    return Note(text, tuple(_parse_line(row) for row in rows))


def _parse_line(row: str) -> SignatureLine:
    name, _, encoded = row.removeprefix(_DASH).partition(" ")
    raw = from_base64(encoded)
    if not row.startswith(_DASH) or not _is_name(name) or raw is None or len(raw) <= KEY_ID_BYTES:
        raise _malformed("a signature line is not of the form '\u2014 name signature'")
    return SignatureLine(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _malformed(why: str) -> IntegrityBroken:
    return IntegrityBroken(f"malformed note: {why}", code="malformed_note")


class Opened(NamedTuple):
    """A verified note: its text and the keys whose signatures are good."""

    text: str
    by: tuple[VerifierKey, ...]


def open_note(raw: bytes, keys: Iterable[VerifierKey]) -> Opened:
    """Verify a note.

    :class:`IntegrityBroken` when it is malformed or a signature by one of ``keys`` is bad; :class:`NotAuthenticated`
    when none of them signed it. Two keys of the same name and id are refused (``ValueError``).
    """
    note = parse_note(raw)
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            msg = "two verifier keys share a name and an id"
            raise ValueError(msg)
    by: list[VerifierKey] = []
    for line in note.lines:
        signer = known.get((line.name, line.key_id))
        if signer is None:
            continue
        if not _verifies(signer, line.signature, note.text):
            raise IntegrityBroken(f"the signature by {signer.label} is bad", code="bad_signature")
        if signer not in by:
            by.append(signer)
    if not by:
        raise NotAuthenticated("none of the given keys signed this", code="not_signed_by_key")
    return Opened(note.text, tuple(by))


def _verifies(key: VerifierKey, signature: bytes, text: str) -> bool:
    match key.type:
        case SignatureType.ED25519:
            right_length = len(signature) == ED25519_SIGNATURE_BYTES
            return right_length and ed25519_verifies(key.public, signature, text.encode())
        case SignatureType.ML_DSA_44:
            if len(signature) != 8 + MLDSA44_SIGNATURE_BYTES:
                return False
            try:
                head = parse_head(text)
                message = cosigned_message(key.name, int.from_bytes(signature[:8], "big"), head)
            except (IntegrityBroken, ValueError):
                return False
            return mldsa44_verifies(key.public, signature[8:], message)


def cosigned_message(name: str, timestamp_s: int, head: Head) -> bytes:
    """``cosigned_message`` of C2SP tlog-cosignature for a whole tree; ``ValueError`` when a part does not fit."""
    if timestamp_s >= 2**63:
        msg = "a time beyond 2^63"
        raise ValueError(msg)
    return b"".join(
        (
            b"subtree/v1\n\0",
            _u8_prefixed(name.encode()),
            timestamp_s.to_bytes(8, "big"),
            _u8_prefixed(head.origin.encode()),
            (0).to_bytes(8, "big"),
            head.size.to_bytes(8, "big"),
            head.root,
        )
    )


def _u8_prefixed(raw: bytes) -> bytes:
    if not 1 <= len(raw) <= 255:
        msg = "a name of 1 to 255 bytes"
        raise ValueError(msg)
    return bytes((len(raw),)) + raw


class NoteSigner(Protocol):
    """Something that puts its line under a text."""

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        ...

    def line(self, text: str, at_us: int) -> SignatureLine:
        """Sign ``text`` at that time."""
        ...


class Ed25519Signer:
    """Signs any note."""

    def __init__(self, name: str, key: Ed25519Key) -> None:
        self._key = key
        self.key = VerifierKey(name, SignatureType.ED25519, key.public)

    def line(self, text: str, at_us: int) -> SignatureLine:  # noqa: ARG002  the type carries no time
        """See :class:`NoteSigner`."""
        return SignatureLine(self.key.name, self.key.id, self._key.sign(text.encode()))


class MlDsa44Signer:
    """Signs checkpoints; the line carries the time in whole seconds."""

    def __init__(self, name: str, key: MlDsa44Key) -> None:
        self._key = key
        self.key = VerifierKey(name, SignatureType.ML_DSA_44, key.public)

    def line(self, text: str, at_us: int) -> SignatureLine:
        """See :class:`NoteSigner`; :class:`IntegrityBroken` when ``text`` is no checkpoint."""
        timestamp_s = at_us // 1_000_000
        message = cosigned_message(self.key.name, timestamp_s, parse_head(text))
        signature = timestamp_s.to_bytes(8, "big") + self._key.sign(message)
        return SignatureLine(self.key.name, self.key.id, signature)


def sign_note(text: str, signers: Sequence[NoteSigner], at_us: int) -> bytes:
    """Write ``text`` with one line by each signer; ``ValueError`` for a text that no note can hold."""
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        msg = "a note's text ends with a newline and holds no other control character"
        raise ValueError(msg)
    return Note(text, tuple(signer.line(text, at_us) for signer in signers)).encode()


def open_checkpoint(raw: bytes, keys: Iterable[VerifierKey]) -> tuple[Head, Opened]:
    """Verify a signed checkpoint; errors as :func:`open_note` and :func:`parse_head`."""
    opened = open_note(raw, keys)
    return parse_head(opened.text), opened
