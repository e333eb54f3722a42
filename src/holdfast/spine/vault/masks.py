"""Masks: what stays visible of a value that may not be seen. The length of the output never depends on the value.

``mask(kind, kept) -> str`` takes a value in its kept form (:mod:`~holdfast.spine.vault.normalise`). A value too short
to hide enough behind the mask is hidden whole. An empty value is masked like any other: emptiness is not shown.

=============  ==========================================  =======  ===================
mask           shows                                       length   example
=============  ==========================================  =======  ===================
full           nothing                                     8        ``••••••••``
card           first six, last four (PCI DSS 3.4.1)        16       ``411111••••••1111``
national_id    last four letters or digits                 9        ``•••••6789``
phone          last two digits                             10       ``••••••••01``
email          first letter                                16       ``j•••••••@•••••••``
name           first letter of first and last word         13       ``J••••• G•••••``
date_of_birth  year                                        10       ``1990-••-••``
address        up to ten letters of the last part          20       ``••••••••, Manila••••``
account        last four letters or digits                 12       ``••••••••4321``
=============  ==========================================  =======  ===================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.vocabulary.schema import Mask

if TYPE_CHECKING:
    from collections.abc import Callable

DOT: Final = "•"
HIDDEN: Final = DOT * 8
LENGTHS: Final[dict[Mask, int]] = {
    Mask.FULL: 8,
    Mask.CARD: 16,
    Mask.NATIONAL_ID: 9,
    Mask.PHONE: 10,
    Mask.EMAIL: 16,
    Mask.NAME: 13,
    Mask.DATE_OF_BIRTH: 10,
    Mask.ADDRESS: 20,
    Mask.ACCOUNT: 12,
}


def mask(kind: Mask, kept: str) -> str:
    """Return ``kept`` behind the mask, always ``LENGTHS[kind]`` characters long."""
    return masker(kind)(kept)


def masker(kind: Mask) -> Callable[[str], str]:
    """Return the mask as a function, for who masks many."""
    shape, hidden = _BY_KIND[kind], DOT * LENGTHS[kind]
    return lambda kept: shape(kept) or hidden


def card_mask(first_six: str, last_four: str) -> str:
    """Return what is shown of a card number that is kept as token, first six and last four."""
    return f"{first_six}{DOT * 6}{last_four}"


def _alphanumeric(text: str) -> str:
    return "".join([c for c in text if c.isalnum()])


def _full(_kept: str) -> str:
    return ""


def _card(kept: str) -> str:
    return card_mask(kept[:6], kept[-4:]) if len(kept) >= 12 and kept.isdecimal() else ""


def _last_four(kept: str, dots: int) -> str:
    bare = _alphanumeric(kept)
    return DOT * dots + bare[-4:] if len(bare) >= 8 else ""


def _phone(kept: str) -> str:
    return DOT * 8 + kept[-2:] if len(kept) >= 8 and kept[-2:].isdecimal() else ""


def _email(kept: str) -> str:
    return f"{kept[0]}{DOT * 7}@{DOT * 7}" if kept.find("@") > 1 else ""


def _name(kept: str) -> str:
    initials = [word[0].upper() for word in kept.split() if word[0].isalpha()]
    initials = [letter for letter in initials if len(letter) == 1]
    if len(kept) < 3 or not initials:
        return ""
    last = initials[-1] if len(initials) > 1 else DOT
    return f"{initials[0]}{DOT * 5} {last}{DOT * 5}"


def _date_of_birth(kept: str) -> str:
    year = kept[:4]
    return f"{year}-{DOT * 2}-{DOT * 2}" if len(kept) == 10 and year.isdecimal() else ""


def _address(kept: str) -> str:
    parts = [part.strip() for part in kept.split(",")]
    shown = "".join([c for c in parts[-1] if c.isalpha() or c == " "])[:10].strip()
    return f"{HIDDEN}, {shown.ljust(10, DOT)}" if len(parts) > 1 and shown else ""


_BY_KIND: Final[dict[Mask, Callable[[str], str]]] = {
    Mask.FULL: _full,
    Mask.CARD: _card,
    Mask.NATIONAL_ID: lambda kept: _last_four(kept, 5),
    Mask.PHONE: _phone,
    Mask.EMAIL: _email,
    Mask.NAME: _name,
    Mask.DATE_OF_BIRTH: _date_of_birth,
    Mask.ADDRESS: _address,
    Mask.ACCOUNT: lambda kept: _last_four(kept, 8),
}
