"""What is kept of a number with handling ``reference``: a random token, its safe parts, and a keyed hash.

The number itself is never stored. Shown ``clear`` is the token (``tok_…``, 128 random bits, in no payment range); shown
``masked`` are the first six and last four of a card (PCI DSS 3.4.1), or the last four of an account. The hash, under a
key that dies with the customer's data key, lets a caller's answer be compared and keeps the token when the same number
comes in again.
"""

from __future__ import annotations

from typing import Final

import msgspec

from holdfast.kit.crypto.mac import equal
from holdfast.kit.errors import IntegrityBroken
from holdfast.kit.ids import new_reference
from holdfast.spine.vault.masks import DOT, LENGTHS, card_mask
from holdfast.vocabulary.schema import FieldType, Mask

PREFIX: Final = "tok"


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A number by reference."""

    token: str
    first_six: str
    last_four: str
    mac: bytes

    def __repr__(self) -> str:
        return f"Kept({self.token})"

    def masked(self) -> str:
        """Return the safe parts; the length does not depend on the number."""
        if self.first_six:
            return card_mask(self.first_six, self.last_four)
        return DOT * (LENGTHS[Mask.ACCOUNT] - 4) + (self.last_four or DOT * 4)

    def pack(self) -> bytes:
        """Return the bytes that are sealed."""
        return _ENCODER.encode(self)


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Kept)


def keep(type_: FieldType, compared: str, mac: bytes, *, before: Kept | None = None) -> Kept:
    """Return what is kept of a number; the token of ``before`` when it is the same number."""
    if before is not None and equal(before.mac, mac):
        return before
    card = type_ is FieldType.CARD
    long_enough = card or len(compared) >= 8
    return Kept(
        new_reference(PREFIX),
        compared[:6] if card else "",
        compared[-4:] if long_enough else "",
        mac,
    )


def unpack(sealed: bytes) -> Kept:
    """Read what :meth:`Kept.pack` wrote; :class:`IntegrityBroken` if it is something else."""
    try:
        return _DECODER.decode(sealed)
    except msgspec.MsgspecError:
        raise IntegrityBroken("what is kept of a number cannot be read") from None
