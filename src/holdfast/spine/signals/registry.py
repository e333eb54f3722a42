"""Which feeds there are, what each may speak for, and the keys by which it signs (SPINE 12, 13).

A feed decides who may look at whom, so each change here is a leaf in its client's log. Keys rotate by overlap: add the
new one, let the sender use it, retire the old one, which takes effect on the next batch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.kit.ids import new_id, new_secret_text, random_bytes
from holdfast.kit.secret import Secret
from holdfast.spine.ledger.recorder import append
from holdfast.spine.ledger.sequencer import moment
from holdfast.spine.purpose.merge import EventType
from holdfast.spine.signals.batch import Feed
from holdfast.spine.signals.envelope import FeedKey
from holdfast.spine.signals.pace import Measured, Pace, measured
from holdfast.spine.signals.secrets import open_digest_key, open_key, seal_digest_key, seal_key
from holdfast.spine.signals.store import (
    ACTIVE_KEYS,
    ADD_FEED,
    ADD_KEY,
    DEAD_LETTERS,
    FEED,
    FEEDS,
    KEYS,
    PACES,
    RETIRE_KEY,
)
from holdfast.vocabulary.ids import FEED_KEY, LEAF, client_log
from holdfast.vocabulary.leaves import Leaf, LeafType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdfast.kit.db import Query, Row, Work
    from holdfast.spine.signals.known import Known
    from holdfast.spine.vault.roots import Root

    Reference = Callable[[str], Work[str]]  # log → what that log calls the acting person

MOST_ACTIVE_KEYS: Final = 3
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_SITE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}\Z")


class NewFeed(NamedTuple):
    """A feed to be registered; an empty list of types, programmes or sites means all of the client's."""

    name: str
    client: str
    types: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    zone: str = ""
    adaptor: str = "generic"


class ListedFeed(NamedTuple):
    """A feed as lists show it. ``keys`` maps each key id to whether it is active."""

    name: str
    client: str
    types: tuple[str, ...]
    programmes: tuple[str, ...]
    sites: tuple[str, ...]
    zone: str
    adaptor: str
    created_us: int
    keys: Mapping[str, bool]


class DeadLetter(NamedTuple):
    """A refused line as lists show it."""

    at_us: int
    feed: str
    client: str
    line: int
    reason: str
    field: str


def load_feed(root: Root, name: str) -> Work[tuple[Feed | None, list[FeedKey]]]:
    """Return the feed and its active keys, newest first; None and no keys if there is no feed of that name."""
    feeds, keys = yield Round(data=(FEED(name=name), ACTIVE_KEYS(feed=name)))
    if not feeds:
        return None, []
    opened = [FeedKey(kid, open_key(root, name, kid, bytes(sealed))) for kid, sealed in keys]
    return _feed_of(root, feeds[0]), opened


def _feed_of(root: Root, row: Row) -> Feed:
    name, client, types, programmes, sites, zone, adaptor, sealed, _ = row
    return Feed(
        name,
        client,
        frozenset(_words(types)),
        frozenset(_words(programmes)),
        frozenset(_words(sites)),
        zone,
        adaptor,
        open_digest_key(root, name, bytes(sealed)),
    )


def check_feed(new: NewFeed, known: Known, adaptors: Iterable[str]) -> NewFeed:
    """Return ``new`` with its types spelt out; :class:`InvalidInput` names what does not exist or is malformed."""
    if not _NAME.match(new.name):
        raise InvalidInput("lower-case letters, digits and hyphens, at most 63", field="name")
    types = new.types or tuple(kind.value for kind in EventType)
    _all_in("types", types, {kind.value for kind in EventType})
    _all_in("programmes", new.programmes, known.contract.programmes)
    _all_in("adaptor", (new.adaptor,), set(adaptors))
    if not all(_SITE.match(site) for site in new.sites):
        raise InvalidInput("a site is 1 to 128 letters, digits and ._:@/+-", field="sites")
    if new.zone:
        try:
            ZoneInfo(new.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidInput(
                "no such time zone", field="zone", remedy="Give an IANA name, such as Asia/Manila."
            ) from None
    return new._replace(types=types)


def _all_in(field: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    strange = [name for name in given if name not in names]
    if strange:
        raise InvalidInput(
            f"unknown: {', '.join(strange)[:100]}",
            field=field,
            remedy=f"Known: {', '.join(names)}.",
        )


def make_digest_key(root: Root, feed: str) -> bytes:
    """Make the key by which a feed's repeated events are recognised; return it sealed."""
    return seal_digest_key(root, feed, Secret(random_bytes(32)))


def add_feed(new: NewFeed, digest_key: bytes, *, by: Reference, now_us: int) -> Work[None]:
    """Register a feed that :func:`check_feed` has checked; :class:`Conflict` if the name is taken."""
    log = client_log(new.client)
    ref = yield from by(log)
    row = ADD_FEED(
        name=new.name,
        client=new.client,
        types=",".join(new.types),
        programmes=",".join(new.programmes),
        sites=",".join(new.sites),
        zone=new.zone,
        adaptor=new.adaptor,
        digest_key=digest_key,
        created_us=now_us,
    )
    (added,) = yield Round(data=(row,))
    if not added:
        raise Conflict(f"there is a feed {new.name} already", remedy="Choose another name.")
    body = {
        "by": ref,
        "feed": new.name,
        "types": list(new.types),
        "programmes": list(new.programmes),
    }
    yield Round(data=(_leaf(log, LeafType.FEED_ADDED, body, now_us),))


def make_key(root: Root, feed: str, now_us: int) -> tuple[FeedKey, bytes]:
    """Make a signing key; return it, to be shown this once, and sealed, to be stored."""
    kid = new_id(FEED_KEY, now_us)
    secret = Secret(new_secret_text("hfk").encode())
    return FeedKey(kid, secret), seal_key(root, feed, kid, secret)


def add_key(
    feed: str, kid: str, sealed: bytes, *, by: Reference, now_us: int, made_by: str = ""
) -> Work[None]:
    """Store a key; ``made_by`` are the persons who may see its secret now, joined by commas.

    :class:`NotFound` without such a feed, :class:`Conflict` when three keys are active.
    """
    client = yield from client_of(feed)
    log = client_log(client)
    ref = yield from by(log)
    row = ADD_KEY(
        feed=feed,
        kid=kid,
        sealed=sealed,
        made_by=made_by,
        created_us=now_us,
        most=MOST_ACTIVE_KEYS,
    )
    (added,) = yield Round(data=(row,))
    if not added:
        raise Conflict(
            f"{MOST_ACTIVE_KEYS} keys of {feed} are active",
            remedy=f"Retire one first: holdfast feed key {feed} --retire KID.",
        )
    body = {"by": ref, "feed": feed, "kid": kid}
    yield Round(data=(_leaf(log, LeafType.FEED_KEY_ADDED, body, now_us),))


def retire_key(feed: str, kid: str, *, by: Reference, now_us: int) -> Work[None]:
    """Retire a key: the next batch that it signed is refused. :class:`NotFound` if it is not an active one."""
    client = yield from client_of(feed)
    log = client_log(client)
    ref = yield from by(log)
    (rows,) = yield Round(data=(RETIRE_KEY(feed=feed, kid=kid, now_us=now_us),))
    if not rows:
        raise NotFound(f"{feed} has no active key {kid}", remedy="See `holdfast feed list`.")
    body = {"by": ref, "feed": feed, "kid": kid}
    yield Round(data=(_leaf(log, LeafType.FEED_KEY_RETIRED, body, now_us),))


def client_of(feed: str) -> Work[str]:
    """Return the client that the feed speaks for; :class:`NotFound` without such a feed."""
    (rows,) = yield Round(data=(FEED(name=feed),))
    if not rows:
        raise NotFound(f"there is no feed {feed}", remedy="See `holdfast feed list`.")
    client: str = rows[0][1]
    return client


def list_feeds(client: str = "") -> Work[list[ListedFeed]]:
    """Return all feeds, or those of one client, by name."""
    feeds, keys = yield Round(data=(FEEDS(client=client), KEYS()))
    return [
        ListedFeed(
            name,
            of,
            _words(types),
            _words(programmes),
            _words(sites),
            zone,
            adaptor,
            created_us,
            {kid: retired is None for feed, kid, _, retired in keys if feed == name},
        )
        for name, of, types, programmes, sites, zone, adaptor, created_us in feeds
    ]


def list_paces(now_us: int) -> Work[list[Measured]]:
    """Measure every feed that was ever heard, and each site that it named, by name."""
    (rows,) = yield Round(data=(PACES(),))
    is_sure = not (yield from moment()).stepped_us
    return measured((Pace(*row) for row in rows), now_us, time_is_sure=is_sure)


def list_dead_letters(
    *, feed: str = "", client: str = "", limit: int = 100
) -> Work[list[DeadLetter]]:
    """Return refused lines, newest first."""
    (rows,) = yield Round(data=(DEAD_LETTERS(feed=feed, client=client, limit=limit),))
    return [DeadLetter(*row) for row in rows]


def _words(joined: str) -> tuple[str, ...]:
    return tuple(word for word in joined.split(",") if word)


def _leaf(log: str, kind: LeafType, body: Mapping[str, object], now_us: int) -> Query:
    return append(log, Leaf(kind, new_id(LEAF, now_us), now_us, body))
