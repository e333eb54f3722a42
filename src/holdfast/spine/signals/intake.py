"""Takes a feed's events in: verified, resolved, then written by SQL alone (SPINE 13, 18, 20).

A batch stands or falls whole by its signature, and line by line by its content. :func:`receive` does it all
synchronously (command line, tests); :func:`receive_async` writes inside the data plane's turns. The steps are the same:

1. :func:`~holdfast.spine.signals.batch.open_batch` verifies and reads, pure;
2. :func:`~holdfast.spine.signals.resolve.prepare` turns names and identifiers into ids, outside any write transaction;
3. :func:`apply` folds the events into their contacts, in one transaction per part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from holdfast.kit.clock import DAY_US
from holdfast.kit.db import Round
from holdfast.kit.errors import NotAuthenticated, Unavailable
from holdfast.spine.purpose.provisional import Provisional
from holdfast.spine.purpose.store import CONTACTS, OPEN_ON_WORD, stored_contact
from holdfast.spine.signals.batch import open_batch
from holdfast.spine.signals.events import Rejected, split
from holdfast.spine.signals.fold import ContactMoved, Fold, Stored
from holdfast.spine.signals.known import known_of
from holdfast.spine.signals.pace import NO_SITE, Pace
from holdfast.spine.signals.registry import load_feed
from holdfast.spine.signals.resolve import prepare
from holdfast.spine.signals.store import (
    KEY_IS_ACTIVE,
    PACE,
    SEEN,
)

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.signals.batch import Feed, Translate, VerifiedBatch
    from holdfast.spine.signals.resolve import Prepared

REMEMBERED_US: Final = 7 * DAY_US
TRIES: Final = 1000
PAUSE_S: Final = 0.002
MOST_MOVES: Final = 10
T = TypeVar("T")
GENERIC: Final = "generic"
ADAPTORS: Final[Mapping[str, Translate]] = {GENERIC: split}

Submit = Callable[[Callable[[], "Work[Report]"]], Awaitable["Report"]]


class Report(msgspec.Struct, frozen=True):
    """What became of a batch: events taken in, events that were known already, and the lines refused."""

    accepted: int = 0
    duplicate: int = 0
    rejected: tuple[Rejected, ...] = ()

    def __add__(self, other: Report) -> Report:
        """Join the reports of two parts."""
        rejected = sorted((*self.rejected, *other.rejected), key=lambda r: r.line)
        return Report(
            self.accepted + other.accepted, self.duplicate + other.duplicate, tuple(rejected)
        )


def receive(
    house: House,
    name: str,
    header: str,
    body: bytes,
    *,
    adaptors: Mapping[str, Translate] = ADAPTORS,
) -> Report:
    """Take a batch in, synchronously. Raises what :func:`open_batch` raises; nothing is written then."""
    feed, keys = house.read(load_feed(house.root, name))
    batch = open_batch(
        feed,
        keys,
        header,
        body,
        name=name,
        now_us=house.clock.now_us(),
        translate=_adaptor(feed, adaptors),
    )
    report = Report()
    for part in house.read(_prepared(house, batch)).parts():
        report += house.transact(apply(part))
    return report


async def receive_async(  # noqa: PLR0917  the data plane's call, as the handler reads it
    house: House,
    submit: Submit,
    name: str,
    header: str,
    body: bytes,
    *,
    adaptors: Mapping[str, Translate] = ADAPTORS,
) -> Report:
    """Take a batch in with its writes in the data plane's turns; ``submit`` queues an operation for one.

    While another process writes to the keys store it waits without holding up the loop, up to two seconds, and then
    raises :class:`Unavailable`.
    """
    feed, keys = house.try_read(load_feed(house.root, name))
    batch = open_batch(
        feed,
        keys,
        header,
        body,
        name=name,
        now_us=house.clock.now_us(),
        translate=_adaptor(feed, adaptors),
    )
    prepared = await _patiently(lambda: house.try_read(_prepared(house, batch)))
    report = Report()
    for part in prepared.parts():
        report += await _unmoved(partial(submit, partial(apply, part)))
    return report


async def _unmoved(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try anew what met another batch at a contact that neither found: the second finds it, and waits for it."""
    for _ in range(MOST_MOVES):
        with suppress(ContactMoved):
            return await attempt()
    return await attempt()


async def _patiently(attempt: Callable[[], T]) -> T:
    for _ in range(TRIES):
        try:
            return attempt()
        except Unavailable:
            await asyncio.sleep(PAUSE_S)
    return attempt()


def _adaptor(feed: Feed | None, adaptors: Mapping[str, Translate]) -> Translate:
    name = feed.adaptor if feed else GENERIC
    if name not in adaptors:
        raise Unavailable(f"this process has no adaptor {name!r}", remedy="Register the feed anew.")
    return adaptors[name]


def _prepared(house: House, batch: VerifiedBatch) -> Work[Prepared]:
    known = yield from known_of(house, batch.feed.client)
    return (yield from prepare(batch, known, sure_us=house.sure_us()))


def apply(part: Prepared) -> Work[Report]:
    """Write one part of a batch: contacts, event ids, dead letters, and the leaves that go with them.

    A key that was retired since the signature was verified signs nothing any more.
    """
    feed, kid = part.batch.feed, part.batch.kid
    refs = sorted({r.event.contact for r in part.resolved if r.event.contact})
    sites = sorted({NO_SITE, *(r.site for r in part.resolved)})
    # contacts first: what is read after they are held is what another batch left
    stored, active, seen, on_word, paces = yield Round(
        data=(
            CONTACTS(client=feed.client, refs=refs),
            KEY_IS_ACTIVE(feed=feed.name, kid=kid),
            SEEN(feed=feed.name, ids=[r.event.id for r in part.resolved]),
            OPEN_ON_WORD(client=feed.client, contacts=refs),
            PACE(feed=feed.name, sites=sites),
        )
    )
    if not active:
        raise NotAuthenticated("the key that signed this was retired")
    fold = Fold(
        part,
        Stored(
            seen={row[0]: bytes(row[1]) for row in seen},
            contacts=[stored_contact(row) for row in stored],
            on_word=[Provisional(*row) for row in on_word],
            paces=[Pace(*row) for row in paces],
        ),
    )
    writes = fold.writes()
    if writes:
        answers = yield Round(data=writes)
        fold.check(answers)
        told = fold.leaves(answers)
        if told:
            yield Round(data=told)
    return Report(fold.accepted, fold.duplicate, tuple(fold.rejected))
