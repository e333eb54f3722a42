"""The generic adaptor: the body is canonical already, one JSON object or one per line (``docs/reference/feeds.md``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.spine.signals.events import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.spine.signals.events import Line


def translate(body: bytes) -> Iterator[Line]:
    """Split the body into its lines."""
    return split(body)
