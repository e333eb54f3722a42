"""What intake must know of a client: its contract, its collections and the keys of their indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema


class Known(NamedTuple):
    """A client as intake sees it."""

    contract: Contract
    schemas: Sequence[CollectionSchema]
    keys: ClientKeys
