"""The house, as pages use it: opened once per thread, and working in the name of whoever signed in."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING

from django.conf import settings

from holdfast.spine.house import open_house

if TYPE_CHECKING:
    from holdfast.spine.house import House

_OPENED = local()


def house() -> House:
    """Return this thread's house. Until :func:`work_as` says otherwise, it works in nobody's name."""
    found: House | None = getattr(_OPENED, "house", None)
    if found is None:
        found = open_house(settings.HOUSE)
        found.session = b""
        _OPENED.house = found
    return found


def work_as(secret_hash: bytes) -> None:
    """Let this thread's house work in the name of whoever has the cookie of this hash; b"" is nobody."""
    house().session = secret_hash


def leave() -> None:
    """Close this thread's house: its connections, and the keys that it unwrapped."""
    found: House | None = getattr(_OPENED, "house", None)
    if found is not None:
        found.close()
        del _OPENED.house
