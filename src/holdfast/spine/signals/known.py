"""What intake must know of a client: its contract, its collections and the keys of their indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.spine.decision.policies import current_policies
from holdfast.spine.decision.store import CLIENT
from holdfast.spine.vault.hierarchy import client_keys
from holdfast.spine.vault.store import COLLECTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.db import Row, Work
    from holdfast.spine.house import House, SchemaCache
    from holdfast.spine.vault.hierarchy import ClientKeys
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema


class Known(NamedTuple):
    """A client as intake sees it."""

    contract: Contract
    schemas: Sequence[CollectionSchema]
    keys: ClientKeys


def known_of(house: House, client: str) -> Work[Known]:
    """Load what intake must know; what is compiled comes from caches. :class:`NotFound` without such a client."""
    (rows,) = yield Round(data=(CLIENT(client=client),))
    if not rows:
        raise NotFound(f"there is no client {client}", remedy="See `holdfast client list`.")
    fence = rows[0][3]
    policies = yield from current_policies(house.policies, client)
    keys = yield from client_keys(house.keks, client, fence)
    (rows,) = yield Round(data=(COLLECTIONS(client=client),))
    schemas = [_schema(house.schemas, client, fence, row) for row in rows]
    return Known(policies.contract, [schema for schema in schemas if schema], keys)


def _schema(cache: SchemaCache, client: str, fence: int, row: Row) -> CollectionSchema | None:
    name, version, digest, compiled, _ = row
    if cache.holds(client, name, fence):
        return cache.get(client, name, fence, None)
    return cache.get(client, name, fence, [(version, digest, compiled)])
