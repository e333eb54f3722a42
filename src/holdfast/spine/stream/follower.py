"""A subscriber as it runs: what its declaration names, found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.vocabulary.ids import HOUSE_LOG

if TYPE_CHECKING:
    from holdfast.kit.db import Query, Statement
    from holdfast.vocabulary.manifest import Subscription


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leaf stands."""

    log: str
    index: int


Fold = Callable[[Mapping[str, Any], Place], Iterable["Query"]]
Merge = Callable[[Sequence["Query"]], Sequence["Query"]]


@dataclass(frozen=True, slots=True)
class Follower:
    """See :class:`~holdfast.vocabulary.manifest.Subscription`."""

    name: str
    version: int
    types: frozenset[str]
    logs: str
    fold: Fold
    clear: tuple[Statement, ...]
    merge: Merge | None = None

    def follows(self, log: str) -> bool:
        """Tell whether it wants to know of this log."""
        return self.logs == "both" or (self.logs == "house") == (log == HOUSE_LOG)

    def wants(self, kind: str) -> bool:
        """Tell whether it takes leaves of this type."""
        return not self.types or kind in self.types


def follower_of(declared: Subscription) -> Follower:
    """Import what the declaration names."""
    return Follower(
        name=declared.name,
        version=declared.version,
        types=frozenset(kind.value for kind in declared.types),
        logs=declared.logs,
        fold=_named(declared.fold),
        clear=_named(declared.clear),
        merge=_named(declared.merge) if declared.merge else None,
    )


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
