"""All adaptors by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.edges.feeds import generic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.spine.signals.batch import Translate

ADAPTORS: Final[Mapping[str, Translate]] = {"generic": generic.translate}
