"""``holdfast job list`` and ``job retry``: the house's background work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import NotFound
from holdfast.kit.terminal import emit, json_option, say
from holdfast.vocabulary.acts import Act

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.kit.jobs.queue import Listed
    from holdfast.spine.house import House


@click.command("list")
@click.option(
    "--state",
    type=click.Choice(["ready", "leased", "dead", "done"]),
    default=None,
    help="Only those; without it all that are not done.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@json_option
@click.pass_context
def list_all(ctx: click.Context, *, state: str | None, limit: int, as_json: bool) -> None:
    """List background work: what waits, what runs, and what was given up after twelve attempts.

    Of an attempt that failed only the code is kept, never its text.

    \b
    Examples:
      holdfast job list
      holdfast job list --state dead --json
    """
    house = open_house_from(ctx)
    states = (state,) if state else ("ready", "leased", "dead")
    found = house.read(_listed(house, states, limit))
    if not found:
        say("There is no such work.")
    rows = [
        {
            "id": one.id,
            "kind": one.kind,
            "state": one.state,
            "due": rfc3339(one.run_at_us),
            "attempts": one.attempts,
            "error": one.error,
        }
        for one in found
    ]
    emit(rows, as_json=as_json)


def _listed(house: House, states: tuple[str, ...], limit: int) -> Work[list[Listed]]:
    from holdfast.kit.jobs.queue import listed
    from holdfast.spine.administration.scene import administer

    yield from administer(house, Act.JOB_LIST)
    return (yield from listed(states, most=limit))


@click.command()
@click.argument("ident", metavar="ID")
@json_option
@click.pass_context
def retry(ctx: click.Context, *, ident: str, as_json: bool) -> None:
    """Run a job at once that waits for its next attempt or was given up, with all its attempts before it.

    \b
    Examples:
      holdfast job retry job_01k8yq2v6f0000000000000000
    """
    house = open_house_from(ctx)
    house.transact(_retried(house, ident))
    emit({"id": ident, "state": "ready"}, as_json=as_json, text=f"{ident} is due now")


def _retried(house: House, ident: str) -> Work[None]:
    from holdfast.kit.jobs.queue import revive
    from holdfast.spine.administration.scene import administer

    yield from administer(house, Act.JOB_RETRY)
    if not (yield from revive(ident, house.clock.now_us())):
        raise NotFound(
            f"no job {ident} waits or was given up", remedy="`holdfast job list` shows them."
        )
