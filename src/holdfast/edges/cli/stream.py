"""``holdfast stream``: who follows the logs, how far they are, and what they could not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import SECOND_US, rfc3339
from holdfast.kit.errors import HoldfastError
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.stream.follower import Follower
    from holdfast.spine.stream.parking import Parked
    from holdfast.spine.stream.standing import Standing


@click.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, as_json: bool) -> None:
    """List who follows the logs, and how far: leaves not yet read, the age of the oldest, leaves that were parked.

    `stopped` names logs that are not the ones that were followed: `holdfast doctor` says more.

    \b
    Examples:
      holdfast stream list
      holdfast stream list --json
    """
    house = open_house_from(ctx)
    house.floor_clock()
    now_us = house.clock.now_us()
    rows = [
        {
            "name": one.name,
            "logs": one.logs,
            "behind": one.behind,
            "most_behind": one.most_behind,
            "oldest_s": one.lag_us(now_us) // SECOND_US,
            "parked": one.parked,
            "stopped": list(one.stopped),
        }
        for one in house.read(_standings(house))
    ]
    emit(rows, as_json=as_json)


def _standings(house: House) -> Work[tuple[Standing, ...]]:
    from holdfast.spine.stream.standing import standings

    yield from _judged(house, Act.STREAM_LIST)
    return (yield from standings(_followers()))


@click.command()
@click.argument("name", required=False, default="")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@json_option
@click.pass_context
def parked(ctx: click.Context, *, name: str, limit: int, as_json: bool) -> None:
    """List leaves that a subscriber could not take and passed over; with NAME, those of one.

    Of a leaf only its place is kept, and the code of what went wrong.

    \b
    Examples:
      holdfast stream parked
      holdfast stream parked timeline --json
    """
    house = open_house_from(ctx)
    found = house.read(_parked(house, name, limit))
    if not found:
        say("No leaf is parked.")
    emit([_row(one) for one in found], as_json=as_json)


@click.command()
@click.argument("name")
@json_option
@click.pass_context
def retry(ctx: click.Context, *, name: str, as_json: bool) -> None:
    """Take a subscriber's parked leaves to it once more, after the cause was mended. Each has its effect once.

    \b
    Examples:
      holdfast stream retry timeline
    """
    from holdfast.spine.stream.parking import named
    from holdfast.spine.stream.parking import retry as retry_one

    house = open_house_from(ctx)
    house.read(_judged(house, Act.STREAM_RETRY))
    follower = named(_followers(), name)
    taken, left = 0, []
    for one in house.read(_parked(house, name, 1000)):
        try:
            done = retry_one(house, follower, one)
        except HoldfastError as error:
            left.append(_row(one) | {"code": error.code})
            continue
        taken += done
        left += [] if done else [_row(one)]
    emit(
        {"taken": taken, "parked": left},
        as_json=as_json,
        text=f"taken: {taken}, still parked: {len(left)}",
    )


@click.command()
@click.argument("name")
@json_option
@click.pass_context
def rebuild(ctx: click.Context, *, name: str, as_json: bool) -> None:
    """Let a subscriber forget all that it keeps and read every log anew.

    The worker does it while the house serves; `holdfast stream list` shows how far it is. Parked leaves are read again,
    too.

    \b
    Examples:
      holdfast stream rebuild tally
    """
    house = open_house_from(ctx)
    logs = house.transact(_rebuilt(house, name))
    emit({"name": name, "logs": logs}, as_json=as_json, text=f"{name} reads {logs} logs anew")
    say("The worker does it; `holdfast stream list` shows how far it is.")


def _rebuilt(house: House, name: str) -> Work[int]:
    from holdfast.spine.stream.parking import named
    from holdfast.spine.stream.parking import rebuild as begin

    yield from _judged(house, Act.STREAM_REBUILD)
    return (yield from begin(named(_followers(), name), house.clock.now_us()))


def _parked(house: House, name: str, limit: int) -> Work[tuple[Parked, ...]]:
    from holdfast.spine.stream.parking import list_parked, named

    yield from _judged(house, Act.STREAM_LIST)
    if name:
        named(_followers(), name)
    return (yield from list_parked(name, most=limit))


def _judged(house: House, act: Act) -> Work[None]:
    from holdfast.spine.administration.scene import administer

    yield from administer(house, act)


def _followers() -> tuple[Follower, ...]:
    from holdfast.manifests import subscriptions
    from holdfast.spine.stream.follower import follower_of

    return tuple(map(follower_of, subscriptions()))


def _row(one: Parked) -> dict[str, Any]:
    return {
        "subscriber": one.subscriber,
        "log": one.log,
        "index": one.place,
        "code": one.code,
        "tries": one.tries,
        "since": rfc3339(one.at_us),
    }
