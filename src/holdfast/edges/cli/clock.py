"""``holdfast clock``: how the house's time stands, and the confirmation of a clock that was set."""

from __future__ import annotations

import click

from holdfast.edges.cli.context import open_house_from
from holdfast.kit.clock import rfc3339
from holdfast.kit.terminal import emit, json_option, say


@click.command()
@json_option
@click.pass_context
def show(ctx: click.Context, *, as_json: bool) -> None:
    """Show the time that the house goes by, and whether the machine's clock was set.

    \b
    Examples:
      holdfast clock show
      holdfast clock show --json
    """
    from holdfast.spine.timekeeping import standing

    house = open_house_from(ctx)
    house.floor_clock()
    seen = house.read(standing(house))
    stepped = rfc3339(seen.stepped_us) if seen.stepped_us else ""
    data = {"now": rfc3339(seen.now_us), "stepped_at": stepped, "stepped_by_s": seen.by_s}
    text = f"the house's time is {data['now']}"
    if stepped:
        way = "ahead" if seen.by_s > 0 else "back"
        text += f"\nat {stepped} the machine's clock was set {way} by {abs(seen.by_s)} s"
    emit(data, as_json=as_json, text=text)
    if stepped:
        say("Until `holdfast clock confirm`, nothing is known by its age and nothing is destroyed.")


@click.command()
@json_option
@click.pass_context
def confirm(ctx: click.Context, *, as_json: bool) -> None:
    """Confirm that the machine's clock is right, after it was set; a leaf says who did.

    Look first: `holdfast clock show` says the time that the house goes by, which is never before its newest leaf.

    \b
    Examples:
      holdfast clock confirm
    """
    from holdfast.spine.timekeeping import confirm as confirmed

    house = open_house_from(ctx)
    house.floor_clock()
    before = house.transact(confirmed(house))
    data = {"confirmed": rfc3339(before.stepped_us), "stepped_by_s": before.by_s}
    emit(data, as_json=as_json, text=f"confirmed the step seen at {data['confirmed']}")
