"""Searching what a store consists of, chunk by chunk, for bytes that must not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.kit.db.ports import Traces

CHUNK_BYTES: Final = 4 * 1024 * 1024


def found_in(chunks: Iterable[bytes], traces: Traces) -> bool:
    """Tell whether one of ``traces`` stands in the chunks, or across the border of two."""
    tail = b""
    for chunk in chunks:
        window = tail + chunk
        if traces.stand_in(window):
            return True
        tail = window[1 - traces.longest :] if traces.longest > 1 else b""
    return False
