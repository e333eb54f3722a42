"""A client's own people read their own log, page by page: which logs are theirs, and what stands in them (SPINE 2, 28).

Whoever is not assigned to the client as its user or auditor learns nothing of it, whatever they are in the house: a
client that is somebody else's and one that does not exist are refused in the same words.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.kit.db import Round
from holdfast.kit.errors import NotFound
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.facts import assigned_at
from holdfast.spine.ledger import store as ledger
from holdfast.spine.ledger.tiles import WIDTH
from holdfast.spine.operations.decisions import reader_of
from holdfast.spine.operations.log_reading import MOST_LEAVES, TimelineLeaf
from holdfast.spine.stream.reading import leaves_in
from holdfast.spine.stream.timeline import timeline
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.identity.presented import Caller

CLIENTS_OWN: Final = frozenset({Role.CLIENT_USER, Role.AUDITOR})


class OwnPage(msgspec.Struct, frozen=True):
    """Leaves of a client's log, newest first, and its newest signed checkpoint.

    ``before`` is the index to ask with for older ones, or None. ``signed`` is the size that the checkpoint covers;
    ``signed_us`` is None where no checkpoint was signed yet. ``unread`` is how many of the newest leaves the index of
    references has not read yet; 0 where no reference was asked for.
    """

    client: str
    leaves: tuple[TimelineLeaf, ...]
    before: int | None
    size: int
    signed: int
    signed_us: int | None
    unread: int


def own_clients(house: House, caller: Caller) -> Work[tuple[str, ...]]:
    """Return the clients that the person is a user or auditor of now, by name."""
    now_us = house.clock.now_us()
    reader = yield from reader_of(caller, now_us)
    (rows,) = yield Round(data=(identity.ASSIGNMENTS_OF_PERSON(person=reader.person),))
    found = []
    for client, few in groupby(sorted(rows, key=_client), _client):
        roles = frozenset[Role]().union(*assigned_at(few, now_us).roles.values())
        if roles & CLIENTS_OWN and reader.client in {"", client}:
            found.append(client)
    return tuple(found)


def read_own(
    house: House, caller: Caller, client: str, *, reference: str = "", before: int | None = None
) -> Work[OwnPage]:
    """Return a page of the client's log; with ``reference`` only leaves that name it.

    Raises :class:`NotFound` for a client that is not the person's own, or none; :class:`IntegrityBroken` when a leaf is
    not as the tree has it.
    """
    if client not in (yield from own_clients(house, caller)):
        raise NotFound("there is no such log")
    log = client_log(client)
    trees, signed = yield Round(data=(ledger.TREE(log=log), ledger.CHECKPOINT(log=log)))
    size = trees[0][0] if trees else 0
    unread = 0
    if reference:
        page = yield from timeline(log, reference, before=before, most=MOST_LEAVES)
        leaves = tuple(TimelineLeaf(one.index, dict(one.leaf)) for one in page.leaves)
        older, unread = page.before, max(0, page.size - page.indexed)
    else:
        end = size if before is None else min(before, size)
        start = max(0, end - MOST_LEAVES)
        leaves = yield from _newest(log, range(end - 1, start - 1, -1))
        older = start or None
    return OwnPage(
        client=client,
        leaves=leaves,
        before=older,
        size=size,
        signed=signed[0][0] if signed else 0,
        signed_us=signed[0][2] if signed else None,
        unread=unread,
    )


def _client(row: Any) -> str:
    return str(row[1])


def _newest(log: str, indexes: range) -> Work[tuple[TimelineLeaf, ...]]:
    """Read leaves, each bundle once."""
    found = []
    for n, few in groupby(indexes, lambda index: index // WIDTH):
        for index, entry in (yield from leaves_in(log, n, list(few))):
            found.append(TimelineLeaf(index, msgspec.json.decode(entry, type=dict[str, Any])))
    return tuple(found)
