"""``holdfast outage declare``, ``end`` and ``list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.purpose.settle import Outage


@click.command()
@click.argument("client")
@click.option("--hours", type=int, required=True, help="How long at most, 1 to 4.")
@click.option(
    "--reason",
    required=True,
    type=click.Choice(("feed_down", "network", "maintenance")),
    help="Why, as a code: the client reads it.",
)
@json_option
@click.pass_context
def declare(ctx: click.Context, *, client: str, hours: int, reason: str, as_json: bool) -> None:
    """Declare that a client's contact feed is down: persons open contacts themselves, with half the budgets.

    A second person approves it, then the same command is run again. The client sees both in its log, and every contact
    that was opened. It ends by itself.

    \b
    Examples:
      holdfast outage declare tel-01 --hours 2 --reason feed_down
    """
    house = open_house_from(ctx)
    declared = house.transact(declared_by_acting(house, client, hours, reason))
    emit(_row(declared, house.clock.now_us()), as_json=as_json)


def declared_by_acting(house: House, client: str, hours: int, reason: str) -> Work[Outage]:
    """Declare an outage in the name of who acts, once a second person has approved exactly this."""
    from holdfast.spine.administration.scene import administer, digest_of
    from holdfast.spine.decision.policies import current_policies
    from holdfast.spine.purpose.settle import check_outage, declare_outage

    check_outage(hours, reason)
    yield from current_policies(house.policies, client)  # there is such a client
    scene = yield from administer(
        house,
        Act.OUTAGE_DECLARE,
        clients=(client,),
        digest=digest_of(client, str(hours), reason),
        summary={"hours": hours, "reason": reason},
    )
    by = (scene.acting.reference, scene.second)
    return (yield from declare_outage(client, reason, hours, by=by, now_us=scene.now_us))


@click.command()
@click.argument("client")
@json_option
@click.pass_context
def end(ctx: click.Context, *, client: str, as_json: bool) -> None:
    """End a client's outage: contacts opened in it close, and the client is told how many the feed has confirmed.

    Wait until the feed has caught up: what it confirms later is not in the figures.

    \b
    Examples:
      holdfast outage end tel-01
    """
    house = open_house_from(ctx)
    ended = house.transact(_ended(house, client))
    emit(_row(ended, house.clock.now_us()), as_json=as_json)


def _ended(house: House, client: str) -> Work[Outage]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.purpose.settle import end_outage

    scene = yield from administer(house, Act.OUTAGE_END, clients=(client,))
    return (yield from end_outage(client, by=scene.acting.reference, now_us=scene.now_us))


@click.command("list")
@click.option("--client", default="", help="Only those of this client.")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, client: str, as_json: bool) -> None:
    """List declared outages, newest first.

    \b
    Examples:
      holdfast outage list
    """
    house = open_house_from(ctx)
    found = house.read(_found(house, client))
    if not found:
        say("No outage was declared.")
    now_us = house.clock.now_us()
    emit([_row(one, now_us) for one in found], as_json=as_json)


def _found(house: House, client: str) -> Work[list[Outage]]:
    from holdfast.spine.administration.scene import administer
    from holdfast.spine.purpose.settle import list_outages

    yield from administer(house, Act.OUTAGE_LIST)
    return (yield from list_outages(client))


def _row(given: Outage, now_us: int) -> dict[str, str]:
    return {
        "id": given.id,
        "client": given.client,
        "reason": given.reason,
        "state": "stands" if given.stands(now_us) else "over",
        "declared": rfc3339(given.declared_us),
        "until": rfc3339(given.ended_us or given.until_us),
    }
