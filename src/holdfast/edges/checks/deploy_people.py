"""Checks of a house in production: who administers it, with what credentials, and what it owes its clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from holdfast.edges.checks import store
from holdfast.edges.checks.findings import doubtful, wrong
from holdfast.edges.checks.opened import opened_data
from holdfast.kit.clock import DAY_US, HOUR_US, SystemClock, parse_rfc3339
from holdfast.kit.db import Round
from holdfast.kit.db.shell import drive
from holdfast.spine.administration.store import FEED_KEY_MAKERS, TOKEN_HOLDERS
from holdfast.spine.decision.store import CLIENTS
from holdfast.spine.ledger.tail import leaves_from
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kit.config import Settings
    from holdfast.kit.db import Query, Row, Work
    from holdfast.vocabulary.manifest import Finding

OLD_TOKEN_US: Final = 90 * DAY_US
OLD_BACKUP_US: Final = 7 * DAY_US
SILENT_FEED_US: Final = 7 * DAY_US  # event ids are remembered for as long
OVERDUE_US: Final = HOUR_US
MOST_LEAVES: Final = 4096


def administrators(settings: Settings) -> Iterator[Finding]:
    """One administrator alone can lose the house, and nobody can be their second person."""
    admins = _rows(settings, store.ADMINS(now=_now_us()))
    if len(admins) < 2:
        yield wrong(
            f"the house has {len(admins)} active administrator(s)",
            "Let an administrator add a second one: holdfast person add STAFF_ID --employer house --role admin.",
        )
    for _, staff_id, os_user, tokens, oldest_us in admins:
        if not os_user and not tokens:
            yield doubtful(
                f"administrator {staff_id} has neither an account of this machine nor a token",
                "Bind one with `holdfast person add … --os-user`, or end the role.",
            )
        if oldest_us and _now_us() - oldest_us > OLD_TOKEN_US:
            yield doubtful(
                f"administrator {staff_id} has a token of {(_now_us() - oldest_us) // DAY_US} days",
                "Issue a new one, bound to a key, and revoke the old one (`holdfast token list`).",
            )


def roles_apart(settings: Settings) -> Iterator[Finding]:
    """Whoever has a feed's key and a token that the feed empowers can make a call up, and take it."""
    now_us = _now_us()
    for (
        client,
        *_,
    ) in _rows(settings, CLIENTS()):
        keys = {name for row in _rows(settings, FEED_KEY_MAKERS(client=client)) for name in row}
        held = _rows(settings, TOKEN_HOLDERS(client=client, now=now_us))
        both = keys & {name for row in held for name in row if name}
        if both:
            yield wrong(
                f"{len(both)} person(s) know a key of a feed of {client} and a token that it empowers",
                "Retire the key (`holdfast feed key FEED --retire KID`), and let somebody else make the next one.",
            )


def tokens_bound(settings: Settings) -> Iterator[Finding]:
    """A token that is bound to nothing is good for whoever finds it, wherever they are."""
    ((count,),) = _rows(settings, store.BARE_TOKENS(now=_now_us()))
    if count:
        yield doubtful(
            f"{count} live token(s) of persons are bound neither to a key nor to networks",
            "Issue them with --networks, or bound to the holder's key (`holdfast token list` shows which).",
        )


def feeds_alive(settings: Settings) -> Iterator[Finding]:
    """Without a contact feed nobody sees anything; a key without a second one cannot be changed without a gap."""
    for name, keys, heard_us in _rows(settings, store.FEEDS()):
        if not heard_us:
            yield doubtful(
                f"feed {name} was not heard of in seven days, or never",
                "See the sender's log; `holdfast feed dead-letters` lists what was refused.",
            )
        if keys == 0:
            yield wrong(
                f"feed {name} has no key that counts", f"Make one: holdfast feed key {name}."
            )
        elif keys > 2:
            yield doubtful(
                f"feed {name} has {keys} keys that count",
                f"Retire those that nobody signs with: holdfast feed key {name} --retire KID.",
            )


def nothing_overdue(settings: Settings) -> Iterator[Finding]:
    """An erasure that was ordered is owed."""
    before_us = _now_us() - OVERDUE_US
    ((shreds,),) = _rows(settings, store.OVERDUE_SHREDS(before_us=before_us))
    ((jobs,),) = _rows(settings, store.OVERDUE_JOBS(before_us=before_us))
    if shreds:
        yield wrong(
            f"{shreds} erasure(s) were ordered more than an hour ago and are not done",
            "See that `holdfast worker` (part of `holdfast serve`) runs, and what it logs.",
        )
    if jobs:
        yield doubtful(
            f"{jobs} job(s) are an hour overdue",
            "See that `holdfast worker` runs, and what it logs.",
        )


def backed_up(settings: Settings) -> Iterator[Finding]:
    """The house's log says when a copy was last made; that it can be read back only a drill says."""
    made = [
        leaf["time"] for leaf in _newest_leaves(settings) if leaf["type"] == LeafType.BACKUP_MADE
    ]
    if not made:
        yield doubtful(
            "no copy of the house was made lately, or ever", "Make one: holdfast backup DIR."
        )
    elif _now_us() - parse_rfc3339(made[-1]) > OLD_BACKUP_US:
        yield doubtful(f"the newest copy is of {made[-1]}", "Make one: holdfast backup DIR.")


def _newest_leaves(settings: Settings) -> list[dict[str, Any]]:
    sizes = _rows(settings, store.LOG_SIZE(log=HOUSE_LOG))
    size = sizes[0][0] if sizes else 0
    with opened_data(settings, "identity_credential") as data:
        found = drive(
            leaves_from(HOUSE_LOG, max(0, size - MOST_LEAVES), most=MOST_LEAVES), data, data
        )
    return [json.loads(leaf.entry) for leaf in found]


def _rows(settings: Settings, query: Query) -> list[Row]:
    def works() -> Work[list[Row]]:
        (rows,) = yield Round(data=(query,))
        return list(rows)

    with opened_data(settings, "identity_credential") as data:
        return drive(works(), data, data)


def _now_us() -> int:
    return SystemClock().now_us()
