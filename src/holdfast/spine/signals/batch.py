"""From a body to the events that this feed may tell. Pure: the signature first, then line by line (SPINE 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from holdfast.kit.crypto.mac import hmac_sha256
from holdfast.kit.errors import InvalidInput, NotAuthenticated
from holdfast.spine.purpose.merge import Timing, timing
from holdfast.spine.signals.envelope import parse_header, verify
from holdfast.spine.signals.events import (
    Line,
    Refusal,
    Rejected,
    canonical_bytes,
    occurred_us,
    read,
    split,
)

if TYPE_CHECKING:
    from holdfast.kit.secret import Secret
    from holdfast.spine.signals.envelope import FeedKey
    from holdfast.spine.signals.events import Event

Translate = Callable[[bytes], Iterable[Line]]


class Feed(NamedTuple):
    """A registered feed and what it may speak for; an empty set of programmes or sites is all of the client's."""

    name: str
    client: str
    types: frozenset[str]
    programmes: frozenset[str]
    sites: frozenset[str]
    zone: str  # IANA time zone of times without an offset; empty: such times are refused
    adaptor: str
    digest_key: Secret[bytes]  # tells a repeat from a reused id without keeping the event


class Said(NamedTuple):
    """A well-formed event and its line."""

    line: int
    event: Event


class Arrived(NamedTuple):
    """One event of a batch that the feed may tell."""

    line: int
    event: Event
    occurred_us: int
    when: Timing
    digest: bytes


class VerifiedBatch(NamedTuple):
    """Events whose signature is genuine and whose scope is the feed's."""

    feed: Feed
    kid: str
    received_us: int
    arrived: Sequence[Arrived]
    rejected: tuple[Rejected, ...]


def open_batch(
    feed: Feed | None,
    keys: Sequence[FeedKey],
    header: str,
    body: bytes,
    *,
    name: str,
    now_us: int,
    translate: Translate = split,
) -> VerifiedBatch:
    """Verify and read a batch sent to the feed called ``name``; ``feed`` is None if there is none of that name.

    Raises :class:`NotAuthenticated` when no current key signed these bytes within ±300 s of now, in the same words
    whether the feed exists or not, and :class:`InvalidInput` for a header or body that is malformed as a whole.
    Nothing of the body is parsed before its signature is verified.
    """
    signature = parse_header(header)
    kid = verify(signature, name, body, keys=keys if feed else (), now_us=now_us)
    if feed is None:  # verify() has refused: no key, no feed
        raise NotAuthenticated("no such feed")
    zone = ZoneInfo(feed.zone) if feed.zone else None
    arrived: list[Arrived] = []
    rejected: list[Rejected] = []
    for line in translate(body):
        event = read(line)
        found = (
            event
            if isinstance(event, Rejected)
            else _admit(feed, zone, Said(line.number, event), now_us)
        )
        if isinstance(found, Rejected):
            rejected.append(found)
        else:
            arrived.append(found)
    if not arrived and not rejected:
        raise InvalidInput("the body holds no event", field="body")
    return VerifiedBatch(feed, kid, now_us, arrived, tuple(rejected))


def _admit(feed: Feed, zone: ZoneInfo | None, said: Said, now_us: int) -> Arrived | Rejected:
    line, event = said
    outside = _outside(feed, event)
    if outside is not None:
        return Rejected(line, *outside)
    at_us = occurred_us(event, zone, now_us)
    if at_us is None:
        return Rejected(line, Refusal.NO_OFFSET, "occurred_at")
    if at_us <= 0:
        return Rejected(line, Refusal.INVALID_VALUE, "occurred_at")
    digest = hmac_sha256(feed.digest_key.reveal(), canonical_bytes(event))[:16]
    return Arrived(line, event, at_us, timing(at_us, now_us), digest)


def _outside(feed: Feed, event: Event) -> tuple[Refusal, str] | None:
    """Say for what the feed may not speak, and in which field it did."""
    if event.client != feed.client:
        return Refusal.OTHER_CLIENT, "client"
    if event.type not in feed.types:
        return Refusal.OTHER_TYPE, "type"
    if feed.programmes and event.programme and event.programme not in feed.programmes:
        return Refusal.OTHER_PROGRAMME, "programme"
    if feed.sites and event.site not in feed.sites:
        return Refusal.OTHER_SITE, "site"
    return None
