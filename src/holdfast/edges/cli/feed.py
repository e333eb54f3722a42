"""``holdfast feed add``, ``list``, ``key`` and ``dead-letters``; ``push`` stands in ``feed_push.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.terminal import emit, emit_secret, json_option, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.signals.envelope import FeedKey
    from holdfast.spine.signals.pace import Measured
    from holdfast.spine.signals.registry import DeadLetter, ListedFeed, NewFeed


@click.command()
@click.argument("name")
@click.option("--client", required=True, help="Client that it speaks for.")
@click.option(
    "--types",
    "types",
    multiple=True,
    help="Events that it may tell, such as contact.connected; `contact` is all of contacts. Default: all.",
)
@click.option(
    "--programmes", multiple=True, help="Only contacts of these; default: all of the client's."
)
@click.option("--sites", multiple=True, help="Only events that name one of these sites.")
@click.option(
    "--zone", default="", help="Time zone of times without an offset, such as Asia/Manila."
)
@click.option("--adaptor", default="generic", show_default=True, help="How its events are written.")
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    *,
    name: str,
    client: str,
    types: tuple[str, ...],
    programmes: tuple[str, ...],
    sites: tuple[str, ...],
    zone: str,
    adaptor: str,
    as_json: bool,
) -> None:
    """Register a feed: a system that tells which contact is live, and what it may speak for.

    Lists are repeated or joined by commas. What a feed says beyond its registration is refused and told to the client.

    \b
    Examples:
      holdfast feed add tel-acd --client tel-01 --types contact
      holdfast feed add tel-ivr --client tel-01 --types contact.verified --programmes care
    """
    from holdfast.edges.feeds.catalogue import ADAPTORS
    from holdfast.spine.signals.known import known_of
    from holdfast.spine.signals.registry import NewFeed, check_feed, make_digest_key

    house = open_house_from(ctx)
    known = house.read(known_of(house, client))
    asked = NewFeed(name, client, _types(types), _words(programmes), _words(sites), zone, adaptor)
    new = check_feed(asked, known, ADAPTORS)
    house.transact(_added(house, new, make_digest_key(house.root, name)))
    emit(
        {
            "feed": name,
            "client": client,
            "types": list(new.types),
            "programmes": list(new.programmes),
            "sites": list(new.sites),
            "zone": zone,
            "adaptor": adaptor,
        },
        as_json=as_json,
    )
    say(f"It has no key yet: holdfast feed key {name}")


def _added(house: House, new: NewFeed, digest_key: bytes) -> Work[None]:
    from holdfast.spine.administration.scene import administer, digest_of
    from holdfast.spine.signals.registry import add_feed

    summary = {"feed": new.name, "types": list(new.types), "programmes": list(new.programmes)}
    scene = yield from administer(
        house,
        Act.FEED_ADD,
        clients=(new.client,),
        digest=digest_of(*new[:2], *map(",".join, new[2:5]), *new[5:]),
        summary=summary,
    )
    yield from add_feed(new, digest_key, by=scene.acting.reference, now_us=scene.now_us)


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    words = (word.strip() for text in given for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _types(given: tuple[str, ...]) -> tuple[str, ...]:
    """Spell types out: ``contact`` and ``contact.*`` are all of contacts, ``connected`` is contact.connected."""
    from holdfast.spine.purpose.merge import EventType

    all_types = [kind.value for kind in EventType]
    spelt: list[str] = []
    for word in _words(given):
        if word in {"all", "*"}:
            spelt += all_types
        elif word in {"contact", "contact.*"}:
            spelt += [kind for kind in all_types if kind.startswith("contact.")]
        else:
            spelt.append(word if "." in word else f"contact.{word}")
    return tuple(dict.fromkeys(spelt))


@click.command("list")
@click.option("--client", default="", help="Only feeds of this client.")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, client: str, as_json: bool) -> None:
    """List feeds with what each may speak for, its keys, and whether it is late or silent, measured against itself.

    \b
    Examples:
      holdfast feed list
      holdfast feed list --client tel-01 --json
    """
    from holdfast.spine.signals.registry import list_paces

    house = open_house_from(ctx)
    feeds = house.read(_feeds(house, client))
    paces = house.read(list_paces(house.clock.now_us()))
    rows = [
        {
            "feed": feed.name,
            "client": feed.client,
            "types": list(feed.types),
            "programmes": list(feed.programmes),
            "sites": list(feed.sites),
            "zone": feed.zone,
            "adaptor": feed.adaptor,
            "added": rfc3339(feed.created_us),
            "keys": [kid for kid, active in feed.keys.items() if active],
            "retired": [kid for kid, active in feed.keys.items() if not active],
            **_pace(next((one for one in paces if (one.feed, one.site) == (feed.name, "")), None)),
            "behind_at": [one.site for one in paces if one.feed == feed.name and one.is_behind],
        }
        for feed in feeds
    ]
    if as_json:
        emit(rows, as_json=True)
        return
    brief = ("feed", "client", "programmes", "keys", "pace", "silent_s", "lag_s")
    emit([{name: row[name] for name in brief} for row in rows], as_json=False)


def _feeds(house: House, client: str) -> Work[list[ListedFeed]]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.signals.registry import list_feeds

    yield from administer(house, Act.FEED_LIST)
    return (yield from list_feeds(client))


def _pace(measured: Measured | None) -> dict[str, object]:
    if measured is None:
        return {"pace": "unknown", "silent_s": None, "lag_s": None}
    lag_us = measured.lag_us
    return {
        "pace": measured.state.value,
        "silent_s": measured.silence_us // SECOND_US,
        "lag_s": None if lag_us is None else round(lag_us / SECOND_US, 1),
    }


@click.command()
@click.argument("name")
@click.option("--retire", "kid", default="", help="Retire this key instead of making one.")
@json_option
@click.pass_context
def key(ctx: click.Context, *, name: str, kid: str, as_json: bool) -> None:
    """Make a signing key for a feed, shown this once; or retire one, from the next batch on.

    To rotate: make a new key, let the sender use it, retire the old one.

    \b
    Examples:
      holdfast feed key tel-acd --json > tel-acd.key
      holdfast feed key tel-acd --retire fk_01k8yq2v6f0000000000000000
    """
    from holdfast.spine.signals.registry import make_key

    house = open_house_from(ctx)
    if kid:
        house.transact(_retired(house, name, kid))
        emit({"feed": name, "kid": kid, "state": "retired"}, as_json=as_json)
        return
    made, sealed = make_key(house.root, name, house.clock.now_us())
    house.transact(_made(house, name, made, sealed))
    secret = made.secret.reveal().decode()
    emit_secret("secret", secret, as_json=as_json, also={"feed": name, "kid": made.kid})


def _made(house: House, feed: str, made: FeedKey, sealed: bytes) -> Work[None]:
    from holdfast.spine.administration.scene import digest_of, enter
    from holdfast.spine.identity.requester import joined
    from holdfast.spine.signals.registry import add_key, client_of

    entered = yield from enter(house, Act.FEED_KEY_ADD)
    client = yield from client_of(feed)
    scene = yield from entered.judge(
        clients=(client,), digest=digest_of(feed), summary={"feed": feed}
    )
    by, made_by = scene.acting, joined(scene.acting.hands)
    yield from add_key(
        feed, made.kid, sealed, by=by.reference, now_us=scene.now_us, made_by=made_by
    )


def _retired(house: House, feed: str, kid: str) -> Work[None]:
    from holdfast.spine.administration.scene import enter
    from holdfast.spine.signals.registry import client_of, retire_key

    entered = yield from enter(house, Act.FEED_KEY_RETIRE)
    client = yield from client_of(feed)
    scene = yield from entered.judge(clients=(client,))
    yield from retire_key(feed, kid, by=scene.acting.reference, now_us=scene.now_us)


@click.command("dead-letters")
@click.option("--feed", default="", help="Only lines of this feed.")
@click.option("--client", default="", help="Only lines of this client's feeds.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@click.pass_context
def dead_letters(ctx: click.Context, *, feed: str, client: str, limit: int, as_json: bool) -> None:
    """List lines that were refused, newest first: when, which feed, which line of its batch, and why.

    What the line said is not kept. Dead letters are forgotten after thirty days.

    \b
    Examples:
      holdfast feed dead-letters --feed tel-acd
      holdfast feed dead-letters --json | jq 'group_by(.reason) | map({reason: .[0].reason, lines: length})'
    """
    house = open_house_from(ctx)
    found = house.read(_dead_letters(house, feed, client, limit))
    rows = [
        {
            "at": rfc3339(letter.at_us),
            "feed": letter.feed,
            "client": letter.client,
            "line": letter.line,
            "reason": letter.reason,
            "field": letter.field,
        }
        for letter in found
    ]
    emit(rows, as_json=as_json)


def _dead_letters(house: House, feed: str, client: str, limit: int) -> Work[list[DeadLetter]]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.signals.registry import list_dead_letters

    yield from administer(house, Act.FEED_LIST)
    return (yield from list_dead_letters(feed=feed, client=client, limit=limit))
